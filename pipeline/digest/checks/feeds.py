"""Check of where stories come from: feeds that fell silent.

In: a Proof. Out: Checks. Pure: what is known was gathered before.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.digest.checks.proof import Proof, Spot
from pipeline.model.check import Check


def quiet_feed(proof: Proof) -> Iterator[Check]:
    """A feed that should have had something new has not: it may have moved without saying so."""
    for feed in proof.facts.quiet:
        since = f"since {feed.newest_at.day} {feed.newest_at:%B %Y}" if feed.newest_at else "at all so far"
        message = f"See whether the feed still works (pipeline feeds check): it had nothing new {since}."
        yield Spot(feed.feed_id, f"feed {feed.feed_id}").check("quiet-feed", "warning", message)
