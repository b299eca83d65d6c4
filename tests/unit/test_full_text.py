"""Full text from web pages: clean, with lists, and only if longer than the excerpt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime

import pytest

from pipeline.ingest.full_text import needs_full_text, with_full_text
from pipeline.jobs.feeds.full_text import fetch_full_text
from pipeline.model.errors import ExpensiveDocumentError
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.model.update import EntryChange
from pipeline.text.html import reading_minutes
from tests.factories import MONDAY, entry, episode

SENTENCE = "The oven is lit at four and the dough has waited since the evening before. "
URL = "https://h.example/2026/bread/"


def page(article: str, head: str = "<title>Bread on a stone – Harbour</title>") -> bytes:
    return f"""<!doctype html><html><head><meta charset="utf-8">{head}</head><body>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/about">About us</a></li></ul></nav></header>
<main><article>{article}</article></main><aside><h2>Read next</h2><a href="/salt">Salt</a></aside>
<footer>© Harbour & Hearth, all rights reserved</footer></body></html>""".encode()


ARTICLE = (
    f"<h1>Bread on a stone</h1><p>{SENTENCE * 12}</p><h2>What to do</h2>"
    f"<ol><li>Light the oven — early.</li><li>Wait.</li></ol><ul><li>Salt</li></ul><p>{SENTENCE * 12}</p>"
    '<p onclick="alert(1)">It <em>sings</em>, says <a href="../ada">Ada</a><script>alert(1)</script>.</p>'
    '<img src="/stone.jpg" alt="The stone"><p><a href="javascript:alert(1)">no</a></p>'
)


def read(body: bytes, **more: object) -> str:
    before = entry("Bread on a stone", body_html="<p>An excerpt.</p>", **more)
    return with_full_text(before, body, content_type="text/html", url=URL).body_html


def test_article_is_extracted_and_clean():
    """Paragraphs, both kinds of list, emphasis, absolute links; no navigation, no script, no repeated title."""
    found = read(page(ARTICLE))
    assert found.count("The oven is lit at four") == 24
    assert "<ol>" in found
    assert "Light the oven — early." in found
    assert "<ul>" in found
    assert '<a href="https://h.example/2026/ada"' in found
    assert "<em>sings</em>" in found
    assert "What to do" in found
    for unwanted in ("script", "onclick", "javascript", "Home", "all rights reserved", "Read next", "Bread on a stone"):
        assert unwanted not in found


def test_the_reading_time_is_that_of_the_article():
    """24 sentences of some 15 words take two minutes; the excerpt stays the feed's."""
    before = entry(body_html="<p>An excerpt.</p>", excerpt_text="An excerpt.")
    after = with_full_text(before, page(ARTICLE), content_type="text/html", url=URL)
    assert reading_minutes(after.body_html) == 2
    assert after.excerpt_text == "An excerpt."


def test_a_long_text_that_was_cut_is_completed():
    """What the page has is whole, and its reading time is known."""
    before = entry("Bread on a stone", body_html=f"<p>{SENTENCE * 40}</p>", is_cut=True)
    assert needs_full_text(before)
    assert not needs_full_text(replace(before, is_cut=False))
    after = with_full_text(before, page(ARTICLE * 3), content_type="text/html", url=URL)
    assert not after.is_cut
    assert with_full_text(before, page(""), content_type="text/html", url=URL).is_cut


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe" * 50,
        b'{"not": "html"}',
        page("<p>Sign in.</p>"),
        page(""),
        b"<div>" * 20_000,
        b"<p>" + b"<b><i>" * 9_000 + SENTENCE.encode() * 30,
        ("<table>" + "<tr><td>x" * 9_000).encode(),
        b"%PDF-1.7 " + bytes(range(256)) * 500,
    ],
    ids=["empty", "binary", "json", "a sign-in", "no article", "deep", "deep and wide", "a table", "a pdf"],
)
def test_a_page_without_an_article_changes_nothing(body: bytes):
    """Whatever the page is, the entry stays the same."""
    before = entry(body_html=f"<p>{SENTENCE * 3}</p>")
    after = with_full_text(before, body, content_type="", url=URL)
    assert after is before or SENTENCE.strip() in after.body_html


def test_a_page_with_too_many_tags_is_given_up():
    """Looking for an article compares elements with each other: a page has 20,000 tags at most."""
    with pytest.raises(ExpensiveDocumentError, match="has more than 20,000 tags"):
        with_full_text(entry(), page("<p>x" * 20_000), content_type="text/html", url=URL)


def test_shorter_article_is_not_used():
    """The feed's text stays if the page's is shorter."""
    before = entry(body_html=f"<p>{SENTENCE * 40}</p>")
    assert with_full_text(before, page(f"<p>{SENTENCE * 20}</p>"), content_type="text/html", url=URL) is before


def test_which_entries_need_full_text():
    """Excerpts with a page; neither episodes, nor entries without a URL, nor complete texts."""
    assert needs_full_text(entry(body_html="<p>An excerpt.</p>"))
    assert needs_full_text(entry(body_html=""))
    assert not needs_full_text(entry(body_html=f"<p>{SENTENCE * 40}</p>"))
    assert not needs_full_text(entry(url=""))
    assert not needs_full_text(episode())


def test_a_page_that_does_not_end_holds_no_other_feed():
    """The pages that arrived in time are used; the entries of the others keep their excerpts."""

    class SlowFetcher:
        """Never gives the outcome of the second request."""

        async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
            first, *_ = requests
            yield FetchOutcome(key=first.key, url=first.url, kind="ok", body=page(ARTICLE), content_type="text/html")
            await asyncio.sleep(60)

    changes = [
        EntryChange(
            kind="new", entry=entry(title, url=f"https://h.example/{title}", body_html="<p>An…</p>"), fingerprint=""
        )
        for title in ("bread", "salt")
    ]
    pages = fetch_full_text(changes, SlowFetcher(), now=MONDAY, page_budget=iter(range(9)), max_seconds=0.05)
    result = asyncio.run(pages)
    assert (result.excerpts, result.completed) == (2, 1)
    assert [len(change.entry.body_html) > 1_000 for change in result.changes].count(True) == 1
