"""Address a finished mail to somebody else, changing nothing else.

In: a message's bytes (RFC 5322, CRLF) and an address. Out: the bytes with another To and Message-ID. Pure.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.utils import parseaddr
from hashlib import sha256

from pipeline.model.errors import UsageError

_TO = re.compile(rb"^To:.*?\r\n(?![ \t])", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"^Message-ID: *<([^>@\s]*)@([^>\s]*)>\r\n", re.MULTILINE | re.IGNORECASE)


def addressed_to(message: bytes, address: str) -> bytes:
    r"""Give a test copy of a mail: the same bytes but for To, and for a Message-ID of its own.

    With the Message-ID of the real mail, a mailbox would take the real one for a repetition and hide it. UsageError
    when the address is none.

    >>> addressed_to(b"To: a@x.example\r\nMessage-ID: <7@x.example>\r\n\r\nHi", "b@y.example").splitlines()[:2]
    [b'To: b@y.example', b'Message-ID: <7.test.72133752ec3a@x.example>']
    """
    header, blank, body = message.partition(b"\r\n\r\n")
    recipient = plain_address(address).encode("ascii")
    mark = sha256(recipient + message).hexdigest()[:12].encode()
    header = _TO.sub(lambda _: b"To: " + recipient + b"\r\n", header + b"\r\n", count=1)
    header = _MESSAGE_ID.sub(rb"Message-ID: <\1.test." + mark + rb"@\2>\r\n", header, count=1)
    return header.removesuffix(b"\r\n") + blank + body


def plain_address(address: str) -> str:
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
