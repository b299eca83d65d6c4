"""The repository of counted links: where they lead, how often they were followed, and clicks that are not counted yet.

A click waits until it is known whether its client is a scanner. Who clicked is only a hash, keyed with a secret
of at most a day, and deleted with the click.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, exists, func, or_, select, update

from pipeline.model.counted_link import CountedLink
from pipeline.store.database import Database
from pipeline.store.dialects import insert, insert_if_absent
from pipeline.store.schema import click_key, counted_link, pending_click, scanner

KEY_LIFETIME = timedelta(days=1)
_COUNT = (
    update(counted_link)
    .where(counted_link.c.week == bindparam("of_week"), counted_link.c.tag == bindparam("of_tag"))
    .values(clicks=counted_link.c.clicks + bindparam("more"))
)


@dataclass(frozen=True, slots=True)
class ClickRepository:
    """Counted links by the week of their edition; an edition and its corrections share them."""

    database: Database
    max_rows: int = 50_000
    """How many clicks wait, and how many scanners are known, at most; more are not recorded."""

    def find(self, week: str, tag: str) -> CountedLink | None:
        """Return a link of a sealed edition, or None if none had it."""
        is_it = counted_link.c.week == week, counted_link.c.tag == tag
        query = select(counted_link.c.tag, counted_link.c.url, counted_link.c.is_canary).where(*is_it)
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
            return CountedLink(**row) if row else None

    def counts(self, week: str) -> dict[str, int]:
        """Return how often each address of an edition's counted links was followed."""
        query = select(counted_link.c.url, counted_link.c.clicks)
        query = query.where(counted_link.c.week == week, counted_link.c.is_canary.is_(False))
        with self.database.read() as connection:
            return {row.url: row.clicks for row in connection.execute(query.order_by(counted_link.c.url))}

    def key(self, now: datetime, new: str) -> str:
        """Return the secret of the hashes; it becomes ``new`` if there is none, or it is older than a day."""
        with self.database.write(counted=False) as connection:
            connection.execute(delete(click_key).where(click_key.c.created_at <= now - KEY_LIFETIME))
            insert_if_absent(connection, click_key, {"key_id": 1, "secret": new, "created_at": now})
            return str(connection.scalar(select(click_key.c.secret)))

    def record(self, client: str, week: str, link: CountedLink, now: datetime, *, window: timedelta) -> None:
        """Record that a client, by its hash, followed a link.

        A client that follows the canary is a scanner: its clicks do not count from a ``window`` before to one after.
        A click that waits already is the same one.
        """
        with self.database.write(counted=False) as connection:
            table = scanner if link.is_canary else pending_click
            if (connection.scalar(select(func.count()).select_from(table)) or 0) >= self.max_rows:
                return
            if link.is_canary:
                _record_scanner(connection, client, now, window)
            elif not _is_scanner(connection, client, now):
                row = {"client": client, "week": week, "tag": link.tag, "at": now}
                insert_if_absent(connection, pending_click, row)

    def settle(self, now: datetime, *, window: timedelta) -> int:
        """Count the clicks that have waited for a ``window`` and are no scanner's; return how many there were.

        What is known about their clients is deleted, and the secret once nothing waits.
        """
        is_due = pending_click.c.at <= now - window
        in_time = pending_click.c.at.between(scanner.c.from_at, scanner.c.until_at)
        is_scanned = exists().where(scanner.c.client == pending_click.c.client, in_time)
        with self.database.write(counted=False) as connection:
            connection.execute(delete(pending_click).where(is_due, is_scanned))
            due = delete(pending_click).where(is_due).returning(pending_click.c.week, pending_click.c.tag)
            clicks = Counter((row.week, row.tag) for row in connection.execute(due))
            if clicks:
                rows = [{"of_week": week, "of_tag": tag, "more": more} for (week, tag), more in sorted(clicks.items())]
                connection.execute(_COUNT, rows)
            connection.execute(delete(scanner).where(scanner.c.until_at <= now - window))
            if not _has_pending(connection):
                connection.execute(delete(click_key))
            return clicks.total()

    def has_pending(self) -> bool:
        """Check whether something is known about clients that ``settle`` has to delete."""
        with self.database.read() as connection:
            return _has_pending(connection)

    def carry_over(self, other: ClickRepository) -> None:
        """Add the links and clicks of another state of the same store."""
        with other.database.read() as reading:
            rows = [dict(row) for row in reading.execute(select(counted_link)).mappings()]
        with self.database.write(counted=False) as connection:
            _insert(connection, rows)
            more = [{"of_week": row["week"], "of_tag": row["tag"], "more": row["clicks"]} for row in rows]
            if more:
                later = _COUNT.where(counted_link.c.clicks < bindparam("more")).values(clicks=bindparam("more"))
                connection.execute(later, more)


def insert_links(connection: Connection, week: str, manifest: bytes) -> None:
    """Insert the counted links that a manifest lists, but those that another edition of the week has."""
    links = [CountedLink(**values) for values in json.loads(manifest or b"{}").get("counted_links", ())]
    _insert(connection, [{"week": week, "clicks": 0, **asdict(link)} for link in links])


def _insert(connection: Connection, rows: Iterable[dict[str, object]]) -> None:
    if rows := list(rows):
        connection.execute(insert(connection.dialect.name, counted_link).on_conflict_do_nothing(), rows)


def _record_scanner(connection: Connection, client: str, now: datetime, window: timedelta) -> None:
    row = {"client": client, "from_at": now - window, "until_at": now + window}
    statement = insert(connection.dialect.name, scanner).values(row)
    later = {"until_at": statement.excluded.until_at}
    connection.execute(statement.on_conflict_do_update(index_elements=[scanner.c.client], set_=later))


def _is_scanner(connection: Connection, client: str, now: datetime) -> bool:
    return bool(connection.scalar(select(exists().where(scanner.c.client == client, scanner.c.until_at >= now))))


def _has_pending(connection: Connection) -> bool:
    return bool(connection.scalar(select(or_(exists(select(pending_click)), exists(select(scanner))))))
