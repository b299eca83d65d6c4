"""The consent receipt: a document to keep, which proves what a person consented to, when and how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from textwrap import indent

from pipeline.audience.person_data import PersonData
from pipeline.model.digest import Publication
from pipeline.model.subscriber import Basis, EventKind, Subscriber, SubscriptionEvent

EVENT_NAMES: dict[EventKind, str] = {
    "requested": "Signed up",
    "confirmed": "Confirmed by the link in a mail",
    "added": "Added by the publisher",
    "imported": "Imported by the publisher",
    "changed": "Changed the preferences",
    "paused": "Paused",
    "resumed": "Resumed",
    "address-requested": "Asked for a change of address",
    "address-changed": "Changed the address",
    "guide": "Was given the guide",
    "left": "Unsubscribed",
    "reason": "Gave a reason for leaving",
    "returned": "Came back",
    "suppressed": "Suppressed",
    "lifted": "Suppression lifted",
}
BASIS_NAMES: dict[Basis, str] = {
    "consent": "consent (GDPR, article 6(1)(a))",
    "soft_opt_in_sale": "soft opt-in after a sale (PECR, regulation 22(3))",
    "soft_opt_in_charity": "soft opt-in of a charity (PECR, regulation 22(3A))",
}
_WIDTH = 80
_STYLE = "body{font:1rem/1.5 sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem}"
_STYLE += "dt{font-weight:bold}dd{margin:0 0 .5rem 1.5rem;white-space:pre-wrap;overflow-wrap:anywhere}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSection:
    """A headed part of a receipt: labels with their values."""

    heading: str
    facts: tuple[tuple[str, str], ...]


def receipt(data: PersonData, publication: Publication, now: datetime) -> list[ReceiptSection]:
    """Return the sections of a receipt: who holds the data, who subscribed, and a section for each event."""
    controller = ReceiptSection(
        heading="Consent receipt",
        facts=_without_empty(
            ("Controller", publication.name),
            ("Address", publication.postal_address),
            ("Contact", publication.sender),
            ("Website", publication.url),
            ("Issued", _time(now)),
        ),
    )
    events = [ReceiptSection(heading=EVENT_NAMES[event.kind], facts=tuple(_facts(event))) for event in data.history]
    return [
        controller,
        ReceiptSection(heading="Subscriber", facts=(("Address", data.address), *person_facts(data, now))),
        *events,
    ]


def receipt_text(sections: Sequence[ReceiptSection]) -> str:
    """Return a receipt as plain text. Values that fill more than a line are indented, not wrapped: they are exact."""
    lines = []
    for number, section in enumerate(sections):
        lines += ["", section.heading, ("-" if number else "=") * len(section.heading)]
        for label, value in section.facts:
            is_short = len(label) + len(value) <= _WIDTH and "\n" not in value
            lines += [f"{label}: {value}"] if is_short else [f"{label}:", indent(value, "    ")]
    return "\n".join(lines[1:]) + "\n"


def receipt_html(sections: Sequence[ReceiptSection]) -> str:
    """Return a receipt as an HTML document without scripts, which loads nothing."""
    body = []
    for number, section in enumerate(sections):
        level = 2 if number else 1
        facts = "\n".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in section.facts)
        body.append(f"<h{level}>{escape(section.heading)}</h{level}>\n<dl>\n{facts}\n</dl>")
    head = f'<meta charset="utf-8">\n<title>{escape(sections[0].heading)}</title>\n<style>{_STYLE}</style>'
    lines = ("<!doctype html>", '<html lang="en">', "<head>", head, "</head>", "<body>", *body, "</body>", "</html>")
    return "\n".join(lines) + "\n"


def event_line(event: SubscriptionEvent) -> str:
    """Return an event in one line."""
    facts = "; ".join(f"{label.lower()} {' '.join(value.split())}" for label, value in list(_facts(event))[1:])
    return f"{_time(event.at)}  {EVENT_NAMES[event.kind]}{f': {facts}' if facts else ''}"


def person_facts(data: PersonData, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield labels and values that say what is stored about a person now."""
    if data.subscriber:
        yield from _without_empty(*_describe(data.subscriber, now))
    if data.suppression:
        yield "Suppressed", f"{data.suppression.reason}, {_time(data.suppression.suppressed_at)}"
    for guide in data.guides:
        yield "Guide", f"that of the form {guide.form}, version {guide.version}, {_time(guide.given_at)}"


def _describe(subscriber: Subscriber, now: datetime) -> Iterator[tuple[str, str]]:
    preferences, state = subscriber.preferences, subscriber.display_state(now)
    until = f" until {_time(subscriber.paused_until)}" if state == "paused" and subscriber.paused_until else ""
    yield "State", state + until
    yield "Since", _time(subscriber.confirmed_at or subscriber.created_at)
    yield "Name", preferences.name
    yield "Topics", ", ".join(preferences.topics)
    yield "Frequency", "every edition" if preferences.frequency == "every" else "the best of each month"
    yield "Language", subscriber.language
    yield "Form", subscriber.form
    yield "Basis", BASIS_NAMES[subscriber.basis] if subscriber.basis else ""


def _facts(event: SubscriptionEvent) -> Iterator[tuple[str, str]]:
    yield "Time", _time(event.at)
    if event.actor != "subscriber":
        yield "By", event.actor
    yield from _without_empty(("Form", event.form), ("Page", event.visitor.page))
    if event.wording:
        language = f" ({event.wording.language})" if event.wording.language else ""
        yield f"Wording, version {event.wording.version}{language}", event.wording.text
    yield from _without_empty(("IP address", event.visitor.ip_address), ("User agent", event.visitor.user_agent))
    yield from _without_empty(*((_label(name), value) for name, value in event.details.items()))


def _without_empty(*facts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((label, value) for label, value in facts if value)


def _label(name: str) -> str:
    """Return the name of a detail as a label.

    >>> _label("seconds_since_mail")
    'Seconds since mail'
    """
    return name.replace("_", " ").capitalize()


def _time(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
