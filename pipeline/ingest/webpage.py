"""What a web page says about itself: its title, what it is about, its proper address.

In: a page as it came. Out: an About, cleaned; empty where the page does not say. Touches nothing.
"""

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
    """A page in a few words."""

    title: str = ""
    description: str = ""
    """Plain text, at most 30 words, ending at a sentence where there is one."""
    url: str = ""
    """Its proper address: the one it names itself (rel=canonical, RFC 6596), or the one it was found at."""


def read_metadata(body: bytes, content_type: str, url: str) -> PageMetadata:
    """Read what a page says about itself; ``url`` is where it was found, and what is believed of it stays on its site.

    >>> about(b"<title>Salt &amp; smoke</title><link rel=canonical href='/salt'>", "text/html", "https://h.example/?p=1")
    About(title='Salt & smoke', description='', url='https://h.example/salt')
    """
    facts: dict[str, str] = {}
    for name, value in _facts(decode(body, content_type)[:MAX_PAGE_CHARS]):
        facts.setdefault(name, value)
    title = next((facts[name] for name in _TITLES if facts.get(name, "").strip()), "")
    description = next((facts[name] for name in _DESCRIPTIONS if facts.get(name, "").strip()), "")
    found, said = clean_url(url), clean_url(facts.get("canonical", ""), url)
    return PageMetadata(
        title=clean_title(title),
        description=excerpt_text(plain_text(description), MAX_DESCRIPTION_WORDS),
        url=said if said and domain(said) == domain(found) else found,
    )


def _facts(page: str) -> Iterator[tuple[str, str]]:
    for found in _TAG.finditer(page):
        if found["title"]:
            yield "title", entities.unescape(found["title"])
        attributes = {
            name.lower(): entities.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(found["rest"] or "")
        }
        if attributes.get("rel", "").lower() == "canonical":
            yield "canonical", attributes.get("href", "")
        if name := attributes.get("property") or attributes.get("name"):
            yield name.lower(), attributes.get("content", "")
