"""include and exclude: which entries they mean, and in what words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.digest.rules import why_left_out
from pipeline.model.entry import Entry
from pipeline.model.feed import Feed, Rule
from tests.making import MONDAY, entry

AD = entry("Rope at half price", categories=("Sponsored", "Boats"), url="https://blog.example/ads/rope")


def feed(include: Rule | None = None, exclude: Rule | None = None) -> Feed:
    return Feed(id="blog", url="", kind="blog", include=include or Rule(), exclude=exclude or Rule())


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        (Rule(categories=("sponsored",)), "category sponsored"),
        (Rule(categories=("Food", "BOATS")), "category BOATS"),
        (Rule(pattern="^Rope"), "pattern ^Rope"),
        (Rule(pattern="(?i)HALF price$"), "pattern (?i)HALF price$"),
        (Rule(pattern="/ads/"), "pattern /ads/"),
        (Rule(categories=("Food",), pattern="rope"), "pattern rope"),
    ],
)
def test_a_rule_means_a_category_or_what_a_pattern_finds(rule: Rule, named: str):
    """A category by its whole name in any case, a pattern anywhere in title or address; include is the mirror image."""
    assert why_left_out(AD, feed(exclude=rule)) == f"left out: {named} is excluded in config.toml"
    assert why_left_out(AD, feed(include=rule)) == ""


@pytest.mark.parametrize("rule", [Rule(categories=("Sponsor",)), Rule(pattern="^price"), Rule(pattern="ROPE")])
def test_a_rule_means_nothing_else(rule: Rule):
    """Half a category is none; a pattern is taken at its word."""
    assert why_left_out(AD, feed(exclude=rule)) == ""
    words = "category Sponsor" if rule.categories else f"pattern {rule.pattern}"
    assert why_left_out(AD, feed(include=rule)) == f"left out: config.toml includes only {words}"


def test_what_is_excluded_stays_out_though_it_is_included():
    """Both rules apply: the recipe that is an advertisement is out."""
    both = feed(include=Rule(categories=("Boats",)), exclude=Rule(categories=("Sponsored",)))
    assert "Sponsored is excluded" in why_left_out(AD, both)


def test_a_pattern_sees_the_title_as_it_was_published():
    """The prefix and the guest that the title was split into are found where the editor sees them: on the page."""
    guest_post: Entry = entry("Tar", label="Guest Blog", guest="Ada Finch")
    for pattern in ("^Guest Blog – Ada", "Finch – Tar$", "^Tar$"):
        assert why_left_out(guest_post, feed(exclude=Rule(pattern=pattern)))


def test_a_title_without_end_is_looked_at_no_further_than_a_line():
    """What stands after three hundred characters is not found, so that no title can hold up the digest."""
    long = entry("x" * 300 + "advert", MONDAY + timedelta(1), url="")
    assert why_left_out(long, feed(exclude=Rule(pattern="advert"))) == ""
