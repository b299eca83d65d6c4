"""Mail that comes back: what is a bounce, a complaint, a wish to unsubscribe, an automatic reply, a reply."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audience.bounces import MAX_REPLY_CHARS, IncomingMail, read_mail
from pipeline.audience.delivery_status import severity_of
from pipeline.audience.mail_parts import MAX_PARTS, read_parts
from pipeline.model.delivery_event import MAX_DIAGNOSTIC_CHARS
from tests.returned_mails import (
    EXIM,
    KEY,
    NO_USER,
    ORIGINAL,
    PERSON_TOKEN,
    QMAIL,
    TOKEN,
    UNKNOWN_ORIGINAL,
    VERP,
    dsn,
    encoded,
    feedback,
    fields,
    nested,
    plain,
)

NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
HARD, SOFT = ("bounced", "hard"), ("bounced", "soft")
LATER, ARRIVED = ("deferred", ""), ("delivered", "")
COMPLAINT = ("complained", "")
ADA = "ada@bakery.example"
EXCHANGE_PROSE = "Delivery has failed to these recipients or groups:\n\nada@bakery.example\nThe address wasn't found."


def read(mail: bytes) -> IncomingMail:
    return read_mail(mail, key=KEY, now=NOW)


REPORTS = {
    "Postfix, no such user": (dsn(NO_USER), [HARD]),
    "Postfix, no such domain": (
        dsn(fields("5.4.4", "X-Postfix; Host or domain name not found. Name service error for name=bakery.example")),
        [HARD],
    ),
    "Postfix, given up after days": (dsn(fields("4.4.1", "X-Postfix; connect to mx: Connection timed out")), [SOFT]),
    "Postfix, delayed": (dsn(fields("4.4.1", "X-Postfix; timed out", action="delayed")), [LATER]),
    "Postfix, reply without a code": (dsn(fields("5.0.0", "smtp; 550 Unknown user ada")), [HARD]),
    "Exim, no status of its own": (
        dsn(fields("5.0.0", "smtp; 550-5.1.1 The account that you tried to reach\n 550 5.1.1 does not exist")),
        [HARD],
    ),
    "Exim, mailbox full": (dsn(fields("5.0.0", "smtp; 552 5.2.2 Over quota")), [SOFT]),
    "Exchange, not found": (dsn(fields("5.1.10", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound")), [HARD]),
    "Exchange, only members may write": (dsn(fields("5.7.1", "smtp;550 5.7.1 RESOLVER.RST.AuthRequired")), [SOFT]),
    "Exchange Online, unknown at the edge": (
        dsn(fields("5.4.1", "smtp;550 5.4.1 Recipient address rejected: Access denied"), prose=EXCHANGE_PROSE),
        [HARD],
    ),
    "Gmail, no such account": (
        dsn(fields("5.1.1", "smtp; 550-5.1.1 The email account that you tried to reach does not exist."), to="x"),
        [HARD],
    ),
    "Gmail, over quota": (dsn(fields("4.2.2", "smtp; 452-4.2.2 The recipient's inbox is out of storage")), [SOFT]),
    "Gmail, blocked as spam": (dsn(fields("5.7.1", "smtp; 550-5.7.1 likely unsolicited mail")), [SOFT]),
    "Yahoo, mailbox disabled": (dsn(fields("5.0.0", "smtp; 554 30 Sorry. This mailbox is disabled (554.30).")), [HARD]),
    "a blocked user": (dsn(fields("5.0.0", "smtp; 550 user unknown or blocked by policy")), [SOFT]),
    "no reason at all": (dsn("Final-Recipient: rfc822; ada@bakery.example\nAction: failed"), [SOFT]),
    "an action nobody knows": (dsn(fields("4.3.0", "", action="pondering")), [LATER]),
    "a success": (dsn(fields("2.1.5", "", action="delivered")), [ARRIVED]),
    "passed on": (dsn(fields("2.1.9", "", action="relayed (to a gateway)")), [ARRIVED]),
    "forwarded to two, one is gone": (dsn(f"{NO_USER}\n\n{fields('2.1.5', '', action='relayed')}"), [ARRIVED]),
    "fields in lower case, blanks at line ends": (dsn(NO_USER.lower().replace("\n", "  \n")), [HARD]),
    "blocks apart by blanks": (dsn(f"Reporting-MTA: dns; y\n \n{NO_USER}\n\t\n"), [HARD]),
    "a status as text": (dsn(NO_USER, status_type="text/plain"), [HARD]),
    "a status with a charset": (dsn(NO_USER, status_type="Message/Delivery-Status; charset=us-ascii"), [HARD]),
    "SMTPUTF8": (
        dsn(
            fields("5.1.1", "smtp; 550 5.1.1 unbekannt").replace("rfc822; ada@", r"utf-8; \x{E4}da@"),
            status_type="message/global-delivery-status",
            original_type="message/global-headers",
        ),
        [HARD],
    ),
    "no boundary named": (dsn(NO_USER, report_type="multipart/report; report-type=delivery-status"), [HARD]),
    "a wrong boundary named": (dsn(NO_USER, report_type='multipart/report; boundary="other"'), [HARD]),
    "no kind of report named": (dsn(NO_USER, report_type="multipart/mixed; boundary==_a"), [HARD]),
    "cut in the middle": (dsn(NO_USER).partition(b"User unknown")[0], [HARD]),
    "CR and LF": (dsn(NO_USER).replace(b"\n", b"\r\n"), [HARD]),
    "CR alone": (dsn(NO_USER).replace(b"\n", b"\r"), [HARD]),
    "in base64": (encoded(NO_USER), [HARD]),
    "nested": (nested(3), [HARD]),
    "qmail": (QMAIL, [SOFT]),
    "Exim of long ago": (EXIM, [SOFT]),
    "a server nobody knows": (plain(f"From: postmaster@x.example\nTo: {VERP}", "Computer says no."), [SOFT]),
    "no author, nothing understood": (plain(f"Return-Path: <>\nDelivered-To: {VERP}", "x"), [SOFT]),
    "complaint": (feedback("Feedback-Type: abuse\nVersion: 1\nUser-Agent: Mailbox/1"), [COMPLAINT]),
    "complaint without its type": (feedback("Version: 1"), [COMPLAINT]),
    "complaint, fraud": (feedback("Feedback-Type: Fraud"), [COMPLAINT]),
    "complaint, headers alone": (feedback("Feedback-Type: abuse", original_type="text/rfc822-headers"), [COMPLAINT]),
    "opt-out": (feedback("Feedback-Type: opt-out"), [("unsubscribed", "")]),
    "no spam after all": (feedback("Feedback-Type: not-spam"), [("unknown", "")]),
    "DMARC": (feedback("Feedback-Type: auth-failure"), [("unknown", "")]),
    "complaint of Outlook.com": (
        dsn("x", status_type="text/plain", original_type="message/rfc822").replace(
            b"Return-Path: <b", b"X-HmXmrOriginalRecipient: ada@bakery.example\nReturn-Path: <b"
        ),
        [COMPLAINT],
    ),
}


@pytest.mark.parametrize(("mail", "expected"), REPORTS.values(), ids=REPORTS)
def test_reports_are_understood(mail: bytes, expected: list[tuple[str, str]]) -> None:
    """Of each server and provider: what happened, whether it lasts, and to which delivery."""
    result = read(mail)
    assert result.kind == "report"
    assert [(event.kind, event.severity) for event in result.events] == expected
    assert {event.delivery_id for event in result.events} == {41}
    assert len({event.key for event in result.events}) == len(expected)


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("Final-Recipient: rfc822;ada@bakery.example", ADA),
        ("Final-Recipient: ada@bakery.example", ADA),
        ("Final-Recipient: rfc822; <Ada@bakery.example>", "Ada@bakery.example"),
        ("Original-Recipient: rfc822;ada@bakery.example\nFinal-Recipient: rfc822; old@forward.example", ADA),
        ("Original-Recipient: rfc822;unknown\nFinal-Recipient: rfc822; ada@bakery.example", ADA),
        ("Original-Recipient: rfc822;ada+2Bnews@bakery.example", "ada+news@bakery.example"),
        ("Final-Recipient: rfc822; ada+AB@bakery.example", "ada+AB@bakery.example"),
        (r"Final-Recipient: utf-8; \x{3B4}\x{1F980}@bakery.example", "δ🦀@bakery.example"),
        ("Final-Recipient: utf-8; δ@bakery.example", "δ@bakery.example"),
        (r"Final-Recipient: utf-8; \x{FFFFFF}\x{0A}x@bakery.example", ""),
        ("Final-Recipient: rfc822; nobody", ""),
        ("Final-Recipient:", ""),
    ],
)
def test_addresses_of_recipients_are_decoded(field: str, address: str) -> None:
    """In every encoding; the original recipient counts more than the one the mail was forwarded to."""
    (event,) = read(dsn(f"{field}\nAction: failed\nStatus: 5.1.1", to="x", original=UNKNOWN_ORIGINAL)).events
    assert (event.address, event.delivery_id) == (address, None)


def test_a_report_has_an_event_for_each_recipient_unless_its_delivery_is_known() -> None:
    """At most fifty, however many the report has."""
    many = "\n\n".join(fields("5.1.1", "", recipient=f"p{number}@bakery.example") for number in range(80))
    events = read(dsn(many, to="x", original=UNKNOWN_ORIGINAL)).events
    assert [event.address for event in events] == [f"p{number}@bakery.example" for number in range(50)]
    assert len({event.key for event in events}) == 50
    assert len(read(dsn(many)).events) == 1


@pytest.mark.parametrize(
    "mail",
    [
        dsn(NO_USER, to="news@quay.example"),
        dsn(NO_USER, original=UNKNOWN_ORIGINAL),
        dsn(NO_USER, to=VERP.upper(), original=UNKNOWN_ORIGINAL),
        dsn(NO_USER, to="x", original=UNKNOWN_ORIGINAL).replace(b"To: x", f"Delivered-To: {VERP}".encode()),
        feedback(f"Feedback-Type: abuse\nOriginal-Mail-From: <{VERP}>", original=UNKNOWN_ORIGINAL),
        encoded(NO_USER),
    ],
    ids=["returned headers", "envelope", "capitals", "delivered to", "feedback", "base64"],
)
def test_a_delivery_is_named_by_its_token_wherever_it_is(mail: bytes) -> None:
    """In the address the report came to, in the headers that it returns, or in a field of a complaint."""
    assert read(mail).events[0].delivery_id == 41


def test_a_forged_token_names_no_delivery() -> None:
    """Whatever else the report says."""
    forged = dsn(NO_USER, to=VERP.replace(TOKEN[-4:], "0000"), original=UNKNOWN_ORIGINAL)
    (event,) = read(forged).events
    assert (event.delivery_id, event.address, event.severity) == (None, ADA, "hard")
    assert read(dsn(NO_USER, original=ORIGINAL)).tokens == (PERSON_TOKEN,)
    assert read(dsn(NO_USER, original=ORIGINAL)).sent_to == ADA


def test_a_complaint_without_the_address_names_the_token_of_the_person() -> None:
    """As providers redact addresses, but rarely the header to unsubscribe."""
    redacted = ORIGINAL.replace(f"+d{TOKEN}", "").replace("To: ada@bakery.example", "To: redacted")
    result = read(feedback("Feedback-Type: abuse", original=redacted))
    assert (result.tokens, result.sent_to) == ((PERSON_TOKEN,), "")
    assert [(event.kind, event.address, event.delivery_id) for event in result.events] == [("complained", "", None)]
    known = read(feedback("Feedback-Type: abuse\nOriginal-Rcpt-To: <ada@bakery.example>", original=redacted))
    assert known.events[0].address == ADA


def test_a_report_read_twice_has_the_same_key_and_another_one_has_not() -> None:
    """Also if it came by another way, which adds headers, and if it has no Message-ID."""
    report = dsn(NO_USER)
    first = read(report).events[0]
    assert read(b"Received: by x\n" + report).events[0].key == first.key
    nameless = report.replace(b"Message-ID: <bounce-1@", b"X-Was: <")
    assert read(nameless).events[0].key == read(nameless).events[0].key != first.key
    assert read(report.replace(b"bounce-1", b"bounce-2")).events[0].key != first.key
    assert read(report.replace(b"Action: failed", b"Action: delayed")).events[0].key != first.key


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Mon, 16 Feb 2026 10:05:00 +0100", datetime(2026, 2, 16, 9, 5, tzinfo=UTC)),
        ("Mon, 16 Feb 2026 09:05:00 -0000", datetime(2026, 2, 16, 9, 5, tzinfo=UTC)),
        ("Mon, 16 Feb 2099 10:05:00 +0100", NOW),
        ("Thu, 01 Jan 1970 00:00:00 +0000", NOW),
        ("Mon, 99 Foo 2026 10:05:00 +9999999", NOW),
        ("(" * 500, NOW),
    ],
)
def test_an_event_is_dated_by_the_report_if_that_is_likely(date: str, at: datetime) -> None:
    """Otherwise by when it was read."""
    mail = dsn(NO_USER).replace(b"Mon, 16 Feb 2026 09:05:00 +0000", date.encode(), 1)
    assert read(mail).events[0].at == at


def test_a_diagnostic_is_one_printable_line() -> None:
    """However long it is, and whatever a server puts into it."""
    evil = "smtp; 550 5.1.1 \x1b[31mno\x00 \u202euser " + "x" * 5_000
    (event,) = read(dsn(fields("5.1.1", evil))).events
    assert event.diagnostic.startswith("550 5.1.1 [31mno user xxx")
    assert len(event.diagnostic) == MAX_DIAGNOSTIC_CHARS
    assert event.diagnostic.isprintable()
    assert read(dsn(fields("5.1.1", "smtp; gone"))).events[0].diagnostic == "5.1.1 gone"


@pytest.mark.parametrize(
    ("status", "diagnostic", "severity"),
    [
        ("5.1.2", "", "hard"),
        ("5.2.1", "", "hard"),
        ("5.1.8", "", "soft"),
        ("4.1.1", "", "soft"),
        ("5.3.4", "message too big", "soft"),
        ("5.1.0", "sender rejected", "soft"),
        ("5.1.0", "invalid recipient", "hard"),
        ("", "550 No such user here", "hard"),
        ("", "450 No such user here", "soft"),
        ("", "no such user", "hard"),
        ("5.4.310", "", "hard"),
        ("5.4.7", "", "soft"),
        ("5.7.1", "user unknown", "soft"),
        ("5.1.1", "550 5.7.1 blocked", "soft"),
        ("4.0.0", "unknown user", "soft"),
        ("version 1.5.1.1", "", "soft"),
    ],
)
def test_only_an_address_that_is_gone_bounces_hard(status: str, diagnostic: str, severity: str) -> None:
    """Not one whose server, rules or size of mailbox are the reason."""
    assert severity_of(status, diagnostic) == severity


UNSUBSCRIBING = {
    "subject": plain(f"From: ada@bakery.example\nTo: news@quay.example\nSubject: unsubscribe {PERSON_TOKEN}", ""),
    "subject, not decoded": plain(f"From: a@b.example\nSubject: Unsubscribe%20{PERSON_TOKEN}", "x"),
    "subject, encoded": plain(f"Subject: =?utf-8?q?unsubscribe_{PERSON_TOKEN}?=\nAuto-Submitted: auto-generated", ""),
    "subject, answered": plain(f"From: a@b.example\nSubject: Re: unsubscribe  {PERSON_TOKEN} please", "x"),
    "address": plain(f"From: a@b.example\nTo: <bounces+u{PERSON_TOKEN}@quay.example>", "x"),
    "address it was delivered to": plain(f"X-Original-To: bounces+u{PERSON_TOKEN}@quay.example\nPrecedence: bulk", ""),
}


@pytest.mark.parametrize("mail", UNSUBSCRIBING.values(), ids=UNSUBSCRIBING)
def test_unsubscribe_mails_are_known_by_subject_or_address(mail: bytes) -> None:
    """Whoever sends them, since a mailbox provider may do so for the person."""
    result = read(mail)
    assert (result.kind, result.tokens, result.events) == ("unsubscribe", (PERSON_TOKEN,), ())


AUTOMATIC = {
    "RFC 3834": "Auto-Submitted: auto-replied; owner=ada\nSubject: Thanks",
    "generated": "Auto-Submitted: auto-generated\nSubject: Report",
    "precedence": "Precedence: Auto_Reply",
    "a list": "List-Id: <cooks.bakery.example>\nSubject: [cooks] Bread",
    "Exchange": "X-Auto-Response-Suppress: DR, OOF, All\nSubject: Away",
    "English": "Subject: Automatic reply: Bread & Salt",
    "away": "Subject: I am out of the office until Monday",
    "German": "Subject: =?utf-8?q?Abwesenheitsnotiz=3A?= Brot",
    "French": "Subject: Réponse automatique : Pain",
    "old program": "X-Autoreply: yes",
    "no return address": "Return-Path: <>\nSubject: Vacation",
    "daemon": "From: MAILER-DAEMON\nSubject: Notes",
    "our own": "X-Loop: bounces@quay.example\nSubject: Reply",
    "going round": "\n".join(["Received: by x"] * 50) + "\nSubject: Bread",
    "receipt": "Content-Type: multipart/report; boundary=q\nSubject: Read",
}


@pytest.mark.parametrize("headers", AUTOMATIC.values(), ids=AUTOMATIC)
def test_automatic_replies_are_none(headers: str) -> None:
    """Also if they quote the edition with its links, or came to the address of a delivery."""
    author = "" if "From:" in headers else "From: ada@bakery.example\n"
    receipt = "--q\nContent-Type: message/disposition-notification\n\nDisposition: displayed\n--q--"
    body = receipt if "multipart" in headers else f"I am away.\n> unsubscribe {PERSON_TOKEN}\n> {ORIGINAL}"
    result = read(plain(f"{author}{headers}\nTo: bounces@quay.example", body))
    assert (result.kind, result.events) == ("automatic", ())


REPLIES = {
    "plain": (plain("From: Ada <ada@bakery.example>\nSubject: Re: Bread", "Lovely!\n\n> Hello"), "Lovely!\n\n> Hello"),
    "no headers": (b"\nLovely!", ""),
    "nothing": (b"", ""),
    "bytes": (bytes(range(256)), ""),
    "not automatic": (plain("From: a@b.example\nAuto-Submitted: no\nPrecedence: normal", "Hi"), "Hi"),
    "HTML": (
        plain("From: a@b.example\nContent-Type: text/html", "<p>Good <b>bread</b></p><script>x</script>"),
        "Good bread",
    ),
    "latin-1": (b"From: a@b.example\nContent-Type: text/plain; charset=iso-8859-1\n\nBr\xf6tchen", "Brötchen"),
    "no such charset": (b"From: a@b.example\nContent-Type: text/plain; charset=hex\n\nBr\xf6tchen", "Brötchen"),
    "base64": (b"From: a@b.example\nContent-Transfer-Encoding: BASE64\n\nTG92ZWx5IQ", "Lovely!"),
    "quoted-printable": (b"From: a@b.example\nContent-Transfer-Encoding: quoted-printable\n\nL=6Fve=\nly=", "Lovely"),
    "controls": (b"From: a@b.example\n\n\x1b[2J\x00Hi\tthere \r\n\r\nx", "[2JHi there\n\nx"),
    "as postmaster": (plain("From: postmaster@b.example\nSubject: Re: Bread", "Please call."), "Please call."),
    "forged token": (plain("From: a@b.example\nSubject: unsubscribe 123", "Please"), "Please"),
    "encloses a bounce": (
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=q\n\n--q\n\nSee below\n--q\n"
        b"Content-Type: message/rfc822\n\n" + dsn(NO_USER),
        "See below",
    ),
}


@pytest.mark.parametrize(("mail", "text"), REPLIES.values(), ids=REPLIES)
def test_anything_else_is_a_reply(mail: bytes, text: str) -> None:
    """Its text is printable, whatever it was written as."""
    result = read(mail)
    assert (result.kind, result.events) == ("reply", ())
    assert result.text == text or not text
    assert result.text.replace("\n", "").isprintable()


def test_a_reply_is_cut() -> None:
    """Nobody reads more, and a mail to the editor is no place for a file."""
    assert len(read(plain("From: a@b.example", "word " * 100_000)).text) <= MAX_REPLY_CHARS


def test_hostile_sizes_and_depths_are_read_to_a_limit() -> None:
    """A report that is nested too deep, or comes too late, is none."""
    assert read(nested(500)).events[0].severity == "soft"
    crowd = "--q\n\nx\n" * 5_000
    assert len(read_parts(plain("Content-Type: multipart/mixed; boundary=q", crowd))) == MAX_PARTS
    late = b"From: a@b.example\nContent-Type: multipart/mixed; boundary=q\n\n--q\n\n" + b"x" * 2_000_000
    assert read(late + b"\n--q\nContent-Type: message/delivery-status\n\n" + NO_USER.encode()).kind == "reply"


def test_a_boundary_that_begins_another_one_does_not_end_it() -> None:
    """As when the inner boundary is the outer one with an ending."""
    inner = (
        'Content-Type: multipart/report; boundary="qq"\n\n--qq\n\nx\n--qq\nContent-Type: message/delivery-status\n\n'
    )
    mail = plain(
        "From: mailer-daemon@x.example\nContent-Type: multipart/mixed; boundary=q",
        f"--q\n{inner}{NO_USER}\n--qq--\n--q--",
    )
    assert [event.severity for event in read(mail).events] == ["hard"]


SHAPES = SimpleNamespace(
    pieces=st.sampled_from([*dsn(NO_USER).split(b"\n"), *feedback("x: y").split(b"\n"), b"", b"("])
)


@given(lines=st.lists(SHAPES.pieces | st.binary(max_size=20), max_size=60))
@settings(deadline=None)
def test_any_bytes_are_a_mail(lines: list[bytes]) -> None:
    """No mail is an error: one that cannot be read would stay in the mailbox for ever."""
    result = read(b"\n".join(lines))
    assert all(event.at <= NOW and event.diagnostic.isprintable() for event in result.events)
    assert (result.subject + result.sender).isprintable() or not result.subject
