"""Filters: the entries that include and exclude match, and how they are explained."""

from __future__ import annotations

import pytest

from pipeline.digest.selection.eligibility import explain_filter
from pipeline.model.entry import Entry
from pipeline.model.feed import Feed, FilterRule
from tests.factories import entry

AD = entry("Rope at half price", categories=("Sponsored", "Boats"), url="https://blog.example/ads/rope")


def feed(include: FilterRule | None = None, exclude: FilterRule | None = None) -> Feed:
    return Feed(id="blog", url="", kind="blog", include=include or FilterRule(), exclude=exclude or FilterRule())


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        (FilterRule(categories=("sponsored",)), "category sponsored"),
        (FilterRule(categories=("Food", "BOATS")), "category BOATS"),
        (FilterRule(pattern="^Rope"), "pattern ^Rope"),
        (FilterRule(pattern="(?i)HALF price$"), "pattern (?i)HALF price$"),
        (FilterRule(pattern="/ads/"), "pattern /ads/"),
        (FilterRule(categories=("Food",), pattern="rope"), "pattern rope"),
    ],
)
def test_a_rule_matches_a_category_or_a_pattern(rule: FilterRule, part: str):
    """A category matches by its whole name in any case, a pattern anywhere in title or URL; include is the inverse."""
    assert explain_filter(AD, feed(exclude=rule)) == f"left out: {part} is excluded in config.toml"
    assert explain_filter(AD, feed(include=rule)) == ""


@pytest.mark.parametrize(
    "rule", [FilterRule(categories=("Sponsor",)), FilterRule(pattern="^price"), FilterRule(pattern="ROPE")]
)
def test_a_rule_matches_nothing_else(rule: FilterRule):
    """Part of a category does not match; a pattern is case-sensitive unless it says otherwise."""
    assert explain_filter(AD, feed(exclude=rule)) == ""
    words = "category Sponsor" if rule.categories else f"pattern {rule.pattern}"
    assert explain_filter(AD, feed(include=rule)) == f"left out: config.toml includes only {words}"


def test_exclude_wins_over_include():
    """Both rules apply: a recipe that is an advertisement is left out."""
    both = feed(include=FilterRule(categories=("Boats",)), exclude=FilterRule(categories=("Sponsored",)))
    assert "Sponsored is excluded" in explain_filter(AD, both)


def test_a_pattern_sees_the_title_as_it_was_published():
    """The prefix and the guest that were split off the title still match."""
    guest_post: Entry = entry("Tar", label="Guest Blog", guest="Ada Finch")
    for pattern in ("^Guest Blog – Ada", "Finch – Tar$", "^Tar$"):
        assert explain_filter(guest_post, feed(exclude=FilterRule(pattern=pattern)))
