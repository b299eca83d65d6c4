"""Pictures: how large each is, as was seen once.

In: a connection, addresses. Out: Pictures. Begins and ends no transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from pipeline.model.entry import Picture
from pipeline.store.dialects import insert
from pipeline.store.schema import image_size


def sizes(connection: Connection, urls: Collection[str]) -> dict[str, Picture]:
    """Read what is known of the pictures at these addresses; one that was never seen is left out."""
    rows = connection.execute(select(image_size).where(image_size.c.url.in_(urls)))
    return {
        row.url: Picture(url=row.url, width=row.width, height=row.height, length_bytes=row.length_bytes) for row in rows
    }


def save_size(connection: Connection, seen: Picture, now: datetime) -> None:
    """Keep how large a picture is."""
    values = {"url": seen.url, "width": seen.width, "height": seen.height, "length_bytes": seen.length_bytes}
    statement = insert(connection.dialect.name, image_size).values(**values, fetched_at=now)
    rest = {name: value for name, value in (values | {"fetched_at": now}).items() if name != "url"}
    connection.execute(statement.on_conflict_do_update(index_elements=["url"], set_=rest))
