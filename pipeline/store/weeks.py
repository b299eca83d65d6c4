"""Weeks that were settled: each once, whoever else tries.

In: a connection, plain values. Out: who was first, and when. Begins and ends no transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, or_, select, update

from pipeline.store.archive import optimize_search_index
from pipeline.store.dialects import insert_if_absent
from pipeline.store.schema import closed_week, edition_entry, entry


def settle(
    connection: Connection, key: str, entry_ids: Collection[int], now: datetime, rolled_on: Collection[int] = ()
) -> bool:
    """Record which entries a closed week took and gave up; False, and nothing written, when it was settled before."""
    if not insert_if_absent(connection, closed_week, {"week": key, "closed_at": now}):
        return False
    taken = entry.c.entry_id.in_(entry_ids) & entry.c.assigned_week.is_(None)
    connection.execute(update(entry).where(taken).values(assigned_week=key))
    given_up = entry.c.entry_id.in_(rolled_on) & entry.c.assigned_week.is_(None)
    connection.execute(update(entry).where(given_up).values(released_from=key))
    optimize_search_index(connection)  # once a week is often enough for what comes in small pieces
    return True


def place(connection: Connection, key: str, entry_ids: Collection[int]) -> None:
    """Give entries to a week, whichever week had them before."""
    connection.execute(
        update(entry).where(entry.c.entry_id.in_(entry_ids)).values(assigned_week=key, released_from=None)
    )


def release(connection: Connection, key: str, *, but: Collection[int]) -> None:
    """Let a week give up its entries, some excepted; they remember where they were."""
    given_up = (entry.c.assigned_week == key) & entry.c.entry_id.not_in(but)
    connection.execute(update(entry).where(given_up).values(assigned_week=None, released_from=key))


def take_back(connection: Connection, key: str, entry_ids: Collection[int]) -> None:
    """Give a week what it had given up, or once sealed, unless a sealed edition has it by now; drafts must let go."""
    free = entry.c.entry_id.not_in(select(edition_entry.c.entry_id))
    taken = or_(entry.c.released_from == key, entry.c.entry_id.in_(entry_ids)) & free
    connection.execute(update(entry).where(taken).values(assigned_week=key, released_from=None))


def all_placed(connection: Connection, key: str, entry_ids: Collection[int]) -> bool:
    """Tell whether a week has all of these entries."""
    placed = select(func.count()).where(entry.c.entry_id.in_(entry_ids), entry.c.assigned_week == key)
    return connection.scalar(placed) == len(entry_ids)


def settled(connection: Connection) -> dict[str, datetime]:
    """Read which weeks are settled, and since when."""
    return {row.week: row.closed_at for row in connection.execute(select(closed_week).order_by(closed_week.c.week))}
