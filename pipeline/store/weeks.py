"""The repository of closed weeks, and the assignment of entries to weeks.

An entry has one week, or none. Functions that take a connection run inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, null, or_, select, update

from pipeline.store.database import Database
from pipeline.store.dialects import insert_if_absent
from pipeline.store.schema import closed_week, edition_entry, entry
from pipeline.store.word_index import optimize_word_index


@dataclass(frozen=True, slots=True)
class WeekRepository:
    """The weeks that were closed, each once, whichever process is first."""

    database: Database

    def close(
        self, week: str, entry_ids: Collection[int], *, now: datetime, carried_over: Collection[int] = ()
    ) -> bool:
        """Close a week and assign entries to it; return False, having written nothing, if it was closed before.

        An entry of an earlier week stays there. Entries that are ``carried_over`` go into the next digest, even if
        they are archived; they remember the first week that released them.
        """
        with self.database.write() as connection:
            return close(connection, week, entry_ids, now, carried_over)

    def closed(self) -> dict[str, datetime]:
        """Return when each closed week was closed, by week."""
        with self.database.read() as connection:
            rows = connection.execute(select(closed_week).order_by(closed_week.c.week))
            return {row.week: row.closed_at for row in rows}


def close(
    connection: Connection, week: str, entry_ids: Collection[int], now: datetime, carried_over: Collection[int] = ()
) -> bool:
    """Do as ``WeekRepository.close`` inside the caller's transaction."""
    if not insert_if_absent(connection, closed_week, {"week": week, "closed_at": now}):
        return False
    free = update(entry).where(entry.c.assigned_week.is_(None))
    connection.execute(free.where(entry.c.entry_id.in_(entry_ids)).values(assigned_week=week))
    released = free.where(entry.c.entry_id.in_(carried_over), entry.c.released_from.is_(None))
    connection.execute(released.values(released_from=week))
    optimize_word_index(connection)  # once a week is enough for the small segments of normal runs
    return True


def assign(connection: Connection, week: str, entry_ids: Collection[int]) -> None:
    """Assign entries to a week, whichever week they had before; they remember which week released them."""
    connection.execute(update(entry).where(entry.c.entry_id.in_(entry_ids)).values(assigned_week=week))


def release(connection: Connection, week: str, *, keep: Collection[int]) -> None:
    """Release a week's entries, but those to ``keep``; they remember it, and the week that had released them before."""
    released = (entry.c.assigned_week == week) & entry.c.entry_id.not_in(keep)
    values = {"assigned_week": None, "released_from": week, "released_before": entry.c.released_from}
    connection.execute(update(entry).where(released).values(values))


def reclaim(connection: Connection, week: str, entry_ids: Collection[int]) -> None:
    """Assign to a week what was released from it, and ``entry_ids``, unless a sealed edition carries it by now.

    They remember the week that had released them before.
    """
    is_free = entry.c.entry_id.not_in(select(edition_entry.c.entry_id))
    reclaimed = or_(entry.c.released_from == week, entry.c.entry_id.in_(entry_ids)) & is_free
    before = case(
        (entry.c.released_from == week, entry.c.released_before),
        (entry.c.released_before == week, null()),  # a later week took it and released it; the one before is forgotten
        else_=entry.c.released_from,
    )
    values = {"assigned_week": week, "released_from": before, "released_before": None}
    connection.execute(update(entry).where(reclaimed).values(values))


def has_all(connection: Connection, week: str, entry_ids: Collection[int]) -> bool:
    """Check whether all these entries are assigned to a week."""
    assigned = select(func.count()).where(entry.c.entry_id.in_(entry_ids), entry.c.assigned_week == week)
    return connection.scalar(assigned) == len(entry_ids)


def may_reclaim(connection: Connection, week: str) -> bool:
    """Check whether a week has released nothing, or something that no sealed edition carries by now."""
    released = select(func.count()).where(entry.c.released_from == week)
    free = released.where(entry.c.entry_id.not_in(select(edition_entry.c.entry_id)))
    return bool(connection.scalar(free)) or not connection.scalar(released)
