"""include and exclude: which entries they mean, and in what words."""

from __future__ import annotations

import pytest

from pipeline.digest.selection.filters import exclusion_reason
from pipeline.model.entry import Entry
from pipeline.model.feed import Feed, FilterRule
from tests.factories import entry

AD = entry("Rope at half price", categories=("Sponsored", "Boats"), url="https://blog.example/ads/rope")


def feed(include: FilterRule | None = None, exclude: FilterRule | None = None) -> Feed:
    return Feed(id="blog", url="", kind="blog", include=include or FilterRule(), exclude=exclude or FilterRule())


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        (FilterRule(categories=("sponsored",)), "category sponsored"),
        (FilterRule(categories=("Food", "BOATS")), "category BOATS"),
        (FilterRule(pattern="^Rope"), "pattern ^Rope"),
        (FilterRule(pattern="(?i)HALF price$"), "pattern (?i)HALF price$"),
        (FilterRule(pattern="/ads/"), "pattern /ads/"),
        (FilterRule(categories=("Food",), pattern="rope"), "pattern rope"),
    ],
)
def test_a_rule_means_a_category_or_what_a_pattern_finds(rule: FilterRule, named: str):
    """A category by its whole name in any case, a pattern anywhere in title or address; include is the mirror image."""
    assert exclusion_reason(AD, feed(exclude=rule)) == f"left out: {named} is excluded in config.toml"
    assert exclusion_reason(AD, feed(include=rule)) == ""


@pytest.mark.parametrize(
    "rule", [FilterRule(categories=("Sponsor",)), FilterRule(pattern="^price"), FilterRule(pattern="ROPE")]
)
def test_a_rule_means_nothing_else(rule: FilterRule):
    """Half a category is none; a pattern is taken at its word."""
    assert exclusion_reason(AD, feed(exclude=rule)) == ""
    words = "category Sponsor" if rule.categories else f"pattern {rule.pattern}"
    assert exclusion_reason(AD, feed(include=rule)) == f"left out: config.toml includes only {words}"


def test_what_is_excluded_stays_out_though_it_is_included():
    """Both rules apply: the recipe that is an advertisement is out."""
    both = feed(include=FilterRule(categories=("Boats",)), exclude=FilterRule(categories=("Sponsored",)))
    assert "Sponsored is excluded" in exclusion_reason(AD, both)


def test_a_pattern_sees_the_title_as_it_was_published():
    """The prefix and the guest that the title was split into are found where the editor sees them: on the page."""
    guest_post: Entry = entry("Tar", label="Guest Blog", guest="Ada Finch")
    for pattern in ("^Guest Blog – Ada", "Finch – Tar$", "^Tar$"):
        assert exclusion_reason(guest_post, feed(exclude=FilterRule(pattern=pattern)))
