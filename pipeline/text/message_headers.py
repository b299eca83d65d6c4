"""Headers of a message that contain text from outside: encoded (RFC 2047) and folded (RFC 5322), never altered.

``EmailMessage`` loses blanks between encoded words in Python 3.11, begins some subjects with an empty line, and encodes
international addresses, which RFC 2047 forbids. These functions write complete header lines instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

MAX_LINE_CHARS = 76
"""Maximum length of a line with an encoded word (RFC 2047, section 2); only a long address makes a longer line."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ATOMS = re.compile(rf"{_ATOM}(?: {_ATOM})*")
_LOCAL_PART = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"[ !#-\[\]-~]+"')
_DOMAIN = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.(?!$)|$)){2,}")

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def find_control_character(value: object) -> str:
    r"""Return the name of the first control character in a text, or in the texts of a value of TOML; "" without one.

    Tabs and line feeds are none.

    >>> find_control_character("Bread\x07"), find_control_character({"notes": ["Brot\n\tund Öl", 7, "\0"]})
    ('U+0007', 'U+0000')
    """
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    if isinstance(value, list):
        return next(filter(None, map(find_control_character, value)), "")
    match = _UNPRINTABLE.search(value) if isinstance(value, str) else None
    return f"U+{ord(match[0]):04X}" if match else ""


class Mailbox(NamedTuple):
    """A display name, which may be empty, and an address in ASCII."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part of the address after its "@"."""
        return self.address.rpartition("@")[2]


@lru_cache(maxsize=256)
def parse_mailbox(text: str) -> Mailbox:
    """Return the parts of ``Name <address>`` or ``address``; the name may contain any characters, quoted or not.

    An international domain is returned in ASCII (IDNA 2008). Raise ValueError for an invalid address, and for one that
    is not ASCII before its "@": few mail servers accept it (RFC 6531).

    >>> parse_mailbox("Brot, Salz (und Fisch) <kai@küste.example>")
    Mailbox(name='Brot, Salz (und Fisch)', address='kai@xn--kste-0ra.example')
    """
    name, bracket, address = text.strip().rpartition("<")
    if _CONTROL.search(text) or (bracket and not address.endswith(">")):
        raise ValueError(f"not a mailbox: {text!r}")
    local_part, _, domain = address.removesuffix(">" if bracket else "").strip().rpartition("@")
    domain = _ascii_domain(domain)
    if not _LOCAL_PART.fullmatch(local_part) or not _DOMAIN.fullmatch(domain):
        raise ValueError(f"not an address: {text!r}")
    return Mailbox(_unquoted(_single_line(name)), f"{local_part}@{domain}")


def message_headers(
    *, sender: str, recipient: str, subject: str, sent_at: datetime, message_id: str, reply_to: str = ""
) -> bytes:
    """Return the headers From, To, Subject, Date and Message-ID, each with its CRLF.

    ``sender`` and ``recipient`` are mailboxes, ``sent_at`` is aware. ``message_id`` is the part before the "@", and the
    sender's domain the part after it. So is ``reply_to``: the message with that Message-ID is then named in In-Reply-To
    and References. Raise ValueError for an invalid mailbox.
    """
    author = parse_mailbox(sender)
    lines = (
        mailbox_header("From", author),
        mailbox_header("To", parse_mailbox(recipient)),
        subject_header(subject),
        f"Date: {format_datetime(sent_at)}\r\n",
        f"Message-ID: <{message_id}@{author.domain}>\r\n",
        *(f"{name}: <{reply_to}@{author.domain}>\r\n" for name in ("In-Reply-To", "References") if reply_to),
    )
    return "".join(lines).encode("ascii")


def subject_header(text: str) -> str:
    r"""Return a Subject header with its CRLF. Control characters and runs of white space become one blank.

    >>> subject_header("A slow\nloaf"), subject_header("Kürbis")
    ('Subject: A slow loaf\r\n', 'Subject: =?utf-8?q?K=C3=BCrbis?=\r\n')
    """
    text = _single_line(text)
    return _write("Subject", text, text.split(" "))


def mailbox_header(header: str, mailbox: Mailbox) -> str:
    r"""Return a From or To header of one mailbox with its CRLF.

    >>> mailbox_header("From", Mailbox("Salt, Fat & Acid", "ida@quay.example"))
    'From: "Salt, Fat & Acid" <ida@quay.example>\r\n'
    """
    name = _single_line(mailbox.name)
    if not name:
        return _fold(header, [mailbox.address])
    quoted = name if _ATOMS.fullmatch(name) else '"{}"'.format(re.sub(r'(["\\])', r"\\\1", name))
    return _write(header, name, quoted.split(" "), f"<{mailbox.address}>")


def _write(header: str, text: str, words: Sequence[str], *rest: str) -> str:
    """Return a header of ``words``, or of ``text`` in encoded words where these would not be decoded to it or fit."""
    fits = max(map(len, words)) <= MAX_LINE_CHARS - len(f"{header}: ")
    if not text.isascii() or "=?" in text or not fits:
        encoded = Header(text, "utf-8", maxlinelen=MAX_LINE_CHARS, header_name=header)
        words = encoded.encode(splitchars="", linesep="\n").split("\n ")
    return _fold(header, [*words, *rest])


def _fold(header: str, words: Sequence[str]) -> str:
    lines = [f"{header}: {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + len(word) < MAX_LINE_CHARS:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    return "\r\n".join(lines) + "\r\n"


def _single_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _unquoted(name: str) -> str:
    r"""Return a display name without its quotation marks.

    >>> _unquoted('"Salt \\"n\\" Fat"'), _unquoted('The "Salt"')
    ('Salt "n" Fat', 'The "Salt"')
    """
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', name)
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else name


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    import idna  # slow to import and rarely needed

    return idna.encode(domain, uts46=True).decode("ascii")
