"""Cleans the head of a response, so that a header line as browsers tolerate it does not cost a document.

h11 refuses the whole response for one line outside the grammar of RFC 9112. A connection carries one response only, so
nothing can be smuggled past another program by reading it leniently.
"""

from __future__ import annotations

import re

from pipeline.model.errors import FetchError

MAX_HEAD_BYTES = 262_144
"""The limit of Chromium."""
HEAD_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(\d)(?:\.(\d))?[ \t]+(\d{3})(?![^\s])", re.IGNORECASE)
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]+")
_CONTINUATION = re.compile(rb"\n[ \t]+")
"""A line break within a value, with the blanks that begin the next line (RFC 9112, 5.2)."""


def clean_head(head: bytes) -> bytes:
    r"""Return a response's status line and headers as RFC 9112 prescribes them. Raise FetchError if it is no HTTP.

    Lines without a colon or with an impossible name are dropped, continued lines joined, and blanks before the colon
    and control characters removed. A Content-Length that is no number says nothing, and "identity" is no
    Transfer-Encoding.

    >>> clean_head(b"HTTP/1.1  200 OK\n ETag : 1\nwelcome!\nX: a\n\tb\n\n")
    b'HTTP/1.1 200\r\nETag: 1\r\nX: a b\r\n\r\n'
    """
    first, _, rest = head.partition(b"\n")
    status = _STATUS_LINE.match(first)
    if status is None:
        raise FetchError("protocol_error", "answered with something that is not HTTP")
    headers: list[bytes] = []
    for line in _CONTINUATION.sub(b" ", rest).split(b"\n"):
        name, colon, value = line.partition(b":")
        name, value = name.strip(), _without_controls(value)
        if colon and _NAME.fullmatch(name) and _is_usable(name.lower(), value):
            headers.append(name + b": " + value)
    return b"\r\n".join([b"HTTP/%s.%s %s" % (status[1], status[2] or b"0", status[3]), *headers, b"", b""])


def _without_controls(text: bytes) -> bytes:
    return _CONTROLS.sub(b" ", text).strip()


def _is_usable(name: bytes, value: bytes) -> bool:
    if name == b"content-length":
        return all(length.strip().isdigit() for length in value.split(b","))
    return name != b"transfer-encoding" or value.lower() not in (b"", b"identity")
