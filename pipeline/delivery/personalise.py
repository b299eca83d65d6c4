"""One reader's copy of a sealed mail: the same bytes, with the places filled in and the way out in its header.

In: a message's bytes (RFC 5322, CRLF, bodies in quoted-printable), a reader, a list. Out: bytes. Pure.

Nothing is parsed and written again. Whatever writes a message through a header policy folds a long List-Unsubscribe
into an encoded word, and unsubscribing by one click stops working without a sound (cpython #74717): here each header is
one line, however long. Hand the bytes over as they are.
"""

from __future__ import annotations

import re
from hashlib import sha256
from html import escape

from pipeline.model.message import BROWSER_VIEW, PREFERENCES, UNSUBSCRIBE, MailingList, Recipient, placeholder_url

_LONGEST = 72
"""Of a piece of an address on a line; RFC 2045 (6.7) allows 76 with the soft break."""
_HTML = b"Content-Type: text/html"


def personalise(message: bytes, recipient: Recipient, mailing_list: MailingList) -> bytes:
    """Give a reader's own copy of a mail.

    To and Message-ID are theirs; List-Id, List-Unsubscribe, List-Unsubscribe-Post (RFC 2919, 2369, 8058) and
    Feedback-ID join the header; each place in the bodies becomes the reader's address.
    """
    head, blank, body = message.partition(b"\r\n\r\n")
    head = _header(head, recipient, mailing_list)
    text, html, rest = body.partition(_HTML)
    ways = _ways(recipient, mailing_list.home_url)
    filled = _fill(text, ways) + html + _fill(rest, {place: escape(url) for place, url in ways.items()})
    return head + blank + filled


def _ways(reader: Recipient, home: str) -> dict[str, str]:
    own = {UNSUBSCRIBE: reader.unsubscribe_url, PREFERENCES: reader.preferences_url, BROWSER_VIEW: reader.browser_url}
    return {placeholder_url(home, place): url for place, url in own.items()}


def _header(head: bytes, reader: Recipient, mailing_list: MailingList) -> bytes:
    mark = sha256(reader.address.encode()).hexdigest()[:12].encode()
    head = re.sub(rb"(?im)^To:.*(?:\r\n[ \t].*)*", lambda _: b"To: " + reader.address.encode("ascii"), head, count=1)
    head = re.sub(rb"(?im)^(Message-ID: *<[^@>\r\n]*)@", rb"\1." + mark + b"@", head, count=1)
    added = (
        f"List-Id: <{mailing_list.id}>",
        f"List-Unsubscribe: <{reader.unsubscribe_url}>, <mailto:{reader.unsubscribe_address}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        f"Feedback-ID: {mailing_list.feedback_id}",
    )
    return b"\r\n".join([head, *(_one_line(line) for line in added)])


def _one_line(header: str) -> bytes:
    """Refuse what would be two headers: a bug of whoever made the address, not a reader's."""
    if not header.isascii() or not header.isprintable():
        raise ValueError(f"not a header line: {header!r}")
    return header.encode()


def _fill(body: bytes, ways: dict[str, str]) -> bytes:
    for place, url in ways.items():
        body = _on_lines_of_its_own(url).join(_wherever_broken(place).split(body))
    return body


def _wherever_broken(place: str) -> re.Pattern[bytes]:
    """Find a place in quoted-printable, also where a line that got too long was broken softly inside it."""
    return re.compile(rb"(?:=\r\n)?".join(re.escape(bytes([byte])) for byte in place.encode("ascii")))


def _on_lines_of_its_own(url: str) -> bytes:
    r"""Write an address in quoted-printable with a soft break before, after and wherever it gets too long.

    >>> _on_lines_of_its_own("https://a.example/?x=1")
    b'=\r\nhttps://a.example/?x=3D1=\r\n'
    """
    encoded = url.replace("=", "=3D")
    pieces = re.findall(rf"(?:=3D|[^=]){{1,{_LONGEST // 3}}}", encoded)
    return "".join(f"=\r\n{piece}" for piece in pieces).encode("ascii") + b"=\r\n"
