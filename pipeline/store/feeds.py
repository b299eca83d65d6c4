"""The repository of feeds: the state of each, and statistics of its entries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, Insert, func, select

from pipeline.model.feed import FeedState, FeedStats
from pipeline.store.database import Database
from pipeline.store.dialects import insert
from pipeline.store.rows import feed_row, feed_state
from pipeline.store.schema import entry, feed, is_alive, is_quarantined

_OF_FEED = is_alive & (entry.c.feed_id == feed.c.feed_id)
_NEWEST = select(entry.c.title).where(_OF_FEED).order_by(entry.c.published_at.desc(), entry.c.entry_id.desc()).limit(1)
# One index lookup a feed: a join would read the row of every entry.
_STATS = select(
    feed.c.feed_id,
    select(func.count()).select_from(entry).where(_OF_FEED).scalar_subquery().label("entries"),
    select(func.max(entry.c.published_at)).where(_OF_FEED).scalar_subquery().label("newest_at"),
    select(func.count()).select_from(entry).where(_OF_FEED, is_quarantined).scalar_subquery().label("quarantined"),
    func.coalesce(_NEWEST.scalar_subquery(), "").label("newest_title"),
)


@dataclass(frozen=True, slots=True)
class FeedRepository:
    """Feed states, by feed id."""

    database: Database

    def states(self) -> dict[str, FeedState]:
        """Return the state of every feed that was ever fetched, by feed id."""
        with self.database.autocommit() as connection:
            return {row["feed_id"]: feed_state(row) for row in connection.execute(select(feed)).mappings()}

    def save(self, *states: FeedState) -> None:
        """Write states, each in place of the previous one, in one transaction."""
        with self.database.write() as connection:
            save_states(connection, states)

    def stats(self) -> dict[str, FeedStats]:
        """Return entry counts and the newest entry of each feed, by feed id.

        The cost grows with the number of stored entries: meant for interactive use, not for every run.
        """
        with self.database.read() as connection:
            rows = [dict(row) for row in connection.execute(_STATS).mappings()]
        return {row.pop("feed_id"): FeedStats(**row) for row in rows}


def save_states(connection: Connection, states: tuple[FeedState, ...] | list[FeedState]) -> None:
    """Write states inside the caller's transaction."""
    if states:
        connection.execute(_upsert(connection.dialect.name), [feed_row(state) for state in states])


@cache  # building it takes longer than executing it
def _upsert(dialect: str) -> Insert:
    statement = insert(dialect, feed)
    values = {column.name: column for column in statement.excluded if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=[feed.c.feed_id], set_=values)
