"""Repositories of what can be made or fetched again: excerpts, what was fetched for entries, and link checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.entry import Picture, TimedText
from pipeline.store.database import Database
from pipeline.store.dialects import insert, upsert
from pipeline.store.rows import storable
from pipeline.store.schema import episode_detail, excerpt, failed_media, image_size, link_check


@dataclass(frozen=True, slots=True)
class ExcerptRepository:
    """Markdown excerpts, by a hash of all they were made from."""

    database: Database

    def get(self, keys: Collection[str]) -> dict[str, str]:
        """Return the stored excerpts, by key."""
        statement = select(excerpt.c.key, excerpt.c.markdown).where(excerpt.c.key.in_(keys))
        with self.database.read() as connection:
            return {row.key: row.markdown for row in connection.execute(statement)}

    def save(self, excerpts: Mapping[str, str], *, now: datetime) -> None:
        """Write excerpts, by key; one that another process has written meanwhile stays."""
        rows = [
            {"key": key, "markdown": markdown, "created_at": now}
            for key, markdown in excerpts.items()
            if storable(markdown) == markdown  # a database would return another text, so it is made again each time
        ]
        if rows:
            with self.database.write() as connection:
                connection.execute(insert(connection.dialect.name, excerpt).on_conflict_do_nothing(), rows)

    def prune(self, before: datetime) -> int:
        """Delete excerpts made before an instant; return how many."""
        is_old = excerpt.c.created_at < before
        with self.database.write() as connection:
            count = connection.scalar(select(func.count()).select_from(excerpt).where(is_old)) or 0
            connection.execute(delete(excerpt).where(is_old))
        return count


@dataclass(frozen=True, slots=True)
class MediaRepository:
    """Episode details and image sizes, by URL. A URL that was never fetched is absent from the answers."""

    database: Database

    def episode_details(self, urls: Collection[str]) -> dict[str, tuple[TimedText, ...]]:
        """Return what was read from chapter files and transcripts, by URL."""
        with self.database.read() as connection:
            rows = connection.execute(select(episode_detail).where(episode_detail.c.url.in_(urls)))
            return {
                row.url: tuple(TimedText(text=line, start_seconds=start) for start, line in row.lines) for row in rows
            }

    def save_episode_details(self, url: str, lines: Sequence[TimedText], *, now: datetime) -> None:
        """Write the lines of a chapter file or a transcript."""
        timed = [[line.start_seconds, line.text] for line in lines]
        with self.database.write() as connection:
            upsert(connection, episode_detail, {"url": url, "lines": timed, "fetched_at": now})

    def image_sizes(self, urls: Collection[str]) -> dict[str, Picture]:
        """Return the known sizes of images, by URL."""
        columns = [image_size.c[name] for name in ("url", "width", "height", "length_bytes")]
        with self.database.read() as connection:
            rows = connection.execute(select(*columns).where(image_size.c.url.in_(urls))).mappings()
            return {row["url"]: Picture(**row) for row in rows}

    def save_image_size(self, image: Picture, *, now: datetime) -> None:
        """Write the size of an image."""
        row = {name: getattr(image, name) for name in ("url", "width", "height", "length_bytes")}
        with self.database.write() as connection:
            upsert(connection, image_size, row | {"fetched_at": now})

    def failures(self, urls: Collection[str]) -> dict[str, tuple[int, datetime]]:
        """Return how often each URL that could not be fetched has failed, and when it failed last."""
        with self.database.read() as connection:
            rows = connection.execute(select(failed_media).where(failed_media.c.url.in_(urls)))
            return {row.url: (row.failures, row.failed_at) for row in rows}

    def save_failures(self, failures: Mapping[str, int], *, now: datetime) -> None:
        """Write how often URLs have failed, the last time now."""
        if failures:
            with self.database.write() as connection:
                for url, count in failures.items():
                    upsert(connection, failed_media, {"url": url, "failures": count, "failed_at": now})


@dataclass(frozen=True, slots=True)
class LinkCheckRepository:
    """The newest link check of each edition's bytes, by their hash.

    Approving these bytes relies on it; edited ones have another hash, so they are checked again.
    """

    database: Database

    def get(self, content_hash: str) -> LinkCheck | None:
        """Return the newest link check of these bytes, or None if their links were never checked."""
        statement = select(link_check).where(link_check.c.content_hash == content_hash)
        with self.database.read() as connection:
            row = connection.execute(statement).mappings().first()
        if row is None:
            return None
        results = tuple(CheckResult(**result) for result in row["results"])
        return LinkCheck(content_hash=content_hash, checked_at=row["checked_at"], results=results)

    def save(self, check: LinkCheck) -> None:
        """Write a link check in place of the previous one of the same bytes."""
        row = {
            "content_hash": check.content_hash,
            "checked_at": check.checked_at,
            "results": [asdict(result) for result in check.results],
        }
        with self.database.write() as connection:
            upsert(connection, link_check, row)
