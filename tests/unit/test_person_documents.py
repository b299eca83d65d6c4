"""What people can read about themselves: the consent receipt, the lines of their history, and everything as JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest

from pipeline.audience.person_data import GivenGuide, LogLine, PersonData, person_json
from pipeline.audience.receipt import (
    BASIS_NAMES,
    EVENT_NAMES,
    event_line,
    person_facts,
    receipt,
    receipt_html,
    receipt_text,
)
from pipeline.model.delivery import Delivery
from pipeline.model.delivery_event import RecordedEvent
from pipeline.model.digest import Publication
from pipeline.model.subscriber import (
    BASES,
    EventKind,
    PersonMailRecord,
    Preferences,
    Subscriber,
    SubscriptionEvent,
    Suppression,
    Visitor,
    Wording,
)

NOW = datetime(2026, 2, 16, 9, 30, 5, tzinfo=UTC)
IN_ROME = NOW.astimezone(timezone(timedelta(hours=1)))
PUBLICATION = Publication(
    name="Quay & Tide",
    url="https://quay.example/",
    timezone="Europe/London",
    language="en-GB",
    sender="Quay <news@quay.example>",
    editor="ida@quay.example",
    postal_address="1 Quay, Leith",
)
UNA = Subscriber(
    id=7,
    address="una@quay.example",
    state="active",
    preferences=Preferences(name="Una Ott", topics=("posts", "links"), frequency="monthly"),
    language="de",
    form="newsletter",
    basis="consent",
    created_at=NOW - timedelta(days=2),
    confirmed_at=IN_ROME - timedelta(days=1),
    changed_at=NOW,
)
WORDING = Wording(
    id=3,
    form="newsletter",
    language="en-GB",
    version=2,
    text="Yes, send me the <newsletter>.\nI may leave at any time.",
    first_used_at=NOW - timedelta(days=9),
)
HISTORY = (
    SubscriptionEvent(
        at=NOW - timedelta(days=2),
        kind="requested",
        actor="subscriber",
        form="newsletter",
        wording=WORDING,
        visitor=Visitor(ip_address="192.0.2.7", user_agent="Tin/1.0", page="https://quay.example/subscribe"),
        details={"topics": "posts links", "seconds_since_mail": "9", "note": ""},
    ),
    SubscriptionEvent(at=NOW - timedelta(days=1), kind="left", actor="ida"),
)
GUIDE = GivenGuide(form="newsletter", version="4", given_at=NOW)
SUPPRESSION = Suppression(reason="operator", actor="ida", suppressed_at=IN_ROME)
DATA = PersonData(address="una@quay.example", subscriber=UNA, suppression=SUPPRESSION, history=HISTORY, guides=(GUIDE,))
RECEIPT = """\
Consent receipt
===============
Controller: Quay & Tide
Address: 1 Quay, Leith
Contact: Quay <news@quay.example>
Website: https://quay.example/
Issued: 2026-02-16 09:30:05 UTC

Subscriber
----------
Address: una@quay.example
State: active
Since: 2026-02-15 09:30:05 UTC
Name: Una Ott
Topics: posts, links
Frequency: the best of each month
Language: de
Form: newsletter
Basis: consent (GDPR, article 6(1)(a))
Suppressed: operator, 2026-02-16 09:30:05 UTC
Guide: that of the form newsletter, version 4, 2026-02-16 09:30:05 UTC

Signed up
---------
Time: 2026-02-14 09:30:05 UTC
Form: newsletter
Page: https://quay.example/subscribe
Wording, version 2 (en-GB):
    Yes, send me the <newsletter>.
    I may leave at any time.
IP address: 192.0.2.7
User agent: Tin/1.0
Topics: posts links
Seconds since mail: 9

Unsubscribed
------------
Time: 2026-02-15 09:30:05 UTC
By: ida
"""


def test_a_receipt_says_who_agreed_to_what_and_when() -> None:
    """It names the controller, the person as stored now, and each event with the exact wording; times are in UTC."""
    assert receipt_text(receipt(DATA, PUBLICATION, IN_ROME)) == RECEIPT


def test_a_receipt_leaves_out_what_is_not_known() -> None:
    """A person who was erased has an address and a suppression; a publication may have no postal address."""
    erased = PersonData(address="una@quay.example", suppression=replace(SUPPRESSION, reason="erased"))
    nowhere = replace(PUBLICATION, postal_address="")
    assert [section.facts for section in receipt(erased, nowhere, NOW)] == [
        (
            ("Controller", "Quay & Tide"),
            ("Contact", "Quay <news@quay.example>"),
            ("Website", "https://quay.example/"),
            ("Issued", "2026-02-16 09:30:05 UTC"),
        ),
        (("Address", "una@quay.example"), ("Suppressed", "erased, 2026-02-16 09:30:05 UTC")),
    ]


def test_a_receipt_in_html_is_a_whole_document() -> None:
    """With the same facts, escaped, under one main heading."""
    control = receipt_html(receipt(replace(DATA, history=()), PUBLICATION, NOW))
    head, _, body = control.partition("</style>\n</head>\n<body>\n")
    assert head.startswith(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Consent receipt</title>\n<style>'
    )
    assert body.startswith(
        "<h1>Consent receipt</h1>\n<dl>\n<dt>Controller</dt><dd>Quay &amp; Tide</dd>\n"
        "<dt>Address</dt><dd>1 Quay, Leith</dd>\n<dt>Contact</dt><dd>Quay &lt;news@quay.example&gt;</dd>\n"
    )
    assert "</dl>\n<h2>Subscriber</h2>\n<dl>\n<dt>Address</dt><dd>una@quay.example</dd>\n" in body
    assert body.endswith("09:30:05 UTC</dd>\n</dl>\n</body>\n</html>\n")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 76, ["Form: " + "x" * 76]),
        ("x" * 77, ["Form:", "    " + "x" * 77]),
        ("a\nb", ["Form:", "    a", "    b"]),
    ],
)
def test_a_long_value_of_a_receipt_has_lines_of_its_own(value: str, shown: list[str]) -> None:
    """A label and a value of 80 characters or fewer fill one line, unless the value has several."""
    lines = receipt_text(receipt(replace(DATA, subscriber=replace(UNA, form=value)), PUBLICATION, NOW)).split("\n")
    start = lines.index(shown[0])
    assert lines[start : start + len(shown)] == shown
    assert lines[start + len(shown)].startswith("Basis: ")


def test_every_event_and_basis_has_a_name() -> None:
    """They are headings of a receipt, which a court may read."""
    assert set(EVENT_NAMES) == set(get_args(EventKind))
    assert set(BASIS_NAMES) == set(BASES)


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"paused_until": NOW + timedelta(days=1)}, {"State": "paused until 2026-02-17 09:30:05 UTC"}),
        ({"paused_until": NOW}, {"State": "active"}),
        ({"paused_until": NOW + timedelta(days=1), "state": "left"}, {"State": "left"}),
        ({"confirmed_at": None}, {"Since": "2026-02-14 09:30:05 UTC"}),
        ({"preferences": Preferences()}, {"Frequency": "every edition", "Name": None}),
        ({"basis": "soft_opt_in_sale"}, {"Basis": "soft opt-in after a sale (PECR, regulation 22(3))"}),
        ({"basis": None, "language": "", "form": ""}, {"Basis": None, "Language": None, "Form": None}),
    ],
)
def test_facts_about_a_person(changes: dict[str, object], facts: dict[str, str | None]) -> None:
    """As they are now; what is empty is left out."""
    shown = dict(person_facts(PersonData(address=UNA.address, subscriber=replace(UNA, **changes)), NOW))
    assert {label: shown.get(label) for label in facts} == facts


def test_events_in_one_line_each() -> None:
    """The time, the event, and its facts in lower case, those of several lines on one."""
    assert [event_line(event) for event in HISTORY] == [
        "2026-02-14 09:30:05 UTC  Signed up: form newsletter; page https://quay.example/subscribe; wording, version 2 "
        "(en-gb) Yes, send me the <newsletter>. I may leave at any time.; ip address 192.0.2.7; user agent Tin/1.0; "
        "topics posts links; seconds since mail 9",
        "2026-02-15 09:30:05 UTC  Unsubscribed: by ida",
    ]
    plain = SubscriptionEvent(at=IN_ROME, kind="confirmed", actor="subscriber")
    assert event_line(plain) == "2026-02-16 09:30:05 UTC  Confirmed by the link in a mail"
    unnamed = replace(HISTORY[0], wording=replace(WORDING, language="", text="Yes."))
    assert "; wording, version 2 Yes.; " in event_line(unnamed)


def test_everything_about_a_person_as_json() -> None:
    """Each stored value under its own name, the wording in full, and the newest state; nothing is left out."""
    mail = PersonMailRecord(kind="guide", form="newsletter", created_at=NOW, sent_at=None)
    line = LogLine(at=NOW, actor="ida", action="exported", details={"reason": "asked"})
    bounce = RecordedEvent(
        kind="bounced",
        severity="soft",
        week="2026-W07",
        address="una@quay.example",
        at=NOW,
        recorded_at=IN_ROME,
        diagnostic="mailbox full",
    )
    sent = Delivery(
        id=3,
        week="2026-W06",
        subscriber_id=7,
        address="una@quay.example",
        variant="posts",
        state="sent",
        attempts=2,
        due_at=NOW,
        changed_at=NOW,
        reply="250 OK",
        provider_id="p-1",
    )
    paused = replace(UNA, paused_until=NOW + timedelta(days=1))
    whole = replace(DATA, subscriber=paused, mails=(mail,), editions=(sent,), returned=(bounce,), log=(line,))
    document = person_json(whole, NOW)
    assert document.pop("history") == [
        {
            "at": HISTORY[0].at,
            "kind": "requested",
            "actor": "subscriber",
            "form": "newsletter",
            "wording": {"version": 2, "language": "en-GB", "text": WORDING.text},
            "ip_address": "192.0.2.7",
            "user_agent": "Tin/1.0",
            "page": "https://quay.example/subscribe",
            "details": {"topics": "posts links", "seconds_since_mail": "9", "note": ""},
        },
        {
            "at": HISTORY[1].at,
            "kind": "left",
            "actor": "ida",
            "form": "",
            "wording": None,
            "ip_address": "",
            "user_agent": "",
            "page": "",
            "details": {},
        },
    ]
    assert document == {
        "address": "una@quay.example",
        "subscription": {
            "state": "paused",
            "name": "Una Ott",
            "topics": ("posts", "links"),
            "frequency": "monthly",
            "id": 7,
            "language": "de",
            "form": "newsletter",
            "basis": "consent",
            "created_at": UNA.created_at,
            "confirmed_at": UNA.confirmed_at,
            "changed_at": NOW,
            "paused_until": NOW + timedelta(days=1),
            "requested": None,
            "new_address": "",
        },
        "suppression": {"reason": "operator", "actor": "ida", "suppressed_at": IN_ROME},
        "guides": [{"form": "newsletter", "version": "4", "given_at": NOW}],
        "mails": [{"kind": "guide", "form": "newsletter", "created_at": NOW, "sent_at": None}],
        "editions": [
            {
                "week": "2026-W06",
                "correction": 0,
                "address": "una@quay.example",
                "variant": "posts",
                "state": "sent",
                "changed_at": NOW,
                "reply": "250 OK",
                "reason": "",
            }
        ],
        "returned": [
            {
                "kind": "bounced",
                "severity": "soft",
                "week": "2026-W07",
                "address": "una@quay.example",
                "at": NOW,
                "recorded_at": IN_ROME,
                "diagnostic": "mailbox full",
            }
        ],
        "log": [{"at": NOW, "actor": "ida", "action": "exported", "reason": "asked"}],
    }
    nobody = person_json(PersonData(address="una@quay.example"), NOW)
    assert nobody == {
        "address": "una@quay.example",
        "subscription": None,
        "suppression": None,
        "history": [],
        "guides": [],
        "mails": [],
        "editions": [],
        "returned": [],
        "log": [],
    }
