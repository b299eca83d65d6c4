"""Read the parts of any mail, however it is broken: never an error, and in time in proportion to its length.

The standard library's parser takes quadratic time for nested parts and fails for deep ones, so it reads single headers
here and never a structure.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parsedate_to_datetime
from itertools import islice

from pipeline.text.plain_text import clean_text

MAX_MAIL_BYTES = 1 << 20
"""What follows is not read: a report comes before the mail that it is about."""
MAX_PARTS = 60
MAX_DEPTH = 8
MAX_HEAD_BYTES = 1 << 16
MAX_HEADER_CHARS = 2_000
"""The standard library takes quadratic time for parameters and encoded words."""
_ENCLOSED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"})
_ENCLOSED |= {"message/global-headers", "text/rfc822-header", "message/rfc822-header"}
_SLOW_CODECS = frozenset({"punycode", "idna"})
_HEAD_END = re.compile(rb"\n[ \t]*\n|\A\n")
_BOUNDARY = re.compile(rb"^--([^\n]{1,200})$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPart:
    """A part of a mail, or the mail itself: headers, and an undecoded body with LF at line ends."""

    message: Message = field(repr=False)
    media_type: str
    """In lower case, without parameters: ``text/plain`` if there is none."""
    body: bytes = field(repr=False)
    is_enclosed: bool = False
    """Whether it is, or is in, a mail that is enclosed in the mail."""

    def header(self, name: str) -> str:
        """Return the first header of a name as one line of decoded text; empty if there is none."""
        return next(self.headers(name), "")

    def headers(self, *names: str) -> Iterator[str]:
        """Yield the headers of some names, each as one line of decoded text."""
        wanted = {name.lower() for name in names}
        for name, value in self.message.raw_items():
            if name.lower() in wanted:
                yield decode_text(str(value)[:MAX_HEADER_CHARS])

    def parameter(self, name: str) -> str:
        """Return a parameter of Content-Type, in lower case; empty if there is none."""
        return str(self._parameter(name)).lower()

    def content(self) -> bytes:
        """Return the body without its transfer encoding; what is left where that is broken."""
        encoding = self.header("Content-Transfer-Encoding").strip().lower()
        if encoding not in ("base64", "quoted-printable"):
            return self.body
        encoded = Message()
        encoded["Content-Transfer-Encoding"] = encoding
        encoded.set_payload(self.body.decode("latin-1"))
        decoded = encoded.get_payload(decode=True)
        return decoded.replace(b"\r\n", b"\n") if isinstance(decoded, bytes) else self.body

    def text(self) -> str:
        """Return the content as text; broken characters become U+FFFD."""
        content, charset = self.content(), self.parameter("charset")
        with suppress(LookupError, ValueError):
            if charset and codecs.lookup(charset).name not in _SLOW_CODECS:
                return content.decode(charset, "replace")
        with suppress(ValueError):
            return content.decode("utf-8")
        return content.decode("latin-1")

    def inner(self) -> Iterator[bytes]:
        """Yield the parts of a multipart, or the mail that is enclosed in this part."""
        if self.media_type in _ENCLOSED:
            yield self.content()
        elif self.media_type.startswith("multipart/"):
            boundary = str(self._parameter("boundary")).strip().encode("utf-8", "replace")
            if not boundary or b"--" + boundary not in self.body:
                guessed = _BOUNDARY.search(self.body)
                boundary = guessed[1].strip() if guessed else b""
            if boundary:
                yield from _split(self.body, boundary)

    def _parameter(self, name: str) -> str:
        if len(str(self.message.get("Content-Type", ""))) > MAX_HEADER_CHARS:
            return ""
        with suppress(ValueError, LookupError, TypeError):
            value = self.message.get_param(name, "")
            return value[2] if isinstance(value, tuple) else str(value)
        return ""


def read_parts(mail: bytes) -> list[MailPart]:
    """Return a mail, and then its parts in their order, each followed by its own.

    What is nested deeper than ``MAX_DEPTH`` is not read, nor are more than ``MAX_PARTS`` parts.
    """
    content = mail[:MAX_MAIL_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")
    waiting = [(content, 0, False)]
    parts: list[MailPart] = []
    while waiting and len(parts) < MAX_PARTS:
        content, depth, is_enclosed = waiting.pop()
        part = _read_part(content, is_enclosed=is_enclosed)
        parts.append(part)
        if depth < MAX_DEPTH:
            encloses = is_enclosed or part.media_type in _ENCLOSED
            waiting += [(inner, depth + 1, encloses) for inner in reversed(list(islice(part.inner(), MAX_PARTS)))]
    return parts


def read_fields(text: str) -> dict[str, str]:
    """Return the fields of a block such as that of a delivery status, by name in lower case: the first of each name.

    >>> read_fields("Action: failed\\nDiagnostic-Code: smtp;\\n 550 no\\nnonsense")
    {'action': 'failed', 'diagnostic-code': 'smtp; 550 no'}
    """
    fields: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t"):
            current.append(line.strip())
        elif colon:
            current = [value.strip()]
            fields.setdefault(name.strip().lower(), current)
        else:
            current = []
    return {name: " ".join(lines).strip() for name, lines in fields.items()}


def decode_text(value: str) -> str:
    r"""Return the value of a header as one line of text, with its encoded words (RFC 2047) decoded.

    >>> decode_text("=?utf-8?q?Br=C3=B6tchen?=\n und Salz")
    'Brötchen und Salz'
    """
    raw = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\r", "").replace("\n", "")
    if "=?" in raw:
        with suppress(ValueError, LookupError):
            words = (
                word if isinstance(word, str) else word.decode(charset or "latin-1", "replace")
                for word, charset in decode_header(raw)
            )
            raw = "".join(words)
    return " ".join(clean_text(raw).split())


def read_address(text: str) -> str:
    """Return the first address in the value of a header such as From; empty if there is none.

    >>> read_address('"Ada B." <ada@quay.example>'), read_address("nobody")
    ('ada@quay.example', '')
    """
    with suppress(ValueError, IndexError, TypeError, RecursionError):
        for _, address in getaddresses([text[:MAX_HEADER_CHARS]]):
            if "@" in address.strip("@"):
                return address.strip()
    return ""


def read_date(text: str) -> datetime | None:
    """Return the instant of a Date header, aware UTC; None if it is not one.

    >>> read_date("Mon, 16 Feb 2026 09:30:00 +0100")
    datetime.datetime(2026, 2, 16, 8, 30, tzinfo=datetime.timezone.utc)
    """
    try:
        date = parsedate_to_datetime(text[:100])
        return date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _read_part(content: bytes, *, is_enclosed: bool) -> MailPart:
    end = _HEAD_END.search(content)
    head, body = (content[: end.start()], content[end.end() :]) if end else (content, b"")
    message = BytesHeaderParser().parsebytes(head[:MAX_HEAD_BYTES] + b"\n\n")
    media_type = str(message.get("Content-Type", ""))[:MAX_HEADER_CHARS].partition(";")[0].strip().lower()
    return MailPart(message=message, media_type=media_type or "text/plain", body=body, is_enclosed=is_enclosed)


def _split(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Yield what is between the lines of a boundary. A longer boundary that begins with it is another one."""
    text, delimiter = b"\n" + body, b"\n--" + boundary
    start, at = -1, text.find(delimiter)
    while at >= 0:
        behind = at + len(delimiter)
        line_end = text.find(b"\n", behind)
        line_end = len(text) if line_end < 0 else line_end
        rest = text[behind:line_end].strip()
        if rest in (b"", b"--"):
            if start >= 0:
                yield text[start:at]
            if rest:
                return
            start = min(line_end + 1, len(text))
        at = text.find(delimiter, line_end)
    if start >= 0:
        yield text[start:]
