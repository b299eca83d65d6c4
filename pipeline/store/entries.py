"""Entries: what is asked of them.

In: a connection, plain values. Out: records, the oldest first. Begins and ends no transaction. No question here costs
what the archive holds: each is answered through an index, and a test looks at the plans.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Result, Select, bindparam, exists, func, select, true, union

from pipeline.model.entry import Entry, EntryIdentity, StoredEntry
from pipeline.store.rows import entry_names, stored_entry
from pipeline.store.schema import (
    PREFIX_CHARS,
    content,
    edition_entry,
    entry,
    feed,
    has_media,
    is_alive,
    is_present,
    is_quarantined,
    is_unassigned,
    media_prefix,
    page_prefix,
)

_IS = {"vanished": entry.c.vanished_at.is_not(None), "deleted": entry.c.deleted_at.is_not(None)}
_KNOWN = select(
    *(_IS[name].label(name) if name in _IS else entry.c[name] for name in EntryIdentity._fields),
).order_by(entry.c.entry_id)
_FEED = entry.c.feed_id == bindparam("feed")
_MARKS = select(entry.c.entry_id, entry.c.raw_hash).where(_FEED, is_present)
_ANY = select(exists().where(_FEED))
_FEW = 10
_NEWEST_KNOWN = 200
"""So many of the newest tell how a feed usually behaves."""
_AMONG = _KNOWN.where(
    entry.c.entry_id.in_(
        union(
            select(entry.c.entry_id).where(_FEED, is_present),
            select(entry.c.entry_id).where(_FEED, entry.c.guid_sha256.in_(bindparam("guids", expanding=True))),
            select(entry.c.entry_id).where(_FEED, page_prefix.in_(bindparam("pages", expanding=True))),
            select(entry.c.entry_id).where(_FEED, has_media, media_prefix.in_(bindparam("media", expanding=True))),
            select(
                select(entry.c.entry_id)
                .where(_FEED)
                .order_by(entry.c.published_at.desc())
                .limit(_NEWEST_KNOWN)
                .subquery()
                .c.entry_id
            ),
        )
    )
)
_STORED = (
    select(
        *(entry.c[name] for name in ("entry_id", "feed_id", "guid", "title", "published_at", "dated_by")),
        *(entry.c[name] for name in ("duration_seconds", "first_seen_at", "changed_at", "vanished_at")),
        *(entry.c[name] for name in ("archived", "assigned_week", "fingerprint", "released_from", "withdrawn_at")),
        entry.c.quarantined_at,
        entry.c.raw_hash,
        edition_entry.c.week.label("edition_week"),
        edition_entry.c.late_counterpart,
        content.c.details,
        content.c.body_html,
    )
    .join_from(entry, content)
    .outerjoin(edition_entry, edition_entry.c.entry_id == entry.c.entry_id)
    .order_by(entry.c.published_at, entry.c.entry_id)
)


def known(connection: Connection, feed_id: str) -> list[EntryIdentity]:
    """Read what deduplication needs of a feed's entries, in the order they were stored."""
    return _known_entries(connection.execute(_KNOWN.where(entry.c.feed_id == feed_id)))


def marks(connection: Connection, feed_id: str) -> dict[int, str]:
    """Read which entries were in a feed's document, and under which marks they were read."""
    return dict(map(tuple, connection.execute(_MARKS, {"feed": feed_id}).all()))


def known_among(connection: Connection, feed_id: str, found: Collection[Entry]) -> list[EntryIdentity]:
    """Read of a feed's entries those that were in its document, those with a name of one found, and the newest."""
    if len(found) > _FEW and not connection.scalar(_ANY, {"feed": feed_id}):
        return []  # the usual first read of a feed; its names need not be looked for one by one
    names = [entry_names(each) for each in found]
    wanted = {
        "feed": feed_id,
        "guids": [each["guid_sha256"] for each in names],
        "pages": [*{each["url_key"][:PREFIX_CHARS] for each in names} - {""}],
        "media": [*{each["enclosure_key"][:PREFIX_CHARS] for each in names} - {""}],
    }
    return _known_entries(connection.execute(_AMONG, wanted))


def between(connection: Connection, start: datetime, end: datetime, feed_ids: Collection[str]) -> list[StoredEntry]:
    """Read the entries published in ``[start, end)``."""
    published = entry.c.published_at
    return _stored(connection, entry.c.feed_id.in_(feed_ids), published >= start, published < end)


def unplaced_late(connection: Connection, feed_ids: Collection[str], before: datetime) -> list[StoredEntry]:
    """Read the entries published before an instant that no closed week has, the backlog aside unless a week had it."""
    return _stored(connection, is_unassigned, entry.c.feed_id.in_(feed_ids), entry.c.published_at < before)


def of_week(connection: Connection, week: str) -> list[StoredEntry]:
    """Read the entries a closed week took."""
    return _stored(connection, entry.c.assigned_week == week)


def by_id(connection: Connection, entry_ids: Collection[int]) -> list[StoredEntry]:
    """Read these entries; an unknown id is left out."""
    return _stored(connection, entry.c.entry_id.in_(entry_ids))


def in_quarantine(connection: Connection, feed_id: str) -> list[StoredEntry]:
    """Read a feed's entries that wait to be accepted."""
    return _stored(connection, is_quarantined, entry.c.feed_id == feed_id)


def published_dates(connection: Connection, feed_ids: Collection[str], since: datetime) -> list[datetime]:
    """Read when entries were published, from an instant on, in order."""
    wanted = (is_alive, entry.c.feed_id.in_(feed_ids), entry.c.published_at >= since)
    return list(connection.scalars(select(entry.c.published_at).where(*wanted).order_by(entry.c.published_at)))


def newest_id(connection: Connection) -> int:
    """Find the number of the entry that came in last; 0 when none ever did."""
    return connection.scalar(select(func.coalesce(func.max(entry.c.entry_id), 0))) or 0


def newest_at(connection: Connection, feed_ids: Collection[str], before: datetime | None) -> datetime | None:
    """Find when the newest entry (before an instant) was published."""
    return connection.scalar(_newest(feed_ids, before))


def newest_of_each(connection: Connection, feed_ids: Collection[str], before: datetime) -> dict[str, datetime | None]:
    """Find when each feed's newest entry before an instant was published; None where there is none."""
    newest = _newest_of_feed(before).scalar_subquery()
    rows = connection.execute(select(feed.c.feed_id, newest.label("at")).where(feed.c.feed_id.in_(feed_ids)))
    return {row.feed_id: row.at for row in rows}


def pages_told(connection: Connection, weeks: Collection[str]) -> dict[str, str]:
    """Read the pages that weeks took, by ``url_key``, and which week did."""
    taken = select(entry.c.url_key, entry.c.assigned_week).where(
        entry.c.assigned_week.in_(weeks), entry.c.url_key != ""
    )
    return {row.url_key: row.assigned_week for row in connection.execute(taken.order_by(entry.c.assigned_week))}


def _newest(feed_ids: Collection[str], before: datetime | None) -> Select[datetime]:
    # The newest of each feed is one step into the index; the newest of several feeds at once would be a scan.
    newest = _newest_of_feed(before).scalar_subquery()
    return select(func.max(newest)).where(feed.c.feed_id.in_(feed_ids))


def _newest_of_feed(before: datetime | None) -> Select[datetime]:
    earlier = entry.c.published_at < before if before else true()
    return select(func.max(entry.c.published_at)).where(is_alive, entry.c.feed_id == feed.c.feed_id, earlier)


def _known_entries(rows: Result[Any]) -> list[EntryIdentity]:
    return list(map(EntryIdentity._make, rows.all()))


def _stored(connection: Connection, *wanted: ColumnElement[bool]) -> list[StoredEntry]:
    return [stored_entry(row) for row in connection.execute(_STORED.where(*wanted)).mappings().all()]
