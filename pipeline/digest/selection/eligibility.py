"""Eligibility: entries that are excluded from a week's digest whatever week they belong to.

Exclusion is not stored: remove a rule, or restore an entry in its feed, and the entry is eligible again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.filters import explain_filter
from pipeline.model.edition import Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week


class Exclusion(NamedTuple):
    """Why an entry is excluded."""

    by: Literal["editor", "quarantine", "removal", "earlier edition", "filter"]
    reason: str
    """The end of a sentence."""


def find_exclusions(
    week: Week, assignment: WeekAssignment, feeds: Iterable[Feed], overrides: Overrides, entries: Iterable[StoredEntry]
) -> dict[int, Exclusion]:
    """Return the exclusions from a week's digest, by entry id.

    Entries of a sealed edition are excluded from that edition only, and no longer once it is sent.
    """
    filtered = {feed.id: feed for feed in feeds if feed.include or feed.exclude}
    editions = ("",) if assignment.is_sent(week) else ("", str(week))
    exclusions = {}
    for stored in entries:
        if stored.edition_week in editions:
            feed = filtered.get(stored.entry.feed_id)
            if exclusion := _exclusion(stored, week, assignment, feed, overrides):
                exclusions[stored.entry_id] = exclusion
    return exclusions


def _exclusion(
    stored: StoredEntry, week: Week, assignment: WeekAssignment, feed: Feed | None, overrides: Overrides
) -> Exclusion | None:
    entry = stored.entry
    if overrides.excludes(entry):
        return Exclusion("editor", "left out by the editor")
    if overrides.includes(entry):
        return None
    if stored.quarantined_at:
        release = f"`pipeline feeds accept {entry.feed_id}` releases it"
        return Exclusion("quarantine", f"quarantined: most of its feed was new at once; {release}")
    if stored.withdrawn_at:
        return Exclusion("removal", "removed from its feed")
    earlier = stored.assigned_week if stored.assigned_week != str(week) and not stored.edition_week else ""
    if earlier and assignment.record_of(earlier).state != "draft":
        # That edition was sealed or skipped without the entry, so its editor had left it out.
        return Exclusion("earlier edition", f"left out of {earlier} by the editor")
    reason = explain_filter(entry, feed) if feed else ""
    return Exclusion("filter", reason) if reason else None
