"""Where entries belong: the weeks, which of them were made, and where their editions stand.

In: a clock of weeks, what was made and sealed. Out: weeks of entries. Pure.

An entry's *home* is the week of its date. One that missed it (that turned up after it had closed, was not ready when
it was settled, or was given up again by a week that was held or skipped), or whose home had its turn and was never
made, *floats*: the next digest that is made takes it, that of its home included, while nobody has made it. The backlog
of a feed's first read never floats by itself: it is at home in the weeks of its dates, and there it stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.model.edition import EditionRecord, Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week, WeekCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekAssignment:
    """The weeks, and what became of them."""

    calendar: WeekCalendar
    closed_weeks: Mapping[str, datetime]
    """Week to the moment its digest was made after it had closed."""
    records: Mapping[str, EditionRecord] = field(default_factory=dict)
    """Week to where its edition stands; a week that is missing is a draft."""
    newest_closed: Week | None = None
    """The one whose turn it is; None: nobody knows."""
    quiet_since: datetime | None = None
    """News first seen or changed after this waits for a later digest; None: none waits."""

    def week_of(self, stored: StoredEntry) -> Week:
        """Name the week of an entry's date."""
        return self.calendar.week_of(stored.entry.published_at)

    def record_of(self, week: str) -> EditionRecord:
        """Tell where a week's edition stands."""
        return self.records.get(week) or EditionRecord(week=week)

    def is_sent(self, week: Week | str) -> bool:
        """Tell whether a week's edition has left the house: what it told is a fact, whatever becomes known later."""
        return self.record_of(str(week)).state in ("sending", "sent")

    def was_known(self, week: Week, stored: StoredEntry) -> bool:
        """Tell whether the entry was there when the week was settled (or the week is still open to it)."""
        settled_at = self.closed_weeks.get(str(week))
        return settled_at is None or stored.first_seen_at <= settled_at

    def considers(self, week: Week, stored: StoredEntry, overrides: Overrides) -> bool:
        """Tell whether a week's digest looks at an entry at all.

        One that is settled looks at what it took and what the editor puts in; and at what sealed editions tell, so as
        not to tell it again.
        """
        if str(week) not in self.closed_weeks or stored.assigned_week == str(week):
            return True
        return bool(stored.edition_week) or overrides.includes(stored.entry)

    def is_late(self, stored: StoredEntry) -> bool:
        """Tell whether news turned up after its week had closed, or a later one was settled."""
        if stored.archived:
            return False
        home = self.week_of(stored)
        if stored.first_seen_at >= self.calendar.bounds(home)[1]:
            return True
        return any(week >= str(home) and at < stored.first_seen_at for week, at in self.closed_weeks.items())

    def is_past(self, week: Week) -> bool:
        """Tell whether a week has had its turn: it was settled, or a later one was, or has closed."""
        if self.newest_closed and week < self.newest_closed:
            return True
        return str(week) <= max(self.closed_weeks, default="")

    def carries_over(self, stored: StoredEntry) -> bool:
        """Tell whether the next digest that is made takes the entry, whatever its date."""
        if stored.assigned_week or stored.edition_week:
            return False
        missed = self.is_past(self.week_of(stored)) or self.is_late(stored)
        return bool(stored.released_from) or (missed and not stored.archived)

    def is_too_new(self, stored: StoredEntry) -> bool:
        """Tell whether news is so fresh that it should wait: its author may still be at it."""
        touched_at = max(stored.first_seen_at, stored.changed_at)
        return self.quiet_since is not None and not stored.archived and touched_at > self.quiet_since

    def digest_week(self, stored: StoredEntry, requested: Week) -> Week:
        """Name the week that tells this entry, when the digest asked for is ``asked``."""
        if stored.assigned_week:
            return Week.parse(stored.assigned_week)
        home = self.week_of(stored)
        if (
            not self.carries_over(stored)
            or requested < home
            or (requested == home and str(requested) not in self.closed_weeks)
        ):
            return home
        return requested if str(requested) not in self.closed_weeks else requested.next()

    def sealed_in(self, story: Sequence[StoredEntry]) -> str:
        """Name the week whose sealed edition tells a story; empty while none does.

        Where two do, because nobody knew that they were one story, what has gone out counts before what has not.
        """
        weeks = {each.edition_week for each in story if each.edition_week}
        return min(weeks, key=lambda week: (not self.is_sent(week), week), default="")

    def week_of_story(self, story: Sequence[StoredEntry], requested: Week, overrides: Overrides) -> Week | None:
        """Name the week that tells a story; None for archive, which none tells.

        Where it was told, there it stays; then what the editor wants; then its news decide, and only what has no news
        in it goes by its backlog: an old half that came with a new feed must not draw this week's post into a week
        long gone.
        """
        mine = ("", str(requested))
        if self.is_sent(requested):
            if any(each.edition_week == str(requested) and not each.late_counterpart for each in story):
                return requested
        elif any(
            overrides.includes(each.entry) and (each.late_counterpart or each.edition_week in mine) for each in story
        ):
            return requested
        if owner := self.sealed_in(story):
            return Week.parse(owner)
        dated = [each for each in story if not is_undated_archive(each)]
        told = [each for each in dated if each.assigned_week]
        news = [each for each in dated if not each.archived or each.released_from]
        return min((self.digest_week(each, requested) for each in told or news or dated), default=None)


def is_undated_archive(stored: StoredEntry) -> bool:
    """Recognise an undated entry of a feed's first read: nobody can say when it was news."""
    return stored.archived and stored.entry.dated_by == "first_seen" and not stored.released_from
