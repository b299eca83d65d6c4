"""Variants: which are sealed, which one a subscriber gets, and what an editor reads about the others."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audience.variants import (
    MAX_VARIANTS,
    choose_variants,
    count_subscribers,
    explain_variants,
    make_key,
    variant_for,
)
from pipeline.model.subscriber import FREQUENCIES, TOPICS, Topic
from pipeline.model.variant import MONTHLY, WHOLE, VariantKey
from pipeline.model.week import Week, WeekCalendar

COMBINATIONS = [topics for size in (1, 2, 3) for topics in combinations(TOPICS, size)]
KEYS = [VariantKey(topics=topics, frequency=frequency) for topics in COMBINATIONS for frequency in FREQUENCIES]
POSTS, EPISODES, LINKS = (VariantKey(topics=(topic,)) for topic in TOPICS)
WANTED = st.dictionaries(st.sampled_from(KEYS), st.integers(min_value=1, max_value=9))
STORIES = st.lists(st.sampled_from([("posts",), ("episodes",), ("posts", "episodes"), ("links",)]), min_size=1)


def build(chosen: tuple[VariantKey, ...], stories: list[tuple[Topic, ...]]) -> dict[VariantKey, tuple[Topic, ...]]:
    """Return what is sealed for a week with these stories, each given by its topics, as ``compose_edition`` does."""
    sealed: dict[VariantKey, tuple[Topic, ...]] = {}
    for key in (WHOLE, *chosen):
        own = [topics for topics in stories if set(topics) & set(key.topics)]
        if own and (key == WHOLE or key.frequency == "monthly" or len(own) < len(stories)):
            sealed[key] = tuple(topic for topic in TOPICS if any(topic in topics for topics in own))
    return sealed


@settings(deadline=None)
@given(WANTED, STORIES, st.booleans())
def test_every_subscriber_gets_their_topics_or_nothing(
    wanted: dict[VariantKey, int], stories: list[tuple[Topic, ...]], with_monthly: bool
) -> None:
    """A variant with all of their topics and of their frequency; nothing only if there is no story for them."""
    chosen = choose_variants(wanted, with_monthly=with_monthly)
    assert len(chosen) < MAX_VARIANTS
    assert WHOLE not in chosen
    sealed = build(chosen, stories)
    by_name = {key.name: key for key in sealed}
    for key in wanted:
        has_story = any(set(topics) & set(key.topics) for topics in stories)
        name = variant_for(key.topics, key.frequency, sealed)
        assert (name is not None) == (has_story and (with_monthly or key.frequency == "every"))
        if name:
            assert by_name[name].covers(key)
            if key in chosen and key in sealed:
                assert name == key.name
    counts = count_subscribers(wanted, sealed)
    without = sum(number for key, number in wanted.items() if variant_for(key.topics, key.frequency, sealed) is None)
    assert sum(counts.values()) + without == sum(wanted.values())


@settings(deadline=None)
@given(WANTED, st.randoms(use_true_random=False), st.booleans())
def test_the_choice_does_not_depend_on_the_order(
    wanted: dict[VariantKey, int], random: object, with_monthly: bool
) -> None:
    """The same numbers give the same variants."""
    shuffled = list(wanted.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choose_variants(dict(shuffled), with_monthly=with_monthly) == choose_variants(
        wanted, with_monthly=with_monthly
    )


def test_the_most_wanted_are_sealed() -> None:
    """Five besides the whole; of those wanted alike, the first by name."""
    wanted = {VariantKey(topics=topics): 1 for topics in COMBINATIONS} | {LINKS: 7, WHOLE: 100}
    assert [key.name for key in choose_variants(wanted, with_monthly=False)] == [
        "links",
        "episodes",
        "episodes-links",
        "posts",
        "posts-episodes",
    ]


def test_nobody_waits_for_a_month_that_is_not_sealed() -> None:
    """If there is no room for all kinds of months, the one with all topics is sealed."""
    wanted = dict.fromkeys(KEYS, 2) | {VariantKey(topics=("links",), frequency="monthly"): 1, MONTHLY: 1}
    chosen = choose_variants(wanted, with_monthly=True)
    assert chosen[-1] == MONTHLY
    assert len(chosen) == MAX_VARIANTS - 1


@pytest.mark.parametrize(
    ("topics", "frequency", "expected"),
    [
        ([], "every", WHOLE),
        (["links", "posts", "spam"], "every", VariantKey(topics=("posts", "links"))),
        (["posts"], "hourly", POSTS),
        (TOPICS, "monthly", MONTHLY),
    ],
)
def test_stored_preferences_become_keys(topics: list[str], frequency: str, expected: VariantKey) -> None:
    """In the order of the topics, whatever is stored."""
    assert make_key(topics, frequency) == expected


def test_an_editor_reads_who_gets_nothing_or_too_much() -> None:
    """With numbers; exact variants, and months that are not over, are not worth a sentence."""
    rare = VariantKey(topics=("posts", "links"))
    wanted = {WHOLE: 9, POSTS: 3, EPISODES: 1, rare: 2, MONTHLY: 4}
    sealed = {WHOLE: ("posts", "links"), POSTS: ("posts",)}
    assert list(explain_variants(wanted, [POSTS, EPISODES], sealed, with_monthly=False)) == [
        "1 subscriber wants only episodes and gets nothing: there is no such story.",
    ]
    with_episode = sealed | {WHOLE: TOPICS}
    assert list(explain_variants({rare: 2, LINKS: 1}, [LINKS], with_episode, with_monthly=False)) == [
        "2 subscribers want only posts and links and get “whole”: other variants are wanted more.",
    ]


def test_an_editor_reads_of_months_when_one_ends() -> None:
    """What nobody chose is named in full, in the order of the names."""
    links = VariantKey(topics=("links",), frequency="monthly")
    wanted = {MONTHLY: 2, links: 1, LINKS: 4, POSTS: 1}
    whole = {WHOLE: ("posts",)}
    assert list(explain_variants(wanted, [], whole, with_monthly=True)) == [
        "4 subscribers want only links and get nothing: there is no such story.",
        "2 subscribers want the best of a month and get nothing: there is no such story.",
        "1 subscriber wants the best of a month, only links and gets nothing: there is no such story.",
    ]
    monthly = {WHOLE: TOPICS, MONTHLY: TOPICS}
    assert list(explain_variants(wanted, [MONTHLY], monthly, with_monthly=True)) == [
        "4 subscribers want only links and get “whole”: other variants are wanted more.",
        "1 subscriber wants the best of a month, only links and gets “monthly”: other variants are wanted more.",
        "1 subscriber wants only posts and gets “whole”: other variants are wanted more.",
    ]
    assert list(explain_variants({WHOLE: 1}, [], {WHOLE: ()}, with_monthly=True)) == [
        "1 subscriber wants everything and gets nothing: there is no such story."
    ]


def test_every_week_belongs_to_one_month() -> None:
    """Weeks of a month follow each other, four or five of them, and each knows the same."""
    for calendar in (WeekCalendar.parse("mon 00:00", UTC), WeekCalendar.parse("fri 06:00", UTC)):
        week, last = Week(2026, 1), Week(2027, 1)
        while week < last:
            month = calendar.weeks_of_month(week)
            assert week in month
            assert len(month) in (4, 5)
            assert all(calendar.weeks_of_month(other) == month for other in month)
            ends = [calendar.bounds(other)[1] - timedelta(microseconds=1) for other in month]
            assert len({(end.year, end.month) for end in ends}) == 1
            week = week.next()
