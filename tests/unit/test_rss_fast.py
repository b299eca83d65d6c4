"""The fast path for simple RSS entries: the same result as feedparser, or none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.ingest.parse import rss_feedparser
from pipeline.ingest.parse.decode import decode
from pipeline.ingest.parse.rss_fast import parse_simple_entry, supports
from pipeline.ingest.parse.rss_feedparser import parse_entries
from pipeline.ingest.parse.xml_document import XmlDocument, is_feed, parse_xml
from pipeline.model.entry import RawEntry

NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
)
POST = "<title> Salt </title><link>https://h.example/a?x=1&amp;y=2</link><guid>https://h.example/?p=1</guid>"
PLAIN = [
    POST,
    f"{POST}<pubDate>Mon, 09 Feb 2026 06:00:00 GMT</pubDate><dc:creator><![CDATA[Ada Marsh]]></dc:creator>",
    f"{POST}<description><![CDATA[<p>Take <b>salt</b></p>]]></description><content:encoded>x</content:encoded>",
    f"{POST}<content:encoded>&lt;p&gt;All of it</content:encoded>",
    f"{POST}<category>Bread</category><category>Bread</category><category domain='x'>Bread</category><category/>",
    f"{POST}<enclosure url='https://h.example/1.mp3' length='12' type='audio/mpeg'/>",
    f"{POST}<itunes:duration>42:00</itunes:duration>",
    f"{POST}<itunes:image href='https://h.example/1.jpg'/><itunes:keywords>salt, fat,,salt</itunes:keywords>",
    f"{POST}<itunes:season>2</itunes:season><itunes:episode>7</itunes:episode>",
    f"{POST}<itunes:episodeType>Bonus</itunes:episodeType><slash:comments>3</slash:comments>",
    f"{POST}<podcast:season>3</podcast:season><podcast:person role='guest'>Ada</podcast:person>",
    f"{POST}<description>Short</description><itunes:summary>Longer than that</itunes:summary>",
    f"{POST}<content:encoded>Long</content:encoded><description>Short</description><itunes:summary>S</itunes:summary>",
    f"{POST}<dc:creator>Ada</dc:creator><itunes:author>The Harbour Table</itunes:author><author></author>",
    "<title>Salt 🧂 “fat”</title><guid>https://h.example/only</guid>",
    "<link>/a</link><guid>1</guid>",
    "<title>A guid that is no address</title><guid>site/7</guid>",
    "<title>No link</title><guid isPermaLink='false'>7</guid><source url='https://o.example/'>Other</source>",
]
NOT_PLAIN = {
    "two titles": f"{POST}<title>Again</title>",
    "markup that is none": f"{POST}<description>Salt <b>and</b> fat</description>",
    "a date nobody reads": f"{POST}<pubDate>soon</pubDate>",
    "Media RSS": f"{POST}<media:thumbnail url='https://h.example/1.jpg'/>",
    "an address in the author": f"{POST}<author>ada@h.example (Ada)</author>",
    "a charset to guess at": "<title>cafÃ©</title><guid isPermaLink='false'>1</guid>",
    "a summary before the description": f"{POST}<itunes:summary>S</itunes:summary><description>D</description>",
    "a summary with markup": f"{POST}<itunes:summary>S &amp;amp; more</itunes:summary>",
}


def feed(*items: str) -> XmlDocument:
    """Return a document with these entries."""
    inside = "".join(f"<item>{item}</item>" for item in items)
    return parse_xml(f'<rss version="2.0" {NAMESPACES}><channel><title>Harbour</title>{inside}</channel></rss>')


def parse_both_ways(document: XmlDocument) -> Iterator[tuple[RawEntry | None, RawEntry]]:
    """Yield each entry as parsed by the fast path and by feedparser."""
    parsed = rss_feedparser._feedparser(document.to_bytes())
    if len(parsed.entries) == len(document.elements):
        for item, entry in zip(document.elements, parsed.entries, strict=True):
            yield parse_simple_entry(item, {}), rss_feedparser._entry(entry, item, {})


@pytest.mark.parametrize("item", PLAIN)
def test_simple_entries_equal_those_of_feedparser(item: str) -> None:
    """Field by field, for every usual element."""
    ((straight, asked),) = parse_both_ways(feed(item))
    assert straight == asked


@pytest.mark.parametrize("item", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_ambiguous_entries_are_left_to_feedparser(item: str) -> None:
    """Anything that feedparser would repair or interpret is not supported."""
    ((straight, _),) = parse_both_ways(feed(item))
    assert straight is None


@pytest.mark.parametrize("root", ["<rss version='0.91'/>", "<feed/>"])
def test_only_rss_2_is_supported(root: str) -> None:
    """Other formats are left to feedparser."""
    assert not supports(parse_xml(root).root)


def test_mixed_entries_keep_their_order() -> None:
    """Entries are in document order, whichever way they were parsed."""
    items = [f"<title>{number}</title><guid isPermaLink='false'>{number}</guid>" for number in range(4)]
    items[1] += NOT_PLAIN["Media RSS"].removeprefix(POST)
    entries = parse_entries(feed(*items), url="").entries
    assert [(entry.guid, [picture.url for picture in entry.pictures]) for entry in entries] == [
        ("0", []), ("1", ["https://h.example/1.jpg"]), ("2", []), ("3", []),
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.corpus
def test_simple_entries_of_the_corpus_equal_those_of_feedparser(corpus: Path) -> None:
    """More than half of all entries are simple, and each gives the same result."""
    plain = 0
    for file in sorted(each for each in corpus.rglob("*") if each.is_file() and each.suffix != ".tsv"):
        text = decode(file.read_bytes())
        document = parse_xml(text) if is_feed(text) else None
        if document and document.is_complete and document.root is not None and supports(document.root):
            for straight, asked in parse_both_ways(document):
                assert straight in (None, asked), file.name
                plain += straight is not None
    assert plain > 1_500
