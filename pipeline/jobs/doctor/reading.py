"""Feeds: how they answered when they were last asked.

In: what is known of the feeds. Out: Signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.jobs.status import FeedStatus
from pipeline.model.health import Sign


def reading(feeds: Iterable[FeedStatus]) -> Iterator[Sign]:
    """Pass on each feed's last outcome, and what to do about it."""
    none = True
    for each in feeds:
        none = False
        yield from each.signs
    if none:
        mend = "`pipeline feeds add URL` adds one"
        yield Sign(group="feeds", name="config.toml", level="warning", finding="names no feed to read", mend=mend)
