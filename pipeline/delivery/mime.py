"""Make a test copy of a finished mail: for somebody else, marked and dated as one, and else the same.

In: a message's bytes (RFC 5322, CRLF), an address, the moment. Out: the bytes with another To, Subject, Date and
Message-ID. Pure.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime, parseaddr
from hashlib import sha256

from pipeline.model.errors import UsageError

_LONGEST_LINE = 76
_TO = re.compile(rb"^To:.*?\r\n(?![ \t])", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_SUBJECT = re.compile(rb"^(Subject:)[ \t]*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_DATE = re.compile(rb"^Date:.*?\r\n(?![ \t])", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"^Message-ID: *<([^>@\s]*)@([^>\s]*)>\r\n", re.MULTILINE | re.IGNORECASE)


def make_test_copy(message: bytes, address: str, *, now: datetime) -> bytes:
    r"""Give a test copy of a mail: its own To, Date, Message-ID and "[Test]" before the subject; else the same bytes.

    With the Message-ID of the real mail, a mailbox would take the real one for a repetition and hide it; with its Date,
    the closing of the week, a copy would lie among last week's mails. ``now`` is aware. UsageError when the address is
    none.

    >>> message = b"To: a@x.example\r\nSubject: Bread\r\nMessage-ID: <7@x.example>\r\n\r\nHi"
    >>> addressed_to(message, "b@y.example", now=datetime.fromisoformat("2026-02-16T09:00Z")).splitlines()[:3]
    [b'To: b@y.example', b'Subject: [Test] Bread', b'Message-ID: <7.test.1034cd197e5b@x.example>']
    """
    header, blank, body = message.partition(b"\r\n\r\n")
    recipient = envelope_address(address).encode("ascii")
    date = format_datetime(now).encode("ascii")
    mark = sha256(recipient + date + message).hexdigest()[:12].encode()
    header = _TO.sub(lambda _: b"To: " + recipient + b"\r\n", header + b"\r\n", count=1)
    header = _DATE.sub(b"Date: " + date + b"\r\n", header, count=1)
    header = _SUBJECT.sub(_marked, header, count=1)
    header = _MESSAGE_ID.sub(rb"Message-ID: <\1.test." + mark + rb"@\2>\r\n", header, count=1)
    return header.removesuffix(b"\r\n") + blank + body


def _marked(subject: re.Match[bytes]) -> bytes:
    """Mark a subject as a test, on a line of its own where the line would be too long (RFC 2047, 2)."""
    name, words = subject.groups()
    line = name + b" [Test] " + words
    return line if len(line) <= _LONGEST_LINE else name + b" [Test]\r\n " + words


def envelope_address(address: str) -> str:
    """Read an address as it is written in an envelope: ASCII, without a name; UsageError when it is none.

    >>> plain_address("Ann <ann@x.example>")
    'ann@x.example'
    """
    _, plain = parseaddr(address)
    try:
        mailbox = Address(addr_spec=plain)
        if not mailbox.username or "." not in mailbox.domain or re.search(r"[\r\n\0]", address):
            raise ValueError
        return mailbox.addr_spec.encode("ascii").decode("ascii")
    except (ValueError, IndexError) as bad:
        raise UsageError(f"{address!r} is no address to send to: give one such as you@example.org.") from bad
