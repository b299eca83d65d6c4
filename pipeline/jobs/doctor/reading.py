"""Feeds: how they answered when they were last asked.

In: what is remembered of the feeds. Out: Signs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from pipeline.jobs.feed_signs import feed_signs
from pipeline.model.feed import FeedState
from pipeline.model.health import Sign


def reading(states: Sequence[FeedState], zone: tzinfo) -> Iterator[Sign]:
    """Pass on each feed's last outcome, and what to do about it."""
    for state in states:
        yield from feed_signs(state, (), zone)
    if not states:
        mend = "`pipeline feeds add URL` adds one"
        yield Sign(group="feeds", name="config.toml", level="warning", finding="names no feed to read", mend=mend)
