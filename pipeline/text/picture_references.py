"""References to uploaded pictures, as they are written in Markdown and in the editor's file.

A reference is ``pictures/HASH-WIDTHxHEIGHT.jpg`` (or ``.png``): the hash is that of the content, so a reference never
shows anything else, and nobody has to open the file to know its size. What is rendered has the file's path from the
folder of an edition in its place, or the URL of the public page; a message has a Content-ID (RFC 2392).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

FOLDER = "pictures"
"""In the folder of the editions, and in the path of the public pages."""
BESIDE_EDITION = f"../{FOLDER}/"
"""Path of the folder from that of an edition."""
_NAME = r"[0-9a-f]{24}-([1-9][0-9]{0,4})x([1-9][0-9]{0,4})\.(?:jpg|png)"
_REFERENCE = re.compile(rf"{FOLDER}/{_NAME}")
_IN_TEXT = re.compile(rf"(?<![\w./-]){_REFERENCE.pattern}(?![\w./-])")
_IN_HTML = re.compile(rf'(?<=src="){re.escape(BESIDE_EDITION)}({_NAME})(?=")')


def is_reference(text: str) -> bool:
    """Return whether a text is the reference of an uploaded picture.

    >>> is_reference("pictures/0123456789abcdef01234567-1200x800.jpg"), is_reference("pictures/../config.toml")
    (True, False)
    """
    return _REFERENCE.fullmatch(text) is not None


def reference_size(reference: str) -> tuple[int, int] | None:
    """Return the width and height in pixels of a picture; None for any other text.

    >>> reference_size("pictures/0123456789abcdef01234567-1200x800.jpg")
    (1200, 800)
    """
    match = _REFERENCE.fullmatch(reference)
    return (int(match[1]), int(match[2])) if match else None


def find_references(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the references in Markdown or in settings, each once."""
    return tuple(dict.fromkeys(match[0] for text in texts for match in _IN_TEXT.finditer(text)))


def path_of(reference: str) -> str:
    """Return the path of a picture from the folder of an edition."""
    return f"../{reference}"


def with_public_urls(html: str, public_url: str) -> str:
    """Return rendered HTML that shows the pictures at the public pages."""
    return _IN_HTML.sub(lambda match: f"{public_url}/{FOLDER}/{match[1]}", html)


def with_content_ids(html: str) -> tuple[str, tuple[str, ...]]:
    """Return rendered HTML that shows the parts of a message, and the references of these, in the order of the HTML.

    >>> with_content_ids('<img src="../pictures/0123456789abcdef01234567-12x8.png">')[0]
    '<img src="cid:0123456789abcdef01234567-12x8.png@pictures">'
    """
    shown: dict[str, None] = {}

    def content_id(match: re.Match[str]) -> str:
        shown[f"{FOLDER}/{match[1]}"] = None
        return f"cid:{match[1]}@{FOLDER}"

    return _IN_HTML.sub(content_id, html), tuple(shown)
