"""Rules of normalising that no single fixture shows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.normalise import MAX_GUID_CHARS, normalise
from pipeline.ingest.parse.parser import parse_feed
from pipeline.model.entry import Enclosure, Entry, ParsedFeed, Person, RawEntry
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Channel, Feed, FeedKind
from pipeline.text.html import plain_text
from pipeline.text.plain_text import count_words, excerpt_text
from pipeline.text.urls import clean_url

FEED = Feed(id="blog", url="https://harbourandhearth.example/feed/", kind="blog")
NOW = datetime(2026, 2, 16, tzinfo=UTC)
RAW = RawEntry(guid="1", link="https://harbourandhearth.example/1/", title="Salt", published_at=NOW - timedelta(days=3))


def normalised(*raws: RawEntry, channel: Channel | None = None, now: datetime = NOW) -> tuple[Entry, ...]:
    """Return the entries of a document with these raw entries."""
    parsed = ParsedFeed(version="rss20", channel=channel or Channel(), entries=raws)
    return normalise(parsed, FEED, url=FEED.url, now=now)


def test_the_same_document_gives_the_same_entries() -> None:
    """The result depends on nothing but the arguments."""
    assert normalised(RAW, replace(RAW, guid="")) == normalised(RAW, replace(RAW, guid=""))


def test_guid_does_not_depend_on_the_document_url() -> None:
    """A feed that moves keeps its entries: a guid is never resolved against a URL."""
    bare = RawEntry(guid="41", title="Salt")
    assert normalised(bare)[0].guid == normalise(
        ParsedFeed(version="rss20", channel=Channel(), entries=(bare,)), FEED, url="https://new.example/", now=NOW
    )[0].guid == "41"  # fmt: skip


def test_same_guid_and_link_with_other_media_are_two_episodes() -> None:
    """A show that links every episode to its home page and repeats a guid loses none."""
    first = replace(RAW, enclosures=(Enclosure(url="https://m.example/1.mp3", media_type="audio/mpeg"),))
    second = replace(RAW, enclosures=(Enclosure(url="https://m.example/2.mp3", media_type="audio/mpeg"),))
    assert [entry.guid for entry in normalised(first, second, first)] == ["1", "1|m.example/2.mp3"]


@pytest.mark.parametrize(("length", "kept"), [(MAX_GUID_CHARS, True), (MAX_GUID_CHARS + 1, False)])
def test_long_guid_is_hashed(length: int, kept: bool) -> None:
    """Up to the limit a guid is kept as it is."""
    assert (normalised(replace(RAW, guid="g" * length))[0].guid == "g" * length) is kept


@pytest.mark.parametrize(
    ("published", "updated", "dated_by", "instant"),
    [
        (NOW - timedelta(days=1), NOW, "published", NOW - timedelta(days=1)),
        (NOW + timedelta(hours=23), None, "published", NOW + timedelta(hours=23)),
        (NOW + timedelta(days=2), NOW - timedelta(days=1), "updated", NOW - timedelta(days=1)),
        (NOW + timedelta(days=2), None, "first_seen", NOW),
        (None, NOW - timedelta(days=1), "updated", NOW - timedelta(days=1)),
        (None, None, "first_seen", NOW),
        (datetime(1970, 1, 1, tzinfo=UTC), None, "first_seen", NOW),
    ],
)
def test_dates_fall_back(
    published: datetime | None, updated: datetime | None, dated_by: str, instant: datetime
) -> None:
    """Published, updated, first seen; impossible dates are ignored."""
    entry = normalised(replace(RAW, published_at=published, updated_at=updated))[0]
    assert (entry.dated_by, entry.published_at) == (dated_by, instant)


def test_a_name_in_podcast_person_is_the_guest() -> None:
    """The guest in the title comes first, the feed's own list second."""
    assert normalised(replace(RAW, title="Podcast – Ada Marsh – Salt"))[0].guest == "Ada Marsh"


def test_guest_in_the_title_and_generic_authors() -> None:
    """Only in the title of an episode: in that of a post "(with …)" may be a dish."""
    sound = Enclosure(url="https://harbourandhearth.example/1.mp3", media_type="audio/mpeg")
    raw = replace(RAW, title="#12 – The Rye Question (with Ida Brandt)", author="admin")
    heard, read = normalised(replace(raw, enclosures=(sound,)), replace(raw, guid="2"))
    assert (heard.guest, heard.title, heard.author) == ("Ida Brandt", "#12 – The Rye Question", "")
    assert (read.guest, read.title) == ("", "#12 – The Rye Question (with Ida Brandt)")


def test_the_longer_text_is_the_body() -> None:
    """Some feeds swap summary and content; the longer one is the body."""
    long, short = "<p>" + "Salt and smoke. " * 50 + "</p>", "<p>About salt.</p>"
    one, other = normalised(replace(RAW, content_html=long, summary_html=short))[0], normalised(
        replace(RAW, content_html=short, summary_html=long)
    )[0]  # fmt: skip
    assert (one.body_html, one.excerpt_text) == (other.body_html, other.excerpt_text)
    assert one.excerpt_text == "About salt."


LONG_TEXT = "<p>" + "The tide waits for the boats. " * 90 + "</p>"


@pytest.mark.parametrize(
    ("version", "texts", "is_cut"),
    [
        ("rss20", {"content_html": LONG_TEXT}, False),
        ("rss20", {"summary_html": LONG_TEXT}, False),
        ("atom10", {"summary_html": LONG_TEXT}, True),
        ("json11", {"summary_html": LONG_TEXT}, True),
        ("atom10", {"summary_html": "<p>The tide waits […]</p>", "content_html": LONG_TEXT}, False),
        ("rss20", {"summary_html": LONG_TEXT + " [&#8230;]"}, True),
        ("rss20", {"content_html": LONG_TEXT + "<p>And then…</p></div>\n"}, True),
        ("rss20", {"content_html": LONG_TEXT + '<p><a href="/tide">Continue reading</a></p>'}, True),
        ("rss20", {"content_html": LONG_TEXT + '<p><a href="/tide">Lire la suite →</a></p>'}, True),
        ("rss20", {"content_html": LONG_TEXT + '<p><a href="/tide">Читать далее</a></p>'}, True),
        ("rss20", {"content_html": LONG_TEXT + '<p><a href="/tide">続きを読む</a></p>'}, True),
        ("rss20", {"content_html": LONG_TEXT + '<p>[…] <a class="more" href="/tide">Lees verder »</a></p>'}, True),
        ("rss20", {"content_html": LONG_TEXT + "<p>Wie meer wil, kan verder lezen.</p>"}, False),
        ("rss20", {"content_html": LONG_TEXT + "<p>The post Tide appeared first on Harbour.</p>"}, False),
        ("rss20", {"content_html": LONG_TEXT + "<p>Wait… and see.</p>"}, False),
    ],
)
def test_a_text_is_cut_if_it_says_so_or_its_format_does(version: str, texts: dict[str, str], is_cut: bool) -> None:
    """In Atom and JSON Feed a summary is never the whole text; the description of RSS may be."""
    raw = replace(RAW, **texts)
    parsed = ParsedFeed(version=version, channel=Channel(), entries=(raw,))
    (entry,) = normalise(parsed, FEED, url=FEED.url, now=NOW)
    assert entry.is_cut is is_cut
    assert count_words(plain_text(entry.body_html)) >= 540


def test_an_excerpt_skips_headings_and_pictures() -> None:
    """It begins after the heading, the figure and its caption."""
    body = "<h2>Method</h2><figure><img src='/a.jpg'><figcaption>A loaf</figcaption></figure><p>Mix well.</p>"
    assert normalised(replace(RAW, content_html=body))[0].excerpt_text == "Mix well."


def _block(kind: str, words: int) -> str:
    sentence = " ".join(["salt"] * words) + "."
    inner = {"ul": f"<li>{sentence}</li>", "table": f"<tr><td>{sentence}</td></tr>", "figure": _FIGURE}
    return f"<{kind}>{inner.get(kind, sentence)}</{kind}>"


_FIGURE = "<img src='https://harbourandhearth.example/a.jpg'><figcaption>A caption of five words</figcaption>"
_kinds = st.sampled_from(["p", "p", "p", "ul", "blockquote", "h2", "figure", "table", "pre"])


@given(st.lists(st.tuples(_kinds, st.integers(1, 90)), min_size=1, max_size=12))
def test_excerpt_of_a_long_text(blocks: list[tuple[str, int]]) -> None:
    """The first prose counts, however many blocks follow and wherever reading stops."""
    body = "".join(_block(kind, words) for kind, words in blocks)
    prose = [_block("p", words)[3:-4] for kind, words in blocks if kind in ("p", "ul", "blockquote")]
    (entry,) = normalised(replace(RAW, content_html=body))
    wanted = excerpt_text(" ".join(prose))
    assert entry.excerpt_text == wanted if wanted else entry.excerpt_text


@pytest.mark.parametrize("text", ["0", "-1", "", "two", "1.2.3", "999999999", "²"])
def test_invalid_numbers_are_none(text: str) -> None:
    """Zero, words and unusual digits are not a number."""
    assert normalised(replace(RAW, episode=text))[0].episode is None


PIECES = st.sampled_from(
    [
        *(
            "<item>",
            "</item>",
            "<entry>",
            "<title>",
            "</title>",
            "<link>",
            "</link>",
            "<guid>",
            "</guid>",
            "<description>",
        ),
        *(
            "</description>",
            "<![CDATA[",
            "]]>",
            "&amp;",
            "&",
            "&#0;",
            "&#xD800;",
            "&lt;b&gt;",
            "<!--",
            "-->",
            "<?",
            "'",
            '"',
        ),
        *(
            "<link href='javascript:x'/>",
            "<enclosure url='data:x' type='audio/mpeg'/>",
            "<content",
            "<content type='xhtml'>",
        ),
        *(
            "<itunes:image href='file:///x'/>",
            "<podcast:person>A",
            "<media:content url='ftp:x'/>",
            "javascript:alert(1)",
        ),
        *(
            "<pubDate>Tue, 10 Feb 2026 08:30:00 GMT</pubDate>",
            "https://h.example/x?utm_source=y",
            "\x00",
            "\u202e",
            "é",
            "🧂",
        ),
        *(
            "<a href='vbscript:x'>",
            "<img src='//h.example/x.jpg'>",
            "<ol><li>",
            "</ol>",
            "xml:base='javascript:x'",
            " ",
        ),
    ]
)
ROOTS = st.sampled_from(
    ["<rss version='2.0'><channel>", "<feed xmlns='http://www.w3.org/2005/Atom'>", "<rdf:RDF>", "", "{"]
)


@settings(max_examples=50)
@given(ROOTS, st.lists(PIECES, max_size=40), st.sampled_from(["utf-8", "utf-16", "windows-1252"]))
def test_any_document_gives_safe_entries_or_is_refused(root: str, pieces: list[str], encoding: str) -> None:
    """No exception but NotAFeedError, no unsafe URL, no repeated guid, for any document."""
    body = (root + "".join(pieces)).encode(encoding, "ignore")
    try:
        entries = normalise(parse_feed(body, url=FEED.url), FEED, url=FEED.url, now=NOW)
    except NotAFeedError:
        return
    assert len({entry.guid for entry in entries}) == len(entries)
    for entry in entries:
        assert_safe(entry)


def assert_safe(entry: Entry) -> None:
    """Check the invariants of an entry."""
    addresses = [entry.url, entry.chapters_url, *(transcript.url for transcript in entry.transcripts)]
    addresses += [entry.enclosure.url] if entry.enclosure else []
    addresses += [entry.picture.url] if entry.picture else []
    assert all(address == clean_url(address) for address in addresses)
    assert entry.guid
    assert entry.published_at <= NOW + timedelta(days=1)
    assert "\x00" not in entry.title + entry.guid + entry.body_html + entry.excerpt_text
    assert "<script" not in entry.body_html
    assert not re.search(r"<[^>]*\s(?:href|src|cite)=\"(?!https?://|mailto:)", entry.body_html)


# ── Kinds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_kind(kind: FeedKind, *enclosures: Enclosure, **more: Any) -> Entry:
    """Return the entry of a feed of this kind with these enclosures."""
    parsed = ParsedFeed(version="rss20", channel=Channel(), entries=(replace(RAW, enclosures=enclosures, **more),))
    return normalise(parsed, replace(FEED, kind=kind), url=FEED.url, now=NOW)[0]


@pytest.mark.parametrize(
    ("url", "media_type", "is_episode"),
    [
        ("https://m.example/play/7", "", True), ("https://m.example/play.php?id=7", "", True),
        ("https://m.example/7", "application/octet-stream", True), ("https://m.example/7", " AUDIO/mpeg; q=1", True),
        ("https://m.example/7.m4v", "", True), ("https://m.example/7.JPG?w=9", "", False),
        ("https://m.example/notes.pdf", "application/octet-stream", False), ("https://m.example/7", "image/png", False),
        ("https://m.example/7", "text/html", False), ("mailto:a@m.example", "", False),
    ],
)  # fmt: skip
def test_a_podcasts_enclosure_is_sound_until_it_says_otherwise(url: str, media_type: str, is_episode: bool) -> None:
    """Without a type and without the ending of a picture or document, it is an episode."""
    assert of_kind("podcast", Enclosure(url=url, media_type=media_type)).is_episode is is_episode


def test_a_typed_sound_file_is_preferred_to_one_without_a_type_only_if_it_comes_first() -> None:
    """A picture beside the sound is never the enclosure."""
    cover, sound = Enclosure(url="https://m.example/c.png"), Enclosure(url="https://m.example/7")
    assert of_kind("podcast", cover, sound).enclosure == replace(sound, media_type="audio/mpeg")


def test_a_post_with_a_sound_file_is_a_post() -> None:
    """In a blog, only what says so is an episode: by a running time, a number or its label."""
    sound = Enclosure(url="https://m.example/7.mp3", media_type="audio/mpeg")
    assert (of_kind("blog", sound).enclosure, of_kind("blog", sound).is_episode) == (sound, False)
    assert of_kind("blog", Enclosure(url="https://m.example/play/7")).enclosure is None
    assert of_kind("blog", sound, duration="42:00").is_episode
    assert of_kind("blog", sound, episode="7").is_episode
    assert of_kind("blog", sound, title="Podcast – Ada Marsh – Salt").is_episode
    assert of_kind("podcast", sound).is_episode


def test_films() -> None:
    """A video is watched, whether it is a file or the page of a video service."""
    assert of_kind("podcast", Enclosure(url="https://m.example/7.mp4")).is_film
    assert of_kind("blog", link="https://www.youtube.com/watch?v=7").is_film
    assert not of_kind("podcast", Enclosure(url="https://m.example/7.mp3"), link="https://youtu.be/7").is_film
    assert not of_kind("blog", Enclosure(url="https://m.example/7.mp4")).is_film


FORM = '<form action="/wp-login.php?action=postpass" class="x post-password-form" method="post"><p>Passwort:</p></form>'


def test_a_protected_post_is_recognised_in_any_language() -> None:
    """Its form is not its text; a post that quotes such a form is open."""
    protected = of_kind("blog", content_html=FORM, summary_html="Es gibt keinen Auszug.")
    assert (protected.needs_password, protected.body_html, protected.excerpt_text) == (True, "", "")
    assert not of_kind(
        "blog", content_html="<p>Style .post-password-form or &lt;form class='post-password-form'&gt;</p>"
    ).needs_password


def test_blank_items_are_left_out() -> None:
    """An item with nothing to show is no entry, even with a guid and a date; one with a link alone is."""
    blank = RawEntry(guid="2", title=" ", content_html="<p>&nbsp;</p>", published_at=NOW)
    assert [entry.guid for entry in normalised(RAW, blank, replace(blank, guid="3", link="/3"))] == ["1", "3"]


def test_all_guests_are_named_whatever_the_number_of_hosts() -> None:
    """Hosts do not count; a guest is named once."""
    hosts = tuple(Person(name=f"Host {letter}", role="host") for letter in "ABCD")
    guests = tuple(
        Person(name=name, role="Guest") for name in ("Ada Lund", "Bo Marsh", "Ida Quint", "Wren Hale", "Ada Lund")
    )
    assert of_kind("podcast", persons=hosts + guests).guest == "Ada Lund, Bo Marsh, Ida Quint and Wren Hale"


@pytest.mark.parametrize(
    ("written", "author"),
    [
        ("Ada Lund (text) and Bo Marsh (photos)", "Ada Lund (text) and Bo Marsh (photos)"),
        ("Ada Lund (she/her)", "Ada Lund (she/her)"), ("ada@h.example (Ada Lund)", "Ada Lund"),
        ("Ada Lund <ada@h.example>", "Ada Lund"), ("Ada Lund (ada@h.example)", "Ada Lund"),
        ("Ada (Ada Lund)", "Ada Lund"), ("alund (Ada Lund)", "Ada Lund"), ("alund42 (hidden)", ""),
        ("alund", ""), ("harbour_team", ""), ("Ada42", ""), ("@adalund", ""), ("editor", ""), ("Zoë", "Zoë"),
    ],
)  # fmt: skip
def test_authors_are_people(written: str, author: str) -> None:
    """Brackets that belong to a name stay; accounts give no byline."""
    assert of_kind("blog", author=written).author == author
