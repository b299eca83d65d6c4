"""The rules of a subscription: what may become of it, and who may do that.

Each function returns the subscription after a step, and the events to add to its history; no event means that nothing
has changed, so that a button used twice is the same as once. Nobody but the person revives a subscription that was
left or suppressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from pipeline.model.errors import RefusedError, UsageError
from pipeline.model.subscriber import (
    FREQUENCIES,
    TOPICS,
    Basis,
    EventKind,
    MailKind,
    Preferences,
    State,
    Subscriber,
    SuppressionReason,
)

MAX_NAME_CHARS = 100
CHARITY_OPT_IN_SINCE = date(2026, 2, 5)
"""Since then charities may use the soft opt-in (Data (Use and Access) Act 2025, section 114; SI 2026/82)."""


@dataclass(frozen=True, slots=True)
class Step:
    """A subscription after a step, and what to record of it."""

    subscriber: Subscriber
    event: EventKind | None = None
    """None if nothing has changed."""
    details: Mapping[str, str] = field(default_factory=dict)


def make_preferences(name: str, topics: Iterable[str], frequency: str) -> Preferences:
    """Return preferences from the fields of a form; without any topic, all of them.

    Unknown topics are dropped, an unknown frequency is ``every``, and a name becomes one line of limited length.

    >>> make_preferences(" Ada  Byron ", ["episodes", "spam"], "")
    Preferences(name='Ada Byron', topics=('episodes',), frequency='every')
    """
    printable = "".join(char if char.isprintable() else " " for char in name)
    chosen = set(topics)
    return Preferences(
        name=" ".join(printable.split())[:MAX_NAME_CHARS],
        topics=tuple(topic for topic in TOPICS if topic in chosen) or TOPICS,
        frequency=next((known for known in FREQUENCIES if known == frequency), "every"),
    )


def is_blocked(state: State, suppression: SuppressionReason | None) -> bool:
    """Check whether a person gets no mail even if a form asks for it, since anybody can send a form.

    Only their own link, or the operator, lifts that. Not blocked are people who were erased, or who had left another
    service before they were imported: they may sign up again.
    """
    if suppression is None:
        return state == "suppressed"
    return suppression not in ("erased", "imported")


def sign_up_mail(subscriber: Subscriber, suppression: SuppressionReason | None) -> MailKind | None:
    """Return which mail answers a sign-up form; None for nobody whom we must not mail."""
    if is_blocked(subscriber.state, suppression):
        return None
    return "already" if subscriber.state == "active" else "confirmation"


def confirm(subscriber: Subscriber, suppression: SuppressionReason | None, now: datetime) -> Step:
    """Make a subscription active: the person has confirmed what the sign-up form asked for.

    RefusedError if the address is blocked: it may be so since the mail was sent.
    """
    if is_blocked(subscriber.state, suppression):
        raise RefusedError("This address no longer gets mail from us: write to us if you would like it to.")
    if subscriber.state == "active":
        return Step(subscriber)
    preferences = subscriber.requested or subscriber.preferences
    active = replace(
        _active(subscriber, now),
        preferences=preferences,
        basis="consent",
        confirmed_at=now,
        requested=None,
        paused_until=None,
    )
    return Step(active, "confirmed", describe(preferences))


def add(subscriber: Subscriber, *, basis: Basis, collected_on: date, now: datetime, event: EventKind) -> Step:
    """Make a subscription active that the operator adds or imports, with the lawful basis they state.

    Nothing changes for a person who is active, has left or is suppressed. UsageError if the basis cannot apply.
    """
    if basis == "soft_opt_in_charity" and collected_on < CHARITY_OPT_IN_SINCE:
        raise UsageError(
            f"the soft opt-in of charities covers addresses collected since {CHARITY_OPT_IN_SINCE}, not on "
            f"{collected_on}."
        )
    if subscriber.state != "unconfirmed":
        return Step(subscriber)
    active = replace(_active(subscriber, now), basis=basis, confirmed_at=now, requested=None)
    return Step(active, event, {"basis": basis, "collected_on": collected_on.isoformat()})


def leave(subscriber: Subscriber, now: datetime) -> Step:
    """End a subscription at the person's wish."""
    if subscriber.state in ("left", "suppressed"):
        return Step(subscriber)
    return Step(replace(subscriber, state="left", requested=None, changed_at=now), "left")


def come_back(subscriber: Subscriber, now: datetime) -> Step:
    """Undo ``leave``, or a suppression: the person pressed the button behind their own link.

    RefusedError if they never confirmed a subscription.
    """
    if subscriber.state == "active":
        return Step(subscriber)
    if subscriber.confirmed_at is None:
        raise RefusedError("This subscription was never confirmed: sign up again.")
    return Step(_active(subscriber, now), "returned")


def change_preferences(subscriber: Subscriber, preferences: Preferences, now: datetime) -> Step:
    """Change what a subscriber wants to get."""
    if preferences == subscriber.preferences:
        return Step(subscriber)
    return Step(
        replace(subscriber, preferences=preferences, changed_at=now),
        "changed",
        describe(preferences),
    )


def pause(subscriber: Subscriber, until: datetime | None, now: datetime) -> Step:
    """Pause a subscription until an instant, or end its pause with None or an instant that is past."""
    until = until if until and until > now else None
    if until == subscriber.paused_until or (until is None and not subscriber.is_paused(now)):
        return Step(subscriber)
    details = {"until": until.isoformat()} if until else {}
    return Step(replace(subscriber, paused_until=until, changed_at=now), "paused" if until else "resumed", details)


def suppress(subscriber: Subscriber, reason: SuppressionReason, now: datetime) -> Step:
    """Suppress a subscription: it never gets mail again, unless the person comes back."""
    if subscriber.state == "suppressed":
        return Step(subscriber)
    return Step(replace(subscriber, state="suppressed", changed_at=now), "suppressed", {"reason": reason})


def lift_suppression(subscriber: Subscriber, now: datetime) -> Step:
    """Lift a suppression, so that the person may sign up again. It does not bring the subscription back."""
    if subscriber.state != "suppressed":
        return Step(subscriber)
    state: State = "left" if subscriber.confirmed_at else "unconfirmed"
    return Step(replace(subscriber, state=state, changed_at=now), "lifted")


def describe(preferences: Preferences) -> dict[str, str]:
    """Return preferences as details of an event."""
    return {"topics": " ".join(preferences.topics), "frequency": preferences.frequency}


def _active(subscriber: Subscriber, now: datetime) -> Subscriber:
    return replace(subscriber, state="active", changed_at=now)
