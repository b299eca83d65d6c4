"""Relative addresses and channel facts survive incremental parsing, in every format and with xml:base anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.dedupe import decide, fingerprint
from pipeline.ingest.normalise import normalise
from pipeline.ingest.parse.parser import parse_feed, parse_incrementally
from pipeline.ingest.parse.result import PreviousDocument
from pipeline.ingest.polling import build_request, next_state
from pipeline.model.entry import Entry
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Channel, FeedState
from pipeline.model.fetch import FetchOutcome
from tests.unit.test_incremental import BLOG, NOW, identity

URL = "https://cdn.example/out/feed"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
BASES = ("", "/d/", "deep/", "https://files.example/x/")


class Post(NamedTuple):
    """What a generated entry consists of; a base is written on the entry and on its text."""

    number: int
    edit: int = 0
    base: str = ""
    text_base: str = ""

    @property
    def html(self) -> str:
        return f"<p>See <a href='more/{self.edit}'>more</a> about number {self.number}.</p><p><img src='i.jpg'></p>"

    @property
    def escaped(self) -> str:
        return self.html.replace("<", "&lt;")


def attribute(base: str) -> str:
    """Return an xml:base attribute, or ""."""
    return f' xml:base="{base}"' if base else ""


def atom(posts: list[Post], base: str, home: str) -> str:
    """Return an Atom feed."""
    entries = "".join(
        f"<entry{attribute(post.base)}><id>n{post.number}</id><title>T {post.edit}</title>"
        f'<link href="posts/{post.number}"/><published>2026-02-{post.number:02}T06:00:00Z</published>'
        f'<content type="html"{attribute(post.text_base)}>{post.escaped}</content></entry>'
        for post in posts
    )
    head = f'<title>Fish</title><link href="{home}"/><logo>logo.png</logo>'
    return f'<feed xmlns="http://www.w3.org/2005/Atom"{attribute(base)}>{head}{entries}</feed>'


def items(posts: list[Post]) -> str:
    """Return RSS entries."""
    return "".join(
        f"<item{attribute(post.base)}><title>T {post.edit}</title><link>posts/{post.number}</link>"
        f'<guid isPermaLink="false">n{post.number}</guid><pubDate>{post.number} Feb 2026 06:00:00 GMT</pubDate>'
        f"<description{attribute(post.text_base)}>{post.escaped}</description></item>"
        for post in posts
    )


def rss_2(posts: list[Post], base: str, home: str) -> str:
    """Return an RSS 2.0 feed."""
    head = f"<title>Fish</title><link>{home}</link><image><url>logo.png</url><link>elsewhere</link></image>"
    return f'<rss version="2.0"{attribute(base)}><channel>{head}{items(posts)}</channel></rss>'


def rss_1(posts: list[Post], base: str, home: str) -> str:
    """Return an RSS 1.0 feed, whose entries follow the channel."""
    head = f"<channel><title>Fish</title><link>{home}</link></channel>"
    start = f'<rdf:RDF xmlns:rdf="{RDF}" xmlns="http://purl.org/rss/1.0/"{attribute(base)}>'
    return f"{start}{head}{items(posts)}</rdf:RDF>"


def json_feed(posts: list[Post], base: str, home: str) -> str:
    """Return a JSON Feed, which knows no bases."""
    entries = [
        {"id": f"n{post.number}", "url": f"posts/{post.number}", "content_html": post.html, "title": f"T {post.edit}"}
        for post in posts
    ]
    head = {"version": "https://jsonfeed.org/version/1.1", "title": "Fish", "home_page_url": home, "icon": "i.png"}
    return json.dumps({**head, "items": entries})


FORMATS = (atom, rss_2, rss_1, json_feed)


def read_whole(body: bytes) -> tuple[Channel, dict[str, Entry]]:
    """Return the channel and the entries of a fresh read."""
    parsed = parse_feed(body, url=URL)
    entries = normalise(parsed, BLOG, url=URL, now=NOW)
    kept = [change.entry for change in decide(entries, []).entries]
    return parsed.channel, {entry.guid: replace(entry, raw_hash="") for entry in kept}


def read_twice(first: bytes, second: bytes) -> tuple[Channel, dict[str, Entry]]:
    """Return what is stored after an incremental read of both documents, without what has vanished."""
    stored: dict[int, Entry] = {}
    channel = Channel()
    for body in (first, second):
        previous = {entry.raw_hash for entry in stored.values() if entry.raw_hash}
        result = parse_incrementally(body, PreviousDocument(raw_hashes=previous, channel=channel), url=URL)
        channel = result.parsed.channel
        known = [identity(number, entry, fingerprint(entry)) for number, entry in stored.items()]
        entries = normalise(result.parsed, BLOG, url=URL, now=NOW)
        changes = decide(result.in_document_order(entries, known), known)
        for change in changes.entries:
            stored[change.entry_id or len(stored) + 1] = change.entry
        stored = {number: entry for number, entry in stored.items() if number not in changes.vanished}
    return replace(channel, head_hash=""), {entry.guid: replace(entry, raw_hash="") for entry in stored.values()}


bases = st.sampled_from(BASES)
posts = st.lists(
    st.builds(Post, st.integers(1, 5), st.integers(0, 1), bases, bases), unique_by=lambda post: post.number
)


@pytest.mark.parametrize("write", FORMATS)
@settings(max_examples=40)  # the first example imports feedparser
@given(before=posts, now=posts, base=bases, home=st.sampled_from(["/", "https://fish.example/", "blog/"]))
def test_second_read_equals_a_fresh_one(write, before: list[Post], now: list[Post], base: str, home: str) -> None:
    """What is stored after both documents is what a fresh read of the second one gives, channel included."""
    first, second = (write(entries, base, home).encode() for entries in (before, now))
    assert read_twice(first, second) == read_whole(second)


@pytest.mark.parametrize("write", FORMATS)
def test_relative_addresses_of_a_second_read(write) -> None:
    """A new and an edited entry have absolute links and pictures, like the old one."""
    first = write([Post(1), Post(2)], "", "/").encode()
    channel, entries = read_twice(first, write([Post(3), Post(1), Post(2, edit=1)], "", "/").encode())
    assert channel.url == "https://cdn.example/"
    assert {entry.url for entry in entries.values()} == {f"https://cdn.example/posts/{number}" for number in (1, 2, 3)}
    assert all(entry.picture and entry.picture.url == "https://cdn.example/posts/i.jpg" for entry in entries.values())


@pytest.mark.parametrize("write", FORMATS[:3])
@pytest.mark.parametrize(
    ("feed", "entry", "text", "link", "picture"),
    [
        ("", "", "/t/", "https://fish.example/posts/1", "https://cdn.example/t/i.jpg"),
        ("", "e/", "t/", "https://cdn.example/out/e/posts/1", "https://cdn.example/out/e/t/i.jpg"),
        ("https://f.example/b/", "e/", "", "https://f.example/b/e/posts/1", "https://f.example/b/e/i.jpg"),
        ("https://f.example/b/", "", "", "https://f.example/b/posts/1", "https://f.example/b/i.jpg"),
        ("", "", "", "https://fish.example/posts/1", "https://fish.example/posts/i.jpg"),
    ],
)
def test_written_base_wins(write, feed: str, entry: str, text: str, link: str, picture: str) -> None:
    """A base on the text, the entry or the feed comes before the entry's own link, the innermost first."""
    body = write([Post(1, base=entry, text_base=text), Post(2)], feed, "https://fish.example/").encode()
    read = read_whole(body)[1]["n1"]
    assert (read.url, read.picture and read.picture.url) == (link, picture)


def test_base_inside_xhtml() -> None:
    """A base may stand on any element, also on one of the text and on the link itself."""
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Fish</title><entry><id>1</id><title>One</title>
    <link xml:base="/here/" href="one"/><content type="xhtml" xml:base="/t/"><div xmlns="http://www.w3.org/1999/xhtml">
    <p>A <a href="a">net</a> and <span xml:base="in/"><a href="b">rope</a></span>.</p></div></content></entry></feed>"""
    entry = read_whole(body)[1]["1"]
    assert entry.url == "https://cdn.example/here/one"
    assert 'href="https://cdn.example/t/a"' in entry.body_html
    assert 'href="https://cdn.example/t/in/b"' in entry.body_html


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ("<link>/own</link><group><link>/nested</link></group>", "https://cdn.example/own"),
        ("<group><link>/nested</link></group><link>/own</link>", "https://cdn.example/own"),
        ("<link>/own</link><a:link href='/other'/>", "https://cdn.example/own"),
        ("<a:link rel='enclosure' href='/a.mp3'/><guid>https://h.example/1</guid>", "https://h.example/1"),
        ("<guid>site/0f8b</guid>", ""),
        ("<guid isPermaLink='false'>https://h.example/?p=1</guid>", ""),
        ("<a:link href='/a.pdf' type='application/pdf'/><a:link href='/a' type='text/html'/>", "https://cdn.example/a"),
        ("<a:link href='/amp'/><a:link href='/a' type='text/html'/>", "https://cdn.example/a"),
        ("<a:link href='/a.json' type='application/json'/><a:link href='/a'/>", "https://cdn.example/a"),
        (
            "<a:link href='/a' type='TEXT/HTML'/><a:link href='/b' type='application/xhtml+xml'/>",
            "https://cdn.example/a",
        ),
        ("<a:link rel='related' href='/r'/><a:link rel='self' href='/s'/>", ""),
        ("<link>https://f.example/~r/1</link><fb:origLink>https://h.example/1</fb:origLink>", "https://h.example/1"),
    ],
)
def test_own_link(links: str, expected: str) -> None:
    """Nested links, enclosures and guids that are no addresses are not an entry's link, wherever they stand."""
    spaces = "xmlns:a='http://www.w3.org/2005/Atom' xmlns:fb='http://rssnamespace.org/feedburner/ext/1.0'"
    for more in ("", "<media:rating xmlns:media='http://search.yahoo.com/mrss/'>x</media:rating>"):
        body = f"<rss version='2.0' {spaces}><channel><item><title>X</title>{links}{more}</item></channel></rss>"
        (entry,) = read_whole(body.encode())[1].values()
        assert entry.url == expected


def test_a_new_summary_is_as_cut_as_in_the_whole_document() -> None:
    """In Atom a summary is an excerpt, also in an entry that is read without the others."""

    def write(*guids: str) -> bytes:
        entries = "".join(f"<entry><id>{guid}</id><title>X</title><summary>Salt.</summary></entry>" for guid in guids)
        return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>Fish</title>{entries}</feed>".encode()

    _, entries = read_twice(write("1"), write("2", "1"))
    assert [entry.is_cut for entry in entries.values()] == [True, True]


def test_guid_shared_by_two_entries() -> None:
    """When the first of them leaves, the second does not take its place."""

    def write(*pages: str) -> bytes:
        entries = "".join(f"<item><guid>same</guid><title>{p}</title><link>/{p}</link></item>" for p in pages)
        return f"<rss version='2.0'><channel><title>Fish</title>{entries}</channel></rss>".encode()

    _, entries = read_twice(write("net", "rope"), write("rope"))
    assert [(entry.guid, entry.title) for entry in entries.values()] == [("same|https://cdn.example/rope", "rope")]
    _, entries = read_twice(write("net", "rope"), write("oar", "rope"))
    assert sorted(entry.title for entry in entries.values()) == ["oar", "rope"]


@pytest.mark.parametrize(
    "document",
    [
        atom([Post(1)], "", "/").encode(),
        b"<rss version='2.0'><channel><title>Fish</title><item><title>Without a guid</title></item></channel></rss>",
        b'{"version": "https://jsonfeed.org/version/1.1", "title": "Fish", "items": [{"id": "1", "title": "Net"}]}',
    ],
    ids=["atom", "no guids", "json"],
)
def test_what_an_older_parser_read_is_requested_again(document: bytes) -> None:
    """Neither a 304 nor an equal body keeps what it stored wrongly, whatever the kind of feed."""
    outcome = FetchOutcome(key="blog", url=URL, kind="ok", detail="answered", etag='"1"', body_sha256="ab")
    channel = parse_incrementally(document, PreviousDocument(), url=URL).parsed.channel
    state = next_state(FeedState(feed_id="blog", url=URL), outcome, now=NOW, channel=channel)
    current = build_request(state, NOW)
    assert (current.etag, current.body_sha256) == ('"1"', "ab")
    for head_hash in ("", "2.", "2.0123"):
        older = build_request(replace(state, channel=replace(state.channel, head_hash=head_hash)), NOW)
        assert (older.etag, older.body_sha256) == ("", "")


def changed_documents(body: bytes) -> Iterator[bytes]:
    """Yield a well-formed feed with its first entry new and its last one changed, if it has guids."""
    for tag, guid in ((b"item", b"guid"), (b"entry", b"id")):
        start, end = body.find(b"<%b>" % tag), body.find(b"</%b>" % tag) + len(tag) + 3
        first, last = body[start:end], body.rfind(b"</title>")
        if 0 <= start < end < last and first.count(b"</%b>" % guid) == 1 and b"</title>" in first:
            new = first.replace(b"</%b>" % guid, b"-new</%b>" % guid).replace(b"</title>", b" (new)</title>")
            yield body[:start] + new + body[start:last] + b" (corrected)" + body[last:]


@pytest.mark.slow
@pytest.mark.corpus
def test_second_read_of_the_corpus(corpus: Path) -> None:
    """With one entry changed and one new, every feed is stored as a fresh read of the changed document gives it."""
    tried, different = 0, []
    for file in sorted(each for each in corpus.rglob("*") if each.is_file() and each.suffix != ".tsv"):
        body = file.read_bytes()
        for changed in changed_documents(body):
            try:
                channel, entries = read_whole(changed)
                stored_channel, stored = read_twice(body, changed)
            except NotAFeedError:
                continue
            tried += 1
            same = channel == stored_channel and sorted(map(repr, entries.values())) == sorted(
                map(repr, stored.values())
            )
            different += [] if same else [file.name]
    assert different == []
    assert tried > 100, "the corpus holds fewer feeds than it did"


@pytest.mark.parametrize(
    ("link", "guid", "expected"),
    [
        ("https://feedpress.me/link/7/12345", "https://h.example/salt", "https://h.example/salt"),
        ("https://feed.h.example/link/7/12345/salt", "https://h.example/?p=4", "https://h.example/?p=4"),
        ("https://feeds.example/~r/h/~3/abc/", "tag:h.example,2026:4", "https://feeds.example/~r/h/~3/abc/"),
        ("https://h.example/salt", "https://h.example/?p=4", "https://h.example/salt"),
    ],
)
def test_counting_link_gives_way_to_the_guid(link: str, guid: str, expected: str) -> None:
    """A link of a service that counts readers is replaced by the page where the guid names it."""
    entry = f"<item><title>Salt</title><link>{link}</link><guid isPermaLink='false'>{guid}</guid></item>"
    body = f"<rss version='2.0'><channel><title>Fish</title>{entry}</channel></rss>"
    assert [one.url for one in read_whole(body.encode())[1].values()] == [expected]
