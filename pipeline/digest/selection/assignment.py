"""Assignment of entries to weeks.

An entry's *own* week is the week of its date. It *carries over* to the next digest that is built if it missed its own
week: it arrived after that week had ended, was too new when the week was closed, was released by a week that is held or
skipped, or its own week has passed without a digest. Archived entries, those of a feed's first fetch, never carry over
by themselves: they belong to the weeks of their dates.

A story whose entries fall into different weeks belongs to that of its post, so that a weekly post keeps one episode a
week wherever the episode's date lies; or, if the settings say so, to the first of them. Nothing waits for a post that
is not there yet: an episode is published alone then, and its post does not publish the story again.

A week is *closed* once its digest was built after the week had ended: from then on its entries do not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.model.edition import EditionRecord, Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week, WeekCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekAssignment:
    """The weeks with their state, from which the week of each entry follows."""

    calendar: WeekCalendar
    closed_weeks: Mapping[str, datetime]
    """Week to when it was closed."""
    records: Mapping[str, EditionRecord] = field(default_factory=dict)
    """Week to the record of its edition; a missing week is a draft."""
    newest_closed: Week | None = None
    """The newest week that has ended; None if unknown."""
    quiet_since: datetime | None = None
    """Entries first seen or changed after this are too new; None if none are."""
    post_decides: bool = True
    """Whether the post decides the week of its story; otherwise the first of its entries does."""
    split_elsewhere: tuple[str, ...] = ()
    """References of entries that the editor split from their stories in a sealed edition of a week nearby."""

    def week_of(self, stored: StoredEntry) -> Week:
        """Return the week of an entry's date."""
        return self.calendar.week_of(stored.entry.published_at)

    def record_of(self, week: str) -> EditionRecord:
        """Return the record of a week's edition."""
        return self.records.get(week) or EditionRecord(week=week)

    def is_sent(self, week: Week | str) -> bool:
        """Return whether a week's edition is being sent or has been: its stories are final."""
        return self.record_of(str(week)).state in ("sending", "sent")

    def was_known(self, week: Week, stored: StoredEntry) -> bool:
        """Return whether an entry was stored when a week was closed; True for a week that is not closed."""
        closed_at = self.closed_weeks.get(str(week))
        return closed_at is None or stored.first_seen_at <= closed_at

    def considers(self, week: Week, stored: StoredEntry, overrides: Overrides) -> bool:
        """Return whether an entry may be in a week's digest, or affects its stories.

        A closed week considers its own entries and those the editor includes; also those of sealed editions, so that
        it does not publish their stories again.
        """
        if str(week) not in self.closed_weeks or stored.assigned_week == str(week):
            return True
        return bool(stored.edition_week) or overrides.includes(stored.entry)

    def is_late(self, stored: StoredEntry) -> bool:
        """Return whether a new entry arrived after its own week had ended, or after that or a later week was closed."""
        if stored.archived:
            return False
        own = self.week_of(stored)
        if stored.first_seen_at >= self.calendar.bounds(own)[1]:
            return True
        return any(week >= str(own) and at < stored.first_seen_at for week, at in self.closed_weeks.items())

    def is_past(self, week: Week) -> bool:
        """Return whether a week, or a later one, is closed, or a later week has ended."""
        if self.newest_closed and week < self.newest_closed:
            return True
        return str(week) <= max(self.closed_weeks, default="")

    def carries_over(self, stored: StoredEntry) -> bool:
        """Return whether the next digest that is built includes an entry, whatever its date."""
        if stored.assigned_week or stored.edition_week:
            return False
        missed = self.is_past(self.week_of(stored)) or self.is_late(stored)
        return bool(stored.released_from) or (missed and not stored.archived)

    def is_too_new(self, stored: StoredEntry) -> bool:
        """Return whether an entry has appeared or changed so recently that its author may still be editing it."""
        touched_at = max(stored.first_seen_at, stored.changed_at)
        return self.quiet_since is not None and not stored.archived and touched_at > self.quiet_since

    def digest_week(self, stored: StoredEntry, requested: Week) -> Week:
        """Return the week whose digest includes an entry when the digest of ``requested`` is built next."""
        if stored.assigned_week:
            return Week.parse(stored.assigned_week)
        own, closed = self.week_of(stored), str(requested) in self.closed_weeks
        if not self.carries_over(stored) or requested < own or (requested == own and not closed):
            return own
        return requested.next() if closed else requested

    def sealed_in(self, story: Sequence[StoredEntry]) -> str:
        """Return the week whose sealed edition has a story, or "".

        If two have it, because they were sealed before its entries were paired, a sent one counts before an unsent one.
        """
        weeks = {stored.edition_week for stored in story if stored.edition_week}
        return min(weeks, key=lambda week: (not self.is_sent(week), week), default="")

    def week_of_story(self, story: Sequence[StoredEntry], requested: Week, overrides: Overrides) -> Week | None:
        """Return the week of a story, or None for undated archive.

        A sealed edition keeps its stories. Then the editor decides, then the new entries; archived entries decide only
        for a story without new ones, so that the archive of a new feed does not move this week's post into the past.
        The post comes before its episode, unless a closed digest contains only one of them.
        """
        week = str(requested)
        if self.is_sent(requested):
            if any(stored.edition_week == week and not stored.late_counterpart for stored in story):
                return requested
        elif any(
            overrides.includes(stored.entry) and (stored.late_counterpart or stored.edition_week in ("", week))
            for stored in story
        ):
            return requested
        if sealed_in := self.sealed_in(story):
            return Week.parse(sealed_in)
        dated = [stored for stored in story if not is_undated_archive(stored)]
        assigned = [stored for stored in dated if stored.assigned_week]
        new = [stored for stored in dated if not stored.archived or stored.released_from]
        deciding = assigned or new or dated
        return min((self.digest_week(stored, requested) for stored in self._posts(deciding) or deciding), default=None)

    def deciding_post(self, stored: StoredEntry, story: Sequence[StoredEntry], requested: Week) -> StoredEntry | None:
        """Return the post of an episode's story that moves it into another week than that of its date, if any."""
        if not stored.entry.is_episode:
            return None
        own = self.digest_week(stored, requested)
        posts = [post for post in self._posts(story) if self.digest_week(post, requested) != own]
        return min(posts, key=lambda post: self.digest_week(post, requested), default=None)

    def _posts(self, story: Iterable[StoredEntry]) -> list[StoredEntry]:
        """Return the posts of a story if they decide its week, else nothing."""
        return [stored for stored in story if self.post_decides and not stored.entry.is_episode]


def is_undated_archive(stored: StoredEntry) -> bool:
    """Return whether an entry came undated with its feed's first fetch, so that it belongs to no week."""
    return stored.archived and stored.entry.dated_by == "first_seen" and not stored.released_from
