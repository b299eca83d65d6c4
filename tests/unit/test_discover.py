"""Finding the feeds of a web page."""

from __future__ import annotations

import pytest

from pipeline.ingest.discover import find_feeds

HOME = "https://harbourandhearth.example/"
LINK = '<link rel="alternate" type="application/rss+xml" title="Posts" href="%s">'


def test_announced_feeds_come_first_and_comments_last() -> None:
    """rel=alternate comes before likely links, and feeds of comments come last."""
    page = LINK % "/comments/feed/" + '<a href="/podcast.xml">Hear us</a>' + LINK % "/feed/"
    assert find_feeds(page.encode(), HOME) == (f"{HOME}feed/", f"{HOME}podcast.xml", f"{HOME}comments/feed/")


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
