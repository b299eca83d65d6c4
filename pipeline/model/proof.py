"""Proofs: what the editor was sent to look at, and the passes that its buttons carry.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pipeline.model.schedule import At
from pipeline.model.week import Week, WeekCalendar
from pipeline.text.format import format_datetime

MIN_REVIEW_TIME = timedelta(hours=1)
"""So long the editor has a proof before what it shows goes out unapproved."""
ProofAction = Literal["approve", "hold", "open"]
"""What a button does; ``open`` leads to the desk, and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One proof mail of a week's draft."""

    week: str
    content_hash: str
    """Of the draft that it shows."""
    sequence: int
    """Which proof of these very bytes: 1 goes out by itself, the others were asked for."""
    claimed_at: datetime
    sent_at: datetime | None = None
    """None while it is on its way; if its process died, for ever."""
    manifest: bytes
    """Of the draft that it shows, to tell later what has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """What becomes of an edition by itself."""

    calendar: WeekCalendar
    schedule: At | None
    """When editions go out by themselves; None: never."""
    sends_unapproved: bool = False
    """True: unapproved, too, unless somebody holds it."""
    late_limit: timedelta = timedelta(0)
    """How long after that time it may still go out."""

    def send_time(self, week: Week, now: datetime) -> datetime | None:
        """Say when an edition may go out by itself: ``now`` where its time has come; None: never.

        >>> from datetime import UTC, time
        >>> weeks, friday = WeekClock.parse("mon 00:00", UTC), At(weekdays=(4,), time=time(7))
        >>> Plan(clock=weeks, send=friday).goes_at(Week(2026, 7), datetime(2026, 2, 16, 6, tzinfo=UTC))
        datetime.datetime(2026, 2, 20, 7, 0, tzinfo=datetime.timezone.utc)
        >>> Plan(clock=weeks, send=friday).goes_at(Week(2026, 7), datetime(2026, 2, 21, tzinfo=UTC))
        """
        if self.schedule is None:
            return None
        was, will_be = self.schedule.began_at(now, self.calendar.zone), self.schedule.next_at(now, self.calendar.zone)
        if self.calendar.newest_closed(was) == week and now - was <= self.late_limit:
            return now
        return will_be if self.calendar.newest_closed(will_be) == week else None

    def describe(self, week: Week, now: datetime, *, blocked: bool = False) -> str:
        """Say what becomes of a draft that nobody answers; ``stopped``: the checks found errors."""
        at = self.send_time(week, now)
        if at is None:
            return f"It does not go out by itself: approve it, then send it with `pipeline send {week}`."
        when = "now" if at == now else f"on {format_datetime(at, self.calendar.zone)}"
        alone_at = self.send_time(week, now + MIN_REVIEW_TIME) if self.sends_unapproved else None
        if alone_at is None:
            soon = "at once" if at == now else when
            return f"It will not go out until you approve it; then it goes out {soon}."
        if blocked:
            return f"It will not go out {when}, because of its errors: mend them, or approve it in spite of them."
        return f"It goes out on {format_datetime(alone_at, self.calendar.zone)} unless somebody holds it."

    def describe_approved(self, week: Week, now: datetime) -> str:
        """Say what becomes of an edition that is approved."""
        at = self.send_time(week, now)
        if at is None:
            return f"Nothing goes out by itself: send it from the desk, or with `pipeline send {week}`."
        return "It goes out now." if at == now else f"It goes out on {format_datetime(at, self.calendar.zone)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofToken:
    """What one button may do, to one draft, until an instant, once."""

    week: str
    content_hash: str
    action: ProofAction
    sequence: int
    """Of the proof it stands in."""
    expires_at: datetime

    @property
    def key(self) -> str:
        """What it is known by once it has been used."""
        return f"{self.week} {self.content_hash} {self.action} {self.sequence}"
