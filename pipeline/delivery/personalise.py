"""Recipients' copies of a sealed message: the same bytes with placeholders filled in and list headers added. Pure.

The message is not parsed and written again: the email package would fold a long List-Unsubscribe into an encoded word,
which silently breaks one-click unsubscribing (cpython #74717). It is cut at its placeholders once, and each copy is
joined from the segments. Nothing checks headers that are joined, so every value is checked before. Send the bytes
unchanged.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from itertools import groupby

from pipeline.delivery.mime import MAX_LINE_BYTES, check_sendable, envelope_address
from pipeline.model.errors import DeliveryFailedError, UsageError
from pipeline.model.message import (
    BROWSER_VIEW,
    PLACEHOLDERS,
    PREFERENCES,
    UNSUBSCRIBE,
    ListIdentity,
    Recipient,
    placeholder_url,
)

_BOUNDARY = b"\r\n--=_"
"""Begins the second part: "=_" never occurs in quoted-printable."""
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_OWN_FIELDS = (b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id")
_MESSAGE_ID = re.compile(rb"(Message-ID: *<[^@>\s]+)(@[^@>\s]+>)", re.IGNORECASE)
_REPLY_TO = re.compile(rb"((?:In-Reply-To|References): *<[^@>\s]+)(@[^@>\s]+>)", re.IGNORECASE)
_LIST_ID = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")
_FEEDBACK_ID = re.compile(r"[!-~]+")
_MAX_ID_CHARS = 255
_URL_CHARS = r'[^\0-\x20"<>\x7f-\U0010ffff]+'
_WEB_URL = re.compile(rf"https?://{_URL_CHARS}")
_MAILTO_URL = re.compile(rf"mailto:{_URL_CHARS}")
_CHUNK = re.compile(r"(?:=3D|[^=]){1,24}")
"""The characters of a URL on a line; each may become ``=3D``, and RFC 2045 (6.7) allows 76 with the soft break."""


@dataclass(frozen=True, slots=True)
class PersonalMessage:
    """A sealed message, cut where a recipient's own values stand.

    >>> body = b"Leave: https://h.example/#zzUnsub=\\r\\nscribezz"
    >>> message = b"To: a@h.example\\r\\nMessage-ID: <7@h.example>\\r\\n\\r\\n" + body
    >>> identity = ListIdentity(home_url="https://h.example/", id="weekly.h.example", feedback_id="7:weekly")
    >>> PersonalMessage.compile(message, identity).segments[-3:]
    (b'\\r\\n\\r\\nLeave: ', 'text zzUnsubscribezz', b'')
    """

    segments: tuple[bytes | str, ...]
    """Bytes of the message, and between them the names of values."""
    seal: bytes
    """The SHA-256 of the message, by which the copies of its correction get other Message-IDs."""
    seal_of_earlier: bytes = b""
    """That of the message which a correction refers to; empty if it refers to none."""

    @classmethod
    def compile(cls, message: bytes, mailing_list: ListIdentity, *, seal_of_earlier: bytes = b"") -> PersonalMessage:
        """Return a message (RFC 5322, CRLF, text and HTML in quoted-printable) cut at its placeholders.

        With ``seal_of_earlier``, In-Reply-To and References name each recipient's own copy of that message.

        DeliveryFailedError if its lines are not fit to be sent, if it has no To or Message-ID or has list headers
        already, if a placeholder would be left unfilled, or if the list's identity is not fit for a header.
        """
        try:
            check_sendable(message)
        except ValueError as error:
            raise _unsendable(str(error)) from error
        header, blank, body = message.partition(b"\r\n\r\n")
        text, boundary, html = body.partition(_BOUNDARY)
        segments = (
            *_cut_header(header, mailing_list, is_reply=bool(seal_of_earlier)),
            blank,
            *_cut_body("text", text, mailing_list.home_url),
            boundary,
            *_cut_body("html", html, mailing_list.home_url),
        )
        return cls(tuple(_joined(segments)), sha256(message).digest(), seal_of_earlier)

    def fill(self, recipient: Recipient) -> bytes:
        """Return a recipient's copy; the same recipient gives the same bytes and the same Message-ID.

        To and Message-ID are the recipient's; List-Id, List-Unsubscribe, List-Unsubscribe-Post (RFC 2919, 2369, 8058)
        and Feedback-ID are added; each placeholder in the bodies becomes the recipient's URL. DeliveryFailedError if
        the address (kind ``recipient``) or a URL (kind ``message``) is invalid.
        """
        values = _values(recipient)
        for name, seal in (("unique", self.seal), ("earlier", self.seal_of_earlier)):
            values[name] = sha256(seal + values["address"]).hexdigest()[:20].encode("ascii")
        return b"".join([segment if isinstance(segment, bytes) else values[segment] for segment in self.segments])


def _cut_header(header: bytes, mailing_list: ListIdentity, *, is_reply: bool) -> Iterator[bytes | str]:
    fields = _FIELD_END.split(header)
    names = [field.partition(b":")[0].strip().lower() for field in fields]
    if any(names.count(name) != 1 for name in (b"to", b"message-id")) or not set(names).isdisjoint(_OWN_FIELDS):
        raise _unsendable("it needs one To, one Message-ID and no list headers")
    if not _LIST_ID.fullmatch(mailing_list.id) or len(mailing_list.id) > _MAX_ID_CHARS:
        raise _unsendable(f"{mailing_list.id[:80]!r} is no identifier for List-Id")
    if not _FEEDBACK_ID.fullmatch(mailing_list.feedback_id) or len(mailing_list.feedback_id) > _MAX_ID_CHARS:
        raise _unsendable(f"{mailing_list.feedback_id[:80]!r} is no identifier for Feedback-ID")
    for name, field in zip(names, fields, strict=True):
        if name == b"to":
            yield from (b"To: ", "address", b"\r\n")
        elif name == b"message-id":
            parts = _MESSAGE_ID.fullmatch(field)
            if not parts:
                raise _unsendable("its Message-ID is invalid")
            yield from (parts[1] + b".", "unique", parts[2] + b"\r\n")
        elif is_reply and (parts := _REPLY_TO.fullmatch(field)):
            yield from (parts[1] + b".", "earlier", parts[2] + b"\r\n")
        else:
            yield field + b"\r\n"
    yield f"Feedback-ID: {mailing_list.feedback_id}\r\nList-Id: <{mailing_list.id}>\r\n".encode("ascii")
    yield b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Unsubscribe: "
    yield "leave"


def _cut_body(part: str, body: bytes, home_url: str) -> Iterator[bytes | str]:
    """Yield the segments of a part. A soft line break may lie anywhere inside a placeholder."""
    urls = {placeholder_url(home_url, name).encode("ascii"): name for name in PLACEHOLDERS}
    broken = (rb"(?:=\r\n)?".join(re.escape(bytes([byte])) for byte in url) for url in urls)
    segments = re.split(b"(" + b"|".join(broken) + b")", body)
    placeholders = [urls[segment.replace(b"=\r\n", b"")] for segment in segments[1::2]]
    decoded = a2b_qp(body)
    for name in PLACEHOLDERS:
        if decoded.count(name.encode("ascii")) != placeholders.count(name):
            raise _unsendable(f"{name} stands where no link to {home_url} with it is; check the theme's links")
    for index, segment in enumerate(segments):
        yield f"{part} {placeholders[index // 2]}" if index % 2 else segment


def _joined(segments: Iterable[bytes | str]) -> Iterator[bytes | str]:
    """Yield segments with neighbouring bytes joined."""
    for kind, run in groupby(segments, type):
        if kind is bytes:
            yield b"".join(segment for segment in run if isinstance(segment, bytes))
        else:
            yield from run


def _values(recipient: Recipient) -> dict[str, bytes]:
    """Return a recipient's values by name, checked and encoded for where they stand."""
    try:
        address = envelope_address(recipient.address)
    except UsageError as error:
        raise DeliveryFailedError(str(error), kind="recipient") from error
    if address != recipient.address or len(address) > 254:
        raise DeliveryFailedError(f"{recipient.address[:80]!r} is not a plain address.", kind="recipient")
    urls = {
        UNSUBSCRIBE: recipient.unsubscribe_url,
        PREFERENCES: recipient.preferences_url,
        BROWSER_VIEW: recipient.browser_url,
    }
    leave = f"<{recipient.unsubscribe_url}>, <{recipient.unsubscribe_mailto}>"
    valid = _MAILTO_URL.fullmatch(recipient.unsubscribe_mailto) and all(
        _WEB_URL.fullmatch(url) for url in urls.values()
    )
    if not valid or len("List-Unsubscribe: ") + len(leave) > MAX_LINE_BYTES:
        raise _unsendable("a personal link is not a URL that fits into a header line; check [public] url")
    values = {
        "address": address.encode("ascii"),
        "leave": leave.encode("ascii"),
    }
    for name, url in urls.items():
        values[f"text {name}"] = _quoted_printable(url)
        values[f"html {name}"] = _quoted_printable(escape(url))
    return values


def _quoted_printable(url: str) -> bytes:
    r"""Return a URL in quoted-printable, with a soft line break before, after and wherever it gets too long.

    >>> _quoted_printable("https://a.example/?x=1")
    b'=\r\nhttps://a.example/?x=3D1=\r\n'
    """
    lines = ["", *_CHUNK.findall(url.replace("=", "=3D")), ""]
    return "=\r\n".join(lines).encode("ascii")


def _unsendable(reason: str) -> DeliveryFailedError:
    return DeliveryFailedError(f"This message cannot be sent to subscribers: {reason}.", kind="message")
