"""A recipient's copy of a sealed message: the same bytes with placeholders filled in and list headers added. Pure.

The message is not parsed and written again: the email package would fold a long List-Unsubscribe into an encoded word,
which silently breaks one-click unsubscribing (cpython #74717). Each header added here is one line, however long. Send
the bytes unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from html import escape

from pipeline.model.message import BROWSER_VIEW, PREFERENCES, UNSUBSCRIBE, ListIdentity, Recipient, placeholder_url

_BOUNDARY = b"\r\n--=_"
"""Begins the second part: "=_" never occurs in quoted-printable."""
_URL_CHUNK = 24
"""Characters of a URL on a line; each may become ``=3D``, and RFC 2045 (6.7) allows 76 with the soft break."""


def personalise(message: bytes, recipient: Recipient, mailing_list: ListIdentity) -> bytes:
    """Return a recipient's copy of a message (RFC 5322, CRLF, bodies in quoted-printable).

    To and Message-ID are the recipient's; List-Id, List-Unsubscribe, List-Unsubscribe-Post (RFC 2919, 2369, 8058) and
    Feedback-ID are added; each placeholder in the bodies becomes the recipient's URL.
    """
    header, blank, body = message.partition(b"\r\n\r\n")
    text, boundary, html = body.partition(_BOUNDARY)
    home = mailing_list.home_url
    urls = {
        placeholder_url(home, UNSUBSCRIBE): recipient.unsubscribe_url,
        placeholder_url(home, PREFERENCES): recipient.preferences_url,
        placeholder_url(home, BROWSER_VIEW): recipient.browser_url,
    }
    escaped = {placeholder: escape(url) for placeholder, url in urls.items()}
    return _header(header, recipient, mailing_list) + blank + _fill(text, urls) + boundary + _fill(html, escaped)


def _header(header: bytes, recipient: Recipient, mailing_list: ListIdentity) -> bytes:
    address = recipient.address.encode("ascii")
    unique = sha256(address).hexdigest()[:12].encode()
    header = re.sub(rb"(?im)^To:.*(?:\r\n[ \t].*)*", lambda _: b"To: " + address, header, count=1)
    header = re.sub(rb"(?im)^(Message-ID: *<[^@>\r\n]*)@", rb"\1." + unique + b"@", header, count=1)
    added = (
        f"List-Id: <{mailing_list.id}>",
        f"List-Unsubscribe: <{recipient.unsubscribe_url}>, <mailto:{recipient.unsubscribe_address}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        f"Feedback-ID: {mailing_list.feedback_id}",
    )
    for line in added:
        if not line.isascii() or not line.isprintable():
            raise ValueError(f"not a header line: {line!r}")  # a bug in what built the URL: it could add a header
    return b"\r\n".join([header, *(line.encode() for line in added)])


def _fill(body: bytes, urls: Mapping[str, str]) -> bytes:
    for placeholder, url in urls.items():
        # A soft line break may lie anywhere inside the placeholder.
        characters = (re.escape(bytes([byte])) for byte in placeholder.encode("ascii"))
        body = _quoted_printable(url).join(re.split(rb"(?:=\r\n)?".join(characters), body))
    return body


def _quoted_printable(url: str) -> bytes:
    r"""Return a URL in quoted-printable, with a soft line break before, after and wherever it gets too long.

    >>> _quoted_printable("https://a.example/?x=1")
    b'=\r\nhttps://a.example/?x=3D1=\r\n'
    """
    chunks = re.findall(rf"(?:=3D|[^=]){{1,{_URL_CHUNK}}}", url.replace("=", "=3D"))
    return "".join(f"=\r\n{chunk}" for chunk in chunks).encode("ascii") + b"=\r\n"
