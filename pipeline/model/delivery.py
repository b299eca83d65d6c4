"""Deliveries of editions to subscribers: their records, their states, and what a backend reports.

    queued ──claim──> claimed ──commit──> final ──> sent | failed | uncertain
      ^                  │                  │
      └── not accepted ──┴──────────────────┘  (a refusal, or a crash before the message was complete)

``final`` is committed before the last byte of a message is sent: a message that is ``final`` after a crash may have
been accepted and is never sent again by itself (RFC 1047).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pipeline.text.format import pluralize

DeliveryState = Literal["queued", "claimed", "final", "sent", "failed", "uncertain"]
DELIVERY_STATES: tuple[DeliveryState, ...] = ("queued", "claimed", "final", "sent", "failed", "uncertain")
GOT_STATES: tuple[DeliveryState, ...] = ("sent", "uncertain")
"""States in which a subscriber has got an edition, or may have."""
UNFINISHED_STATES: tuple[DeliveryState, ...] = ("queued", "claimed", "final")
FailureReason = Literal["", "refused", "expired", "message", "unsubscribed", "paused", "suppressed", "cancelled"]
"""The reason why nothing was sent: the server refused the address, or the message; it accepted neither in time; the
subscriber did not want it any more; an editor cancelled the send."""
EXCUSED_REASONS: tuple[FailureReason, ...] = ("unsubscribed", "paused", "suppressed", "cancelled")
"""Reasons that are nobody's fault: such deliveries do not count as failed."""
Outcome = Literal["sent", "failed", "later", "stop", "uncertain", "lost"]
"""The result for a copy: accepted; refused for good; not accepted now; refused for a reason that concerns all copies;
complete, but not confirmed; no longer this process's to send."""
DispatchState = Literal["running", "paused", "cancelled", "finished"]
OPEN_STATES: tuple[DispatchState, ...] = ("running", "paused")
DispatchKey = tuple[str, int]
"""The week of an edition, and 0 for itself or the number of its correction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A subscriber's copy of an edition, ready to be sent."""

    delivery_id: int
    attempt: int
    """1, 2, 3 …: how often this delivery was claimed."""
    address: str
    sender: str
    """The envelope sender, which bounces go to."""
    message: bytes
    """RFC 5322, CRLF, at most 998 bytes a line, complete and signed."""

    @property
    def domain(self) -> str:
        """The domain of the address, in lower case."""
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """The report of a backend about one copy."""

    outcome: Outcome
    reply: str = ""
    """The server's reply, printable, at most 200 characters; no secret and nothing the server was sent is in it."""
    reason: FailureReason = ""
    """With ``failed``."""
    slow_down: bool = False
    """Whether the server asks for fewer connections or messages (421, 454, 429)."""
    provider_id: str = ""
    """The message's id at the mail service, which its webhooks name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The record of one edition to one subscriber."""

    id: int
    week: str
    correction: int = 0
    """0 for the edition itself, 1, 2 … for its corrections."""
    subscriber_id: int | None
    """None once the person was erased."""
    address: str
    variant: str
    state: DeliveryState
    attempts: int
    due_at: datetime
    deferred_at: datetime | None = None
    """When it was not accepted for the first time, but may be later."""
    changed_at: datetime
    reply: str = ""
    reason: FailureReason = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The outcome of an attempt, as it is stored."""

    delivery_id: int
    attempt: int
    state: DeliveryState
    """``queued`` sends it again at ``due_at``."""
    due_at: datetime
    deferred_at: datetime | None = None
    reply: str = ""
    reason: FailureReason = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """The sending of an edition, or of a correction, to its recipients."""

    week: str
    correction: int = 0
    state: DispatchState = "running"
    frozen_at: datetime
    """When its recipients were decided."""
    changed_at: datetime
    changed_by: str = ""
    note: str = ""
    """Why it is paused or was cancelled."""
    counts: Mapping[DeliveryState, int] = field(default_factory=dict)
    """Deliveries by state."""
    failures: Mapping[FailureReason, int] = field(default_factory=dict)
    """Failed deliveries by reason."""

    @property
    def key(self) -> DispatchKey:
        """The week, and the number of the correction."""
        return self.week, self.correction

    @property
    def name(self) -> str:
        """The week, and for a correction which one it is.

        >>> day = datetime.fromisoformat("2026-02-16T09:00Z")
        >>> Dispatch(week="2026-W07", correction=1, frozen_at=day, changed_at=day).name
        '2026-W07, correction 1'
        """
        return f"{self.week}, correction {self.correction}" if self.correction else self.week

    @property
    def total(self) -> int:
        """The number of recipients."""
        return sum(self.counts.values())

    @property
    def unfinished(self) -> int:
        """The number of deliveries whose outcome is open."""
        return sum(self.counts.get(state, 0) for state in UNFINISHED_STATES)

    @property
    def failed(self) -> int:
        """The number of failed deliveries to people who wanted the edition."""
        return sum(number for reason, number in self.failures.items() if reason not in EXCUSED_REASONS)

    @property
    def unwanted(self) -> int:
        """The number of deliveries to people who did not want the edition any more."""
        return self.counts.get("failed", 0) - self.failed - self.cancelled

    @property
    def cancelled(self) -> int:
        """The number of deliveries that an editor cancelled."""
        return self.failures.get("cancelled", 0)

    def in_words(self) -> str:
        """Return what has become of the deliveries, such as ``98 sent, 1 failed, 1 uncertain``.

        >>> day = datetime.fromisoformat("2026-02-16T09:00Z")
        >>> counts = {"sent": 98, "failed": 3, "queued": 2}
        >>> failures = {"refused": 1, "unsubscribed": 2}
        >>> Dispatch(week="2026-W07", frozen_at=day, changed_at=day, counts=counts, failures=failures).in_words()
        '98 of 103 deliveries sent, 1 failed, 2 not wanted any more, 2 waiting'
        """
        parts = (
            (self.failed, "failed"),
            (self.counts.get("uncertain", 0), "uncertain"),
            (self.unwanted, "not wanted any more"),
            (self.cancelled, "cancelled"),
            (self.unfinished, "waiting"),
        )
        first = f"{self.counts.get('sent', 0)} of {pluralize(self.total, 'delivery', 'deliveries')} sent"
        return ", ".join([first, *(f"{number} {words}" for number, words in parts if number)])
