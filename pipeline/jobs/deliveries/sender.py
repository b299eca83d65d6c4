"""Send an edition to its recipients, from where it was left, until all have an outcome or something must be waited for.

One process at a time sends an edition: the owner of its lease. Of a process that died, what it had only claimed is sent
again, and what may have been accepted becomes uncertain. Threads send, each over a connection of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pipeline.audience.addresses import address_key
from pipeline.audience.tokens import address_hash
from pipeline.jobs.audience.context import AudienceContext
from pipeline.jobs.deliveries.copies import CopyWriter
from pipeline.jobs.deliveries.limits import DomainLimits, Pace, RateLimit, SendLimits, SendProgress
from pipeline.jobs.deliveries.outcomes import (
    UNCERTAIN_STATES,
    UncertainRule,
    queue_again,
    reason_to_drop,
    settle,
    settlement,
)
from pipeline.jobs.deliveries.recorder import DeliveryRecorder
from pipeline.jobs.deliveries.workers import Workers
from pipeline.jobs.ports import DeliveryBackend
from pipeline.model.delivery import Delivery, DeliveryResult, DispatchKey
from pipeline.model.schedule import Clock
from pipeline.model.subscriber import Subscriber
from pipeline.store import Store

LEASE_TTL = timedelta(minutes=1)
"""After this time another process takes over from one that died."""
RENEWAL_INTERVAL = timedelta(seconds=1)
"""How soon a pause takes effect."""
POLL_SECONDS = 0.2
REPORT_SECONDS = 0.005
"""How long results are collected before they are counted: a thread that wakes up for each slows those that send."""
CLAIM_SIZE = 200
"""How many deliveries are claimed at once: a transaction for each would take longer than sending it."""
log = logging.getLogger(__name__)
_CRASHED = "the process that sent it ended before the server's answer was recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The end of a call of ``DeliverySender.run``."""

    state: Literal["finished", "waiting", "stopped", "busy", "interrupted"]
    """All have an outcome; something is due later; it was paused or cancelled; another process sends it; this process
    was asked to stop."""
    until: datetime | None = None
    """With ``waiting``: when to go on."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySender:
    """Sends editions through a backend."""

    store: Store
    context: AudienceContext
    backend: DeliveryBackend
    limits: SendLimits
    uncertain: UncertainRule
    owner: str
    """Names this process, and no other."""
    clock: Clock
    wait: Callable[[float], object]
    """Waits some seconds, or less."""
    is_stopping: Callable[[], bool] = lambda: False
    on_progress: Callable[[SendProgress], None] = lambda progress: None
    lease_ttl: timedelta = LEASE_TTL

    def run(self, key: DispatchKey, copies: CopyWriter, *, patience: timedelta) -> SendResult:
        """Send what is due of an edition or a correction; return when nothing is due within ``patience``."""
        now = self.clock()
        if not self.store.dispatches.lease(key, self.owner, now=now, until=now + self.lease_ttl):
            state = self.store.dispatches.state(key)
            return SendResult(state="busy" if state == "running" else "stopped")
        try:
            self.store.deliveries.recover(key, now, uncertain=UNCERTAIN_STATES[self.uncertain], reply=_CRASHED)
            with DeliveryRecorder(self.store, self.owner, self.clock, self.limits.zone, self.wait) as recorder:
                run = _Run(self, key, copies, recorder, self._progress(key))
                with run.working():
                    return run.loop(patience)
        finally:
            self.store.dispatches.end_lease(key, self.owner)

    def _progress(self, key: DispatchKey) -> SendProgress:
        dispatch = self.store.dispatches.get(*key)
        counts = dispatch.counts if dispatch else {}
        return SendProgress(
            total=sum(counts.values()),
            begun=sum(counts.values()) - counts.get("queued", 0),
            first_batch_at=self.store.dispatches.first_batch_at(key),
            sent_by_day=self.store.deliveries.sent_by_day(),
        )


class _Run:
    """One call of ``run``."""

    def __init__(
        self,
        sender: DeliverySender,
        key: DispatchKey,
        copies: CopyWriter,
        recorder: DeliveryRecorder,
        progress: SendProgress,
    ) -> None:
        self.sender = sender
        self.key = key
        self.recorder = recorder
        self.progress = progress
        self.leased_at = sender.clock()
        self.is_stopped = False
        self.pace = Pace.of(sender.limits.connections)
        self.rate = RateLimit(sender.limits.rate(progress.total))
        self.domains = DomainLimits(sender.limits.max_per_domain_per_minute)
        self.workers = Workers(
            sender.backend,
            copies,
            sender.clock,
            sender.limits.connections,
            commit=recorder.commit,
            record=recorder.record,
        )

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run the threads; at the end, what they did not begin is queued again."""
        try:
            with self.workers:
                yield
        finally:
            self._settle(self.workers.finished())
            now = self.sender.clock()
            self.recorder.record([queue_again(delivery, now) for delivery in self.workers.unbegun()])
            self.recorder.flush()

    def loop(self, patience: timedelta) -> SendResult:
        """Feed the threads until nothing is left, or it has to wait longer than ``patience``."""
        sender = self.sender
        while True:
            self._settle(self.workers.finished())
            self.progress.in_work = self.workers.in_work
            sender.on_progress(self.progress)
            now = sender.clock()
            self.workers.raise_failure()
            if sender.is_stopping():
                return SendResult(state="interrupted")
            if not self._has_lease(now):
                return SendResult(state="stopped")
            held = self._wait_until(now)
            if held is None and self._claim(now):
                continue
            if self.workers.in_work:
                self.workers.wait(POLL_SECONDS)
                time.sleep(REPORT_SECONDS)
                continue
            self.recorder.flush()
            until, reason = held or (sender.store.deliveries.next_due_at(self.key), "the next delivery is due then")
            if until is None:
                return SendResult(state="finished")
            if until - now > patience:
                return SendResult(state="waiting", until=until, reason=reason)
            sender.wait(min(max((until - now).total_seconds(), POLL_SECONDS), sender.lease_ttl.total_seconds() / 4))

    def _has_lease(self, now: datetime) -> bool:
        """Renew the lease every second; return False if the dispatch was paused, cancelled or taken over."""
        if self.is_stopped:
            return False
        if now - self.leased_at < RENEWAL_INTERVAL:
            return True
        self.leased_at = now
        sender = self.sender
        return sender.store.dispatches.lease(self.key, sender.owner, now=now, until=now + sender.lease_ttl)

    def _wait_until(self, now: datetime) -> tuple[datetime, str] | None:
        if self.pace.paused_until and self.pace.paused_until > now:
            return self.pace.paused_until, "the mail server asked for a pause"
        if (ready_at := self.rate.ready_at(now)) > now:
            return ready_at, "the limit of messages a minute is reached"
        return self.sender.limits.wait_until(now, self.progress)

    def _claim(self, now: datetime) -> bool:
        """Claim deliveries and give them to the threads; return False if none was claimed."""
        sender, progress = self.sender, self.progress
        size = sender.backend.max_batch
        most = self.pace.allowed * size
        if self.pace.allowed == self.pace.most:
            most = max(2 * most, CLAIM_SIZE)  # so that no thread waits for the next group
        room = most - self.workers.in_work
        of_first_batch = progress.left_of_first_batch(sender.limits.first_batch)
        if of_first_batch == 0 and not self.workers.in_work:
            progress.first_batch_at = now
            sender.store.dispatches.end_first_batch(self.key, now)
            return True  # wait_until holds the others now
        today = progress.left_today(sender.limits.warm_up, now.astimezone(sender.limits.zone))
        left = (of_first_batch, None if today is None else today - self.workers.in_work)
        limit = min([room, self.rate.available(now), *(number for number in left if number is not None)])
        if limit <= 0 or room * 2 < most:
            return False
        claimed = sender.store.deliveries.claim(self.key, sender.owner, now, limit=limit)
        progress.begun += len(claimed)
        wanted = self._without_unwanted(claimed, now)
        self.rate.take(now, len(wanted))
        self.workers.put(wanted)
        return bool(claimed)

    def _without_unwanted(
        self, claimed: Sequence[tuple[Delivery, Subscriber]], now: datetime
    ) -> list[tuple[Delivery, Subscriber]]:
        """Return the deliveries that may be sent now; those of people who left are settled, others wait."""
        key = self.sender.context.keys["suppression"]
        hashes = [address_hash(address_key(subscriber.address), key) for _, subscriber in claimed]
        suppressed = self.sender.store.suppressions.find_all(hashes)
        wanted, settled = [], []
        for (delivery, subscriber), hashed in zip(claimed, hashes, strict=True):
            reason = "suppressed" if hashed in suppressed else reason_to_drop(subscriber, now)
            if reason:
                settled.append(settlement(delivery, "failed", now, reason=reason))
            elif delay := self.domains.delay(delivery.id, _domain(subscriber), now):
                settled.append(queue_again(delivery, now + delay))
                self.progress.begun -= 1
            else:
                wanted.append((delivery, subscriber))
        if settled:
            self.recorder.record(settled)
        return wanted

    def _settle(self, finished: Sequence[tuple[Delivery, DeliveryResult]]) -> None:
        """Settle what was not accepted, which has been recorded, and count."""
        if not finished:
            return
        now, settled = self.sender.clock(), []
        for delivery, result in finished:
            if result.slow_down:
                self.pace.slow_down(now)
            if result.outcome == "stop":
                self._pause(result.reply, now)
            if result.outcome not in ("sent", "lost"):
                rules = self.sender.limits, self.sender.uncertain
                settled.append(settle(delivery, result, *rules, now, paused_until=self.pace.paused_until))
        if settled:
            self.recorder.record(settled)
            self.progress.begun -= sum(one.state == "queued" for one in settled)
        if sent := sum(result.outcome == "sent" for _, result in finished):
            self.progress.count_sent(now, self.sender.limits.zone, sent)
            self.pace.accepted(now)

    def _pause(self, reply: str, now: datetime) -> None:
        """Pause the dispatch, since a refusal concerns all its messages."""
        sender, self.is_stopped = self.sender, True
        name = sender.backend.name
        sender.store.dispatches.change_state(
            self.key, "paused", now=now, actor=name, note=f"{name}: {reply}", only_if="running"
        )
        log.error("sending %s is paused: %s", self.key[0], reply)


def _domain(subscriber: Subscriber) -> str:
    return subscriber.address.rpartition("@")[2].lower()
