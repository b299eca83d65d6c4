"""Decide what becomes of a delivery: from a backend's result, or from what the subscriber did meanwhile. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pipeline.jobs.deliveries.limits import SendLimits
from pipeline.model.delivery import Delivery, DeliveryResult, DeliveryState, FailureReason, Outcome, Settlement
from pipeline.model.subscriber import Subscriber

UncertainRule = Literal["hold", "accept", "retry"]
UNCERTAIN_STATES: dict[UncertainRule, DeliveryState] = {"hold": "uncertain", "accept": "sent", "retry": "queued"}
"""The state of a message that may have been accepted, by the setting ``uncertain``."""


def settle(
    delivery: Delivery,
    result: DeliveryResult,
    limits: SendLimits,
    rule: UncertainRule,
    now: datetime,
    *,
    paused_until: datetime | None,
) -> Settlement:
    """Return what to record of a result that is not ``lost``.

    What the server does not accept is tried again with growing gaps, or after ``paused_until`` if it asked for a pause.
    """
    if result.outcome == "stop":
        return queue_again(delivery, now, reply=result.reply)
    if result.outcome == "later":
        deferred_at = delivery.deferred_at or now
        retry_at = limits.retry_at(deferred_at, now)
        if retry_at is None:
            return settlement(delivery, "failed", now, reason="expired", reply=result.reply)
        due_at = (paused_until or now) if result.slow_down else retry_at
        return queue_again(delivery, due_at, reply=result.reply, deferred_at=deferred_at)
    states: dict[Outcome, DeliveryState] = {"sent": "sent", "failed": "failed", "uncertain": UNCERTAIN_STATES[rule]}
    return settlement(
        delivery,
        states[result.outcome],
        now,
        reason=result.reason,
        reply=result.reply,
        provider_id=result.provider_id,
    )


def reason_to_drop(subscriber: Subscriber, now: datetime) -> FailureReason:
    """Return why a subscriber gets nothing now, though the edition was meant for them; empty if they do."""
    if subscriber.state != "active":
        return "suppressed" if subscriber.state == "suppressed" else "unsubscribed"
    return "paused" if subscriber.is_paused(now) else ""


def queue_again(
    delivery: Delivery, due_at: datetime, *, reply: str = "", deferred_at: datetime | None = None
) -> Settlement:
    """Return the settlement of a delivery that is sent at another time."""
    return Settlement(
        delivery_id=delivery.id,
        attempt=delivery.attempts,
        state="queued",
        due_at=due_at,
        deferred_at=deferred_at or delivery.deferred_at,
        reply=reply,
    )


def settlement(
    delivery: Delivery,
    state: DeliveryState,
    now: datetime,
    *,
    reason: FailureReason = "",
    reply: str = "",
    provider_id: str = "",
) -> Settlement:
    """Return the settlement of a delivery that has an outcome."""
    return Settlement(
        delivery_id=delivery.id,
        attempt=delivery.attempts,
        state=state,
        due_at=now,
        deferred_at=delivery.deferred_at,
        reply=reply,
        reason=reason if state == "failed" else "",
        provider_id=provider_id,
    )
