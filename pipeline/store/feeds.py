"""Feeds: what is remembered of them, and how much is kept.

In: a connection, plain values. Out: records. Begins and ends no transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, Insert, func, select

from pipeline.model.feed import FeedState, FeedStats
from pipeline.store.dialects import insert
from pipeline.store.rows import feed_row, feed_state
from pipeline.store.schema import entry, feed, is_alive, is_quarantined

_OF_FEED = is_alive & (entry.c.feed_id == feed.c.feed_id)
_NEWEST = select(entry.c.title).where(_OF_FEED).order_by(entry.c.published_at.desc(), entry.c.entry_id.desc()).limit(1)
# One look into the index a feed: a join would read every entry's row.
_COUNTS = select(
    feed.c.feed_id,
    select(func.count()).select_from(entry).where(_OF_FEED).scalar_subquery().label("entries"),
    select(func.max(entry.c.published_at)).where(_OF_FEED).scalar_subquery().label("newest_at"),
    select(func.count()).select_from(entry).where(_OF_FEED, is_quarantined).scalar_subquery().label("quarantined"),
    func.coalesce(_NEWEST.scalar_subquery(), "").label("newest_title"),
)


def states(connection: Connection) -> dict[str, FeedState]:
    """Read all feeds' states, by feed id."""
    return {row["feed_id"]: feed_state(row) for row in connection.execute(select(feed)).mappings()}


def save(connection: Connection, kept: Sequence[FeedState]) -> None:
    """Write states, each in place of the one before."""
    if kept:
        connection.execute(_upsert(connection.dialect.name), [feed_row(state) for state in kept])


def counts(connection: Connection) -> dict[str, FeedStats]:
    """Count what is kept of each feed. Costs what the archive holds: for a person who asks, not for every run."""
    rows = connection.execute(_COUNTS).mappings()
    return {
        row["feed_id"]: FeedStats(**{name: value for name, value in row.items() if name != "feed_id"}) for row in rows
    }


@cache  # building it takes longer than running it
def _upsert(dialect: str) -> Insert:
    statement = insert(dialect, feed)
    written = {column.name: column for column in statement.excluded if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=[feed.c.feed_id], set_=written)
