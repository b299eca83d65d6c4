"""Parsing feed documents: detection, damaged documents, and errors."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from pipeline.ingest.parse.addresses import page_link, resolve_bases
from pipeline.ingest.parse.decode import decode
from pipeline.ingest.parse.parser import describe_content, detect_parser, parse_feed, parse_incrementally
from pipeline.ingest.parse.result import MAX_ENTRIES, PreviousDocument
from pipeline.ingest.parse.rss_feedparser import parse_entries
from pipeline.ingest.parse.xml_document import parse_xml
from pipeline.model.entry import Enclosure, RawEntry
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Channel
from tests.growth import assert_linear
from tests.invariants import parser_difference
from tests.rows import shortened

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


@pytest.mark.parametrize(
    ("text", "body", "words"),
    [
        ("", b"\x00", "binary data"),
        (" \n", b" \x01", "binary data"),
        ("<Head>x", b"", "a web page"),
        ("words <html> b", b"", "a web page"),
        ("x" * 1995 + "<html>", b"", "a web page"),
        ("x" * 1996 + "<html>", b"", "text that is not a feed"),
        ("<header>", b"", "XML that is not a feed (<header>)"),
        ("<a:B-c.d e>", b"", "XML that is not a feed (<a:b-c.d>)"),
        (f"<{'a' * 50}>", b"", f"XML that is not a feed (<{'a' * 41}>)"),
        ("<1>", b"", "plain text"),
        (" [1]", b"", "JSON that is not a feed"),
        ("x <b>", b"", "text that is not a feed"),
        ("x", b"%PDF-1", "binary data"),
        ("x", b"GIF89a", "binary data"),
        ("x", b"PK\x03\x04", "binary data"),
        ("x", b"\xff\xd8\xff\xe0", "binary data"),
        ("x", b"x%PDF-1", "plain text"),
    ],
    ids=shortened,
)
def test_words_for_a_document_that_is_no_feed(text: str, body: bytes, words: str) -> None:
    """Its kind, as far as its beginning shows."""
    assert describe_content(text, body) == words
    with pytest.raises(NotAFeedError) as refusal:
        detect_parser(text, body)
    assert str(refusal.value) == f"returns {words}: enter the address of the feed itself."


@pytest.mark.parametrize(
    ("root", "version"),
    [
        ("<rss version='2.0'><channel>{}</channel></rss>", "rss20"),
        ("<rss version='0.92'><channel>{}</channel></rss>", "rss092"),
        ("<rss><channel>{}</channel></rss>", "rss"),
        ("<channel>{}</channel>", "rss"),
        ("<RDF>{}</RDF>", "rss"),
        ("<feed xmlns='http://www.w3.org/2005/Atom'>{}</feed>", "atom10"),
        ("<feed version='0.3' xmlns='http://purl.org/atom/ns#'>{}</feed>", "atom03"),
    ],
)
def test_the_version_of_a_document(root: str, version: str) -> None:
    """Its format; plain "rss" where it does not say."""
    entry = "<entry><title>a</title></entry>" if "feed" in root else "<item><title>a</title></item>"
    parsed = parse_feed(root.format(entry).encode())
    assert (parsed.version, len(parsed.entries)) == (version, 1)


def test_the_header_and_the_address_count() -> None:
    """The encoding of the header, and the address for relative ones, in a whole and an incremental parse."""
    body = "<rss><channel><title>Хлеб</title><link>/a</link><item><guid>1</guid></item></channel></rss>".encode(
        "koi8-r"
    )
    header = {"content_type": "text/xml; charset=koi8-r", "url": URL}
    for parsed in (parse_feed(body, **header), parse_incrementally(body, PreviousDocument(), **header).parsed):
        assert (parsed.channel.title, parsed.channel.url) == ("Хлеб", "https://harbourandhearth.example/a")


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


ITEM = {
    "id": 7.5,
    "url": "https://h.example/7",
    "external_url": "https://other.example/",
    "title": "Salt <b>",
    "summary": 'Salt & "fat"',
    "content_html": "<p>One.</p>",
    "content_text": "Two.",
    "date_published": "2026-02-10T08:30:00Z",
    "date_modified": "2026-02-11T08:30:00Z",
    "author": {"name": "Cy"},
    "authors": [{"name": "Ada"}, {"url": "x"}, {"name": "Bo"}, "Di"],
    "tags": ["bread", 7, "salt"],
    "image": "i.jpg",
    "banner_image": "b.jpg",
    "attachments": [
        {"url": "1.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 9},
        {"url": "2.mp3", "duration_in_seconds": 90, "size_in_bytes": True},
        {"url": "3.mp3", "duration_in_seconds": 80, "size_in_bytes": 0},
    ],
}
JSON_ENTRY = RawEntry(
    guid="7.5",
    link="https://h.example/7",
    title="Salt <b>",
    title_type="text",
    summary_html='Salt &amp; "fat"',
    content_html="<p>One.</p>",
    published_at=datetime(2026, 2, 10, 8, 30, tzinfo=UTC),
    updated_at=datetime(2026, 2, 11, 8, 30, tzinfo=UTC),
    author="Ada, Bo, Cy",
    categories=("bread", "salt"),
    enclosures=(
        Enclosure(url="1.mp3", media_type="audio/mpeg", length_bytes=9),
        Enclosure(url="2.mp3", media_type=""),
        Enclosure(url="3.mp3", media_type=""),
    ),
    picture_url="i.jpg",
    duration="90",
)


@pytest.mark.parametrize(
    ("without", "changes"),
    [
        ((), {}),
        (("url",), {"link": "https://other.example/"}),
        (("content_html",), {"content_html": "Two."}),
        (("content_html", "content_text"), {"content_html": ""}),
        (("image",), {"picture_url": "b.jpg"}),
        (("image", "banner_image"), {"picture_url": ""}),
        (("date_modified",), {"updated_at": None}),
        (("date_published",), {"published_at": None}),
        (("authors",), {"author": "Cy"}),
        (("author", "authors"), {"author": ""}),
        (("attachments",), {"enclosures": (), "duration": ""}),
    ],
)
def test_an_item_of_json(without: tuple[str, ...], changes: dict[str, Any]) -> None:
    """Each field that JSON Feed defines, and what takes its place where it is absent."""
    item = {name: value for name, value in ITEM.items() if name not in without}
    document = {"version": "https://jsonfeed.org/version/1.1", "items": [item]}
    assert parse_feed(json.dumps(document).encode()).entries == (replace(JSON_ENTRY, **changes),)


@pytest.mark.parametrize("field", ["date_published", "date_modified"])
def test_an_unreadable_date_of_json(field: str) -> None:
    """It is kept as written, to be named."""
    document = {"version": "https://www.jsonfeed.org/version/1", "items": [ITEM | {field: "last week"}]}
    (entry,) = parse_feed(json.dumps(document).encode()).entries
    assert entry.unreadable_date == "last week"


def test_a_channel_of_json() -> None:
    """Each field, its addresses absolute."""
    document = {
        "version": "https://jsonfeed.org/version/1.1", "title": "H", "home_page_url": "/", "description": "Bread.",
        "language": "en", "authors": [{"name": "Ada"}], "icon": "i.png", "favicon": "f.png", "feed_url": "/feed.json",
    }  # fmt: skip
    expected = Channel(
        title="H", url="https://h.example/", description="Bread.", language="en", author="Ada",
        picture_url="https://h.example/i.png", icon_url="https://h.example/f.png", self_url="https://h.example/feed.json",
    )  # fmt: skip
    assert parse_feed(json.dumps(document).encode(), url="https://h.example/x").channel == expected


@pytest.mark.parametrize("content", ["item", "entry", "json"])
@pytest.mark.parametrize("dates", [True, False])
def test_the_newest_of_too_many_entries(content: str, dates: bool) -> None:
    """By their dates, or else half from each end; how many are left out is counted."""
    count = MAX_ENTRIES + 2
    days = (
        [f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(count)] if dates else [""] * count
    )
    if content == "json":
        items = [{"id": f"{n}", "date_published": day} for n, day in enumerate(days)]
        body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items})
    elif content == "item":
        items = [f"<item><guid>{n}</guid><pubDate>{day}</pubDate></item>" for n, day in enumerate(days)]
        body = f"<rss version='2.0'><channel><title>H</title>{''.join(items)}</channel></rss>"
    else:
        items = [f"<entry><id>{n}</id><updated>{day}</updated></entry>" for n, day in enumerate(days)]
        body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>H</title>{''.join(items)}</feed>"
    half = MAX_ENTRIES // 2
    expected = range(2, count) if dates else [*range(half), *range(count - half, count)]
    parsed = parse_feed(body.encode())
    assert [entry.guid for entry in parsed.entries] == [f"{n}" for n in expected]
    assert parsed.channel.omitted_entries == 2


@pytest.mark.parametrize(
    ("inside", "link"),
    [
        ("<link>https://h.example/1</link><guid>https://h.example/2</guid>", "https://h.example/1"),
        ("<fb:origLink> https://h.example/0 </fb:origLink><link>https://h.example/1</link>", "https://h.example/0"),
        ("<fb:origLink/><link>https://h.example/1</link>", "https://h.example/1"),
        ("<guid>https://h.example/2</guid>", "https://h.example/2"),
        ("<guid isPermaLink='false'>https://h.example/2</guid>", ""),
        ("<guid isPermaLink='FALSE'>https://h.example/2</guid>", ""),
        ("<guid>urn:2</guid>", ""),
        ("<guid isPermaLink='true'>page/2</guid>", ""),
        ("<id>HTTP://h.example/3</id>", "HTTP://h.example/3"),
        ("<id>urn:3</id>", ""),
        ("<link href='/4'/><guid>https://h.example/2</guid>", "/4"),
        ("<link href='/4' type='audio/mpeg'/><link href='/5'/><link href='/6' type='text/HTML'/>", "/6"),
        ("<link href='/4' type='audio/mpeg'/><link href='/5'/>", "/5"),
        ("<link href='/4' type='audio/mpeg'/><guid>https://h.example/2</guid>", "/4"),
        ("<link href='/4' rel='self'/><link href='/5' rel='ALTERNATE'/>", "/5"),
        ("<link href='/4' rel='http://www.iana.org/assignments/relation/alternate'/>", "/4"),
        ("<link href='/4' rel='enclosure'/>", ""),
        ("<link>/7?a=1&amp;amp;b=2</link><link href='/6' type='text/html'/>", "/7?a=1&b=2"),
        ("<o:link>/8</o:link>", ""),
        ("<link> </link><guid>https://h.example/2</guid>", "https://h.example/2"),
    ],
)
def test_the_page_of_an_entry(inside: str, link: str) -> None:
    """The address before a redirect, an RSS link, an Atom link to a web page, any other, a guid that is an address."""
    element = etree.fromstring(f"<item xmlns:fb='urn:fb' xmlns:o='urn:o'>{inside}</item>")
    assert page_link(element) == link


@pytest.mark.parametrize(
    ("inside", "resolved"),
    [
        ("<link>b</link>", "<link>https://h.example/a/b</link>"),
        ("<link href=' b '/>", '<link href="https://h.example/a/b"/>'),
        ("<link src='b' type='c'/>", '<link src="https://h.example/a/b" type="c"/>'),
        ("<enclosure url='b'/>", '<enclosure url="https://h.example/a/b"/>'),
        ("<guid>b</guid>", "<guid>b</guid>"),
        ("<guid isPermaLink='true'>b</guid>", '<guid isPermaLink="true">https://h.example/a/b</guid>'),
        ("<guid isPermaLink='false'>b</guid>", '<guid isPermaLink="false">b</guid>'),
        ("<comments>b</comments><uri>c</uri><name>d</name>",
         "<comments>https://h.example/a/b</comments><uri>https://h.example/a/c</uri><name>d</name>"),
        ("<link xml:base='/z/' href='b'/>", '<link href="https://h.example/z/b"/>'),
        ("<link xml:base='' href='b'/>", '<link href="https://h.example/a/b"/>'),
        ("<link href='https://[b'/>", '<link href="https://[b"/>'),
        ("<title href='b'>c</title>", '<title href="b">c</title>'),
        ("<link href=''/>", '<link href=""/>'),
    ],
)  # fmt: skip
def test_addresses_below_a_base(inside: str, resolved: str) -> None:
    """Those of attributes and elements that are addresses; a guid only if it is declared to be one."""
    document = parse_xml(
        f"<feed><entry xml:base='a/'>{inside}</entry><entry>{inside.replace(' xml:base=', ' x=')}</entry></feed>"
    )
    found = resolve_bases(document, "https://h.example/feed")
    first = etree.tostring(found.elements[0], encoding="unicode")
    assert first == f"<entry>{resolved}</entry>"
    assert "https://h.example/a/" not in etree.tostring(found.elements[1], encoding="unicode")


@pytest.mark.parametrize(
    ("written", "repaired"),
    [
        ("a & b && c", "a &amp; b &amp;&amp; c"),
        ("a < b << c <<<b>d</b>", "a &lt; b &lt;&lt; c &lt;&lt;<b>d</b>"),
        ("&eacute;&nosuch;&amp;&lt;", "é&amp;nosuch;&amp;&lt;"),
        ("&#233;&#x1F9C2;&#38;&#60;&#0;&#x1F;", "é🧂&amp;&lt;"),
        ("&#55358;&#56770; & &#xD83E;&#XDDC2", "🧂 &amp; 🧂"),
        ("&#55358;&#55358;&#56770;&#56770; & &#55203;", "🧂 &amp; 힣"),
        ("<![CDATA[a & b]]><!-- c & d --><?e & f?>&", "<![CDATA[a & b]]><!-- c & d --><?e & f?>&amp;"),
    ],
)
def test_repairs(written: str, repaired: str) -> None:
    """Stray marks are escaped, named references become characters; CDATA and comments stay."""
    document = parse_xml(f"<rss><channel><item><title>{written}</title></item></channel></rss>")
    title = document.root.find(".//title")
    inside = (title.text or "") + "".join(etree.tostring(child, encoding="unicode") for child in title)
    expected = etree.fromstring(f"<title>{repaired}</title>")
    assert inside == (expected.text or "") + "".join(etree.tostring(child, encoding="unicode") for child in expected)
    assert document.is_complete


def test_missing_prefixes_are_declared() -> None:
    """With the namespaces that they usually stand for; those that are declared, and xml, are not declared again."""
    inside = (
        "<itunes:author>Ada</itunes:author><odd:x>1</odd:x><dc:creator>Bo</dc:creator><title xml:lang='en'>a</title>"
    )
    text = f"<rss xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><item>{inside}</item></channel></rss>"
    document = parse_xml(text)
    assert document.root.nsmap == {
        "dc": "http://purl.org/dc/elements/1.1/",
        "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "odd": "urn:undeclared:odd",
    }
    assert document.warnings
    assert document.damage == ""


@pytest.mark.parametrize("text", ["a&#55358;&#56770;b", "<![CDATA[a&#xd83e;&#xddc2;b]]>", "a&#55358;&#56770;b & c"])
def test_a_character_written_as_two_references(text: str) -> None:
    """Some programs write an emoji so; half of one is nothing."""
    (entry,) = parse_feed(FEED % f"<item><guid>1</guid><description>{text}</description></item>".encode()).entries
    assert entry.summary_html.startswith("a🧂b")


@pytest.mark.parametrize(
    ("channel", "home"),
    [
        ("<link>https://h.example/home</link>", "https://h.example/home"),
        (f"<atom:link rel='self' href='{URL}'/><link>../home</link>", "https://harbourandhearth.example/home"),
        (f"<atom:link rel='self' href='{URL}'/>", ""),
    ],
)
def test_the_home_page_of_a_channel(channel: str, home: str) -> None:
    """Its own link, never the address of the feed or an entry's."""
    item = "<item><title>Salt</title><link>https://h.example/1</link><x:y xmlns:x='u'><b/></x:y></item>"
    atom = "xmlns:atom='http://www.w3.org/2005/Atom'"
    text = f"<rss {atom} version='2.0'><channel><title>H</title>{channel}{item}</channel></rss>"
    found = parse_feed(text.encode(), url=URL).channel
    assert (found.url, found.self_url) == (home, URL if "self" in channel else "")


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
