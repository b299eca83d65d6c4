"""Excerpts: cached ones are used as they are, and never for another body."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.digest.compose.compose import DigestInputs, compose, excerpt_keys
from pipeline.digest.compose.excerpts import EXCERPT_VERSION, ExcerptCache, excerpt_key
from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.select import select
from pipeline.model.entry import Entry
from pipeline.model.feed import FEED_KINDS, Feed
from pipeline.model.week import Week, WeekCalendar
from tests.factories import MONDAY, entry, episode, stored
from tests.publication import PUBLICATION

PARTS = (
    "<p>Bread, <em>slowly</em>. Then salt &amp; water.</p>",
    "<p>Ask <a href='https://harbourandhearth.example/a_(b)'>Ida</a>: how?</p>",
    "<ul><li>flour</li><li>rye * oats</li></ul>",
    "<blockquote><p>Never knead.</p></blockquote>",
    "<h2>What you need</h2>",
    "<pre>tide</pre>",
    "<p>塩と油。Émile’s 🍞\n</p>",
)
bodies = st.lists(st.sampled_from(PARTS), max_size=6).map("".join) | st.text(max_size=80)
lengths = st.sampled_from([30, 50, 60]) | st.integers(1, 8)


def story(body: str) -> list[Entry]:
    return [entry("Tides", body_html=body)]


EXCERPTS_BY_VERSION = {
    5: {
        PARTS[0]: "Bread, *slowly*. Then salt \\& water.",
        PARTS[1]: "Ask [Ida](https://harbourandhearth.example/a_%28b%29): how?",
        PARTS[2]: "- flour\n- rye \\* oats",
        PARTS[3]: "> Never knead.",
        PARTS[4]: "",
        PARTS[5]: "",
        PARTS[6]: "塩と油。Émile’s 🍞",
    }
}
"""If this no longer holds, raise EXCERPT_VERSION and add the new excerpts."""


@given(st.lists(st.tuples(bodies, lengths), max_size=4))
def test_a_cached_excerpt_equals_a_new_one(requests: list[tuple[str, int]]) -> None:
    """However bodies and lengths are mixed, cached and new excerpts are the same."""
    first = ExcerptCache()
    excerpts = [first.get(story(body), words) for body, words in requests]
    second = ExcerptCache(first.new)
    assert [second.get(story(body), words) for body, words in requests] == excerpts
    assert [ExcerptCache().get(story(body), words) for body, words in requests] == excerpts
    assert second.new == {}


@given(bodies, lengths, bodies, lengths)
def test_keys_differ_by_body_and_length(body: str, words: int, other: str, other_words: int) -> None:
    """An edited body, or another length, has another key."""
    keys = excerpt_key(story(body), words), excerpt_key(story(other), other_words)
    assert (keys[0] == keys[1]) == ((body, words) == (other, other_words))


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Salt"},
        {"author": "Ada"},
        {"is_cut": True},
        {"summaries": ("By sea.",)},
        {"summaries": ("By", "sea.")},
    ],
)
def test_keys_differ_by_what_the_text_depends_on(changes: dict[str, Any]) -> None:
    """The title, the author and the publisher's summaries decide which passage is shown."""
    (one,) = story(PARTS[0])
    assert excerpt_key([one], 60) != excerpt_key([replace(one, **changes)], 60)
    assert excerpt_key([one], 60) == excerpt_key([replace(one, guid="2", excerpt_text="Bread.")], 60)


def test_a_text_that_its_feed_cut_ends_with_a_sentence() -> None:
    """Only a text that goes on elsewhere loses what stands before its ellipsis."""
    (one,) = story("<p>Salt came first. Then, in spr…</p>")
    assert ExcerptCache().get([one], 60) == "Salt came first. Then, in spr…"
    assert ExcerptCache().get([replace(one, is_cut=True)], 60) == "Salt came first."


def test_excerpts_of_another_version_are_ignored() -> None:
    """A change of EXCERPT_VERSION invalidates the cache."""
    kept = {excerpt_key(story(PARTS[0]), 60, version=EXCERPT_VERSION + 1): "Of another version."}
    assert ExcerptCache(kept).get(story(PARTS[0]), 60) == EXCERPTS_BY_VERSION[EXCERPT_VERSION][PARTS[0]]


def test_each_version_makes_these_excerpts() -> None:
    """Otherwise cached and new excerpts would differ: raise EXCERPT_VERSION."""
    assert {body: ExcerptCache().get(story(body), 60) for body in PARTS} == EXCERPTS_BY_VERSION[EXCERPT_VERSION]


def test_excerpt_keys_name_the_excerpts_that_compose_uses() -> None:
    """For posts, episodes, pairs and links: with all of them cached, none is made."""
    feeds = [Feed(id=kind, url=f"https://{kind}.example/feed", kind=kind) for kind in FEED_KINDS]
    entries = (
        entry("Salt roads", body_html=PARTS[0]),
        entry("Rye", MONDAY + timedelta(hours=2), body_html=PARTS[2]),
        episode("Salt roads", body_html=PARTS[3]),
        episode("Émile", MONDAY + timedelta(hours=3), body_html=PARTS[6]),
        entry("Tides", feed="links", body_html=PARTS[1]),
    )
    week, clock = Week(2026, 7), WeekCalendar.parse("mon 00:00", UTC)
    kept = [stored(one, number) for number, one in enumerate(entries, 1)]
    selection = select(week, kept, WeekAssignment(calendar=clock, closed_weeks={}), feeds)
    opens_at, closes_at = clock.bounds(week)
    inputs = DigestInputs(
        week=week,
        opens_at=opens_at,
        closes_at=closes_at,
        publication=PUBLICATION,
        feeds=tuple(feeds),
        selection=selection,
        excerpts=dict.fromkeys(excerpt_keys(selection.stories, feeds), "As saved."),
    )
    digest, new_excerpts = compose(inputs)
    assert [story.excerpt_md for story in digest.stories] == 4 * ["As saved."]
    assert new_excerpts == {}
