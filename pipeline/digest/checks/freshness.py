"""Checks against the feeds: feeds without new entries, possible repeats, and changes since an edition was approved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.digest.checks.inputs import CheckInputs, Location
from pipeline.model.check import CheckResult
from pipeline.text.format import format_date

_CHANGES = Location("", "changes")


def stale_feed(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that every feed has recent entries: one that has none may have moved.

    Which feeds are stale is decided when the context is loaded.
    """
    for feed in inputs.context.stale_feeds:
        since = f"since {format_date(feed.newest_at)}" if feed.newest_at else "so far"
        message = f"Check whether the feed still works (pipeline feeds check): it had no new entry {since}."
        yield Location(feed.feed_id, f"feed {feed.feed_id}").result("stale-feed", "warning", message)


def possible_repeat(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no entry stays out which might be news; which ones do is decided by the selection."""
    for repeat in inputs.context.possible_repeats:
        message = f"Put it back if it is news; it stays out: {repeat.reason}."
        location = Location(repeat.title or "(no title)", f"story {repeat.feed_id} {repeat.guid}")
        yield location.result("possible-repeat", "warning", message)


def changed_since(changes: Iterable[str]) -> Iterator[CheckResult]:
    """Yield a result for each change of an approved edition's content; its sealed bytes are unchanged.

    >>> [result.message for result in changed_since(["“Bread” would be left out"])]
    ['Approve it again, or keep it as it is: built now, “Bread” would be left out.']
    """
    for change in changes:
        message = f"Approve it again, or keep it as it is: built now, {change}."
        yield _CHANGES.result("changed-since", "warning", message)
