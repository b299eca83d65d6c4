"""Finding the feeds of a web page."""

from __future__ import annotations

import pytest

from pipeline.ingest.discover import find_feeds

HOME = "https://harbourandhearth.example/"
LINK = '<link rel="alternate" type="application/rss+xml" title="Posts" href="%s">'


def test_announced_feeds_come_first() -> None:
    """rel=alternate comes before likely links."""
    page = '<a href="/podcast.xml">Hear us</a>' + LINK % "/feed/"
    assert find_feeds(page.encode(), HOME) == (f"{HOME}feed/", f"{HOME}podcast.xml")


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/comments/feed/", "Posts"), ("/?feed=comments-rss2", ""), ("/feeds/comments/default", ""),
        ("/comments.xml", ""),
        ("/2026/ropes/feed/", "Harbour » Ropes Comments Feed"), ("/2026/ropes/feed/", "Kommentare zu: Ropes"),
        ("/ropes/rss", "Comments on: Ropes"),
    ],
)  # fmt: skip
def test_feeds_of_comments_are_not_offered(path: str, title: str) -> None:
    """Neither the address nor the title of a feed of comments makes it a feed to read."""
    link = f'<link rel="alternate" type="application/rss+xml" title="{title}" href="{path}">'
    assert find_feeds(f'{link}<a href="{path}" title="{title}">RSS</a>'.encode(), HOME) == ()


def test_feeds_about_comments_are_offered() -> None:
    """A blog may have the word in its name."""
    page = '<link rel="alternate" type="application/rss+xml" title="Comment is bread" href="/comment-is-bread/feed/">'
    assert find_feeds(page.encode(), HOME) == (f"{HOME}comment-is-bread/feed/",)


@pytest.mark.parametrize(
    ("page", "feeds"),
    [
        ("<base href='//b.example/x/'><link rel=alternate type=text/xml href=atom.xml>", ("https://b.example/x/atom.xml",)),
        ("<LINK REL='Alternate x' TYPE='application/feed+json;x=y' HREF='/f?a=1&amp;b=2'>", (f"{HOME}f?a=1&b=2",)),
        ("<link rel='alternate' hreflang='de' href='/de/'><link rel='stylesheet' href='/feed.css'>", ()),
        ("<!-- <link rel='alternate' type='application/rss+xml' href='/old'> -->", ()),
        ("<a href='/subscribe'>RSS</a><a href='/about'>About</a>", (f"{HOME}subscribe",)),
        ("<a href='javascript:feed()'>RSS feed</a>", ()),
        ("<a href='https://feeds.example/table'>The Harbour Table</a>", ("https://feeds.example/table",)),
        ("<a href='/feed'>1</a><a href='/feed/'>2</a><a href='/'>our feed</a>", (f"{HOME}feed",)),
        ("", ()),
    ],
)  # fmt: skip
def test_find_feeds(page: str, feeds: tuple[str, ...]) -> None:
    """Types, base elements, entities and likely links are understood; each feed is found once, the page never."""
    assert find_feeds(page.encode(), HOME) == feeds


@pytest.mark.parametrize("junk", [b"<a ", b"<!--", b"<a href='", b"<a href=/rss>rss ", b"<link rel=alternate "])
def test_hostile_pages_are_fast(junk: bytes) -> None:
    """However often a page repeats itself, the result is bounded."""
    assert len(find_feeds(junk * 50_000, HOME)) <= 20
