"""Ways to read a feed, one file a kind.

In: a body as it came. Out: a ParsedFeed: text decoded, nothing cleaned but the channel. Touches nothing.

A new kind is a new file with ``recognises(text)`` and ``read(text, url=…)``, named in ``PARSERS``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Protocol

from pipeline.ingest.parse import jsonfeed, rss
from pipeline.ingest.parse.decode import decode
from pipeline.model.entry import ParsedFeed
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Channel
from pipeline.text.html import plain_text
from pipeline.text.plain_text import clean_title
from pipeline.text.urls import clean_url


class Parser(Protocol):
    """What a kind offers."""

    def can_parse(self, text: str) -> bool:
        """Tell whether ``text`` looks like this kind."""

    def parse(self, text: str, *, url: str) -> ParsedFeed:
        """Read it, or raise NotAFeed."""


PARSERS: tuple[Parser, ...] = (jsonfeed, rss)


def parse_feed(body: bytes, *, content_type: str = "", url: str = "") -> ParsedFeed:
    """Read a feed document of any kind.

    ``content_type`` is the HTTP header, ``url`` where the document came from (relative addresses start there).
    Raises NotAFeed, which says what was found instead.

    >>> parse(b"<rss version='2.0'><channel><item><title>Salt</title></item></channel></rss>").entries[0].title
    'Salt'
    """
    text = decode(body, content_type)
    return clean_channel(detect_parser(text, body).parse(text, url=url), url)


def detect_parser(text: str, body: bytes = b"") -> Parser:
    """Find the kind that a document is of. Raises NotAFeed."""
    source = next((source for source in PARSERS if source.can_parse(text)), None)
    if source is None:
        raise NotAFeedError(f"Give the address of a feed: this one answers with {describe_content(text, body)}.")
    return source


def clean_channel(parsed: ParsedFeed, url: str) -> ParsedFeed:
    """Clean what a document says of itself; ``url`` is where it came from."""
    return replace(parsed, channel=_tidy(parsed.channel, url))


def describe_content(text: str, body: bytes = b"") -> str:
    """Say in a few words what a document is that no source recognises.

    >>> found_instead("<!DOCTYPE html><html></html>"), found_instead("  ")
    ('a web page', 'an empty body')
    """
    start = text.lstrip()[:2000].lower()
    if not start:
        return "an empty body" if not body.strip() else "binary data"
    if re.search(r"<!doctype html|<html\b|<head\b", start):
        return "a web page"
    if start[0] in "[{":
        return "JSON that is not a feed"
    if element := re.search(r"<([a-z][\w:.-]{0,40})", start):
        return f"XML that is not a feed (<{element[1]}>)" if start[0] == "<" else "text that is not a feed"
    return (
        "binary data"
        if body[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0", b"GIF8", b"%PDF", b"PK\x03\x04")
        else "plain text"
    )


def _tidy(channel: Channel, url: str) -> Channel:
    home = clean_url(channel.url, url)
    return replace(
        channel,
        title=clean_title(channel.title),
        url=home,
        description=plain_text(channel.description)[:2000],
        language=clean_title(channel.language)[:35],
        author=clean_title(channel.author)[:200],
        generator=clean_title(channel.generator)[:200],
        picture_url=clean_url(channel.picture_url, home or url),
        self_url=clean_url(channel.self_url, url),
        new_feed_url=clean_url(channel.new_feed_url, url),
    )
