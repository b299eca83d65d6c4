"""Explanations of decisions: the end of a sentence for each entry. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.digest.selection.assignment import WeekAssignment, is_undated_archive
from pipeline.digest.selection.repeats import Repeat
from pipeline.model.edition import Overrides
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.week import Week
from pipeline.text.format import format_datetime, format_day


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionExplainer:
    """Explains one week's selection."""

    week: Week
    assignment: WeekAssignment
    overrides: Overrides

    def explain_included(self, stored: StoredEntry, story: Sequence[StoredEntry]) -> str:
        """Return why an entry is included; ``story`` are the entries it is published with."""
        dated, own = self._dated(stored), self.assignment.week_of(stored)
        if self.overrides.includes(stored.entry):
            return f"{dated}, put back by the editor"
        if stored.released_from:
            return f"{dated}, carried over from {self._with_state(stored.released_from)}"
        if own < self.week and self.assignment.is_late(stored):
            built = str(own) in self.assignment.closed_weeks
            when = "after the digest for its date had been built" if built else f"after {own} had closed"
            return f"{dated}, late: first seen {self._day(stored.first_seen_at)}, {when}"
        post = self.assignment.deciding_post(stored, story, self.week)
        if own != self.week and post and self.assignment.week_of(post) == self.week:
            return f"{dated}, in {self.week}, the week of its post “{post.entry.title}”"
        if own < self.week and not stored.archived:
            return f"{dated}, carried over: not in the digest of {own}"
        return f"{dated}, in {self.week}" if own == self.week else f"{dated}, included with the rest of its story"

    def explain_left_out(self, stored: StoredEntry, story: Sequence[StoredEntry], *, too_new: bool) -> str:
        """Return why an entry is left out; ``story`` are the entries it would be published with."""
        dated = self._dated(stored)
        if stored.edition_week and stored.edition_week != str(self.week) and not stored.late_counterpart:
            return f"{dated}, {self._in_edition(stored.edition_week)}; nothing is published twice"
        sealed_in = self.assignment.sealed_in(story)
        if sealed_in and (sealed_in != str(self.week) or stored.late_counterpart):
            partner = f" with “{title}”" if (title := _partner_title(stored, story)) else ""
            return f"{dated}, its story{partner} {self._in_edition(sealed_in)}; a story is published once"
        if is_undated_archive(stored):
            return f"{_undated(stored.entry)} and already there when its feed was first fetched: archive, not news"
        if too_new:
            touched_at = max(max(entry.first_seen_at, entry.changed_at) for entry in story)
            since = format_datetime(touched_at, self.assignment.calendar.zone)
            return f"{dated}, too new: its story appeared or changed {since}; the next digest includes it"
        if not self.assignment.considers(self.week, stored, self.overrides):
            return f"{dated}, {self._not_considered(stored)}"
        return f"{dated}, {self._elsewhere(stored, story)}"

    def explain_repeat(self, stored: StoredEntry, repeat: Repeat) -> str:
        """Return why an entry is left out that repeats another one."""
        original = repeat.original
        where = f", which {self._in_edition(original.edition_week)}" if original.edition_week else ""
        verb, advice = (
            ("repeats", "nothing is published twice") if repeat.certain else ("may repeat", "put it back if not")
        )
        title, day = original.entry.title or "(no title)", self._day(original.entry.published_at)
        return f"{self._dated(stored)}, {verb} “{title}” of {day}{where}: {repeat.evidence}; {advice}"

    def _in_edition(self, week: str) -> str:
        record = self.assignment.record_of(week)
        if record.state == "sent":
            return f"was sent with Issue {record.number} ({week})"
        return f"is in Issue {record.number} ({week}), which is approved"

    def _not_considered(self, stored: StoredEntry) -> str:
        """Return why a closed week does not consider an entry."""
        where = f"went into {stored.assigned_week}" if stored.assigned_week else "goes into the next digest"
        own = self.assignment.week_of(stored)
        if not self.assignment.was_known(self.week, stored) and own <= self.week:
            if not stored.archived:
                return f"first seen {self._day(stored.first_seen_at)}, after this digest was built: {where}"
        elif stored.released_from == str(self.week):
            return f"carried over when {self.week} was closed: {where}"
        elif stored.released_from and not stored.assigned_week:
            return f"released by {self._with_state(stored.released_from)}: {where}"
        elif self.assignment.carries_over(stored) and own <= self.week:
            return f"not included when this digest was built: {where}"
        return self._elsewhere(stored, (stored,))

    def _elsewhere(self, stored: StoredEntry, story: Sequence[StoredEntry]) -> str:
        if stored.assigned_week and stored.assigned_week != str(self.week):
            return f"is in the digest of {stored.assigned_week}"
        own = self.assignment.digest_week(stored, self.week)
        week_of_story = self.assignment.week_of_story(story, self.week, self.overrides)
        post = self.assignment.deciding_post(stored, story, self.week)
        if post and week_of_story == self.assignment.digest_week(post, self.week):
            return f"its story belongs to {week_of_story}, the week of its post “{post.entry.title}”"
        if week_of_story != own:
            partner = f", with “{title}”" if (title := _partner_title(stored, story)) else ""
            return f"its story belongs to {week_of_story}{partner}"
        return "goes into the next digest" if self.assignment.carries_over(stored) else f"belongs to {own}"

    def _with_state(self, week: str) -> str:
        states = {"held": "is held", "skipped": "was skipped"}
        state = states.get(self.assignment.record_of(week).state)
        return f"{week}, which {state}" if state else week

    def _dated(self, stored: StoredEntry) -> str:
        if stored.entry.dated_by == "first_seen":
            return f"{_undated(stored.entry)}, first seen {self._day(stored.first_seen_at)}"
        return f"dated {self._day(stored.entry.published_at)}"

    def _day(self, instant: datetime) -> str:
        return format_day(instant, self.assignment.calendar.zone)


def _undated(entry: Entry) -> str:
    return f"without a usable date (it says “{entry.unusable_date}”)" if entry.unusable_date else "undated"


def _partner_title(stored: StoredEntry, story: Sequence[StoredEntry]) -> str:
    return next((other.entry.title for other in story if other.entry_id != stored.entry_id), "")
