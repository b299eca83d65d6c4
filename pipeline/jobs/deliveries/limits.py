"""When and how fast an edition may be sent: hours, first batch, warm-up, rates, the pace a server asks for. Pure.

Every function gets the time as an argument; local times are the publication's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from math import ceil

from pipeline.text.format import pluralize

MINUTE = timedelta(minutes=1)
_MIN_RETRY, _MAX_RETRY = timedelta(minutes=5), timedelta(hours=4)
_MIN_PAUSE, _MAX_PAUSE = timedelta(seconds=30), timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """The limits of [delivery]. A number of 0 is no limit."""

    zone: tzinfo
    connections: int = 4
    max_per_minute: int = 0
    max_per_domain_per_minute: int = 0
    spread: timedelta | None = None
    hours: tuple[time, time] | None = None
    first_batch: int = 0
    first_batch_wait: timedelta = timedelta(minutes=30)
    warm_up: tuple[int, ...] = ()
    """The most messages to send on each of the first days."""
    retry_for: timedelta = timedelta(days=2)

    def rate(self, total: int) -> int:
        """Return how many messages a minute may be sent to this number of recipients; 0 for no limit."""
        spread = ceil(total * MINUTE / self.spread) if self.spread else 0
        rates = [rate for rate in (self.max_per_minute, spread) if rate]
        return min(rates, default=0)

    def in_words(self, total: int) -> Iterator[str]:
        """Yield a sentence about each limit that applies to this number of recipients.

        >>> from datetime import UTC
        >>> limits = SendLimits(zone=UTC, first_batch=50, hours=(time(8), time(20)), max_per_minute=100)
        >>> print(*limits.in_words(1_000), sep="\\n")
        The first 50 are sent, then nothing for 30 minutes.
        Messages leave from 08:00 to 20:00, at most 100 a minute.
        """
        if self.first_batch and total > self.first_batch:
            minutes = round(self.first_batch_wait / MINUTE)
            yield f"The first {self.first_batch:,} are sent, then nothing for {pluralize(minutes, 'minute')}."
        rate = self.rate(total)
        hours = f"from {self.hours[0]:%H:%M} to {self.hours[1]:%H:%M}" if self.hours else ""
        if parts := ", ".join(filter(None, (hours, f"at most {rate:,} a minute" if rate else ""))):
            yield f"Messages leave {parts}."
        if self.warm_up:
            yield "A new domain sends more day by day, so it may take some days."

    def retry_at(self, deferred_at: datetime, now: datetime) -> datetime | None:
        """Return when to try again what was not accepted: the gaps grow with its age. None if it is too old.

        >>> from datetime import UTC
        >>> limits, began = SendLimits(zone=UTC), datetime(2026, 2, 16, 9, tzinfo=UTC)
        >>> [str(limits.retry_at(began, began + timedelta(hours=age)) - began) for age in (0, 1, 6)]
        ['0:05:00', '2:00:00', '10:00:00']
        >>> limits.retry_at(began, began + timedelta(days=2)) is None
        True
        """
        age = now - deferred_at
        return None if age >= self.retry_for else now + min(max(age, _MIN_RETRY), _MAX_RETRY)

    def wait_until(self, now: datetime, progress: SendProgress) -> tuple[datetime, str] | None:
        """Return until when nothing may be sent, and why; None if it may be sent now."""
        local = now.astimezone(self.zone)
        if self.hours and not self.hours[0] <= local.time() < self.hours[1]:
            opens_at = _at(local, self.hours[0], 0 if local.time() < self.hours[0] else 1)
            return opens_at, f"messages are sent from {self.hours[0]:%H:%M} to {self.hours[1]:%H:%M}"
        if progress.first_batch_at and now < (until := progress.first_batch_at + self.first_batch_wait):
            return until, f"the first batch of {self.first_batch} is sent: pause now if something is wrong with it"
        if progress.left_today(self.warm_up, local) == 0:
            tomorrow = _at(local, self.hours[0] if self.hours else time(), 1)
            return tomorrow, "the warm-up allows no more messages today"
        return None


@dataclass(slots=True, kw_only=True)
class SendProgress:
    """The counts that limits depend on. They are kept while sending: counting a million rows takes a second."""

    total: int
    begun: int
    """Deliveries that were claimed or have an outcome."""
    first_batch_at: datetime | None
    sent_by_day: dict[str, int]
    in_work: int = 0

    @property
    def done(self) -> int:
        """The number of deliveries that have an outcome."""
        return self.begun - self.in_work

    def left_of_first_batch(self, first_batch: int) -> int | None:
        """Return how many deliveries the first batch still lacks; None if there is none, or it is complete."""
        if not first_batch or self.first_batch_at or self.total <= first_batch:
            return None
        return max(first_batch - self.begun, 0)

    def left_today(self, warm_up: tuple[int, ...], local: datetime) -> int | None:
        """Return how many messages may still be sent on a day; None for any number.

        >>> sent = {"2026-02-15": 50, "2026-02-16": 30}
        >>> progress = SendProgress(total=9, begun=0, first_batch_at=None, sent_by_day=sent)
        >>> [progress.left_today(limits, datetime(2026, 2, 16)) for limits in ((50, 100), (50,), ())]
        [70, None, None]
        """
        today = f"{local:%Y-%m-%d}"
        day = sum(1 for earlier in self.sent_by_day if earlier < today)
        return None if day >= len(warm_up) else max(warm_up[day] - self.sent_by_day.get(today, 0), 0)

    def count_sent(self, now: datetime, zone: tzinfo, number: int) -> None:
        """Count messages that were sent."""
        today = local_day(now, zone)
        self.sent_by_day[today] = self.sent_by_day.get(today, 0) + number


@dataclass(slots=True)
class RateLimit:
    """A number of messages a minute, in even portions: after a pause no more than ten seconds' worth at once."""

    per_minute: int
    """0 for no limit."""
    _free_at: datetime | None = None

    def available(self, now: datetime) -> int:
        """Return how many messages may be sent now, without a limit a large number.

        >>> now = datetime(2026, 2, 16)
        >>> limit = RateLimit(60)
        >>> limit.take(now, 3)
        >>> limit.available(now), limit.available(now + timedelta(seconds=1))
        (7, 8)
        """
        if not self.per_minute:
            return 1_000_000
        return max(self._burst - ceil(self._ahead(now) * self.per_minute / MINUTE), 0)

    def ready_at(self, now: datetime) -> datetime:
        """Return when the next message may be sent.

        >>> now = datetime(2026, 2, 16)
        >>> limit = RateLimit(6)
        >>> limit.take(now, 1)
        >>> limit.ready_at(now) - now
        datetime.timedelta(seconds=10)
        """
        if self.available(now):
            return now
        return now + self._ahead(now) - (self._burst - 1) * MINUTE / self.per_minute

    def take(self, now: datetime, number: int) -> None:
        """Count messages that are sent now."""
        if self.per_minute:
            self._free_at = max(self._free_at or now, now) + number * MINUTE / self.per_minute

    @property
    def _burst(self) -> int:
        return max(self.per_minute // 6, 1)

    def _ahead(self, now: datetime) -> timedelta:
        return max((self._free_at or now) - now, timedelta())


@dataclass(slots=True)
class DomainLimits:
    """A limit for each recipient domain. A message that has to wait keeps its turn."""

    per_minute: int
    _limits: dict[str, RateLimit] = field(default_factory=dict)
    _waiting: set[int] = field(default_factory=set)

    def delay(self, delivery_id: int, domain: str, now: datetime) -> timedelta:
        """Return how long a message to a domain has to wait; when asked again after that, it need not.

        >>> limits, now = DomainLimits(6), datetime(2026, 2, 16)
        >>> [limits.delay(number, "a.example", now).seconds for number in (1, 2, 3, 2)]
        [0, 10, 20, 0]
        """
        if not self.per_minute or delivery_id in self._waiting:
            self._waiting.discard(delivery_id)
            return timedelta()
        limit = self._limits.setdefault(domain, RateLimit(self.per_minute))
        ready_at = limit.ready_at(now)
        limit.take(now, 1)
        if ready_at > now:
            self._waiting.add(delivery_id)
        return ready_at - now


@dataclass(slots=True)
class Pace:
    """The number of messages in work at once: fewer when the server asks for it, then one more each minute."""

    most: int
    allowed: int
    paused_until: datetime | None = None
    _pauses: int = 0
    _changed_at: datetime | None = None

    @classmethod
    def of(cls, connections: int) -> Pace:
        """Return the pace of a server that has not complained."""
        return cls(connections, connections)

    def slow_down(self, now: datetime) -> datetime:
        """Halve the number and pause, twice as long each time; return when to go on."""
        if not self.paused_until or self.paused_until <= now:
            self.paused_until = now + min(_MIN_PAUSE * 2**self._pauses, _MAX_PAUSE)
            self.allowed = max(self.allowed // 2, 1)
            self._pauses = min(self._pauses + 1, 10)
            self._changed_at = now
        return self.paused_until

    def accepted(self, now: datetime) -> None:
        """Note that the server accepts messages."""
        if self.paused_until and self.paused_until > now:
            return
        if self._changed_at and now - self._changed_at >= MINUTE and self.allowed < self.most:
            self.allowed, self._changed_at, self._pauses = self.allowed + 1, now, 0


def local_day(now: datetime, zone: tzinfo) -> str:
    """Return the local date of an instant, such as ``2026-02-16``."""
    return f"{now.astimezone(zone):%Y-%m-%d}"


def _at(local: datetime, clock_time: time, days: int) -> datetime:
    """Return a clock time of a day or the next one."""
    return (local + timedelta(days=days)).replace(
        hour=clock_time.hour, minute=clock_time.minute, second=0, microsecond=0, fold=0
    )
