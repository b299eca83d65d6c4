"""Invariants of parsing that hold for every document; used by property tests and the fuzzer.

Each check returns what is violated, or "".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from html.parser import HTMLParser

from pipeline.ingest.normalise import MAX_GUID_CHARS, normalise
from pipeline.ingest.parse.decode import decode
from pipeline.ingest.parse.parser import parse_feed
from pipeline.ingest.parse.rss_feedparser import parse_entries
from pipeline.ingest.parse.xml_document import XmlDocument, is_feed, parse_xml
from pipeline.model.entry import Entry
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Feed
from pipeline.text.urls import clean_url

FEED = Feed(id="blog", url="https://harbourandhearth.example/feed/", kind="blog")
NOW = datetime(2026, 2, 16, tzinfo=UTC)
POLICIES = policy.compat32, policy.default
_ADDRESSES = frozenset({"href", "src", "cite"})
_NEVER = frozenset({"script", "iframe", "object", "embed", "form", "style", "base", "meta", "link"})
_ROOT_END = re.compile(r"</(?:\w+:)?(rss|feed|rdf|channel)\s*>", re.IGNORECASE)
_DAMAGE = "<generator version=1>x</wrong>"


def read_entries(body: bytes) -> tuple[Entry, ...]:
    """Decode, parse and normalise a document; () if it is not a feed."""
    try:
        return normalise(parse_feed(body, url=FEED.url), FEED, url=FEED.url, now=NOW)
    except NotAFeedError:
        return ()


def violation(entries: Sequence[Entry]) -> str:
    """Return the first invariant that the entries of a document violate."""
    if len({entry.guid for entry in entries}) < len(entries):
        return "two entries of one guid"
    return next((words for entry in entries for words in _unkept(entry)), "")


def header_problem(header: str, text: str) -> str:
    """Return why a folded Subject header is not ``text`` for a mail program, old or new."""
    lines = header.removesuffix("\r\n").split("\r\n")
    old, new = (message_from_bytes(header.encode("ascii") + b"\r\n", policy=p)["Subject"] for p in POLICIES)
    readings = {str(make_header(decode_header(old))).replace("\r\n", ""), str(new)}
    if readings != {text}:
        return f"is read as {readings}"
    if any(len(line) > 76 or not line.strip() for line in lines) or not lines[0].removeprefix("Subject:").strip() > "":
        return "" if not text else f"has a line that is empty or too long: {lines}"
    return ""


def parser_difference(text: str, *, tolerant_only: bool = False) -> str:
    """Return the first field that differs once the end of a well-formed document is damaged.

    With ``tolerant_only``, also compare with the tolerant parser reading all of it. That one carries a little from item
    to item, so generated documents may differ; real ones do not.
    """
    sound = parse_xml(text)
    end = max(sound.text.rfind(close) for close in ("</channel>", "</feed>", "</rdf:RDF>"))
    last = max(sound.text.rfind(close) for close in ("</item>", "</entry>"))
    if sound.warnings or not last < end or max(Counter(_ROOT_END.findall(sound.text)).values()) > 1:
        return ""  # broken already, or (RSS 1.0) nothing after the items to damage, or a feed within a feed
    damaged = parse_xml(sound.text[:end] + _DAMAGE)
    if not damaged.warnings:
        return "damage that nobody saw"
    alone = _difference(sound, replace(sound, is_complete=False)) if tolerant_only and sound.elements else ""
    return _difference(sound, damaged) or alone


def _difference(sound: XmlDocument, other_way: XmlDocument) -> str:
    one, other = (parse_entries(way, url=FEED.url).entries for way in (sound, other_way))
    if len(one) != len(other):
        return f"{len(one)} entries the strict way, {len(other)} the tolerant way"
    fields = (
        (name, getattr(strict, name), getattr(tolerant, name))
        for strict, tolerant in zip(one, other, strict=True)
        for name in strict.__slots__
    )
    return next((f"{name}: {strict!r} or {tolerant!r}" for name, strict, tolerant in fields if strict != tolerant), "")


def document_difference(body: bytes, *, tolerant_only: bool = False) -> str:
    """Check ``parser_difference`` for a document in bytes; "" if it is not an XML feed."""
    text = decode(body)
    try:
        return parser_difference(text, tolerant_only=tolerant_only) if is_feed(text) else ""
    except NotAFeedError:
        return ""


def _unkept(entry: Entry) -> Iterator[str]:
    yield from (f"the unsafe address {each!r}" for each in _addresses(entry) if each != clean_url(each))
    if not 0 < len(entry.guid) <= MAX_GUID_CHARS:
        yield f"a guid of {len(entry.guid)} characters"
    if not datetime(1990, 1, 1, tzinfo=UTC) <= entry.published_at <= NOW + timedelta(days=1):
        yield f"the date {entry.published_at}"
    texts = (entry.guid, entry.title, entry.author, entry.guest, entry.excerpt_text, entry.body_html)
    if any(character in text for text in texts for character in "\0\ufffe\ud800"):
        yield "a character that no database takes"
    yield from _Body.of(entry.body_html).broken


def _addresses(entry: Entry) -> Iterator[str]:
    yield from (entry.url, entry.chapters_url)
    yield from (transcript.url for transcript in entry.transcripts)
    yield from (address for person in entry.persons for address in (person.url, person.picture_url))
    yield from (part.url for part in (entry.picture, entry.enclosure) if part)


class _Body(HTMLParser):
    """Parses a body as a browser does and records what must not be in it."""

    @classmethod
    def of(cls, body_html: str) -> _Body:
        found = cls()
        found.broken: list[str] = []
        found.feed(body_html)
        found.close()
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NEVER:
            self.broken.append(f"<{tag}> in a body")
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.broken.append(f"the attribute {name} in a body")
            if name in _ADDRESSES and not (value or "").startswith(("http://", "https://", "mailto:")):
                self.broken.append(f"the address {value!r} in a body")
