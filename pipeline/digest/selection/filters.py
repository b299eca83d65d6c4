"""What an editor does not want in a digest: ``include`` and ``exclude`` of config.toml.

In: an entry and its feed. Out: why it stays out, or nothing. Pure: what stays out is kept, and a rule
that is gone has never been.
"""

from __future__ import annotations

from pipeline.model.entry import Entry
from pipeline.model.feed import Feed, FilterRule
from pipeline.text.safe_regex import search_pattern


def exclusion_reason(entry: Entry, feed: Feed) -> str:
    """Say why a rule of the feed keeps an entry out; "" when none does. What is excluded stays out though included.

    >>> from dataclasses import replace
    >>> from datetime import UTC, datetime
    >>> feed = Feed(id="blog", url="https://h.example/feed", kind="blog", exclude=Rule(categories=("Sponsored",)))
    >>> entry = Entry(feed_id="blog", guid="1", url="", title="Rope", published_at=datetime(2026, 2, 9, tzinfo=UTC))
    >>> why_left_out(entry, feed), why_left_out(replace(entry, categories=("sponsored",)), feed)
    ('', 'left out: category Sponsored is excluded in config.toml')
    """
    if excluded := _why(feed.exclude, entry):
        return f"left out: {excluded} is excluded in config.toml"
    if feed.include and not _why(feed.include, entry):
        return f"left out: config.toml includes only {_named(feed.include)}"
    return ""


def _why(rule: FilterRule, entry: Entry) -> str:
    """Name the part of a rule that an entry falls under; "" when none does."""
    own = {category.casefold() for category in entry.categories}
    if category := next((each for each in rule.categories if each.casefold() in own), ""):
        return f"category {category}"
    return f"pattern {rule.pattern}" if rule.pattern and _fits(rule.pattern, entry) else ""


def _fits(pattern: str, entry: Entry) -> bool:
    """Look for a pattern in the title, in the title as it was published (with prefix and guest) and in the address."""
    published = " – ".join(part for part in (entry.label, entry.guest, entry.title) if part)
    return any(search_pattern(pattern, text) for text in dict.fromkeys((entry.title, published, entry.url)))


def _named(rule: FilterRule) -> str:
    named = [f"category {each}" for each in rule.categories] + [f"pattern {rule.pattern}"] * bool(rule.pattern)
    return " or ".join(named)
