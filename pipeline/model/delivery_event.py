"""Events of deliveries: what mail servers, mail services and people report after a message was accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

DeliveryEventKind = Literal[
    "delivered",
    "deferred",
    "bounced",
    "rejected",
    "complained",
    "unsubscribed",
    "autoresponded",
    "clicked",
    "unknown",
]
"""What happened, in the words of django-anymail: the recipient's server accepted the message, or not yet; it could not
be delivered; the mail service did not try; the recipient called it spam, or unsubscribed; a program replied; a link was
opened; something else."""
DELIVERY_EVENT_KINDS: tuple[DeliveryEventKind, ...] = (
    *("delivered", "deferred", "bounced", "rejected", "complained"),
    *("unsubscribed", "autoresponded", "clicked", "unknown"),
)
Severity = Literal["hard", "soft", ""]
"""Whether an address can never be reached (``hard``) or could not be this time (``soft``); empty if unknown."""
MAX_DIAGNOSTIC_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEvent:
    """A report about one message to one address."""

    kind: DeliveryEventKind
    severity: Severity = ""
    address: str = ""
    """The address that it is about, as reported; empty if it is known by its delivery alone."""
    delivery_id: int | None = None
    """The delivery it is about: only from a token that was verified."""
    provider_id: str = ""
    """The message's id at the mail service, if one reported it."""
    at: datetime
    """When it happened, aware UTC; when it was read if the report does not say."""
    diagnostic: str = ""
    """Why, in the words of the server: printable, one line, at most ``MAX_DIAGNOSTIC_CHARS``."""
    key: str
    """The same for the same report, so that one that comes twice counts once: see ``event_key``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event as it is stored."""

    kind: DeliveryEventKind
    severity: Severity
    week: str
    """The edition it is about; empty if that is not known."""
    address: str
    """Empty once the person was erased."""
    at: datetime
    recorded_at: datetime
    diagnostic: str


def event_key(origin: str, *facts: str) -> str:
    """Return the key of an event: the origin's name and a SHA-256 of what identifies the event there.

    >>> event_key("postmark", "0a1b", "Bounce")
    'postmark:19d4970df92c6708c76c9fa78e373735'
    """
    digest = sha256("\0".join(facts).encode(errors="replace")).hexdigest()
    return f"{origin}:{digest[:32]}"


def in_words(counts: Mapping[DeliveryEventKind, int]) -> str:
    """Return how many events there were of each kind, such as ``3 bounced, 1 complained``.

    >>> in_words({"complained": 1, "bounced": 3})
    '3 bounced, 1 complained'
    """
    return ", ".join(f"{counts[kind]} {kind}" for kind in DELIVERY_EVENT_KINDS if counts.get(kind))
