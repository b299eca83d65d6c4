"""The repository of entries.

Queries return entries in order of publication, and their cost does not grow with the archive: each uses an index, and
a test checks the query plans.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, select, true, union

from pipeline.model.entry import Entry, EntryIdentity, StoredEntry
from pipeline.model.update import FeedUpdate, UpdateCounts
from pipeline.store import entry_updates
from pipeline.store.database import Database
from pipeline.store.rows import entry_keys, stored_entry
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

_FLAGS = {"vanished": entry.c.vanished_at.is_not(None), "deleted": entry.c.deleted_at.is_not(None)}
_IDENTITIES = select(
    *(_FLAGS[name].label(name) if name in _FLAGS else entry.c[name] for name in EntryIdentity._fields),
).order_by(entry.c.entry_id)
_OF_FEED = entry.c.feed_id == bindparam("feed")
_RAW_HASHES = select(entry.c.entry_id, entry.c.raw_hash).where(_OF_FEED, is_present)
_ANY = select(exists().where(_OF_FEED))
_FEW = 10
_NEWEST_CANDIDATES = 200
"""Number of newest entries that show how a feed usually behaves."""
_CANDIDATES = _IDENTITIES.where(
    entry.c.entry_id.in_(
        union(
            select(entry.c.entry_id).where(_OF_FEED, is_present),
            select(entry.c.entry_id).where(_OF_FEED, entry.c.guid_sha256.in_(bindparam("guids", expanding=True))),
            select(entry.c.entry_id).where(_OF_FEED, page_prefix.in_(bindparam("pages", expanding=True))),
            select(entry.c.entry_id).where(_OF_FEED, has_media, media_prefix.in_(bindparam("media", expanding=True))),
            select(
                select(entry.c.entry_id)
                .where(_OF_FEED)
                .order_by(entry.c.published_at.desc(), entry.c.entry_id.desc())
                .limit(_NEWEST_CANDIDATES)
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
# Statements are built once: with this number of columns, building one takes longer than running it.
_EARLIER = entry.c.published_at < bindparam("before")
_OF_FEEDS = entry.c.feed_id.in_(bindparam("feeds", expanding=True))
_BY_ID = _STORED.where(entry.c.entry_id.in_(bindparam("ids", expanding=True)))
_BETWEEN = _STORED.where(_OF_FEEDS, entry.c.published_at >= bindparam("start"), _EARLIER)
_NEWEST_BEFORE = _STORED.where(
    entry.c.entry_id.in_(
        select(entry.c.entry_id)
        .where(is_alive, _OF_FEED, _EARLIER, entry.c.first_seen_at <= bindparam("known_by"))
        .order_by(entry.c.published_at.desc(), entry.c.entry_id.desc())
        .limit(bindparam("limit"))
    )
)
_LATE_UNASSIGNED = _STORED.where(is_unassigned, _OF_FEEDS, _EARLIER)
_OF_WEEKS = _STORED.where(entry.c.assigned_week.in_(bindparam("weeks", expanding=True)), _EARLIER)
_OF_EDITION = _STORED.where(edition_entry.c.week == bindparam("week"))
_QUARANTINED = _STORED.where(is_quarantined, _OF_FEED)
_ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EntryRepository:
    """Entries of all feeds. Lists of stored entries begin with the oldest."""

    database: Database

    def apply(self, updates: Sequence[FeedUpdate], *, now: datetime) -> list[UpdateCounts]:
        """Write feed states and entry changes in one transaction; return the counts of each update.

        An entry dated by ``first_seen`` keeps the date it was stored with.
        """
        with self.database.write() as connection:
            return entry_updates.apply(connection, updates, now)

    def release_quarantine(self, *, new: Sequence[int], archived: Sequence[int], now: datetime) -> None:
        """Release entries from quarantine, as new or as archived ones; ``now`` becomes their ``first_seen_at``."""
        with self.database.write() as connection:
            entry_updates.release_quarantine(connection, new, now, archived=False)
            entry_updates.release_quarantine(connection, archived, now, archived=True)

    def delete(self, entry_ids: Sequence[int], *, now: datetime) -> None:
        """Delete entries for good: no query returns them, and their feed cannot bring them back."""
        with self.database.write() as connection:
            entry_updates.delete(connection, entry_ids, now)

    def raw_hashes(self, feed_id: str) -> dict[int, str]:
        """Return the entries in a feed's last document: entry id to ``Entry.raw_hash``."""
        with self.database.autocommit() as connection:
            return dict(map(tuple, connection.execute(_RAW_HASHES, {"feed": feed_id}).all()))

    def identities(self, feed_id: str) -> list[EntryIdentity]:
        """Return the identities of all entries of a feed, in the order they were stored."""
        with self.database.read() as connection:
            rows = connection.execute(_IDENTITIES.where(entry.c.feed_id == feed_id)).all()
            return list(map(EntryIdentity._make, rows))

    def match_candidates(self, feed_id: str, entries: Collection[Entry]) -> list[EntryIdentity]:
        """Return the identities that ``entries`` may match.

        These are the stored entries of the feed that were in its last document, those that share a GUID, page or
        enclosure with one of ``entries``, and the newest.
        """
        with self.database.autocommit() as connection:
            if len(entries) > _FEW and not connection.scalar(_ANY, {"feed": feed_id}):
                return []  # the usual first fetch of a feed; its keys need not be looked up one by one
            keys = [entry_keys(entry) for entry in entries]
            values = {
                "feed": feed_id,
                "guids": [key["guid_sha256"] for key in keys],
                "pages": [*{key["url_key"][:PREFIX_CHARS] for key in keys} - {""}],
                "media": [*{key["enclosure_key"][:PREFIX_CHARS] for key in keys} - {""}],
            }
            return list(map(EntryIdentity._make, connection.execute(_CANDIDATES, values).all()))

    def between(self, start: datetime, end: datetime, feed_ids: Collection[str]) -> list[StoredEntry]:
        """Return the entries published in ``[start, end)``."""
        return self._stored(_BETWEEN, feeds=feed_ids, start=start, before=end)

    def newest_before(
        self, feed_id: str, before: datetime, *, limit: int, first_seen_by: datetime | None = None
    ) -> list[StoredEntry]:
        """Return the newest entries of a feed that were published before an instant, and stored by another."""
        known_by = first_seen_by or _ALWAYS
        return self._stored(_NEWEST_BEFORE, feed=feed_id, before=before, known_by=known_by, limit=limit)

    def late_unassigned(self, feed_ids: Collection[str], before: datetime) -> list[StoredEntry]:
        """Return entries published before an instant that no closed week has; archived ones only if a week had them."""
        return self._stored(_LATE_UNASSIGNED, feeds=feed_ids, before=before)

    def of_weeks(self, weeks: Collection[str], before: datetime | None = None) -> list[StoredEntry]:
        """Return the entries assigned to closed weeks; with ``before``, those that were published before an instant."""
        return self._stored(_OF_WEEKS, weeks=weeks, before=before or _ALWAYS)

    def of_edition(self, week: str) -> list[StoredEntry]:
        """Return the entries of a sealed edition's stories, those that arrived too late included."""
        return self._stored(_OF_EDITION, week=week)

    def by_id(self, entry_ids: Collection[int]) -> list[StoredEntry]:
        """Return the entries with these ids; unknown ids are ignored."""
        return self._stored(_BY_ID, ids=entry_ids)

    def quarantined(self, feed_id: str) -> list[StoredEntry]:
        """Return a feed's entries in quarantine."""
        return self._stored(_QUARANTINED, feed=feed_id)

    def newest_id(self) -> int:
        """Return the id of the entry stored last, or 0."""
        with self.database.read() as connection:
            return connection.scalar(select(func.coalesce(func.max(entry.c.entry_id), 0))) or 0

    def newest_at(self, feed_ids: Collection[str], before: datetime | None = None) -> datetime | None:
        """Return when the newest entry of these feeds (published before an instant) was published, or None."""
        # The newest of each feed is one step in the index; the newest of several feeds at once would be a scan.
        newest = _newest_of_feed(before).scalar_subquery()
        with self.database.read() as connection:
            published_at: datetime | None = connection.scalar(
                select(func.max(newest)).where(feed.c.feed_id.in_(feed_ids))
            )
            return published_at

    def newest_at_by_feed(self, feed_ids: Collection[str], before: datetime) -> dict[str, datetime | None]:
        """Return when each feed's newest entry before an instant was published; None for a feed without one."""
        newest = _newest_of_feed(before).scalar_subquery()
        statement = select(feed.c.feed_id, newest.label("at")).where(feed.c.feed_id.in_(feed_ids))
        with self.database.read() as connection:
            return {row.feed_id: row.at for row in connection.execute(statement)}

    def published_dates(self, feed_ids: Collection[str], since: datetime) -> list[datetime]:
        """Return the dates of entries published since an instant, in order."""
        conditions = (is_alive, entry.c.feed_id.in_(feed_ids), entry.c.published_at >= since)
        with self.database.read() as connection:
            dates = select(entry.c.published_at).where(*conditions).order_by(entry.c.published_at)
            return list(connection.scalars(dates))

    def published_urls(self, weeks: Collection[str]) -> dict[str, str]:
        """Return the pages of entries assigned to these weeks: ``text.urls.url_key`` to week."""
        week = entry.c.assigned_week
        statement = select(entry.c.url_key, week).where(week.in_(weeks), entry.c.url_key != "").order_by(week)
        with self.database.read() as connection:
            return {row.url_key: row.assigned_week for row in connection.execute(statement)}

    def _stored(self, statement: Select[Any], **values: object) -> list[StoredEntry]:
        with self.database.read() as connection:
            return [stored_entry(row) for row in connection.execute(statement, values).mappings().all()]


def _newest_of_feed(before: datetime | None) -> Select[tuple[datetime]]:
    earlier = entry.c.published_at < before if before else true()
    return select(func.max(entry.c.published_at)).where(is_alive, entry.c.feed_id == feed.c.feed_id, earlier)
