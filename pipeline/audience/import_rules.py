"""The rules of an import: what becomes of each row. It never revives somebody who left, was suppressed or erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from pipeline.audience import subscription
from pipeline.audience.import_formats import ImportedPerson, ImportState
from pipeline.audience.subscription import describe
from pipeline.model.errors import UsageError
from pipeline.model.subscriber import Basis, EventKind, Subscriber, SuppressionReason

Result = Literal["imported", "updated", "duplicate", "suppressed", "no basis", "bad"]
RESULTS: tuple[Result, ...] = ("imported", "updated", "duplicate", "suppressed", "no basis", "bad")

_ENDED: dict[ImportState, tuple[SuppressionReason, str]] = {
    "left": ("imported", "unsubscribed there"),
    "bounced": ("bounced", "mail to this address bounced there"),
    "complained": ("complained", "complained there"),
    "blocked": ("operator", "blocked there"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStatement:
    """The operator's statement about all rows of a file that say nothing themselves."""

    basis: Basis | None = None
    collected_on: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDecision:
    """The result of a row and what to store of it."""

    result: Result
    reason: str = ""
    subscriber: Subscriber | None = None
    """The new or changed subscriber; its ``id`` is 0 if it is new."""
    event: EventKind | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    suppress: SuppressionReason | None = None


def decide(
    person: ImportedPerson,
    known: Subscriber | None,
    suppression_reason: SuppressionReason | None,
    statement: ImportStatement,
    now: datetime,
) -> ImportDecision:
    """Return what becomes of a person; ``known`` is the subscriber with this address, ``suppression_reason`` why it is
    suppressed."""
    if person.state in _ENDED:
        return _end(person, known, suppression_reason, now)
    if suppression_reason:
        return ImportDecision(result="suppressed", reason=f"suppressed here ({suppression_reason})")
    if known and known.state in ("left", "suppressed"):
        return ImportDecision(result="suppressed", reason="unsubscribed here")
    if known and known.state == "active":
        return _update(person, known, now)
    if person.state == "unconfirmed":
        return ImportDecision(result="no basis", reason="not confirmed there")
    return _subscribe(person, known, statement, now)


def _end(
    person: ImportedPerson, known: Subscriber | None, suppression_reason: SuppressionReason | None, now: datetime
) -> ImportDecision:
    """Suppress somebody who left another service, unless they have confirmed a subscription here since."""
    reason, explanation = _ENDED[person.state]
    if suppression_reason or (known and known.state in ("left", "suppressed")):
        return ImportDecision(result="suppressed", reason=f"{explanation}; gets no mail from here already")
    ended_at, confirmed_at = person.ended_at, known.confirmed_at if known and known.form else None
    if ended_at and confirmed_at and ended_at < confirmed_at:
        return ImportDecision(result="duplicate", reason=f"{explanation}, but signed up here later")
    if known is None:
        return ImportDecision(result="suppressed", reason=explanation, suppress=reason)
    step = subscription.suppress(known, reason, now)
    return ImportDecision(
        result="suppressed",
        reason=explanation,
        subscriber=step.subscriber,
        event=step.event,
        details=step.details,
        suppress=reason,
    )


def _update(person: ImportedPerson, known: Subscriber, now: datetime) -> ImportDecision:
    """Add the name of a subscriber who has none."""
    if known.preferences.name or not person.preferences.name:
        return ImportDecision(result="duplicate", reason="is a subscriber already")
    preferences = replace(known.preferences, name=person.preferences.name)
    step = subscription.change_preferences(known, preferences, now)
    return ImportDecision(
        result="updated", reason="name added", subscriber=step.subscriber, event=step.event, details=step.details
    )


def _subscribe(
    person: ImportedPerson, known: Subscriber | None, statement: ImportStatement, now: datetime
) -> ImportDecision:
    basis, agreed_on = person.basis or statement.basis, person.agreed_on or statement.collected_on
    if basis is None:
        return ImportDecision(result="no basis", reason="no lawful basis; state it with --basis")
    if agreed_on is None:
        return ImportDecision(result="no basis", reason="no date of consent; state it with --collected")
    new = known or Subscriber(
        id=0,
        address=person.address,
        state="unconfirmed",
        language=person.language,
        created_at=now,
        changed_at=now,
    )
    try:
        step = subscription.add(new, basis=basis, collected_on=agreed_on, now=now, event="imported")
    except UsageError as error:
        return ImportDecision(result="no basis", reason=str(error).rstrip("."))
    is_paused = person.paused_until and person.paused_until > now
    subscriber = replace(
        step.subscriber, preferences=person.preferences, paused_until=person.paused_until if is_paused else None
    )
    return ImportDecision(
        result="updated" if known else "imported",
        reason="had not confirmed here" if known else "",
        subscriber=subscriber,
        event=step.event,
        details={**step.details, **_evidence(person), **({"note": statement.note} if statement.note else {})},
    )


def _evidence(person: ImportedPerson) -> dict[str, str]:
    """Return what the export says about sign-up and consent, as details of an event."""
    times = {"signed_up_there_at": person.signed_up_at, "confirmed_there_at": person.confirmed_at}
    evidence = {name: instant.isoformat() for name, instant in times.items() if instant}
    if person.ip_address:
        evidence["ip_address_there"] = person.ip_address
    return evidence | describe(person.preferences)
