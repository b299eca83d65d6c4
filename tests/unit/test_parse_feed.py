"""Documents taken apart and read: which source, which way, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.ingest.parse.decode import decode
from pipeline.ingest.parse.parser import parse_feed
from pipeline.ingest.parse.rss_feedparser import parse_entries
from pipeline.ingest.parse.xml_document import parse_xml
from pipeline.model.errors import NotAFeedError
from tests.invariants import parser_difference

QUIRKS = Path(__file__).parents[2] / "fixtures" / "quirks"
URL = "https://harbourandhearth.example/feed/"
FEED = b"<rss version='2.0'><channel><title>H</title>%s</channel></rss>"


def can_be_damaged(path: Path) -> bool:
    """Tell whether a fixture has an end after its items that can be broken off."""
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
def test_what_is_no_feed_is_named(body: bytes, found: str) -> None:
    """NotAFeed says what was found, and that another address is needed."""
    with pytest.raises(NotAFeedError, match="enter the address of the feed itself") as refusal:
        parse_feed(body, url=URL)
    assert found in str(refusal.value)
    assert not refusal.value.retry


def test_broken_json_says_so() -> None:
    """A JSON Feed cut off in the middle is no feed."""
    with pytest.raises(NotAFeedError, match="not valid"):
        parse_feed(b'{"version": "https://jsonfeed.org/version/1.1", "items": [')


def test_json_can_say_what_xml_forbids() -> None:
    """Escaped controls and half characters are dropped, whole ones are kept."""
    item = r'{"id": "a\u0000b", "content_html": "<p>x\ud800y \ud83e\uddc2</p>"}'
    entry = parse_feed(b'{"version": "https://jsonfeed.org/version/1.1", "items": [%s]}' % item.encode()).entries[0]
    assert (entry.guid, entry.content_html) == ("ab", "<p>xy 🧂</p>")


def test_json_of_the_wrong_types_is_read_without_them() -> None:
    """A field of another type than specified counts as absent."""
    items = [{"id": [], "title": {}, "url": 7, "authors": "x", "attachments": [1, {"url": []}]}, "no item", {"id": "b"}]
    document = {"version": "https://jsonfeed.org/version/1", "title": ["x"], "items": items}
    parsed = parse_feed(json.dumps(document).encode())
    assert [entry.guid for entry in parsed.entries] == ["", "b"]
    assert (parsed.version, parsed.channel.title) == ("json10", "")


@pytest.mark.parametrize("case", [path.stem for path in sorted(QUIRKS.glob("*.xml")) if can_be_damaged(path)])
def test_the_tolerant_way_finds_the_same(case: str) -> None:
    """A document whose end is damaged gives the same items, field by field, as the sound one."""
    sound = parse_xml(decode((QUIRKS / f"{case}.xml").read_bytes()))
    end = sound.text.rindex("</channel>" if "</channel>" in sound.text else "</feed>")
    damaged = parse_xml(sound.text[:end] + "<generator version=1>x</wrong>")
    assert damaged.warnings
    assert parse_entries(damaged, url=URL).entries == parse_entries(sound, url=URL).entries


def test_half_a_field_is_none() -> None:
    """Found in a simulated month: half a date is another date, and would stick."""
    body = FEED % b"<item><guid>1</guid><title>Salt</title><pubDate>Sun, 15 Feb 2026 08:00:00 +0000</pubDate></item>"
    for end in range(body.index(b"Sun"), body.index(b"</pubDate>")):
        (entry,) = parse_feed(body[:end]).entries
        assert (entry.title, entry.published_at) == ("Salt", None)
    assert not parse_feed(body[: body.index(b"alt<")]).entries[0].title


def test_only_the_root_itself_ends_a_document() -> None:
    """Found by fuzzing: a feed's end inside an item is not the end of the feed around it."""
    item = (
        b"<item><title>Salt</title><feed></feed><guid>1</guid><pubDate>Wed, 27 Dec 2023 22:24:00 +0100</pubDate></item>"
    )
    assert parser_difference((FEED % item).decode()) == ""
    (entry,) = parse_feed((FEED % item)[:-6]).entries
    assert entry.published_at


@pytest.mark.parametrize("reference", ["&#129474;", "&#x1F9C2;", "&#233;", "&#38;", "&amp;"])
def test_references_in_attributes_read_the_same_both_ways(reference: str) -> None:
    """Found by fuzzing: the tolerant parser leaves references to characters beyond ASCII as they are in attributes."""
    item = f"<item><enclosure url='https://m.example/{reference * 50}.mp3' length='1' type='audio/mpeg'/></item>"
    assert parser_difference((FEED % item.encode()).decode()) == ""


@pytest.mark.parametrize("case", ["podcast-tags", "atom-xhtml", "dates", "rss-1.0", "undefined-entities"])
def test_each_item_alone_reads_as_in_the_whole(case: str) -> None:
    """Known items may be left out before the slow parser, and the others are what they were."""
    document = parse_xml(decode((QUIRKS / f"{case}.xml").read_bytes()))
    whole = parse_entries(document, url=URL).entries
    alone = [parse_entries(parse_xml(document.with_only({one}).decode()), url=URL).entries for one in document.elements]
    assert [entries for (*entries,) in alone] == [[entry] for entry in whole]


def test_hopeless_xml_still_gives_its_items() -> None:
    """Where even the tolerant tree is lost, the tolerant parser reads on."""
    body = FEED % (b"<item about=x><title>One</title></item>" * 3 + b"<item><title>Two</title></item>")
    assert not parse_xml(decode(body)).is_complete
    assert [entry.title for entry in parse_feed(body).entries] == ["One", "One", "One", "Two"]


@pytest.mark.parametrize(
    "body",
    [
        FEED % (b"<item>" * 20_000),
        FEED % (b"<item a='" * 20_000),
        FEED % (b"<item><description>" + b"<![CDATA[" * 20_000),
        FEED % (b"<item><title>t</title>" + b"<category>c</category>" * 5_000 + b"</item>"),
        FEED % (b"<item><title>t</title></item>" + b"<!--" * 20_000),
        FEED % (b"<item><description><![CDATA[" + b"<div>" * 20_000 + b"]]></description></item>"),
        b"<rss>" + b"<a>" * 20_000,
        b"<!DOCTYPE rss [" + b"<!ENTITY a 'b'>" * 5_000 + b"]>" + FEED % b"",
    ],
    ids=["open", "attributes", "cdata", "children", "comments", "html", "deep", "entities"],
)
def test_hostile_documents_end_soon(body: bytes) -> None:
    """Shapes that make parsers quadratic are bounded before they reach one."""
    before = time.process_time()
    with suppress(NotAFeedError):
        parse_feed(body, url=URL)
    assert time.process_time() - before < 3


def test_entities_are_never_fetched_or_expanded() -> None:
    """A document that names a local file, and one that laughs, give text as short as they are."""
    parsed = parse_feed((QUIRKS / "billion-laughs.xml").read_bytes())
    assert max(len(entry.title) for entry in parsed.entries) < 20


def test_feedparser_is_imported_only_when_needed() -> None:
    """JSON Feed, and a start without any feed, do not pay for it."""
    code = "import sys; import pipeline.ingest.parse.parser; sys.exit('feedparser' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
