"""Finds the feeds that a web page announces or links to. Whether one is a feed, the caller finds out by fetching it."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator
from itertools import islice

from pipeline.ingest.parse.decode import decode
from pipeline.text.urls import clean_url, domain, url_key

MAX_PAGE_CHARS = 1_000_000
MAX_CANDIDATES = 500
MAX_FEEDS = 20

# Every repetition is bounded or runs to the end, so that a hostile page cannot make the search quadratic.
_TAG = re.compile(
    r"<!--(?:.*?-->|.*)|<(?P<tag>link|a|base)\s(?P<rest>(?:[^<>\"']|\"[^\"]{0,2000}\"|'[^']{0,2000}'){0,3000})>(?P<text>[^<]{0,100})",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,30})\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_FEED_TYPES = frozenset(
    ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "text/rss+xml")
)
_LOOSE_TYPES = frozenset(("application/xml", "text/xml", "application/json"))
_COMMENT_FEED = re.compile(
    r"/comments?(?:/(?:feed|rss|atom|default)\b|[.-](?:feed|rss|atom|xml|rdf)\b|/?$)|[?&](?:feed|type)=comments",
    re.IGNORECASE,
)
_COMMENT_TITLE = re.compile(
    r"\bcomments? (?:feed|on|for)\b|\bcomments?$|kommentar|commentaires|comentarios|comentários|\bcommenti\b"
    r"|\breacties\b|комментари|コメント",
    re.IGNORECASE,
)
_LIKELY_PATH = re.compile(
    r"/(?:feeds?|rss|atom|index|podcast)(?:\.(?:xml|rss|atom|json|rdf))?/?$|\.(?:rss|atom|rdf)$|[?&](?:feed|format)=(?:rss2?|atom)",
    re.IGNORECASE,
)
_LIKELY_HOST = re.compile(r"^(?:feeds?|rss)\.", re.IGNORECASE)
_LIKELY_TEXT = re.compile(r"\b(?:rss|atom|feed|json feed)\b", re.IGNORECASE)


def find_feeds(html: bytes, url: str) -> tuple[str, ...]:
    """Return the distinct absolute URLs of the feeds a page announces, then of links that may be feeds.

    Announced means ``<link rel="alternate">`` with a feed's type (the RSS Advisory Board's autodiscovery). Feeds of
    comments are left out.

    >>> find_feeds(b'<link rel="alternate" type="application/rss+xml" href="/feed/"><a href="/about">x</a>', "https://h.example/")
    ('https://h.example/feed/',)
    """
    candidates = list(islice(_candidates(decode(html)[:MAX_PAGE_CHARS], url), MAX_CANDIDATES))
    candidates.sort(key=lambda candidate: not candidate[1])
    feeds: dict[str, str] = {}
    for link, _ in candidates:
        feeds.setdefault(url_key(link), link)
    feeds.pop(url_key(url), None)
    return tuple(feeds.values())[:MAX_FEEDS]


def _candidates(page: str, url: str) -> Iterator[tuple[str, bool]]:
    """Yield URLs on a page that may be feeds, but not of comments, and whether the page announces them as feeds."""
    base = url
    for match in _TAG.finditer(page):
        tag, text = (match["tag"] or "").lower(), match["text"] or ""
        attributes = {
            name.lower(): entities.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(match["rest"] or "")
        }
        link = clean_url(attributes.get("href", ""), base) if attributes.get("href") else ""
        if not link:
            continue
        if tag == "base":
            base = link
        elif _COMMENT_FEED.search(link) or _COMMENT_TITLE.search(attributes.get("title", text)[:200].strip()):
            continue
        elif tag == "link" and _announces(attributes, link):
            yield link, True
        elif tag == "a" and (
            _LIKELY_PATH.search(link) or _LIKELY_HOST.search(domain(link)) or _LIKELY_TEXT.search(text)
        ):
            yield link, False


def _announces(attributes: dict[str, str], link: str) -> bool:
    relations = attributes.get("rel", "").lower().split()
    kind = attributes.get("type", "").lower().partition(";")[0].strip()
    loose = kind in _LOOSE_TYPES and _LIKELY_PATH.search(link) is not None
    return ("alternate" in relations and (kind in _FEED_TYPES or loose)) or "feed" in relations
