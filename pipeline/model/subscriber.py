"""Subscribers, what they consented to, and what happened to their subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

Topic = Literal["posts", "episodes", "links"]
TOPICS: tuple[Topic, ...] = ("posts", "episodes", "links")
Frequency = Literal["every", "monthly"]
"""``every``: each edition; ``monthly``: the best of a month's editions."""
FREQUENCIES: tuple[Frequency, ...] = ("every", "monthly")
Basis = Literal["consent", "soft_opt_in_sale", "soft_opt_in_charity"]
"""The lawful basis of a subscription: consent (GDPR, article 6(1)(a)), or the soft opt-in of PECR, regulation 22."""
BASES: tuple[Basis, ...] = ("consent", "soft_opt_in_sale", "soft_opt_in_charity")
State = Literal["unconfirmed", "active", "left", "suppressed"]
DisplayState = Literal["unconfirmed", "active", "paused", "left", "suppressed"]
DISPLAY_STATES: tuple[DisplayState, ...] = ("unconfirmed", "active", "paused", "left", "suppressed")
SuppressionReason = Literal["bounced", "complained", "operator", "imported", "erased"]
EventKind = Literal[
    "requested",
    "confirmed",
    "added",
    "imported",
    "changed",
    "paused",
    "resumed",
    "address-requested",
    "address-changed",
    "guide",
    "left",
    "reason",
    "returned",
    "suppressed",
    "lifted",
]
MailKind = Literal["confirmation", "already", "guide", "best-of", "address"]
"""A mail to one person: a link to confirm, a reminder of a subscription, a guide, past stories, a new address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Preferences of a subscriber: topics, frequency, name."""

    name: str = ""
    topics: tuple[Topic, ...] = TOPICS
    """Never empty, in the order of ``TOPICS``."""
    frequency: Frequency = "every"


DEFAULT_PREFERENCES = Preferences()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person's subscription."""

    id: int
    address: str
    state: State
    preferences: Preferences = DEFAULT_PREFERENCES
    language: str = ""
    """A BCP 47 tag; that of the publication if empty."""
    form: str = ""
    """The sign-up form; empty if the operator added or imported the subscriber."""
    basis: Basis | None = None
    """None until the subscription is confirmed."""
    created_at: datetime
    confirmed_at: datetime | None = None
    """When the person confirmed the subscription, or the operator added or imported it."""
    changed_at: datetime
    paused_until: datetime | None = None
    requested: Preferences | None = None
    """What the newest sign-up form asked for; it applies once that is confirmed."""
    new_address: str = ""
    """The address to change to, once it is confirmed."""

    def display_state(self, now: datetime) -> DisplayState:
        """Return the state as people see it: an active subscription may be paused."""
        return "paused" if self.state == "active" and self.is_paused(now) else self.state

    def is_paused(self, now: datetime) -> bool:
        """Check whether a pause has not ended yet."""
        return self.paused_until is not None and self.paused_until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The browser that a form was sent from; part of the consent receipt."""

    ip_address: str = ""
    user_agent: str = ""
    page: str = ""
    """URL of the page with the form."""


NOBODY = Visitor()
"""No browser: the operator did it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The text beside a form's tick box, in one of its versions. Versions are counted per form and language."""

    id: int
    form: str
    language: str
    version: int
    text: str
    first_used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEvent:
    """One line of a person's history. Events are added and never changed; erasing a person deletes them."""

    at: datetime
    kind: EventKind
    actor: str
    """``subscriber``, or who did it on their behalf."""
    form: str = ""
    wording: Wording | None = None
    visitor: Visitor = NOBODY
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """More facts by name, such as ``topics``, ``reason``, ``guide_version``, ``seconds_since_mail``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Why, when and by whom an address was suppressed."""

    reason: SuppressionReason
    actor: str
    suppressed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMailRecord:
    """A mail to one person in its history: queued, sent if it has a ``sent_at``, or not to be sent (``none``)."""

    kind: MailKind | Literal["none"]
    form: str
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMail:
    """A mail to one person that is waiting to be sent, or was sent."""

    id: int
    kind: MailKind
    subscriber: Subscriber
    form: str
    attempts: int
    """How often it was claimed, this time included."""
    created_at: datetime
    """When it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMailQueue:
    """The state of the mails to one person each."""

    waiting: int = 0
    """Those that are due; mails for a later day are not among them."""
    waiting_since: datetime | None = None
    """When the first of them was due; None if none is."""
    failed: int = 0
    """Those that are tried again because they could not be sent."""
    failed_at: datetime | None = None
    """When one could not be sent last; None if that never happened."""
    error: str = ""
    """Why that was. It names no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupForm:
    """A sign-up form of config.toml."""

    id: str
    title: str
    wording: str
    """The text beside the tick box."""
    introduction: str = ""
    guide: str = ""
    """A file or a URL that is given to everybody who confirms; empty for none."""
    guide_title: str = ""
    asks_name: bool = True
    asks_topics: bool = True
