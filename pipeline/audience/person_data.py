"""Everything that is stored about one person, as JSON (GDPR, article 15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipeline.model.delivery import Delivery
from pipeline.model.delivery_event import RecordedEvent
from pipeline.model.subscriber import PersonMailRecord, Subscriber, SubscriptionEvent, Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenGuide:
    """A version of a form's guide that a person was given."""

    form: str
    version: str
    given_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of the log of what the operator did to people's data."""

    at: datetime
    actor: str
    action: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonData:
    """Everything that is stored about the person with an address."""

    address: str
    subscriber: Subscriber | None = None
    """None if only a suppression is stored."""
    suppression: Suppression | None = None
    history: tuple[SubscriptionEvent, ...] = ()
    """The oldest event first."""
    guides: tuple[GivenGuide, ...] = ()
    mails: tuple[PersonMailRecord, ...] = ()
    editions: tuple[Delivery, ...] = ()
    """The editions that were sent, the oldest first."""
    returned: tuple[RecordedEvent, ...] = ()
    """Bounces, complaints and the like, the oldest first."""
    log: tuple[LogLine, ...] = ()


def person_json(data: PersonData, now: datetime) -> dict[str, Any]:
    """Return a person's data for JSON."""
    return {
        "address": data.address,
        "subscription": data.subscriber and _subscription_json(data.subscriber, now),
        "suppression": data.suppression and asdict(data.suppression),
        "history": [_event_json(event) for event in data.history],
        "guides": [asdict(guide) for guide in data.guides],
        "mails": [asdict(mail) for mail in data.mails],
        "editions": [_delivery_json(delivery) for delivery in data.editions],
        "returned": [asdict(event) for event in data.returned],
        "log": [{"at": line.at, "actor": line.actor, "action": line.action, **line.details} for line in data.log],
    }


def _subscription_json(subscriber: Subscriber, now: datetime) -> dict[str, Any]:
    values = asdict(subscriber)
    return {
        "state": subscriber.display_state(now),
        **values.pop("preferences"),
        **{name: value for name, value in values.items() if name not in ("address", "state")},
    }


def _delivery_json(delivery: Delivery) -> dict[str, Any]:
    names = ("week", "correction", "address", "variant", "state", "changed_at", "reply", "reason")
    return {name: getattr(delivery, name) for name in names}


def _event_json(event: SubscriptionEvent) -> dict[str, Any]:
    wording = event.wording
    return {
        "at": event.at,
        "kind": event.kind,
        "actor": event.actor,
        "form": event.form,
        "wording": wording and {"version": wording.version, "language": wording.language, "text": wording.text},
        **asdict(event.visitor),
        "details": dict(event.details),
    }
