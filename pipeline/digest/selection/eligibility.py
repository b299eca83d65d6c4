"""Entries that stay out of a week's digest on their own account, whatever week they belong to.

In: stored entries, the feeds with their rules, what the editor asks for. Out: reasons. Pure. Nothing is lost by it:
a rule that is gone has never been, and who comes back to the feed comes back to the newsletter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.filters import exclusion_reason
from pipeline.model.edition import Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week

LEFT_OUT_BY_EDITOR = "left out by the editor"


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityFilter:
    """Keeps single entries out of one week's digest."""

    week: Week
    assignment: WeekAssignment
    feeds: Iterable[Feed]
    overrides: Overrides

    def exclusion_reasons(self, stored: Iterable[StoredEntry]) -> dict[int, str]:
        """Give the entries that stay out, and why.

        What an edition has sealed is a fact, and nobody's to turn away but that edition's own; and not even its own
        once it is out.
        """
        ruled = {feed.id: feed for feed in self.feeds if feed.include or feed.exclude}
        mine = "" if self.assignment.is_sent(self.week) else str(self.week)
        found = {
            each.entry_id: self._why(each, ruled.get(each.entry.feed_id))
            for each in stored
            if each.edition_week in ("", mine)
        }
        return {entry_id: why for entry_id, why in found.items() if why}

    def _why(self, stored: StoredEntry, feed: Feed | None) -> str:
        if self.overrides.excludes(stored.entry):
            return LEFT_OUT_BY_EDITOR
        if self.overrides.includes(stored.entry):
            return ""
        if stored.quarantined_at:
            feed_id = stored.entry.feed_id
            return f"held back: most of its feed turned new at once; `pipeline feeds accept {feed_id}` takes it in"
        if stored.withdrawn_at:
            return "taken out of its feed by its author"
        return self._left_out_before(stored) or (exclusion_reason(stored.entry, feed) if feed else "")

    def _left_out_before(self, stored: StoredEntry) -> str:
        """What a week that is more than a draft took and did not tell, its editor had decided against."""
        if stored.assigned_week in ("", str(self.week)) or stored.edition_week:
            return ""
        standing = self.assignment.record_of(stored.assigned_week)
        return f"left out of {stored.assigned_week} by the editor" if standing.state != "draft" else ""
