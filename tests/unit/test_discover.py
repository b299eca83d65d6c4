"""The feed behind a home page."""

from __future__ import annotations

import pytest

from pipeline.ingest.discover import find_feeds

HOME = "https://harbourandhearth.example/"
LINK = '<link rel="alternate" type="application/rss+xml" title="Posts" href="%s">'


def test_announced_feeds_come_first_and_comments_last() -> None:
    """rel=alternate before likely links; nobody wants the comments."""
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
def test_pages(page: str, feeds: tuple[str, ...]) -> None:
    """Types, bases, entities and likely links are understood; each feed is named once, the page itself never."""
    assert find_feeds(page.encode(), HOME) == feeds


@pytest.mark.parametrize("junk", [b"<a ", b"<!--", b"<a href='", b"<a href=/rss>rss ", b"<link rel=alternate "])
def test_hostile_pages_end_soon(junk: bytes) -> None:
    """However often it repeats, a page gives an answer of bounded length."""
    assert len(find_feeds(junk * 50_000, HOME)) <= 20
