"""The repository of what was fetched for entries: chapters, transcripts and image sizes, by URL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from pipeline.model.entry import Picture
from pipeline.store.database import Database
from pipeline.store.dialects import upsert
from pipeline.store.schema import episode_detail, image_size


@dataclass(frozen=True, slots=True)
class MediaRepository:
    """Episode details and image sizes. A URL that was never fetched is absent from the answers."""

    database: Database

    def episode_details(self, urls: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return the lines read from chapter files and transcripts, by URL."""
        with self.database.read() as connection:
            rows = connection.execute(select(episode_detail).where(episode_detail.c.url.in_(urls)))
            return {row.url: tuple(row.lines) for row in rows}

    def save_episode_details(self, url: str, lines: Sequence[str], *, now: datetime) -> None:
        """Write the lines of a chapter file or a transcript."""
        with self.database.write() as connection:
            upsert(connection, episode_detail, {"url": url, "lines": list(lines), "fetched_at": now})

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
