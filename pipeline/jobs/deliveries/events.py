"""Record what came back after a delivery, and act on it: suppress an address, or end a subscription."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from pipeline.audience.addresses import address_key, normalise_address
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.model.delivery import Delivery
from pipeline.model.delivery_event import DeliveryEvent, DeliveryEventKind
from pipeline.model.errors import UsageError
from pipeline.model.subscriber import EventKind, Subscriber, SuppressionReason

log = logging.getLogger(__name__)

ACTOR = "bounces"
"""The actor of suppressions in a person's history."""
SOFT_WINDOW = timedelta(days=180)
"""How long a soft bounce counts."""
Action = Literal["ignored", "repeated", "recorded", "suppressed", "left"]
"""What was done: nothing, since nobody knows the address, or the event came before; it is stored; the address is
suppressed; the person has left."""
_STORED: tuple[DeliveryEventKind, ...] = (
    *("delivered", "deferred", "bounced", "rejected", "complained", "unsubscribed"),
)
_FAILURES: tuple[DeliveryEventKind, ...] = ("bounced", "rejected")
_COUNTED: tuple[DeliveryEventKind, ...] = (*_FAILURES, "complained")
"""Kinds of which the soft ones are counted."""
_NEW_START: tuple[EventKind, ...] = ("confirmed", "added", "imported", "returned", "lifted", "address-changed")
"""What makes earlier soft bounces of a person's address count no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecorder:
    """Records events of deliveries, each once."""

    subscriptions: Subscriptions
    max_soft: int = 4
    """An address that bounced this often, and softly, is suppressed."""

    def record(self, event: DeliveryEvent, now: datetime) -> Action:
        """Store an event and act on it, in one transaction.

        It concerns the address that the message was sent to: if the subscriber has another one since, they keep getting
        them there. An event of kind ``complained`` that is ``soft`` is not proved, and counts like a soft bounce.
        """
        context = self.subscriptions.context
        delivery = self._find_delivery(event)
        if event.delivery_id is not None and delivery is None:  # a restored backup lacks the delivery of its token
            event = unproved(event)
        address = normalised(delivery.address if delivery else event.address)
        with context.store.audience_transaction():
            person = context.store.subscribers.find(address_key(address), lock=True) if address else None
            if event.kind not in _STORED or (person is None and delivery is None):
                return "ignored"
            number = person.id if person else delivery.subscriber_id if delivery else None
            if not context.store.delivery_events.add(event, delivery, number, address, now):
                return "repeated"
            return self._act(event, address, person, now) if address else "recorded"

    def _act(self, event: DeliveryEvent, address: str, person: Subscriber | None, now: datetime) -> Action:
        if event.kind == "unsubscribed":
            if person is None or person.state in ("left", "suppressed"):
                return "recorded"
            self.subscriptions.leave(person, now, by="mail")
            return "left"
        reason = self._reason_to_suppress(event, address, person, now)
        if reason is None or self.subscriptions.context.suppression(address) is not None:
            return "recorded"
        self.subscriptions.suppress(address, reason, actor=ACTOR, now=now)
        log.info("an address is suppressed: %s, %s", reason, event.severity or "reported by its mailbox provider")
        return "suppressed"

    def _reason_to_suppress(
        self, event: DeliveryEvent, address: str, person: Subscriber | None, now: datetime
    ) -> SuppressionReason | None:
        if event.kind == "complained" and event.severity != "soft":
            return "complained"
        if event.kind in _FAILURES and event.severity == "hard":
            return "bounced"
        if person is None or event.severity != "soft" or event.kind not in _COUNTED:
            return None
        history = self.subscriptions.context.store.subscription_events.of_subscriber(person.id)
        since = max((change.at for change in history if change.kind in _NEW_START), default=now - SOFT_WINDOW)
        soft = self.subscriptions.context.store.delivery_events.soft_bounces(
            person.id, address, _COUNTED, max(since, now - SOFT_WINDOW)
        )
        return "bounced" if count_occasions(soft) >= self.max_soft else None

    def _find_delivery(self, event: DeliveryEvent) -> Delivery | None:
        deliveries = self.subscriptions.context.store.deliveries
        if event.delivery_id is not None:
            return deliveries.get(event.delivery_id)
        return deliveries.find_provider_id(event.provider_id)


def unproved(event: DeliveryEvent) -> DeliveryEvent:
    """Return what is believed of an event that does not prove to be about a message of ours: a soft bounce at most."""
    return replace(event, severity="soft") if event.kind in _COUNTED else replace(event, kind="unknown")


def count_occasions(bounces: Sequence[tuple[int | None, datetime]]) -> int:
    """Return on how many occasions a message bounced: one for each delivery, or each day if that is not known.

    >>> monday = datetime(2026, 2, 16, 9)
    >>> count_occasions([(7, monday), (7, monday + timedelta(days=2)), (8, monday), (None, monday), (None, monday)])
    3
    """
    return len({delivery_id if delivery_id is not None else at.date() for delivery_id, at in bounces})


def normalised(address: str) -> str:
    """Return an address as those of subscribers are stored; empty if it is not one."""
    try:
        return normalise_address(address)
    except UsageError:
        return ""
