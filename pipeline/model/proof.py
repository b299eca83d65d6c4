"""Proofs of drafts, the tokens of their buttons, and when editions are sent automatically."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pipeline.model.schedule import At
from pipeline.model.week import Week, WeekCalendar
from pipeline.text.format import format_datetime

MIN_REVIEW_TIME = timedelta(hours=1)
"""How long the editor has a proof before an unapproved edition is sent."""
ProofAction = Literal["approve", "hold", "open"]
"""What a button does; ``open`` opens the desk and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One proof mail of a week's draft."""

    week: str
    content_hash: str
    """The content hash of the draft."""
    sequence: int
    """1 for the first proof of these bytes, which is sent automatically; more for those sent on request."""
    claimed_at: datetime
    sent_at: datetime | None = None
    """None while it is being sent, and for good if the process was killed then."""
    manifest: bytes
    """The manifest of the draft, to find out later what has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """When editions are sent automatically."""

    calendar: WeekCalendar
    schedule: At | None
    """When editions are sent automatically; None if they are not."""
    sends_unapproved: bool = False
    """Whether an unapproved edition is sent unless somebody holds it."""
    late_limit: timedelta = timedelta(0)
    """How long after the scheduled time an edition may still be sent."""

    def send_time(self, week: Week, now: datetime) -> datetime | None:
        """Return when an edition is sent automatically: ``now`` if it is due, None if never.

        >>> from datetime import UTC, time
        >>> weeks, friday = WeekCalendar.parse("mon 00:00", UTC), At(weekdays=(4,), time=time(7))
        >>> SendPolicy(calendar=weeks, schedule=friday).send_time(Week(2026, 7), datetime(2026, 2, 16, 6, tzinfo=UTC))
        datetime.datetime(2026, 2, 20, 7, 0, tzinfo=datetime.timezone.utc)
        >>> SendPolicy(calendar=weeks, schedule=friday).send_time(Week(2026, 7), datetime(2026, 2, 21, tzinfo=UTC))
        """
        if self.schedule is None:
            return None
        last, following = (
            self.schedule.began_at(now, self.calendar.zone),
            self.schedule.next_at(now, self.calendar.zone),
        )
        if self.calendar.newest_closed(last) == week and now - last <= self.late_limit:
            return now
        return following if self.calendar.newest_closed(following) == week else None

    def describe(self, week: Week, now: datetime, *, blocked: bool = False) -> str:
        """Return a sentence about when an unapproved draft is sent; ``blocked`` if its checks found errors."""
        at = self.send_time(week, now)
        if at is None:
            return f"It is not sent automatically: approve it, then send it with `pipeline send {week}`."
        when = "now" if at == now else f"on {format_datetime(at, self.calendar.zone)}"
        alone_at = self.send_time(week, now + MIN_REVIEW_TIME) if self.sends_unapproved else None
        if alone_at is None:
            soon = "at once" if at == now else when
            return f"It will not go out until you approve it; then it goes out {soon}."
        if blocked:
            return f"It will not go out {when}, because of its errors: fix them, or override them when you approve it."
        return f"It goes out on {format_datetime(alone_at, self.calendar.zone)} unless somebody holds it."

    def describe_approved(self, week: Week, now: datetime) -> str:
        """Return a sentence about when an approved edition is sent."""
        at = self.send_time(week, now)
        if at is None:
            return f"It is not sent automatically: send it from the desk, or with `pipeline send {week}`."
        return "It goes out now." if at == now else f"It goes out on {format_datetime(at, self.calendar.zone)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofToken:
    """The right to take one action on one draft, once, until it expires."""

    week: str
    content_hash: str
    action: ProofAction
    sequence: int
    """The sequence of the proof it was sent with."""
    expires_at: datetime

    @property
    def key(self) -> str:
        """Return the key under which the store remembers a used token."""
        return f"{self.week} {self.content_hash} {self.action} {self.sequence}"
