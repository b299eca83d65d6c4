"""Where the older entries of a feed are: the page behind a page.

In: a document as it came, its address. Out: the address of the next older page, "" when there is none. Touches nothing:
whether there is such a page, the caller finds out by asking for it.
"""

from __future__ import annotations

import html as entities
import json
import re
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pipeline.ingest.parse.decode import decode
from pipeline.text.urls import clean_url

_FIRST_ITEM = re.compile(r"<(?:\w{1,20}:)?(?:item|entry)[\s>]")
_ENDS = ("item>", "entry>")
_LINK = re.compile(r"<(?:\w{1,20}:)?link\s([^<>]{1,3000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-zA-Z]{1,30})\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)')")
_OLDER = ("prev-archive", "next")
"""RFC 5005, sections 4 and 3: an archived feed leads from document to document, a paged one from page to page."""


def next_page_url(body: bytes, content_type: str, url: str) -> str:
    """Return the older page that a document itself names: RFC 5005 links, or ``next_url`` of JSON Feed.

    >>> announced_page(b'<feed><link rel="next" href="?page=2"/><entry><title>Salt</title></entry></feed>', "",
    ...     "https://h.example/feed")
    'https://h.example/feed?page=2'
    """
    text = decode(body, content_type)
    if text.lstrip()[:1] == "{":
        return _next_url(text, url)
    links = dict(reversed([link for link in map(_relation, _LINK.findall(_without_items(text))) if link]))
    href = next((links[relation] for relation in _OLDER if relation in links), "")
    return clean_url(href, url) if href else ""


def numbered_page_url(url: str, number: int) -> str:
    """Write the address of a feed's page by number, as WordPress counts them: the newest is 1.

    >>> numbered_page("https://h.example/feed/?cat=3", 2), numbered_page("https://h.example/feed/?cat=3&paged=2", 3)
    ('https://h.example/feed/?cat=3&paged=2', 'https://h.example/feed/?cat=3&paged=3')
    """
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "paged"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("paged", str(number))]), fragment=""))


def page_hash(guids: Iterable[str]) -> str:
    """Give a short mark of a page, the same for the same entries in whatever order.

    >>> page_mark(["b", "a"]) == page_mark(["a", "b"])
    True
    """
    return sha256("\n".join(sorted(guids)).encode("utf-8", "replace")).hexdigest()[:16]


def _without_items(text: str) -> str:
    """Leave out what stands between the first item and the end of the last: their links are their own."""
    first = _FIRST_ITEM.search(text)
    after = max(text.rfind(end) + len(end) for end in _ENDS)
    return text[: first.start()] + " " + text[max(first.start(), after) :] if first else text


def _relation(attributes: str) -> tuple[str, str] | None:
    found = {name.lower(): entities.unescape(a or b) for name, a, b in _ATTRIBUTE.findall(attributes)}
    relation = found.get("rel", "").strip().lower()
    return (relation, found["href"]) if relation in _OLDER and found.get("href") else None


def _next_url(text: str, url: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    found = document.get("next_url")  # JSON Feed 1.1
    return clean_url(found, url) if isinstance(found, str) else ""
