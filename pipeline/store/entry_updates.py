"""Apply what deduplication decided about freshly read feeds.

In: a connection, the feeds' new states, decisions. Out: counts. Begins and ends no transaction: the
caller's holds it all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Connection, Update, bindparam, case, select, update
from sqlalchemy.sql.dml import ReturningInsert

from pipeline.model.update import EntryChange, FeedUpdate, UpdateCounts
from pipeline.store import entry_revisions as former
from pipeline.store import feeds
from pipeline.store.archive import optimize_search_index
from pipeline.store.dialects import insert
from pipeline.store.rows import content_row, entry_row
from pipeline.store.schema import Instant, content, entry

_ROWS_AT_ONCE = 25
_MUCH = 1_000
"""So many new entries at once make it worth while to gather their words."""
_REWRITTEN = ("changed", "repaired")
_IN_ONE_STATEMENT = 10_000  # SQLite takes 32,766 parameters
_THESE = entry.c.entry_id.in_(bindparam("these", expanding=True))
_REAPPEAR = update(entry).where(_THESE, entry.c.vanished_at.is_not(None)).values(vanished_at=None, withdrawn_at=None)
_VANISH = update(entry).where(_THESE, entry.c.vanished_at.is_(None)).values(vanished_at=bindparam("now", type_=Instant))
_WITHDRAW = update(entry).where(_THESE).values(withdrawn_at=bindparam("now", type_=Instant))
_ACCEPT = (
    update(entry)
    .where(_THESE, entry.c.quarantined_at.is_not(None))
    .values(
        quarantined_at=None,
        first_seen_at=bindparam("now", type_=Instant),
        archived=bindparam("is_archived", type_=Boolean),
    )
)
_BURY = update(entry).where(_THESE).values(deleted_at=bindparam("now", type_=Instant), quarantined_at=None)
_EMPTY = content.delete().where(content.c.entry_id.in_(bindparam("these", expanding=True)))
# A repaired guid alone is no change of content.
_CHANGED_AT = case(
    (entry.c.fingerprint == bindparam("new_fingerprint"), entry.c.changed_at), else_=bindparam("now", type_=Instant)
)
_HAVE = select(entry.c.entry_id, entry.c.guid_sha256).where(
    entry.c.feed_id == bindparam("feed"), entry.c.guid_sha256.in_(bindparam("guids", expanding=True))
)
_REWRITE = update(entry).where(entry.c.entry_id == bindparam("this")).values(changed_at=_CHANGED_AT)
_REMARK = update(entry).where(entry.c.entry_id == bindparam("this")).values(raw_hash=bindparam("new_hash"))
_REWRITE_CONTENT = update(content).where(content.c.entry_id == bindparam("this"))


def apply(connection: Connection, updates: Sequence[FeedUpdate], now: datetime) -> list[UpdateCounts]:
    """Write feeds' states and what changed in them. The costs follow the documents, not what is kept."""
    updates = [_possible(connection, update) for update in updates]
    feeds.save(connection, [update.state for update in updates])
    changes = [change for update in updates for change in update.changes.entries]
    _rewrite(connection, [change for change in changes if change.kind in _REWRITTEN], now)
    _remark(connection, [change for change in changes if change.kind == "same"])
    inserted = _insert(connection, [each for update in updates for each in _new_in(update, now)])
    present = [change.entry_id for change in changes if change.entry_id is not None]
    _mark(connection, _REAPPEAR, [*present, *(each for update in updates for each in update.changes.reappeared)], now)
    _mark(connection, _VANISH, [each for update in updates for each in update.changes.vanished], now)
    _mark(connection, _WITHDRAW, [each for update in updates for each in update.changes.withdrawn], now)
    if inserted.total() >= _MUCH:
        optimize_search_index(connection)
    return [_applied(update, inserted[update.state.feed_id]) for update in updates]


def _possible(connection: Connection, update: FeedUpdate) -> FeedUpdate:
    """Leave out repairs to a guid that another entry has by now: a process was quicker. The next read decides anew."""
    repairs = {
        each.entry_id: entry_row(each)["guid_sha256"] for each in update.changes.entries if each.kind == "repaired"
    }
    if not repairs:
        return update
    rows = connection.execute(_HAVE, {"feed": update.state.feed_id, "guids": list(repairs.values())})
    has = {row.guid_sha256: row.entry_id for row in rows}
    lost = {entry_id for entry_id, guid in repairs.items() if has.get(guid, entry_id) != entry_id}
    if not lost:
        return update
    kept = [change for change in update.changes.entries if change.entry_id not in lost]
    return replace(update, changes=replace(update.changes, entries=kept))


def _applied(update: FeedUpdate, new: int) -> UpdateCounts:
    rewritten = sum(change.kind in _REWRITTEN for change in update.changes.entries)
    held_back = new if update.changes.quarantine_reason else 0
    same = len(update.changes.entries) - new - rewritten
    return UpdateCounts(new=new - held_back, quarantined=held_back, changed=rewritten, same=same)


def accept(connection: Connection, entry_ids: Sequence[int], now: datetime, *, backlog: bool) -> None:
    """Let entries out of quarantine, as if they were seen now for the first time."""
    for these in _portions(entry_ids):
        connection.execute(_ACCEPT, {"these": these, "now": now, "is_archived": backlog})


def delete(connection: Connection, entry_ids: Sequence[int], now: datetime) -> None:
    """Drop the contents of entries; their names stay, so that the feed cannot bring them back."""
    for these in _portions(entry_ids):
        connection.execute(_BURY, {"these": these, "now": now})
        connection.execute(_EMPTY, {"these": these})


def insert_new(connection: Connection, changes: Sequence[EntryChange], now: datetime) -> int:
    """Insert new entries as backlog, and count them; one that another process was quicker to insert stays as it is."""
    return _insert(connection, [(change, _seen(now, backlog=True)) for change in changes]).total()


def _new_in(update: FeedUpdate, now: datetime) -> Iterator[tuple[EntryChange, dict[str, Any]]]:
    seen = _seen(now, backlog=update.archived, quarantined_at=now if update.changes.quarantine_reason else None)
    return ((change, seen) for change in update.changes.entries if change.kind == "new")


def _seen(now: datetime, *, backlog: bool, quarantined_at: datetime | None = None) -> dict[str, Any]:
    """Give what is the store's to say of a new entry."""
    return {"first_seen_at": now, "changed_at": now, "archived": backlog, "quarantined_at": quarantined_at}


def _insert(connection: Connection, new: Sequence[tuple[EntryChange, dict[str, Any]]]) -> Counter[str]:
    """Insert new entries; count by feed those that no other process was quicker to insert."""
    if not new:
        return Counter()
    rows = [entry_row(change) | seen for change, seen in new]
    inserted = connection.execute(_insert_new(connection.dialect.name), rows)
    ids = {(row.feed_id, row.guid_sha256): row.entry_id for row in inserted}
    counted = Counter(feed_id for feed_id, _ in ids)
    contents = [
        {"entry_id": ids.pop(name), **content_row(change.entry)}
        for row, (change, _) in zip(rows, new, strict=True)
        if (name := (row["feed_id"], row["guid_sha256"])) in ids
    ]
    if contents:
        connection.execute(content.insert(), contents)
    return counted


@cache
def _insert_new(dialect: str) -> ReturningInsert[Any]:
    statement = insert(dialect, entry).on_conflict_do_nothing(index_elements=[entry.c.feed_id, entry.c.guid_sha256])
    # SQLite keeps each statement it has met, and one for five hundred rows is a megabyte: there are few of these.
    few = statement.execution_options(insertmanyvalues_page_size=_ROWS_AT_ONCE)
    return few.returning(entry.c.feed_id, entry.c.guid_sha256, entry.c.entry_id)


def _rewrite(connection: Connection, changes: Sequence[EntryChange], now: datetime) -> None:
    if not changes:
        return
    for these in _portions([change.entry_id for change in changes if change.entry_id is not None]):
        former.keep(connection, these, now)
    alike = defaultdict(list)  # executemany sets the same columns in every row
    for change in changes:
        row = _rewritten(change)
        alike[tuple(row)].append({**row, "this": change.entry_id, "new_fingerprint": change.fingerprint, "now": now})
    for rows in alike.values():
        connection.execute(_REWRITE, rows)
    connection.execute(_REWRITE_CONTENT, [{"this": each.entry_id, **content_row(each.entry)} for each in changes])


def _remark(connection: Connection, changes: Sequence[EntryChange]) -> None:
    """Remember how entries are written now that say the same as before."""
    marks = [
        {"this": change.entry_id, "new_hash": change.entry.raw_hash} for change in changes if change.entry.raw_hash
    ]
    if marks:
        connection.execute(_REMARK, marks)


def _rewritten(change: EntryChange) -> dict[str, Any]:
    row = entry_row(change)
    if change.kind != "repaired":
        del row["guid"], row["guid_sha256"]
    if change.entry.dated_by == "first_seen":
        # "First seen" is now only for a new entry; this one was seen before.
        del row["published_at"], row["dated_by"]
    return row


def _mark(connection: Connection, statement: Update, entry_ids: Sequence[int], now: datetime) -> None:
    for these in _portions(entry_ids):
        connection.execute(statement, {"these": these, "now": now})


def _portions(entry_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (entry_ids[start : start + _IN_ONE_STATEMENT] for start in range(0, len(entry_ids), _IN_ONE_STATEMENT))
