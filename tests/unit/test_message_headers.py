"""Headers with text from outside: what is written is decoded to what went in, however it is folded."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.mime import envelope_address
from pipeline.delivery.notify_mail import alert_message
from pipeline.model.alert import Alert
from pipeline.text.message_headers import Mailbox, mailbox_header, message_headers, parse_mailbox, subject_header
from tests.invariants import header_problem

WORDS = st.text(st.characters(codec="utf-8"), max_size=120)
PIECES = ["Brot", "Käse", "=?utf-8?q?x?=", '"', "\\", "(neu)", "12 €", "a" * 70, "🦀", "魚", "\t", ",", "= "]
MIXED = st.lists(st.sampled_from(PIECES))
TEXTS = WORDS | MIXED.map(" ".join) | MIXED.map("".join)
ADDRESS = "ida@quay.example"


def single_line(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())


@given(TEXTS)
def test_any_subject_is_decoded_to_what_went_in(text: str) -> None:
    """By the email package's old parser and by its new one; no line is too long or empty."""
    assert header_problem(subject_header(text), single_line(text)) == ""


@given(TEXTS)
def test_any_display_name_is_decoded_to_what_went_in(text: str) -> None:
    """The name and the address, which is never encoded."""
    header = mailbox_header("From", Mailbox(text, ADDRESS))
    (name, address), *others = getaddresses([header.removeprefix("From: ").replace("\r\n", "")])
    assert (str(make_header(decode_header(name))), address, others) == (single_line(text), ADDRESS, [])
    assert header.split("\r\n")[0] != "From: "
    assert all(len(line) <= 76 for line in header.split("\r\n"))
    assert parse_mailbox(f"{single_line(text)} <{ADDRESS}>").address == ADDRESS


@pytest.mark.parametrize(
    "text",
    [
        "Zwei Brötchen und ein Käse, dazu  drei Gründe, weshalb wir übermorgen früher öffnen als sonst",
        "Über-" + "lang" * 40,
        "Plain words with an address, https://quay.example/" + "a/" * 60,
        "The literal =?utf-8?q?bread?= of a title, and a broken =?x?b?a?=",
        "پیر کی شام: نئی روٹی، پرانا نمک اور سمندر کے کنارے ایک لمبی میز",
        "👩‍🍳👨‍👩‍👧‍👦" * 12,
    ],
)
def test_long_and_odd_subjects(text: str) -> None:
    """Blanks between long words of other scripts stay; what only looks encoded is encoded, so that it is shown."""
    header = subject_header(text)
    assert header_problem(header, single_line(text)) == ""
    assert header.startswith("Subject: =?utf-8?")


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("ida@quay.example", "", "ida@quay.example"),
        ("Ida Brandt <ida@quay.example>", "Ida Brandt", "ida@quay.example"),
        ('"Salt, \\"n\\" Fat" <ida@quay.example>', 'Salt, "n" Fat', "ida@quay.example"),
        ("Salt, Fat & Acid (weekly) <ida@quay.example>", "Salt, Fat & Acid (weekly)", "ida@quay.example"),
        ("Möwe <ida@möwe.example>", "Möwe", "ida@xn--mwe-sna.example"),
        ("ida@großmöwe.example", "", "ida@xn--gromwe-dta9p.example"),
        ("ida@食べる.example", "", "ida@xn--59jtb2538c.example"),
    ],
)
def test_mailboxes(text: str, name: str, address: str) -> None:
    """Commas and brackets belong to the name; an international domain becomes ASCII by IDNA 2008, ß included."""
    assert parse_mailbox(text) == (name, address)
    assert envelope_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ida",
        "ida@localhost",
        "@quay.example",
        "ida@quay..example",
        "ida@quay.example.",
        "idä@quay.example",
        "ida@-möwe.example",
        "ida@mö we.example",
        "ida@möwe\u2028.example",
        "Ida <ida@quay.example",
        "Ida <ida@quay.example> x",
        "ida@quay.example, kai@quay.example",
        "Ida\r\nBcc: kai@quay.example <ida@quay.example>",
    ],
)
def test_what_is_no_mailbox(text: str) -> None:
    """A ValueError, never an encoded word inside an address."""
    with pytest.raises(ValueError):  # noqa: PT011  # idna has its own
        parse_mailbox(text)


def test_long_quoted_names_keep_their_quotation_marks() -> None:
    """A name with a comma that fills more than a line stays one name of one address."""
    name = 'The Society of Bakers, Millers, Grocers & "Other" Merchants of the Northern Shore (Winter, 2026)'
    header = mailbox_header("From", Mailbox(name, ADDRESS)).encode()
    unfolded = header.replace(b"\r\n ", b" ").decode().strip().removeprefix("From: ")
    assert getaddresses([unfolded]) == [(name, ADDRESS)]


def test_one_international_domain_in_all_headers() -> None:
    """From, To and Message-ID have its ASCII form; an alert is written by the same function."""
    headers = message_headers(
        sender="Möwe <post@möwe.example>",
        recipient="chefin@möwe.example",
        subject="Brot",
        sent_at=datetime.fromisoformat("2026-11-18T09:00Z"),
        message_id="1.edition",
    )
    assert headers == (
        b"From: =?utf-8?b?TcO2d2U=?= <post@xn--mwe-sna.example>\r\nTo: chefin@xn--mwe-sna.example\r\nSubject: Brot\r\n"
        b"Date: Wed, 18 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1.edition@xn--mwe-sna.example>\r\n"
    )
    alert = Alert(key="k", subject="Zu ruhig", text="Nichts.", raised_at=datetime(2026, 11, 18, tzinfo=UTC))
    message = alert_message(alert, sender="post@möwe.example", recipient="chefin@möwe.example", name="Möwe")
    assert message.startswith(b"From: post@xn--mwe-sna.example\r\nTo: chefin@xn--mwe-sna.example\r\nSubject: =?utf-8?")
