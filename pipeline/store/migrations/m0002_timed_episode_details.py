"""Start times for the lines of chapters and transcripts: each line becomes ``[null, line]``, as its start is not known.

The stored lines stay because a document is fetched once; an episode that is fetched from now on has the times.
"""

from __future__ import annotations

from sqlalchemy import JSON, Connection, Text, column, select, table, update

_DETAIL = table("episode_detail", column("url", Text), column("lines", JSON))


def upgrade(connection: Connection) -> None:
    """Rewrite the stored lines."""
    for row in connection.execute(select(_DETAIL.c.url, _DETAIL.c.lines)).all():
        lines = [[None, line] for line in row.lines]
        connection.execute(update(_DETAIL).where(_DETAIL.c.url == row.url).values(lines=lines))
