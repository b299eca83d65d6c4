"""The parts of a personalised message, for services that take fields instead of a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr

from pipeline.model.errors import DeliveryFailedError

_OWN_FIELD = re.compile(
    r"(from|to|cc|bcc|subject|date|reply-to|sender|return-path|received|mime-version|content-.*|dkim-signature)",
    re.IGNORECASE,
)
"""Headers that the services take as fields, or write themselves. A DKIM signature would no longer be valid."""
_SIGNATURE = re.compile(rb"^dkim-signature:.*\r\n(?:[ \t].*\r\n)*", re.IGNORECASE | re.MULTILINE)
_FOLD = re.compile(r"\r?\n(?=[ \t])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The parts of a message, decoded; lines of the texts end in LF."""

    sender: str
    """From: a mailbox, its name quoted."""
    reply_to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    """All other headers, such as List-Unsubscribe: each is one line."""


def read_content(message: bytes) -> Content:
    """Return the parts of a message that this program has written (RFC 5322, multipart/alternative)."""
    parsed = message_from_bytes(message)
    if b"\r\nContent-ID:" in message:
        raise DeliveryFailedError(
            "This service takes no embedded pictures: set [public] url, so that the public pages show them, then "
            "approve the edition again.",
            kind="message",
        )
    bodies = {part.get_content_type(): _text(part) for part in reversed(list(parsed.walk())) if not part.is_multipart()}
    headers = {name: _unfolded(str(value)) for name, value in parsed.items() if not _OWN_FIELD.fullmatch(name)}
    return Content(
        sender=_mailbox(parsed["From"]),
        reply_to=_mailbox(parsed["Reply-To"]),
        subject=_decoded(parsed["Subject"]),
        text=bodies.get("text/plain", ""),
        html=bodies.get("text/html", ""),
        headers=headers,
    )


def without_signatures(message: bytes) -> bytes:
    r"""Return a message without DKIM-Signature: services change what it covers, and add their own.

    >>> without_signatures(b"DKIM-Signature: v=1;\r\n b=x\r\nTo: ann@x.example\r\n\r\nDKIM-Signature: quoted\r\n")
    b'To: ann@x.example\r\n\r\nDKIM-Signature: quoted\r\n'
    """
    header, blank, body = message.partition(b"\r\n\r\n")
    return _SIGNATURE.sub(b"", header + b"\r\n").removesuffix(b"\r\n") + blank + body


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    charset = part.get_content_charset("utf-8")
    return payload.decode(charset, "replace").replace("\r\n", "\n") if isinstance(payload, bytes) else ""


def _unfolded(value: str) -> str:
    return _FOLD.sub("", value).strip()


def _decoded(value: str | None) -> str:
    """Return the text of a header with encoded words (RFC 2047)."""
    return str(make_header(decode_header(_unfolded(value)))) if value else ""


def _mailbox(value: str | None) -> str:
    r"""Return a mailbox with its name decoded and quoted.

    >>> _mailbox("=?utf-8?q?K=C3=A4the?= <kai@x.example>"), _mailbox("kai@x.example")
    ('"Käthe" <kai@x.example>', 'kai@x.example')
    """
    if not value:
        return ""
    name, address = parseaddr(_unfolded(value))
    quoted = re.sub(r'(["\\])', r"\\\1", _decoded(name))
    return f'"{quoted}" <{address}>' if quoted else address
