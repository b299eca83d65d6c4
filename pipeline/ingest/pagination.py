"""Finds the next older page of a feed. Whether it exists, the caller finds out by fetching it."""

from __future__ import annotations

import html as entities
import json
import re
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pipeline.ingest.parse.decode import decode
from pipeline.text.urls import clean_url

_FIRST_ENTRY = re.compile(r"<(?:\w{1,20}:)?(?:item|entry)[\s>]")
_ENDS = ("item>", "entry>")
_LINK = re.compile(r"<(?:\w{1,20}:)?link\s([^<>]{1,3000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-zA-Z]{1,30})\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)')")
_OLDER = ("prev-archive", "next")
"""RFC 5005: ``prev-archive`` of archived feeds (section 4), ``next`` of paged feeds (section 3)."""


def next_page_url(body: bytes, content_type: str, url: str) -> str:
    """Return the URL of the older page that a document links to (RFC 5005, or ``next_url`` of JSON Feed), or "".

    >>> next_page_url(b'<feed><link rel="next" href="?page=2"/><entry><title>Salt</title></entry></feed>', "",
    ...     "https://h.example/feed")
    'https://h.example/feed?page=2'
    """
    text = decode(body, content_type)
    if text.lstrip()[:1] == "{":
        return _next_url(text, url)
    links = dict(reversed([link for link in map(_relation, _LINK.findall(_without_entries(text))) if link]))
    href = next((links[relation] for relation in _OLDER if relation in links), "")
    return clean_url(href, url) if href else ""


def numbered_page_url(url: str, number: int) -> str:
    """Return the URL of a feed's page by number, as WordPress counts them: the newest is 1.

    >>> numbered_page_url("https://h.example/feed/?cat=3", 2)
    'https://h.example/feed/?cat=3&paged=2'
    >>> numbered_page_url("https://h.example/feed/?cat=3&paged=2", 3)
    'https://h.example/feed/?cat=3&paged=3'
    """
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "paged"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("paged", str(number))]), fragment=""))


def page_hash(guids: Iterable[str]) -> str:
    """Return a short hash of a page's guids that does not depend on their order.

    >>> page_hash(["b", "a"]) == page_hash(["a", "b"])
    True
    """
    return sha256("\n".join(sorted(guids)).encode("utf-8", "replace")).hexdigest()[:16]


def _without_entries(text: str) -> str:
    """Return the text before the first entry and after the last: the entries' own links do not count."""
    first = _FIRST_ENTRY.search(text)
    after = max(text.rfind(end) + len(end) for end in _ENDS)
    return text[: first.start()] + " " + text[max(first.start(), after) :] if first else text


def _relation(attributes: str) -> tuple[str, str] | None:
    values = {name.lower(): entities.unescape(a or b) for name, a, b in _ATTRIBUTE.findall(attributes)}
    relation = values.get("rel", "").strip().lower()
    return (relation, values["href"]) if relation in _OLDER and values.get("href") else None


def _next_url(text: str, url: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    next_url = document.get("next_url")  # JSON Feed 1.1
    return clean_url(next_url, url) if isinstance(next_url, str) else ""
