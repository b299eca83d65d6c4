"""The title, description and canonical URL of a web page."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.ingest.parse.decode import decode
from pipeline.text.html import plain_text
from pipeline.text.plain_text import clean_title, excerpt_text
from pipeline.text.urls import clean_url, domain

MAX_PAGE_CHARS = 500_000
MAX_DESCRIPTION_WORDS = 30
_TAG = re.compile(
    r"<!--(?:.*?-->|.*)|<script\b(?:.*?</script\s*>|.*)|<title[^>]{0,300}>(?P<title>[^<]{0,2000})"
    r"|<(?P<tag>meta|link)\s(?P<rest>(?:[^<>\"']|\"[^\"]{0,5000}\"|'[^']{0,5000}'){0,3000})>",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([a-zA-Z:-]{1,30})\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_TITLES = ("og:title", "twitter:title", "title")
_DESCRIPTIONS = ("og:description", "description", "twitter:description")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMetadata:
    """The metadata of a web page; empty where the page has none."""

    title: str = ""
    description: str = ""
    """Plain text of at most 30 words, ending at the end of a sentence if possible."""
    url: str = ""
    """The canonical URL (rel=canonical, RFC 6596) if it is on the same site, else the URL of the page."""


def read_metadata(body: bytes, content_type: str, url: str) -> PageMetadata:
    """Return a page's metadata; ``url`` is where it was fetched.

    >>> read_metadata(b"<title>Salt &amp; smoke</title><link rel=canonical href='/salt'>", "text/html", "https://h.example/?p=1")
    PageMetadata(title='Salt & smoke', description='', url='https://h.example/salt')
    """
    values: dict[str, str] = {}
    for name, value in _properties(decode(body, content_type)[:MAX_PAGE_CHARS]):
        values.setdefault(name, value)
    title = next((values[name] for name in _TITLES if values.get(name, "").strip()), "")
    description = next((values[name] for name in _DESCRIPTIONS if values.get(name, "").strip()), "")
    fetched, canonical = clean_url(url), clean_url(values.get("canonical", ""), url)
    return PageMetadata(
        title=clean_title(title),
        description=excerpt_text(plain_text(description), MAX_DESCRIPTION_WORDS),
        url=canonical if canonical and domain(canonical) == domain(fetched) else fetched,
    )


def _properties(page: str) -> Iterator[tuple[str, str]]:
    for match in _TAG.finditer(page):
        if match["title"]:
            yield "title", entities.unescape(match["title"])
        attributes = {
            name.lower(): entities.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(match["rest"] or "")
        }
        if attributes.get("rel", "").lower() == "canonical":
            yield "canonical", attributes.get("href", "")
        if name := attributes.get("property") or attributes.get("name"):
            yield name.lower(), attributes.get("content", "")
