"""Mails that come back, as servers, mailbox providers, programs and people write them; all made up for the tests."""

from __future__ import annotations

from base64 import b64encode

from pipeline.audience.tokens import delivery_token

KEY = "key of delivery"
TOKEN = delivery_token(41, KEY)
VERP = f"bounces+d{TOKEN}@quay.example"
PERSON_TOKEN = "000007" + "0000" + "abcdefghijABCDEFGHIJkl"
ORIGINAL = f"""\
Return-Path: <{VERP}>
Received: from out.quay.example (out.quay.example [192.0.2.7]) by mx.bakery.example; Mon, 16 Feb 2026 09:00:01 +0000
From: The Harbour <news@quay.example>
To: ada@bakery.example
Subject: Bread & Salt
Message-ID: <2026W07.41@quay.example>
List-Unsubscribe: <https://news.quay.example/unsubscribe/{PERSON_TOKEN}>, <mailto:bounces+u{PERSON_TOKEN}@quay.example>
"""
"""The headers of the edition that bounced."""
UNKNOWN_ORIGINAL = ORIGINAL.replace(f"+d{TOKEN}", "").replace(PERSON_TOKEN, "…")


def dsn(
    fields: str,
    *,
    to: str = VERP,
    original: str = ORIGINAL,
    sender: str = "Mail Delivery System <MAILER-DAEMON@mx.bakery.example>",
    prose: str = "Your message could not be delivered.",
    status_type: str = "message/delivery-status",
    original_type: str = "text/rfc822-headers",
    report_type: str = 'multipart/report; report-type=delivery-status; boundary="=_a"',
) -> bytes:
    """Return a report with the given fields of its recipients."""
    return f"""\
From: {sender}
To: {to}
Subject: Undelivered Mail Returned to Sender
Date: Mon, 16 Feb 2026 09:05:00 +0000
Message-ID: <bounce-1@mx.bakery.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: {report_type}

This is a MIME-encapsulated message.

--=_a
Content-Type: text/plain; charset=utf-8

{prose}

--=_a
Content-Type: {status_type}

Reporting-MTA: dns; mx.bakery.example
Arrival-Date: Mon, 16 Feb 2026 09:00:01 +0000

{fields}

--=_a
Content-Type: {original_type}

{original}
--=_a--
""".encode()


def fields(status: str, diagnostic: str, *, action: str = "failed", recipient: str = "ada@bakery.example") -> str:
    """Return the fields of one recipient."""
    lines = (f"Final-Recipient: rfc822; {recipient}", f"Action: {action}", f"Status: {status}")
    return "\n".join([*lines, *([f"Diagnostic-Code: {diagnostic}"] if diagnostic else [])])


NO_USER = fields("5.1.1", "smtp; 550 5.1.1 <ada@bakery.example>: Recipient address rejected: User unknown")


def feedback(fields: str, *, original: str = ORIGINAL, original_type: str = "message/rfc822") -> bytes:
    """Return a complaint."""
    return f"""\
From: feedback@mailbox.example
To: abuse@quay.example
Subject: FW: Bread & Salt
Message-ID: <arf-1@mailbox.example>
Content-Type: multipart/report; report-type=feedback-report;
\tboundary="part"

--part
Content-Type: text/plain

This is an email abuse report.

--part
Content-Type: message/feedback-report

{fields}

--part
Content-Type: {original_type}

{original}
<p>Hello</p>
--part--
""".encode()


def plain(headers: str, text: str) -> bytes:
    """Return a mail of one text."""
    return f"{headers.strip()}\n\n{text}".encode()


def nested(depth: int) -> bytes:
    """Return a delivery status inside ``depth`` multiparts."""
    status = f"Content-Type: message/delivery-status\n\n{NO_USER}\n"
    for number in range(depth):
        status = f'Content-Type: multipart/mixed; boundary="b{number}"\n\n--b{number}\n{status}\n--b{number}--\n'
    return f"From: mailer-daemon@mx.bakery.example\nTo: {VERP}\n{status}".encode()


def encoded(fields: str) -> bytes:
    """Return a report whose delivery status and original are encoded in base64, as no standard allows."""
    parts = (("message/delivery-status", f"Reporting-MTA: dns; x\n\n{fields}\n"), ("message/rfc822", ORIGINAL + "\nHi"))
    body = "".join(
        f"--=_b\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{b64encode(text.encode()).decode()}\r\n"
        for kind, text in parts
    )
    return f'From: <>\r\nTo: x\r\nContent-Type: multipart/report; boundary="=_b"\r\n\r\n{body}'.encode()


QMAIL = plain(
    f"From: MAILER-DAEMON@mx.bakery.example\nTo: {VERP}\nSubject: failure notice\nReturn-Path: <>",
    "Hi. This is the qmail-send program at mx.bakery.example.\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    "<ada@bakery.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
    f"--- Below this line is a copy of the message.\n\n{ORIGINAL}",
)
EXIM = plain(
    f"X-Failed-Recipients: ada@bakery.example\nAuto-Submitted: auto-replied\nTo: {VERP}\n"
    "From: Mail Delivery System <Mailer-Daemon@mx.bakery.example>\nSubject: Mail delivery failed",
    "This message was created automatically by mail delivery software.\n\n  ada@bakery.example\n    unknown user",
)
