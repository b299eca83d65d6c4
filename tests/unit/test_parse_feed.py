"""Parsing feed documents: detection, damaged documents, and errors."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.ingest.parse.decode import decode
from pipeline.ingest.parse.parser import parse_feed
from pipeline.ingest.parse.rss_feedparser import parse_entries
from pipeline.ingest.parse.xml_document import parse_xml
from pipeline.model.errors import NotAFeedError
from tests.growth import assert_linear
from tests.invariants import parser_difference

QUIRKS = Path(__file__).parents[2] / "fixtures" / "quirks"
URL = "https://harbourandhearth.example/feed/"
FEED = b"<rss version='2.0'><channel><title>H</title>%s</channel></rss>"


def can_be_damaged(path: Path) -> bool:
    """Check whether a fixture has something after its entries that can be cut off."""
    return path.stem not in ("json-feed", "truncated", "rss-1.0")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", "an empty body"),
        (b" \n\t", "an empty body"),
        (b"<!doctype html><html><head><title>H</title></head></html>", "a web page"),
        (b"<html><body><rss></rss></body></html>", "a web page"),
        (b'{"error": "not found"}', "JSON that is not a feed"),
        (b'{"version": "https://jsonfeed.org/version/9", "items": []}', "JSON that is not a feed"),
        (b"<?xml version='1.0'?><opml version='2.0'><body/></opml>", "XML that is not a feed (<opml>)"),
        (b"Not found", "plain text"),
        (b"/etc/hostname", "plain text"),
        (b"https://harbourandhearth.example/feed/", "plain text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "binary data"),
    ],
)
def test_error_names_the_content(body: bytes, found: str) -> None:
    """NotAFeedError says what was found and that another address is needed."""
    with pytest.raises(NotAFeedError, match="enter the address of the feed itself") as refusal:
        parse_feed(body, url=URL)
    assert found in str(refusal.value)
    assert not refusal.value.retry


def test_invalid_json_is_an_error() -> None:
    """A JSON Feed that is cut off is not a feed."""
    with pytest.raises(NotAFeedError, match="not valid"):
        parse_feed(b'{"version": "https://jsonfeed.org/version/1.1", "items": [')


def test_json_escapes() -> None:
    """Escaped control characters and lone surrogates are dropped, surrogate pairs are kept."""
    item = r'{"id": "a\u0000b", "content_html": "<p>x\ud800y \ud83e\uddc2</p>"}'
    entry = parse_feed(b'{"version": "https://jsonfeed.org/version/1.1", "items": [%s]}' % item.encode()).entries[0]
    assert (entry.guid, entry.content_html) == ("ab", "<p>xy 🧂</p>")


def test_an_author_of_both_versions_of_json_feed_is_named_once() -> None:
    """Documents for readers of version 1.0 have ``author`` besides ``authors``."""
    people = [{"name": "Ada"}, {"name": "Bo"}, {"name": "Ada"}, 7]
    item = {"id": "a", "authors": people, "author": {"name": "Bo"}}
    document = {"version": "https://jsonfeed.org/version/1.1", "items": [item]}
    assert parse_feed(json.dumps(document).encode()).entries[0].author == "Ada, Bo"


def test_json_values_of_wrong_types_are_absent() -> None:
    """A value of another type than specified is ignored."""
    items = [{"id": [], "title": {}, "url": 7, "authors": "x", "attachments": [1, {"url": []}]}, "no item", {"id": "b"}]
    document = {"version": "https://jsonfeed.org/version/1", "title": ["x"], "items": items}
    parsed = parse_feed(json.dumps(document).encode())
    assert [entry.guid for entry in parsed.entries] == ["", "b"]
    assert (parsed.version, parsed.channel.title) == ("json10", "")


@pytest.mark.parametrize("case", [path.stem for path in sorted(QUIRKS.glob("*.xml")) if can_be_damaged(path)])
def test_damaged_documents_parse_the_same(case: str) -> None:
    """A document with a damaged end gives the same entries, field by field, as the intact one."""
    sound = parse_xml(decode((QUIRKS / f"{case}.xml").read_bytes()))
    end = sound.text.rindex("</channel>" if "</channel>" in sound.text else "</feed>")
    damaged = parse_xml(sound.text[:end] + "<generator version=1>x</wrong>")
    assert damaged.warnings
    assert parse_entries(damaged, url=URL).entries == parse_entries(sound, url=URL).entries


def test_partial_field_is_dropped() -> None:
    """Half a date is a different date, and would be stored."""
    body = FEED % b"<item><guid>1</guid><title>Salt</title><pubDate>Sun, 15 Feb 2026 08:00:00 +0000</pubDate></item>"
    for end in range(body.index(b"Sun"), body.index(b"</pubDate>")):
        (entry,) = parse_feed(body[:end]).entries
        assert (entry.title, entry.published_at) == ("Salt", None)
    assert not parse_feed(body[: body.index(b"alt<")]).entries[0].title


def test_only_the_root_element_ends_a_document() -> None:
    """The end of a feed inside an entry is not the end of the document."""
    item = (
        b"<item><title>Salt</title><feed></feed><guid>1</guid><pubDate>Wed, 27 Dec 2023 22:24:00 +0100</pubDate></item>"
    )
    assert parser_difference((FEED % item).decode()) == ""
    (entry,) = parse_feed((FEED % item)[:-6]).entries
    assert entry.published_at


@pytest.mark.parametrize("reference", ["&#129474;", "&#x1F9C2;", "&#233;", "&#38;", "&amp;"])
def test_references_in_attributes_of_damaged_documents(reference: str) -> None:
    """The tolerant parser does not resolve non-ASCII character references in attributes."""
    item = f"<item><enclosure url='https://m.example/{reference * 50}.mp3' length='1' type='audio/mpeg'/></item>"
    assert parser_difference((FEED % item.encode()).decode()) == ""


@pytest.mark.parametrize("case", ["podcast-tags", "atom-xhtml", "dates", "rss-1.0", "undefined-entities"])
def test_entries_parse_the_same_alone(case: str) -> None:
    """Known entries can be removed before feedparser without an effect on the others."""
    document = parse_xml(decode((QUIRKS / f"{case}.xml").read_bytes()))
    whole = parse_entries(document, url=URL).entries
    alone = [parse_entries(parse_xml(document.with_only({one}).decode()), url=URL).entries for one in document.elements]
    assert [entries for (*entries,) in alone] == [[entry] for entry in whole]


def test_entries_without_a_tree() -> None:
    """If not even the tolerant parser builds a tree, feedparser still finds the entries."""
    body = FEED % (b"<item about=x><title>One</title></item>" * 3 + b"<item><title>Two</title></item>")
    assert not parse_xml(decode(body)).is_complete
    assert [entry.title for entry in parse_feed(body).entries] == ["One", "One", "One", "Two"]


@pytest.mark.parametrize(
    ("document", "piece"),
    [
        (FEED, b"<item>"),
        (FEED, b"<item a='"),
        (FEED % b"<item><description>%b", b"<![CDATA["),
        (FEED % b"<item><title>t</title>%b</item>", b"<category>c</category>"),
        (FEED % b"<item><title>t</title></item>%b", b"<!--"),
        (FEED % b"<item><description><![CDATA[%b]]></description></item>", b"<div>"),
        (b"<rss>%b", b"<a>"),
        (b"<!DOCTYPE rss [%b]>" + FEED % b"", b"<!ENTITY a 'b'>"),
    ],
    ids=["open", "attributes", "cdata", "children", "comments", "html", "deep", "entities"],
)
def test_hostile_documents_take_linear_time(document: bytes, piece: bytes) -> None:
    """Shapes that make parsers quadratic are bounded first."""

    def parse(count: int) -> None:
        with suppress(NotAFeedError):
            parse_feed(document % (piece * count), url=URL)

    parse(1)
    assert_linear(parse, 200, floor=0.05)


def test_entities_are_never_fetched_or_expanded() -> None:
    """A document that names a local file, and an entity bomb, give only their own text."""
    parsed = parse_feed((QUIRKS / "billion-laughs.xml").read_bytes())
    assert max(len(entry.title) for entry in parsed.entries) < 20


def test_feedparser_is_imported_only_when_needed() -> None:
    """Neither JSON Feed nor starting the program imports it."""
    code = "import sys; import pipeline.ingest.parse.parser; sys.exit('feedparser' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("body", "icon", "picture"),
    [
        (b"<feed xmlns='http://www.w3.org/2005/Atom'><title>H</title><icon>/i.png</icon><logo>/l.png</logo></feed>",
         "i.png", "l.png"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'><title>H</title><icon>javascript:1</icon></feed>", "", ""),
        (b'{"version": "https://jsonfeed.org/version/1.1", "title": "H", "favicon": "/i.png", "icon": "/l.png",'
         b' "items": []}', "i.png", "l.png"),
        (FEED % b"<image><url>/l.png</url></image>", "", "l.png"),
    ],
    ids=["atom", "not a web address", "json", "rss"],
)  # fmt: skip
def test_a_channel_has_an_icon_and_a_picture(body: bytes, icon: str, picture: str) -> None:
    """As addresses on the web; RSS has the picture alone."""
    channel = parse_feed(body, url=URL).channel
    site = "https://harbourandhearth.example/"
    assert (channel.icon_url, channel.picture_url) == (icon and site + icon, picture and site + picture)
