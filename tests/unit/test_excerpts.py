"""Excerpts: known ones are told as they were made, and none is ever told for another."""

from __future__ import annotations

from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.digest.compose.compose import compose, excerpt_keys
from pipeline.digest.compose.excerpts import EXCERPT_VERSION, ExcerptCache, excerpt_key
from pipeline.digest.compose.inputs import DigestInputs
from pipeline.digest.selection.select import WeekAssignment, select
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

MADE_BY = {
    1: {
        PARTS[0]: "Bread, *slowly*. Then salt \\& water.",
        PARTS[1]: "Ask [Ida](https://harbourandhearth.example/a_%28b%29): how?",
        PARTS[2]: "- flour\n- rye \\* oats",
        PARTS[3]: "> Never knead.",
        PARTS[4]: "",
        PARTS[5]: "",
        PARTS[6]: "塩と油。Émile’s 🍞",
    }
}
"""What each maker makes. Where this no longer holds, raise MAKER and write down what the new one makes."""


@given(st.lists(st.tuples(bodies, lengths), max_size=4))
def test_what_is_known_is_what_would_be_made(wanted: list[tuple[str, int]]) -> None:
    """However bodies and lengths are mixed, told from a keep or made afresh, it is the same."""
    first = ExcerptCache()
    made = [first.get(*each) for each in wanted]
    again = ExcerptCache(first.new)
    assert [again.get(*each) for each in wanted] == [ExcerptCache().get(*each) for each in wanted] == made
    assert again.new == {}


@given(bodies, lengths, bodies, lengths)
def test_only_the_same_body_at_the_same_length_has_the_same_key(
    body: str, words: int, other: str, other_words: int
) -> None:
    """An entry that is edited at its source is another text, and so is the same told shorter."""
    assert (excerpt_key(body, words) == excerpt_key(other, other_words)) == ((body, words) == (other, other_words))


def test_what_another_maker_made_is_not_told() -> None:
    """A program that makes other excerpts ignores what is kept of them."""
    kept = {excerpt_key(PARTS[0], 60, version=EXCERPT_VERSION + 1): "Of another maker."}
    assert ExcerptCache(kept).get(PARTS[0], 60) == MADE_BY[EXCERPT_VERSION][PARTS[0]]


def test_a_maker_that_makes_something_else_has_another_number() -> None:
    """Otherwise what is kept and what is made would differ."""
    assert {body: ExcerptCache().get(body, 60) for body in PARTS} == MADE_BY[EXCERPT_VERSION]


def test_what_is_asked_for_is_what_stories_are_told_with() -> None:
    """Of posts, episodes, both as one story, and links: when all that is named is known, nothing is made."""
    feeds = [Feed(id=kind, url=f"https://{kind}.example/feed", kind=kind) for kind in FEED_KINDS]
    found = (
        entry("Salt roads", body_html=PARTS[0]),
        entry("Rye", MONDAY + timedelta(hours=2), body_html=PARTS[2]),
        episode("Salt roads", body_html=PARTS[3]),
        episode("Émile", MONDAY + timedelta(hours=3), body_html=PARTS[6]),
        entry("Tides", feed="links", body_html=PARTS[1]),
    )
    week, clock = Week(2026, 7), WeekCalendar.parse("mon 00:00", UTC)
    kept = [stored(each, number) for number, each in enumerate(found, 1)]
    selection = select(week, kept, WeekAssignment(calendar=clock, closed_weeks={}), feeds)
    opens_at, closes_at = clock.bounds(week)
    inputs = DigestInputs(
        week=week,
        opens_at=opens_at,
        closes_at=closes_at,
        publication=PUBLICATION,
        feeds=tuple(feeds),
        selection=selection,
        excerpts=dict.fromkeys(excerpt_keys(selection.stories, feeds), "As it was kept."),
    )
    digest, new_excerpts = compose(inputs)
    assert [story.excerpt_md for story in digest.stories] == 4 * ["As it was kept."]
    assert new_excerpts == {}
