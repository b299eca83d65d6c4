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

from pipeline.model.edition import Overrides, Standing
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week, WeekClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The weeks, and what became of them."""

    clock: WeekClock
    settled: Mapping[str, datetime]
    """Week to the moment its digest was made after it had closed."""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    """Week to where its edition stands; a week that is missing is a draft."""
    newest_closed: Week | None = None
    """The one whose turn it is; None: nobody knows."""
    ripe_before: datetime | None = None
    """News first seen or changed after this waits for a later digest; None: none waits."""

    def home(self, stored: StoredEntry) -> Week:
        """Name the week of an entry's date."""
        return self.clock.week_of(stored.entry.published_at)

    def standing(self, week: str) -> Standing:
        """Tell where a week's edition stands."""
        return self.standings.get(week) or Standing(week=week)

    def is_out(self, week: Week | str) -> bool:
        """Tell whether a week's edition has left the house: what it told is a fact, whatever becomes known later."""
        return self.standing(str(week)).state in ("sending", "sent")

    def known_at(self, week: Week, stored: StoredEntry) -> bool:
        """Tell whether the entry was there when the week was settled (or the week is still open to it)."""
        settled_at = self.settled.get(str(week))
        return settled_at is None or stored.first_seen_at <= settled_at

    def sees(self, week: Week, stored: StoredEntry, overrides: Overrides) -> bool:
        """Tell whether a week's digest looks at an entry at all.

        One that is settled looks at what it took and what the editor puts in; and at what sealed editions tell, so as
        not to tell it again.
        """
        if str(week) not in self.settled or stored.week == str(week):
            return True
        return bool(stored.edition) or overrides.asks_in(stored.entry)

    def is_late(self, stored: StoredEntry) -> bool:
        """Tell whether news turned up after its week had closed, or a later one was settled."""
        if stored.backlog:
            return False
        home = self.home(stored)
        if stored.first_seen_at >= self.clock.bounds(home)[1]:
            return True
        return any(week >= str(home) and at < stored.first_seen_at for week, at in self.settled.items())

    def is_past(self, week: Week) -> bool:
        """Tell whether a week has had its turn: it was settled, or a later one was, or has closed."""
        if self.newest_closed and week < self.newest_closed:
            return True
        return str(week) <= max(self.settled, default="")

    def floats(self, stored: StoredEntry) -> bool:
        """Tell whether the next digest that is made takes the entry, whatever its date."""
        if stored.week or stored.edition:
            return False
        missed = self.is_past(self.home(stored)) or self.is_late(stored)
        return bool(stored.released_from) or (missed and not stored.backlog)

    def is_young(self, stored: StoredEntry) -> bool:
        """Tell whether news is so fresh that it should wait: its author may still be at it."""
        touched_at = max(stored.first_seen_at, stored.changed_at)
        return self.ripe_before is not None and not stored.backlog and touched_at > self.ripe_before

    def week_for(self, stored: StoredEntry, asked: Week) -> Week:
        """Name the week that tells this entry, when the digest asked for is ``asked``."""
        if stored.week:
            return Week.parse(stored.week)
        home = self.home(stored)
        if not self.floats(stored) or asked < home or (asked == home and str(asked) not in self.settled):
            return home
        return asked if str(asked) not in self.settled else asked.next()

    def owner(self, story: Sequence[StoredEntry]) -> str:
        """Name the week whose sealed edition tells a story; empty while none does.

        Where two do, because nobody knew that they were one story, what has gone out counts before what has not.
        """
        weeks = {each.edition for each in story if each.edition}
        return min(weeks, key=lambda week: (not self.is_out(week), week), default="")

    def told_in(self, story: Sequence[StoredEntry], asked: Week, overrides: Overrides) -> Week | None:
        """Name the week that tells a story; None for archive, which none tells.

        Where it was told, there it stays; then what the editor wants; then its news decide, and only what has no news
        in it goes by its backlog: an old half that came with a new feed must not draw this week's post into a week
        long gone.
        """
        mine = ("", str(asked))
        if self.is_out(asked):
            if any(each.edition == str(asked) and not each.half for each in story):
                return asked
        elif any(overrides.asks_in(each.entry) and (each.half or each.edition in mine) for each in story):
            return asked
        if owner := self.owner(story):
            return Week.parse(owner)
        dated = [each for each in story if not is_archive(each)]
        told = [each for each in dated if each.week]
        news = [each for each in dated if not each.backlog or each.released_from]
        return min((self.week_for(each, asked) for each in told or news or dated), default=None)


def is_archive(stored: StoredEntry) -> bool:
    """Recognise an undated entry of a feed's first read: nobody can say when it was news."""
    return stored.backlog and stored.entry.dated_by == "first_seen" and not stored.released_from
