"""Parses feed documents of any kind.

To add a kind, write a module with the functions of `Parser` and list it in `PARSERS`. ``parse_incrementally`` may
simply call ``parse``.
"""

from __future__ import annotations

import re
from typing import Protocol

from pipeline.ingest.parse import jsonfeed, rss
from pipeline.ingest.parse.decode import decode
from pipeline.ingest.parse.result import IncrementalResult, PreviousDocument
from pipeline.model.cpu_budget import check_cpu_budget
from pipeline.model.entry import ParsedFeed
from pipeline.model.errors import NotAFeedError

_BINARY_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff\xe0", b"GIF8", b"%PDF", b"PK\x03\x04")


class Parser(Protocol):
    """The functions of a feed kind. ``url`` is the document's, for relative URLs; both parsers clean the channel."""

    def can_parse(self, text: str) -> bool:
        """Check whether ``text`` seems to be of this kind."""

    def parse(self, text: str, *, url: str) -> ParsedFeed:
        """Parse a whole document. Raise NotAFeedError."""

    def parse_incrementally(
        self, text: str, previous: PreviousDocument, *, url: str, context: str
    ) -> IncrementalResult:
        """Parse the entries that are not in ``previous``. Raise NotAFeedError."""


PARSERS: tuple[Parser, ...] = (jsonfeed, rss)


def parse_feed(body: bytes, *, content_type: str = "", url: str = "") -> ParsedFeed:
    """Parse a feed document of any kind.

    ``content_type`` is the HTTP header, ``url`` the document's, the base of relative URLs. Raises NotAFeedError with a
    message that says what was found instead.

    >>> parse_feed(b"<rss version='2.0'><channel><item><title>Salt</title></item></channel></rss>").entries[0].title
    'Salt'
    """
    text = decode(body, content_type)
    check_cpu_budget()
    return detect_parser(text, body).parse(text, url=url)


def parse_incrementally(
    body: bytes, previous: PreviousDocument, *, content_type: str = "", url: str = "", context: str = ""
) -> IncrementalResult:
    """Parse the entries of a document that are new or changed since ``previous``.

    ``context`` is anything else that influences parsing, such as the feed's settings: if it changes, every entry is
    parsed again. The rest is as for `parse_feed`.

    >>> one = b"<rss version='2.0'><channel><item><guid>1</guid></item></channel></rss>"
    >>> two = one.replace(b"<item>", b"<item><guid>2</guid></item><item>")
    >>> before = parse_incrementally(one, PreviousDocument())
    >>> after = parse_incrementally(two, PreviousDocument(raw_hashes=before.hashes))
    >>> [entry.guid for entry in after.parsed.entries], len(after.known_hashes)
    (['2'], 1)
    """
    text = decode(body, content_type)
    check_cpu_budget()
    return detect_parser(text, body).parse_incrementally(text, previous, url=url, context=context)


def detect_parser(text: str, body: bytes = b"") -> Parser:
    """Return the parser for a document. Raise NotAFeedError if there is none."""
    parser = next((parser for parser in PARSERS if parser.can_parse(text)), None)
    if parser is None:
        raise NotAFeedError(f"returns {describe_content(text, body)}")
    return parser


def describe_content(text: str, body: bytes = b"") -> str:
    """Return a few words for a document that is not a feed.

    >>> describe_content("<!DOCTYPE html><html></html>"), describe_content("  ")
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
    return "binary data" if body.startswith(_BINARY_SIGNATURES) else "plain text"
