"""Finished messages: test copies, and what SMTP requires of their lines and of addresses. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256

from pipeline.model.errors import UsageError
from pipeline.text.message_headers import MAX_LINE_CHARS, parse_mailbox

MAX_LINE_BYTES = 998
"""Maximum length of a line without its CRLF (RFC 5321, 4.5.3.1.6)."""
_TO = re.compile(rb"^To:.*?\r\n(?![ \t])", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_SUBJECT = re.compile(rb"^(Subject:)[ \t]*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_DATE = re.compile(rb"^Date:.*?\r\n(?![ \t])", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"^Message-ID: *<([^>@\s]*)@([^>\s]*)>\r\n", re.MULTILINE | re.IGNORECASE)


def make_test_copy(message: bytes, address: str, *, now: datetime) -> bytes:
    r"""Return a message (RFC 5322, CRLF) with another To, Date and Message-ID and "[Test]" before its subject.

    A mailbox that has seen the original's Message-ID would hide the original as a duplicate; with the original's Date,
    the closing of the week, a copy would be sorted among last week's messages. ``now`` is aware. UsageError if the
    address is invalid.

    >>> message = b"To: a@x.example\r\nSubject: Bread\r\nMessage-ID: <7@x.example>\r\n\r\nHi"
    >>> make_test_copy(message, "b@y.example", now=datetime.fromisoformat("2026-02-16T09:00Z")).splitlines()[:3]
    [b'To: b@y.example', b'Subject: [Test] Bread', b'Message-ID: <7.test.1034cd197e5b@x.example>']
    """
    header, blank, body = message.partition(b"\r\n\r\n")
    recipient = envelope_address(address).encode("ascii")
    date = format_datetime(now).encode("ascii")
    unique = sha256(recipient + date + message).hexdigest()[:12].encode()
    header = _TO.sub(lambda _: b"To: " + recipient + b"\r\n", header + b"\r\n", count=1)
    header = _DATE.sub(b"Date: " + date + b"\r\n", header, count=1)
    header = _SUBJECT.sub(_test_subject, header, count=1)
    header = _MESSAGE_ID.sub(rb"Message-ID: <\1.test." + unique + rb"@\2>\r\n", header, count=1)
    return header.removesuffix(b"\r\n") + blank + body


def _test_subject(subject: re.Match[bytes]) -> bytes:
    """Insert "[Test]", on a line of its own if the line would become too long (RFC 2047, 2)."""
    name, text = subject.groups()
    line = name + b" [Test] " + text
    return line if len(line) <= MAX_LINE_CHARS else name + b" [Test]\r\n " + text


def envelope_address(address: str) -> str:
    """Return an address for the SMTP envelope: ASCII, without a display name. UsageError if it is invalid.

    >>> envelope_address("Ann <ann@x.example>")
    'ann@x.example'
    """
    try:
        return parse_mailbox(address).address
    except ValueError as error:
        raise UsageError(f"{address!r} is not an address to send to: use one such as you@example.org.") from error


def check_sendable(message: bytes) -> None:
    r"""Raise ValueError for a message with bare line ends, NUL, or lines over 998 bytes.

    >>> check_sendable(b"Subject: x\r\n\r\nBread\r\n.\n.\r\n")
    Traceback (most recent call last):
    ValueError: the lines of a message end in CRLF, contain no NUL and have at most 998 bytes
    """
    ends = message.count(b"\r\n")
    bare = message.count(b"\n") != ends or message.count(b"\r") != ends
    if bare or b"\0" in message or _has_long_line(message):
        raise ValueError("the lines of a message end in CRLF, contain no NUL and have at most 998 bytes")


def _has_long_line(message: bytes) -> bool:
    """Check for a line over 998 bytes, in steps from the beginning of a line to the last one within reach."""
    start = 0
    while len(message) - start > MAX_LINE_BYTES:
        end = message.rfind(b"\r\n", start, start + MAX_LINE_BYTES + 2)
        if end < 0:
            return True
        start = end + 2
    return False


def dot_stuffed(message: bytes) -> bytes:
    r"""Return a message with each dot at the beginning of a line doubled (RFC 5321, 4.5.2).

    >>> dot_stuffed(b".a\r\n.\r\nb.")
    b'..a\r\n..\r\nb.\r\n'
    """
    stuffed = (b"." if message.startswith(b".") else b"") + message.replace(b"\r\n.", b"\r\n..")
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
