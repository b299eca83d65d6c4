"""Why an entry is in a digest or not, as the end of a sentence for the why-ledger.

In: an entry, its story, the calendar, what the editor asks for. Out: words. Decides nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.digest.selection.assignment import WeekAssignment, is_undated_archive
from pipeline.model.edition import Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week
from pipeline.text.format import format_datetime, format_day


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionExplainer:
    """Speaks for one week's selection."""

    week: Week
    assignment: WeekAssignment
    overrides: Overrides

    def explain_included(self, stored: StoredEntry) -> str:
        """Say why an entry is in."""
        dated, home = self._dated(stored), self.assignment.week_of(stored)
        if self.overrides.includes(stored.entry):
            return f"{dated}, put back by the editor"
        if stored.released_from:
            return f"{dated}, rolled on from {self._left(stored.released_from)}"
        if home < self.week and self.assignment.is_late(stored):
            seen = self._day(stored.first_seen_at)
            made = str(home) in self.assignment.closed_weeks
            when = "when the digest for its date was already made" if made else f"after {home} had closed"
            return f"{dated}, late: first seen {seen}, {when}"
        if home < self.week and not stored.archived:
            return f"{dated}, rolled on: it was not ready for the digest of {home}"
        return f"{dated}, in {self.week}" if home == self.week else f"{dated}, told with the other half of its story"

    def explain_left_out(self, stored: StoredEntry, story: Sequence[StoredEntry], *, too_new: bool) -> str:
        """Say why an entry is out; ``story``: the entries it would be told with."""
        dated = self._dated(stored)
        if stored.edition_week and stored.edition_week != str(self.week):
            halved = "its story " if stored.late_counterpart else ""
            return f"{dated}, {halved}{self._owned_by(stored.edition_week)}; nothing is told twice"
        if owner := self._owner(stored, story):
            return f"{dated}, its story{self._beside(stored, story)} {self._owned_by(owner)}; a story is told once"
        if is_undated_archive(stored):
            return "undated and there when its feed was first read: archive, not news"
        if too_new:
            return f"{dated}, waits: its story is fresh or was changed {self._since(story)}; the next digest takes it"
        if not self.assignment.considers(self.week, stored, self.overrides):
            return f"{dated}, {self._unseen(stored)}"
        return f"{dated}, {self._elsewhere(stored, story)}"

    def _owner(self, stored: StoredEntry, story: Sequence[StoredEntry]) -> str:
        owner = self.assignment.sealed_in(story)
        return "" if owner == str(self.week) and not stored.late_counterpart else owner

    def _owned_by(self, week: str) -> str:
        standing = self.assignment.record_of(week)
        if standing.state == "sent":
            return f"went out with No. {standing.number} ({week})"
        return f"is in No. {standing.number} ({week}), which is approved"

    def _unseen(self, stored: StoredEntry) -> str:
        """Speak of an entry that a settled week does not look at."""
        where = f"went into {stored.assigned_week}" if stored.assigned_week else "goes into the next digest"
        if not self.assignment.was_known(self.week, stored) and self.assignment.week_of(stored) <= self.week:
            if not stored.archived:
                return f"first seen {self._day(stored.first_seen_at)}, after this digest was made: {where}"
        elif stored.released_from and not stored.assigned_week:
            return f"given up by {self._left(stored.released_from)}: {where}"
        elif self.assignment.carries_over(stored) and self.assignment.week_of(stored) <= self.week:
            return f"not taken when this digest was made: {where}"
        return self._elsewhere(stored, (stored,))

    def _elsewhere(self, stored: StoredEntry, story: Sequence[StoredEntry]) -> str:
        if stored.assigned_week and stored.assigned_week != str(self.week):
            return f"is in the digest of {stored.assigned_week}"
        own, told_in = (
            self.assignment.digest_week(stored, self.week),
            self.assignment.week_of_story(story, self.week, self.overrides),
        )
        if told_in != own:
            return f"its story belongs to {told_in}{self._beside(stored, story, ', ')}"
        return "goes into the next digest" if self.assignment.carries_over(stored) else f"belongs to {own}"

    def _beside(self, stored: StoredEntry, story: Sequence[StoredEntry], before: str = " ") -> str:
        partner = next((each.entry.title for each in story if each.entry_id != stored.entry_id), "")
        return f"{before}with “{partner}”" if partner else ""

    def _left(self, week: str) -> str:
        state = self.assignment.record_of(week).state
        return f"{week}, which {'is held' if state == 'held' else 'was skipped'}" if state in _GAVE_UP else week

    def _since(self, story: Sequence[StoredEntry]) -> str:
        at = max(max(each.first_seen_at, each.changed_at) for each in story)
        return format_datetime(at, self.assignment.calendar.zone)

    def _dated(self, stored: StoredEntry) -> str:
        if stored.entry.dated_by == "first_seen":
            return f"undated, first seen {self._day(stored.first_seen_at)}"
        return f"dated {self._day(stored.entry.published_at)}"

    def _day(self, instant: datetime) -> str:
        return format_day(instant, self.assignment.calendar.zone)


_GAVE_UP = ("held", "skipped")
