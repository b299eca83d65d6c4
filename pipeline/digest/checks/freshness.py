"""Check of where stories come from: feeds that fell silent.

In: a Proof. Out: Checks. Pure: what is known was gathered before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.digest.checks.inputs import CheckInputs, Location
from pipeline.model.check import CheckResult
from pipeline.text.format import format_date


def stale_feed(proof: CheckInputs) -> Iterator[CheckResult]:
    """A feed that should have had something new has not: it may have moved without saying so."""
    for feed in proof.context.stale_feeds:
        since = f"since {format_date(feed.newest_at)}" if feed.newest_at else "at all so far"
        message = f"See whether the feed still works (pipeline feeds check): it had nothing new {since}."
        yield Location(feed.feed_id, f"feed {feed.feed_id}").result("quiet-feed", "warning", message)


_SINCE = Location("", "changes")


def changed_since(changes: Iterable[str]) -> Iterator[CheckResult]:
    """Name each change since the approval; the sealed bytes have not changed.

    >>> [check.message for check in changed_since(["“Bread” would be left out"])]
    ['Approve it again, or leave it as it is: made today, “Bread” would be left out.']
    """
    for change in changes:
        message = f"Approve it again, or leave it as it is: made today, {change}."
        yield _SINCE.result("changed-since", "warning", message)
