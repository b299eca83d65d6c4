"""Why an entry is in a digest or not, as the end of a sentence for the why-ledger.

In: an entry, its story, the calendar, what the editor asks for. Out: words. Decides nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from pipeline.digest.calendar import Calendar, is_archive
from pipeline.model.edition import Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Speaks for one week's selection."""

    week: Week
    calendar: Calendar
    overrides: Overrides

    def why_in(self, stored: StoredEntry) -> str:
        """Say why an entry is in."""
        dated, home = self._dated(stored), self.calendar.home(stored)
        if self.overrides.asks_in(stored.entry):
            return f"{dated}, put back by the editor"
        if stored.released_from:
            return f"{dated}, rolled on from {self._left(stored.released_from)}"
        if home < self.week and self.calendar.is_late(stored):
            seen = self._day(stored.first_seen_at)
            made = str(home) in self.calendar.settled
            when = "when the digest for its date was already made" if made else f"after {home} had closed"
            return f"{dated}, late: first seen {seen}, {when}"
        if home < self.week and not stored.backlog:
            return f"{dated}, rolled on: it was not ready for the digest of {home}"
        return f"{dated}, in {self.week}" if home == self.week else f"{dated}, told with the other half of its story"

    def why_out(self, stored: StoredEntry, story: Sequence[StoredEntry], *, waits: bool) -> str:
        """Say why an entry is out; ``story``: the entries it would be told with."""
        dated = self._dated(stored)
        if stored.edition and stored.edition != str(self.week):
            halved = "its story " if stored.half else ""
            return f"{dated}, {halved}{self._owned_by(stored.edition)}; nothing is told twice"
        if owner := self._owner(stored, story):
            return f"{dated}, its story{self._beside(stored, story)} {self._owned_by(owner)}; a story is told once"
        if is_archive(stored):
            return "undated and there when its feed was first read: archive, not news"
        if waits:
            return f"{dated}, waits: its story is fresh or was changed {self._since(story)}; the next digest takes it"
        if not self.calendar.sees(self.week, stored, self.overrides):
            return f"{dated}, {self._unseen(stored)}"
        return f"{dated}, {self._elsewhere(stored, story)}"

    def _owner(self, stored: StoredEntry, story: Sequence[StoredEntry]) -> str:
        owner = self.calendar.owner(story)
        return "" if owner == str(self.week) and not stored.half else owner

    def _owned_by(self, week: str) -> str:
        standing = self.calendar.standing(week)
        if standing.state == "sent":
            return f"went out with No. {standing.number} ({week})"
        return f"is in No. {standing.number} ({week}), which is approved"

    def _unseen(self, stored: StoredEntry) -> str:
        """Speak of an entry that a settled week does not look at."""
        where = f"went into {stored.week}" if stored.week else "goes into the next digest"
        if not self.calendar.known_at(self.week, stored) and self.calendar.home(stored) <= self.week:
            if not stored.backlog:
                return f"first seen {self._day(stored.first_seen_at)}, after this digest was made: {where}"
        elif stored.released_from and not stored.week:
            return f"given up by {self._left(stored.released_from)}: {where}"
        elif self.calendar.floats(stored) and self.calendar.home(stored) <= self.week:
            return f"not taken when this digest was made: {where}"
        return self._elsewhere(stored, (stored,))

    def _elsewhere(self, stored: StoredEntry, story: Sequence[StoredEntry]) -> str:
        if stored.week and stored.week != str(self.week):
            return f"is in the digest of {stored.week}"
        own, told_in = (
            self.calendar.week_for(stored, self.week),
            self.calendar.told_in(story, self.week, self.overrides),
        )
        if told_in != own:
            return f"its story belongs to {told_in}{self._beside(stored, story, ', ')}"
        return "goes into the next digest" if self.calendar.floats(stored) else f"belongs to {own}"

    def _beside(self, stored: StoredEntry, story: Sequence[StoredEntry], before: str = " ") -> str:
        partner = next((each.entry.title for each in story if each.entry_id != stored.entry_id), "")
        return f"{before}with “{partner}”" if partner else ""

    def _left(self, week: str) -> str:
        state = self.calendar.standing(week).state
        return f"{week}, which {'is held' if state == 'held' else 'was skipped'}" if state in _GAVE_UP else week

    def _since(self, story: Sequence[StoredEntry]) -> str:
        at = max(max(each.first_seen_at, each.changed_at) for each in story).astimezone(self.calendar.clock.zone)
        return f"{_day(at, self.calendar.clock.zone)} {at:%H:%M}"

    def _dated(self, stored: StoredEntry) -> str:
        if stored.entry.dated_by == "first_seen":
            return f"undated, first seen {self._day(stored.first_seen_at)}"
        return f"dated {self._day(stored.entry.published_at)}"

    def _day(self, instant: datetime) -> str:
        return _day(instant, self.calendar.clock.zone)


_GAVE_UP = ("held", "skipped")


def _day(instant: datetime, zone: tzinfo) -> str:
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"
