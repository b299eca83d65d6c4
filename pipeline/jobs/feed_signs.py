"""How a feed is doing, in words for who looks after it.

In: what is remembered of the feed. Out: Signs. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from pipeline.ingest.poll import why_waiting
from pipeline.model.feed import FeedState
from pipeline.model.fetch import GOOD, SILENT
from pipeline.model.health import Sign, SignLevel, sign_of
from pipeline.text.stamps import moment

FAILURES_THAT_LAST = 3
"""Before that it may be the network's mood, and nobody need get up."""


def feed_signs(state: FeedState, remarks: Sequence[str], zone: tzinfo) -> Iterator[Sign]:
    """Say how a feed answered, and what its entries wait for; ``remarks`` end with what to do, after a colon."""
    yield _answered(state, zone)
    for each in remarks:
        yield _sign(state, "trouble" if "holds back" in each else "warning", each)


def _answered(state: FeedState, zone: tzinfo) -> Sign:
    if state.gone_at:
        return _sign(state, "trouble", why_waiting(state))
    if state.checked_at is None:
        return _sign(state, "warning", "has not been read yet: run `pipeline fetch`")
    if state.failures:
        level: SignLevel = "trouble" if state.failures >= FAILURES_THAT_LAST else "warning"
        since = f"since {moment(state.failing_since, zone)} " if state.failing_since else ""
        times = f"{state.failures} times in a row" if state.failures > 1 else "once"
        return _sign(state, level, f"fails {since}({times}), {_cause_first(state)}")
    if state.outcome in GOOD and state.outcome not in SILENT:
        return _sign(state, "warning", state.detail)
    return _sign(state, "well", f"read {moment(state.read_at, zone)}")


def _cause_first(state: FeedState) -> str:
    """Say what happened, then what to do: the words for what is no feed have it the other way round."""
    if state.outcome != "not_a_feed":
        return state.detail
    mend, _, found = state.detail.partition(": ")
    return f"{found.rstrip('.').removeprefix('this one ')}: {mend[:1].lower()}{mend[1:]}" if found else mend


def _sign(state: FeedState, level: SignLevel, words: str) -> Sign:
    if level == "well":
        return Sign(group="feeds", name=state.feed_id, level=level, finding=words)
    return sign_of(words, group="feeds", name=state.feed_id, level=level)
