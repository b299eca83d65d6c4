"""What is read from a web page: its metadata, the feeds that it announces, and the older page of a feed."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.ingest.chapters import MAX_CHAPTERS, read_chapters, read_transcript
from pipeline.ingest.discover import MAX_CANDIDATES, MAX_FEEDS, MAX_PAGE_CHARS, find_feeds
from pipeline.ingest.opml import MAX_BYTES, MAX_OUTLINES, Outline, read_opml, write_opml
from pipeline.ingest.pagination import next_page_url, numbered_page_url, page_hash
from pipeline.ingest.webpage import MAX_DESCRIPTION_WORDS, PageMetadata, read_metadata
from pipeline.ingest.webpage import MAX_PAGE_CHARS as MAX_METADATA_CHARS
from pipeline.model.entry import TimedText
from pipeline.model.errors import UsageError
from tests.rows import shortened

URL = "https://h.example/a/?utm_source=x"
PAGE = "https://h.example/a/"


@pytest.mark.parametrize(
    ("page", "changes"),
    [
        ("", {}),
        ("<title>Salt &amp; <b>x", {"title": "Salt &"}),
        ("<TITLE lang='en'> Salt\n fat </TITLE><title>Second</title>", {"title": "Salt fat"}),
        ("<title>T</title><meta property='og:title' content='O'><meta name='twitter:title' content='W'>",
         {"title": "O"}),
        ("<title>T</title><meta name='Twitter:Title' content='W'>", {"title": "W"}),
        ("<title>T</title><meta property='og:title' content=' '>", {"title": "T"}),
        ("<meta property='og:title'><title>T</title>", {"title": "T"}),
        ("<meta name='description' content='D &lt;b&gt;x&lt;/b&gt;'>", {"description": "D x"}),
        ("<meta name='twitter:description' content='W'><meta name=description content='D'>", {"description": "D"}),
        ("<meta name='twitter:description' content='W'>", {"description": "W"}),
        ('<meta content="O" property="OG:description"><meta name=description content="D">', {"description": "O"}),
        (f"<meta name=description content='{'x ' * MAX_DESCRIPTION_WORDS}'>",
         {"description": " ".join("x" * MAX_DESCRIPTION_WORDS)}),
        (f"<meta name=description content='{'x ' * (MAX_DESCRIPTION_WORDS + 1)}'>",
         {"description": " ".join("x" * MAX_DESCRIPTION_WORDS) + "…"}),
        ("<link rel=canonical href='/b?utm_source=x'>", {"url": "https://h.example/b"}),
        ("<link href=\"https://www.h.example/b\" rel='Canonical'>", {"url": "https://www.h.example/b"}),
        ("<link rel=canonical href='https://o.example/b'>", {}),
        ("<link rel=canonical href='javascript:x'><link rel=canonical href='/c'>", {}),
        ("<link rel=canonical><link rel=stylesheet href='/s'>", {}),
        ("<!-- <title>T</title> --><script><title>T</title></script >", {}),
        ("<script><title>T</title>", {}),
        (" " * (MAX_METADATA_CHARS - 12) + "<title>Salt</title>", {"title": "Salt"}),
        (" " * (MAX_METADATA_CHARS - 9) + "<title>Salt</title>", {"title": "Sa"}),
    ],
    ids=shortened,
)  # fmt: skip
def test_the_metadata_of_a_page(page: str, changes: dict[str, Any]) -> None:
    """Each field from the first place that has it; the canonical address only on the same site."""
    assert read_metadata(page.encode(), "text/html", URL) == PageMetadata(**{"url": PAGE} | changes)


def test_the_encoding_of_a_page() -> None:
    """The one of the header."""
    body = "<title>Хлеб</title>".encode("koi8-r")
    assert read_metadata(body, "text/html; charset=koi8-r", URL).title == "Хлеб"
    assert read_metadata(b"<title>Salt</title>", "", "not an address").url == ""


@pytest.mark.parametrize(
    ("page", "found"),
    [
        *((f"<link rel=alternate type='{kind}' href='/x'>", ["x"]) for kind in (
            "application/rss+xml", "application/atom+xml", "application/rdf+xml", "Application/Feed+JSON ; v=1",
            "text/rss+xml")),
        *((f"<link rel=alternate type='{kind}' href='/x'><link rel=alternate type='{kind}' href='/feed.xml'>",
           ["feed.xml"]) for kind in ("application/xml", "text/xml", "application/json")),
        ("<link rel=alternate type='text/html' href='/feed'>", []),
        ("<link rel=alternate href='/feed'>", []),
        ("<link type='application/rss+xml' href='/x'>", []),
        ("<link rel='me FEED' href='/x'>", ["x"]),
        ("<link rel='feeds' href='/x'>", []),
        ("<link rel=feed>", []),
        *((f"<a href='/{path}'>x</a>", [path]) for path in (
            "feed", "feeds/", "rss.xml", "atom.json", "index.rdf", "podcast", "x.rss", "x.atom", "x.rdf", "?feed=rss2",
            "x?a=b&format=atom")),
        *((f"<a href='/{path}'>x</a>", []) for path in ("feeder", "x.xml", "rss/x", "?feed=x", "x.rss.html")),
        *((f"<a href='/x'>{text}</a>", ["x"]) for text in ("RSS", "our Atom", "JSON feed", "the feed of all")),
        *((f"<a href='/x'>{text}</a>", []) for text in ("feedback", "rsss", "", "x<b>RSS</b>")),
        ("<a href='https://rss.o.example/x'>x</a>", ["https://rss.o.example/x"]),
        ("<a href='https://my.rss.example/x'>x</a>", []),
        ("<link href='/feed'>", []),
        ("<base href='/b/'><a href='feed'>x</a><base href='c/'><a href='rss'>x</a>", ["b/feed", "b/c/rss"]),
        ("<base><base href=''><a href='feed'>x</a>", ["a/feed"]),
        ("<a href='/rss'>1</a><link rel=feed href='/b'><a href='/atom'>2</a><link rel=feed href='/z'>",
         ["b", "z", "rss", "atom"]),
        ("<a href='/rss?utm_source=1'>1</a><link rel=feed href='/rss'>", ["rss"]),
        ("<a href='/a/'>our feed</a>", []),
        ("<!-- x --><a name='x'>y</a><a href='javascript:x'>RSS</a><a href='/rss'>x</a>", ["rss"]),
        ("<a href='/rss' title='Comments on: Bread'>x</a><a href='/feed'>Comments</a>", []),
        ("<a href='/rss' title='News'>Comments</a>", ["rss"]),
        ("<a href=rss>x</a><a HREF = '/b.rss'>x</a>", ["a/rss", "b.rss"]),
        (" " * (MAX_PAGE_CHARS - 20) + "<a href='/rss'>1</a><a href='/feed'>2</a>", ["rss"]),
        ("".join(f"<a href='/{n}.rss'>x</a>" for n in range(MAX_FEEDS + 1)), [f"{n}.rss" for n in range(MAX_FEEDS)]),
        ("<a href='/rss'>x</a>" * (MAX_CANDIDATES - 1) + "<a href='/1.rss'>x</a><a href='/2.rss'>x</a>",
         ["rss", "1.rss"]),
    ],
    ids=shortened,
)  # fmt: skip
def test_which_feeds_a_page_has(page: str, found: list[str]) -> None:
    """By relation and type, or by what its links look like; announced ones first, each once."""
    expected = tuple(each if "://" in each else f"https://h.example/{each}" for each in found)
    assert find_feeds(page.encode(), PAGE) == expected


@pytest.mark.parametrize(
    ("body", "page"),
    [
        ("<feed><link rel='next' href=' /2 '/></feed>", "2"),
        ("<feed><link rel='next' href='/2'/><link rel='prev-archive' href=''/></feed>", "2"),
        ("<feed><link rel='prev-archive' href='/3'/><link rel='next' href='/2'/></feed>", "3"),
        ("<feed><a:link href=\"/2?a=1&amp;b=2\" rel='NEXT'/><entry>x</entry></feed>", "2?a=1&b=2"),
        ("<feed><entry>a</entry><x><entry>b</entry></x><link rel='next' href='/4'/></feed>", "4"),
        ("<rss><item>a</item><item><link rel='next' href='/4'/></item></rss>", ""),
        ("<rss><a:item >a<link rel='next' href='/4'/></a:item></rss>", ""),
        ("<rss><items>a<link rel='next' href='/4'/></items></rss>", "4"),
        ("<feed><link rel='previous' href='/4'/></feed>", ""),
        (' {"next_url": "/5"}', "5"),
        ('{"next_url": null}', ""),
        ("[" * 10_000, ""),
        ("{" * 10_000, ""),
    ],
    ids=shortened,
)
def test_the_next_page_of_a_feed(body: str, page: str) -> None:
    """Of its own links, not those of its entries."""
    assert next_page_url(body.encode(), "", "https://h.example/feed") == (page and f"https://h.example/{page}")


def test_numbers_and_hashes_of_pages() -> None:
    """Any query keeps its order; a hash is short and depends on the guids alone."""
    assert numbered_page_url("https://h.example/f?b=1&paged=3&a=#x", 12) == "https://h.example/f?b=1&a=&paged=12"
    assert page_hash(["b", "a"]) == page_hash(iter(["a", "b"])) == "7e18f737311b2dc3"
    assert len(page_hash(["\ud800"])) == 16


@pytest.mark.parametrize(
    ("chapters", "expected"),
    [
        ('{"startTime": 5, "title": " A  b "}', [("A b", 5)]),
        ('{"startTime": "1:02:03", "title": "A"}', [("A", 3723)]),
        ('{"startTime": "9:1:02:03.9", "title": "A"}', [("A", 3723)]),
        ('{"startTime": true, "title": "A"}', [("A", None)]),
        ('{"startTime": "soon", "title": "A"}, {"title": "B"}, {"startTime": 1, "title": "C"}',
         [("C", 1), ("A", None), ("B", None)]),
        ('{"startTime": 999999.5, "title": "A"}, {"startTime": 1000000, "title": "B"}', [("A", 999_999), ("B", None)]),
        ('{"startTime": 0, "title": "A"}, {"startTime": -1, "title": "B"}', [("B", None), ("A", 0)]),
        ('{"startTime": 1, "title": "A"}, {"startTime": 2, "title": "A"}', [("A", 1)]),
        ('{"startTime": 1, "title": "A", "toc": true}, {"startTime": 2, "title": "B", "toc": false}', [("A", 1)]),
        ('{"startTime": 1, "title": 7}, {"startTime": 1}, 5, {"startTime": 2, "title": ""}', []),
        *((f'{{"startTime": 1, "title": "{title}"}}', []) for title in (
            "Intro", "introduction", "OUTRO", "Start", "End", "Ad", "ads", "Advert", "Advertisement", "Sponsor",
            "Sponsors", "Chapter 12")),
        *((f'{{"startTime": 1, "title": "{title}"}}', [(title, 1)]) for title in ("Starter", "Chapter A", "The end")),
        (", ".join(f'{{"startTime": {n}, "title": "T{n}"}}' for n in range(9)),
         [(f"T{n}", n) for n in range(MAX_CHAPTERS)]),
    ],
    ids=shortened,
)  # fmt: skip
def test_chapters(chapters: str, expected: list[tuple[str, int | None]]) -> None:
    """In the order of their times; one without a time that can be read comes last."""
    found = read_chapters(f'{{"chapters": [{chapters}]}}'.encode())
    assert found == tuple(TimedText(text=text, start_seconds=start) for text, start in expected)


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b"{}", b'{"chapters": {}}', b'{"chapters": "x"}', b"[" * 10_000], ids=shortened
)
def test_a_document_without_chapters(body: bytes) -> None:
    """Whatever else it is."""
    assert read_chapters(body) == ()


WORDS = "The bread rests for an hour on the table."


@pytest.mark.parametrize(
    ("body", "kind", "opening", "start"),
    [
        (f"WEBVTT\n\n1\n00:07.500 --> 00:09.000 line:0\n{WORDS}", "", WORDS, 7),
        (f"WEBVTT\r\n\r\nNOTE x\r\n\r\n01:00:07.500 --> 01:00:09.000\r\n<v Ada>{WORDS}</v>", "text/vtt", WORDS, 3607),
        (f"1\n00:00:07,500 --> 00:00:09,000\n{{\\an8}}{WORDS}\n", "application/srt", WORDS, 7),
        ("1\n00:00:01,000 --> 00:00:02,000\n[music] ♪\n\n2\n00:00:03,000 --> 00:00:04,000\nSalt\nand fat.",
         "", "Salt and fat.", 3),
        (f"<p>{WORDS}</p>", "text/html", WORDS, None),
        (f" <div>{WORDS}</div>", "", WORDS, None),
        (f"{WORDS} &amp; &lt;", "text/plain", f"{WORDS} & <", None),
        ("x " * 41, "text/plain", ("x " * 40).strip() + "…", None),
    ],
    ids=shortened,
)  # fmt: skip
def test_the_opening_of_a_transcript(body: str, kind: str, opening: str, start: int | None) -> None:
    """In every format: what is said, and when it begins."""
    assert read_transcript(body.encode(), kind)[0] == TimedText(text=opening, start_seconds=start)


@pytest.mark.parametrize(
    "body", ["", " ", "WEBVTT", "WEBVTT - Salt\n\nNOTE none", '{"segments": []}', "00:01.000 --> 00:02.000\n[music]"]
)
def test_a_transcript_without_words(body: str) -> None:
    """It has no opening."""
    assert read_transcript(body.encode()) == ()


OUTLINE = '<outline text="T" title="U" xmlUrl="https://h.example/{}"/>'


@pytest.mark.parametrize(
    ("inside", "changes"),
    [
        ('<outline xmlUrl=" https://h.example/f "/>', {}),
        ('<OUTLINE XMLURL="https://h.example/f" Text=" a  b " Title="c"/>', {"name": "a b", "title": "c"}),
        ('<outline text="F"><outline xmlUrl="https://h.example/f"/></outline>', {"folder": "F"}),
        ('<outline text="Podcasts"><outline xmlUrl="https://h.example/f"/></outline>',
         {"folder": "Podcasts", "kind": "podcast"}),
        ('<outline text="Podcasts"><outline xmlUrl="https://h.example/f" type="blogs"/></outline>',
         {"folder": "Podcasts", "kind": "blog"}),
        ('<outline xmlUrl="https://h.example/f" category="/x, Link/y"/>', {"kind": "links"}),
        ('<outline xmlUrl="https://h.example/f" type="rss"/>', {}),
        ('<outline text="A & B" xmlUrl="https://h.example/f"/>', {"name": "A & B"}),
        ('<outline text="&eacute;&nosuch; < &#38;" xmlUrl="https://h.example/f"/>', {"name": "é&nosuch; < &"}),
        ("<outline text=A xmlUrl=https://h.example/f />", {"is_damaged": True}),
        ("<!-- <outline xmlUrl='https://h.example/c'/> --><outline text=A xmlUrl = 'feed://h.example/f' />",
         {"url": "http://h.example/f", "is_damaged": True}),
    ],
)  # fmt: skip
def test_an_outline(inside: str, changes: dict[str, Any]) -> None:
    """Its names in any case, its kind, its folder; a broken one is damaged."""
    expected = Outline(**{"url": "https://h.example/f"} | changes)
    assert read_opml(f"<opml><body>{inside}</body></opml>".encode()) == (expected,)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<opml/>" + b" " * MAX_BYTES, "the file is too large for a list of feeds: export one from your feed reader."),
        (b"<opml " + b"x" * 10_000, "the file is too large for a list of feeds: export one from your feed reader."),
        (b"", "the file is not OPML: export one from your feed reader."),
        (b"<rss/>", "the file is not OPML: export one from your feed reader."),
        (b"words", "the file is not OPML: export one from your feed reader."),
        (f"<opml>{OUTLINE * (MAX_OUTLINES + 1)}</opml>".encode(),
         "the file lists 2,001 feeds: split it into files of at most 2,000."),
    ],
    ids=["large", "endless", "empty", "rss", "words", "many"],
)  # fmt: skip
def test_a_file_that_is_no_opml(body: bytes, message: str) -> None:
    """The error says what to do."""
    with pytest.raises(UsageError) as refusal:
        read_opml(body)
    assert str(refusal.value) == message


def test_the_largest_list() -> None:
    """Of the most outlines and the most bytes."""
    assert len(read_opml(f"<opml>{OUTLINE * MAX_OUTLINES}</opml>".encode())) == MAX_OUTLINES
    assert read_opml(b"<opml/>" + b" " * (MAX_BYTES - 7)) == ()


def test_a_written_list() -> None:
    """Feeds of one folder share its outline, as long as they follow each other; what is empty is left out."""
    outlines = [
        Outline(url="https://a.example/", name="A", title="Ä & B", kind="blog", folder="F"),
        Outline(url="https://b.example/", name="B", folder="F"),
        Outline(url="https://c.example/"),
        Outline(url="https://d.example/", folder="F"),
    ]
    assert write_opml("Mine", outlines).decode() == (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<opml version="2.0">\n  <head>\n    <title>Mine</title>\n  </head>\n  <body>\n    <outline text="F">\n'
        '      <outline text="A" title="Ä &amp; B" type="rss" xmlUrl="https://a.example/" category="blog"/>\n'
        '      <outline text="B" type="rss" xmlUrl="https://b.example/"/>\n    </outline>\n'
        '    <outline type="rss" xmlUrl="https://c.example/"/>\n    <outline text="F">\n'
        '      <outline type="rss" xmlUrl="https://d.example/"/>\n    </outline>\n  </body>\n</opml>\n'
    )
