"""Plain text: titles that speak of tags, in feeds that say what a title is and in others."""

from __future__ import annotations

import pytest

from pipeline.ingest.normalise import normalise
from pipeline.ingest.parse.parser import parse_feed
from pipeline.model.feed import Feed
from pipeline.text.plain_text import clean_markup, clean_text, clean_title
from tests.factories import MONDAY
from tests.growth import assert_linear

FEED = Feed(id="h", url="https://h.example/feed", kind="blog")


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ("Meet the <dialog> element", "Meet the <dialog> element"),
        ("Meet the &lt;dialog&gt; element", "Meet the <dialog> element"),
        ("What <table> and <center> did to us", "What <table> and <center> did to us"),
        ("List<Button> or Set<Label>?", "List<Button> or Set<Label>?"),
        ("Map<String, List<Time>> explained", "Map<String, List<Time>> explained"),
        ("If p<q and q>r", "If p<q and q>r"),
        ("y[b[2]]> z", "y[b[2]]> z"),
        ("Why the <br> tag stays", "Why the <br> tag stays"),
        ("Salt<br>and <br/> fat", "Salt and fat"),
        ("<p>Salt</p><p>Fat</p>", "Salt Fat"),
        ("The <strong>old</strong> <cite>Harbour Book</cite>", "The old Harbour Book"),
        ("&lt;em&gt;Salt&lt;/em&gt; &amp;amp; fat", "Salt & fat"),
        ("<i>Salt and fat", "Salt and fat"),
        ("Salt and fat</i>", "Salt and fat"),
        ('<a href="https://h.example/?a=1&amp;b=2">Salt</a>', "Salt"),
        ("Salt <!-- not yet --> now", "Salt now"),
    ],
)
def test_a_title_of_unknown_type_keeps_tags_it_speaks_of(raw: str, title: str) -> None:
    """Tags that format a text go; tags that stand in it like words stay."""
    assert clean_title(raw) == title


def test_text_and_markup_have_their_own_cleaner() -> None:
    """Nothing in a text is markup, and everything that looks like a tag is one in markup."""
    assert clean_text("Use <b>bold</b>\n &amp; rest") == "Use <b>bold</b> &amp; rest"
    assert clean_markup("Use &lt;b&gt; and <b>rest") == "Use <b> and rest"


def _titles(document: str) -> list[str]:
    parsed = parse_feed(document.encode(), url="https://h.example/feed")
    return [entry.title for entry in normalise(parsed, FEED, url="", now=MONDAY)]


def test_the_type_of_an_atom_title_counts() -> None:
    """Text is left alone, HTML is decoded once, and XHTML is markup."""
    titles = (
        "<title>Where &lt;i&gt;x&lt;/i&gt; leads</title>",
        '<title type="text">Between &lt;ins&gt; and &lt;/ins&gt;</title>',
        '<title type="html">When &amp;lt;ins&amp;gt; is &lt;ins&gt;right&lt;/ins&gt;</title>',
        '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <code>&lt;ins&gt;</code> tag</div></title>',
    )
    entries = "".join(f"<entry><id>urn:h:{number}</id>{title}</entry>" for number, title in enumerate(titles))
    assert _titles(f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>') == [
        "Where <i>x</i> leads",
        "Between <ins> and </ins>",
        "When <ins> is right",
        "A <ins> tag",
    ]


def test_the_title_of_a_json_feed_is_text() -> None:
    """Neither tags nor character references are decoded."""
    item = '{"id": "1", "title": "The <audio> element &amp; <b>you</b> & Set<Label>"}'
    document = f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{item}]}}'
    assert _titles(document) == ["The <audio> element &amp; <b>you</b> & Set<Label>"]


@pytest.mark.parametrize("part", ["<b ", "<b>", "<script>", "<!--", "<a x=1", "<a x='", "&lt;b&gt;", "</b>", "<b a"])
def test_titles_are_cleaned_in_linear_time(part: str) -> None:
    """A title of beginnings of tags costs no more than its length."""
    assert_linear(lambda length: clean_title(part * (length // len(part))), 2_000)
