"""Writes entries inside a caller's transaction: what deduplication decided, releases from quarantine, deletions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Connection, bindparam, case, select, update
from sqlalchemy.sql.dml import ReturningInsert

from pipeline.model.update import EntryChange, FeedUpdate, UpdateCounts
from pipeline.store.dialects import insert
from pipeline.store.entry_revisions import save_revisions
from pipeline.store.feeds import save_states
from pipeline.store.rows import content_row, entry_row
from pipeline.store.schema import Instant, content, entry
from pipeline.store.word_index import optimize_word_index

_INSERT_PAGE = 25
_OPTIMIZE_FROM = 1_000
"""Number of new entries from which the word index is optimized."""
_REWRITTEN = ("changed", "repaired")
_MAX_IDS = 10_000  # in one statement; SQLite allows 32,766 parameters
_IDS = entry.c.entry_id.in_(bindparam("ids", expanding=True))
_NOW = bindparam("now", type_=Instant)
_REAPPEAR = update(entry).where(_IDS, entry.c.vanished_at.is_not(None)).values(vanished_at=None, withdrawn_at=None)
_VANISH = update(entry).where(_IDS, entry.c.vanished_at.is_(None)).values(vanished_at=_NOW)
_WITHDRAW = update(entry).where(_IDS).values(withdrawn_at=_NOW)
_RELEASE = (
    update(entry)
    .where(_IDS, entry.c.quarantined_at.is_not(None))
    .values(quarantined_at=None, first_seen_at=_NOW, archived=bindparam("is_archived", type_=Boolean))
)
_DELETE = update(entry).where(_IDS).values(deleted_at=_NOW, quarantined_at=None)
_DELETE_CONTENT = content.delete().where(content.c.entry_id.in_(bindparam("ids", expanding=True)))
# A repaired GUID alone does not change the content.
_CHANGED_AT = case((entry.c.fingerprint == bindparam("new_fingerprint"), entry.c.changed_at), else_=_NOW)
_GUIDS = select(entry.c.entry_id, entry.c.guid_sha256).where(
    entry.c.feed_id == bindparam("feed"), entry.c.guid_sha256.in_(bindparam("guids", expanding=True))
)
_REWRITE = update(entry).where(entry.c.entry_id == bindparam("id")).values(changed_at=_CHANGED_AT)
_REWRITE_CONTENT = update(content).where(content.c.entry_id == bindparam("id"))
_SAVE_HASH = update(entry).where(entry.c.entry_id == bindparam("id")).values(raw_hash=bindparam("new_hash"))


def apply(connection: Connection, updates: Sequence[FeedUpdate], now: datetime) -> list[UpdateCounts]:
    """Write feed states and entry changes; return the counts of each update.

    The cost grows with the documents, not with what is stored.
    """
    updates = [_without_lost_repairs(connection, update) for update in updates]
    save_states(connection, [update.state for update in updates])
    changes = [change for update in updates for change in update.changes.entries]
    _rewrite(connection, [change for change in changes if change.kind in _REWRITTEN], now)
    _save_hashes(connection, [change for change in changes if change.kind == "same"])
    inserted = _insert(connection, [row for update in updates for row in _new_entries(update, now)])
    present = [change.entry_id for change in changes if change.entry_id is not None]
    _execute(
        connection, _REAPPEAR, [*present, *(id_ for update in updates for id_ in update.changes.reappeared)], now=now
    )
    _execute(connection, _VANISH, [id_ for update in updates for id_ in update.changes.vanished], now=now)
    _execute(connection, _WITHDRAW, [id_ for update in updates for id_ in update.changes.withdrawn], now=now)
    if inserted.total() >= _OPTIMIZE_FROM:
        optimize_word_index(connection)
    return [_counts(update, inserted[update.state.feed_id]) for update in updates]


def release_quarantine(connection: Connection, entry_ids: Sequence[int], now: datetime, *, archived: bool) -> None:
    """Release entries from quarantine, as if they were first seen now."""
    _execute(connection, _RELEASE, entry_ids, now=now, is_archived=archived)


def delete(connection: Connection, entry_ids: Sequence[int], now: datetime) -> None:
    """Delete the content of entries; their identities stay, so that the feed cannot bring them back."""
    _execute(connection, _DELETE, entry_ids, now=now)
    _execute(connection, _DELETE_CONTENT, entry_ids)


def insert_archived(connection: Connection, changes: Sequence[EntryChange], now: datetime) -> int:
    """Insert the new entries among ``changes`` as archived ones; return how many other processes had not inserted."""
    new = [change for change in changes if change.kind == "new"]
    return _insert(connection, [(change, _initial_values(now, archived=True)) for change in new]).total()


def _without_lost_repairs(connection: Connection, update: FeedUpdate) -> FeedUpdate:
    """Drop repairs to a GUID that another process has given to another entry; the next fetch decides again."""
    repairs = {
        change.entry_id: entry_row(change)["guid_sha256"]
        for change in update.changes.entries
        if change.kind == "repaired"
    }
    if not repairs:
        return update
    rows = connection.execute(_GUIDS, {"feed": update.state.feed_id, "guids": list(repairs.values())})
    owners = {row.guid_sha256: row.entry_id for row in rows}
    lost = {entry_id for entry_id, guid in repairs.items() if owners.get(guid, entry_id) != entry_id}
    if not lost:
        return update
    entries = [change for change in update.changes.entries if change.entry_id not in lost]
    return replace(update, changes=replace(update.changes, entries=entries))


def _counts(update: FeedUpdate, new: int) -> UpdateCounts:
    rewritten = sum(change.kind in _REWRITTEN for change in update.changes.entries)
    quarantined = new if update.changes.quarantine_reason else 0
    same = len(update.changes.entries) - new - rewritten
    return UpdateCounts(new=new - quarantined, quarantined=quarantined, changed=rewritten, same=same)


def _new_entries(update: FeedUpdate, now: datetime) -> Iterator[tuple[EntryChange, dict[str, Any]]]:
    values = _initial_values(
        now, archived=update.archived, quarantined_at=now if update.changes.quarantine_reason else None
    )
    return ((change, values) for change in update.changes.entries if change.kind == "new")


def _initial_values(now: datetime, *, archived: bool, quarantined_at: datetime | None = None) -> dict[str, Any]:
    """Return the columns of a new entry that the document does not decide."""
    return {"first_seen_at": now, "changed_at": now, "archived": archived, "quarantined_at": quarantined_at}


def _insert(connection: Connection, new: Sequence[tuple[EntryChange, dict[str, Any]]]) -> Counter[str]:
    """Insert new entries; count, by feed id, those that no other process had inserted."""
    if not new:
        return Counter()
    rows = [entry_row(change) | values for change, values in new]
    inserted = connection.execute(_insert_statement(connection.dialect.name), rows)
    ids = {(row.feed_id, row.guid_sha256): row.entry_id for row in inserted}
    counts = Counter(feed_id for feed_id, _ in ids)
    contents = [
        {"entry_id": ids.pop(key), **content_row(change.entry)}
        for row, (change, _) in zip(rows, new, strict=True)
        if (key := (row["feed_id"], row["guid_sha256"])) in ids
    ]
    if contents:
        connection.execute(content.insert(), contents)
    return counts


@cache
def _insert_statement(dialect: str) -> ReturningInsert[Any]:
    statement = insert(dialect, entry).on_conflict_do_nothing(index_elements=[entry.c.feed_id, entry.c.guid_sha256])
    # SQLite caches every statement, and one for five hundred rows takes a megabyte: small pages keep them few.
    statement = statement.execution_options(insertmanyvalues_page_size=_INSERT_PAGE)
    return statement.returning(entry.c.feed_id, entry.c.guid_sha256, entry.c.entry_id)


def _rewrite(connection: Connection, changes: Sequence[EntryChange], now: datetime) -> None:
    if not changes:
        return
    for ids in _batches([change.entry_id for change in changes if change.entry_id is not None]):
        save_revisions(connection, ids, now)
    rows_by_columns = defaultdict(list)  # executemany sets the same columns in every row
    for change in changes:
        row = _rewritten_columns(change)
        values = {**row, "id": change.entry_id, "new_fingerprint": change.fingerprint, "now": now}
        rows_by_columns[tuple(row)].append(values)
    for rows in rows_by_columns.values():
        connection.execute(_REWRITE, rows)
    connection.execute(_REWRITE_CONTENT, [{"id": change.entry_id, **content_row(change.entry)} for change in changes])


def _save_hashes(connection: Connection, changes: Sequence[EntryChange]) -> None:
    """Save the hashes of items that are written differently and have the same content."""
    rows = [{"id": change.entry_id, "new_hash": change.entry.raw_hash} for change in changes if change.entry.raw_hash]
    if rows:
        connection.execute(_SAVE_HASH, rows)


def _rewritten_columns(change: EntryChange) -> dict[str, Any]:
    row = entry_row(change)
    if change.kind != "repaired":
        del row["guid"], row["guid_sha256"]
    if change.entry.dated_by == "first_seen":
        # This date is the time of this fetch, right only for a new entry; a stored one keeps its own.
        del row["published_at"], row["dated_by"]
    return row


def _execute(connection: Connection, statement: Any, entry_ids: Sequence[int], **values: object) -> None:
    for ids in _batches(entry_ids):
        connection.execute(statement, {"ids": ids, **values})


def _batches(entry_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (entry_ids[start : start + _MAX_IDS] for start in range(0, len(entry_ids), _MAX_IDS))
