"""Proofs: what the editor was sent to look at, and the passes that its buttons carry.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pipeline.model.schedule import At
from pipeline.model.week import Week, WeekClock

TIME_TO_HOLD = timedelta(hours=1)
"""So long the editor has a proof before what it shows goes out unapproved."""
Choice = Literal["approve", "hold", "open"]
"""What a button does; ``open`` leads to the desk, and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One proof mail of a week's draft."""

    week: str
    content_hash: str
    """Of the draft that it shows."""
    nth: int
    """Which proof of these very bytes: 1 goes out by itself, the others were asked for."""
    claimed_at: datetime
    posted_at: datetime | None = None
    """None while it is on its way; if its process died, for ever."""
    manifest: bytes
    """Of the draft that it shows, to tell later what has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of an edition by itself."""

    clock: WeekClock
    send: At | None
    """When editions go out by themselves; None: never."""
    unless_held: bool = False
    """True: unapproved, too, unless somebody holds it."""
    late_limit: timedelta = timedelta(0)
    """How long after that time it may still go out."""

    def goes_at(self, week: Week, now: datetime) -> datetime | None:
        """Say when an edition may go out by itself: ``now`` where its time has come; None: never.

        >>> from datetime import UTC, time
        >>> weeks, friday = WeekClock.parse("mon 00:00", UTC), At(weekdays=(4,), time=time(7))
        >>> Plan(clock=weeks, send=friday).goes_at(Week(2026, 7), datetime(2026, 2, 16, 6, tzinfo=UTC))
        datetime.datetime(2026, 2, 20, 7, 0, tzinfo=datetime.timezone.utc)
        >>> Plan(clock=weeks, send=friday).goes_at(Week(2026, 7), datetime(2026, 2, 21, tzinfo=UTC))
        """
        if self.send is None:
            return None
        was, will_be = self.send.began_at(now, self.clock.zone), self.send.next_at(now, self.clock.zone)
        if self.clock.newest_closed(was) == week and now - was <= self.late_limit:
            return now
        return will_be if self.clock.newest_closed(will_be) == week else None

    def words(self, week: Week, now: datetime, *, stopped: bool = False) -> str:
        """Say what becomes of a draft that nobody answers; ``stopped``: the checks found errors."""
        at = self.goes_at(week, now)
        if at is None:
            return f"It does not go out by itself: approve it, then send it with `pipeline send {week}`."
        when = "now" if at == now else f"on {moment(at.astimezone(self.clock.zone))}"
        alone_at = self.goes_at(week, now + TIME_TO_HOLD) if self.unless_held else None
        if alone_at is None:
            soon = "at once" if at == now else when
            return f"It will not go out until you approve it; then it goes out {soon}."
        if stopped:
            return f"It will not go out {when}, because of its errors: mend them, or approve it in spite of them."
        return f"It goes out on {moment(alone_at.astimezone(self.clock.zone))} unless somebody holds it."

    def once_approved(self, week: Week, now: datetime) -> str:
        """Say what becomes of an edition that is approved."""
        at = self.goes_at(week, now)
        if at is None:
            return f"Nothing goes out by itself: send it from the desk, or with `pipeline send {week}`."
        return "It goes out now." if at == now else f"It goes out on {moment(at.astimezone(self.clock.zone))}."


def moment(at: datetime) -> str:
    """Write an instant as its own time zone has it.

    >>> moment(datetime(2026, 2, 20, 7))
    'Fri 20 Feb 2026, 07:00'
    """
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one button may do, to one draft, until an instant, once."""

    week: str
    content_hash: str
    choice: Choice
    nth: int
    """Of the proof it stands in."""
    expires_at: datetime

    @property
    def key(self) -> str:
        """What it is known by once it has been used."""
        return f"{self.week} {self.content_hash} {self.choice} {self.nth}"
