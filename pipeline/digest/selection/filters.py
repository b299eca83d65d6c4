"""Filters: the ``include`` and ``exclude`` settings of feeds in config.toml. Filtered entries are stored all the same."""

from __future__ import annotations

from pipeline.model.entry import Entry
from pipeline.model.feed import Feed, FilterRule
from pipeline.text.safe_regex import search_pattern


def explain_filter(entry: Entry, feed: Feed) -> str:
    """Return why a filter of the feed excludes an entry, or "" if none does; ``exclude`` wins over ``include``.

    >>> from dataclasses import replace
    >>> from datetime import UTC, datetime
    >>> rule = FilterRule(categories=("Sponsored",))
    >>> feed = Feed(id="blog", url="https://h.example/feed", kind="blog", exclude=rule)
    >>> entry = Entry(feed_id="blog", guid="1", url="", title="Rope", published_at=datetime(2026, 2, 9, tzinfo=UTC))
    >>> explain_filter(entry, feed), explain_filter(replace(entry, categories=("sponsored",)), feed)
    ('', 'left out: category Sponsored is excluded in config.toml')
    """
    if part := _matching_part(feed.exclude, entry):
        return f"left out: {part} is excluded in config.toml"
    if feed.include and not _matching_part(feed.include, entry):
        parts = [f"category {category}" for category in feed.include.categories]
        parts += [f"pattern {feed.include.pattern}"] * bool(feed.include.pattern)
        return f"left out: config.toml includes only {' or '.join(parts)}"
    return ""


def _matching_part(rule: FilterRule, entry: Entry) -> str:
    """Return the category or pattern of a rule that matches an entry, or ""."""
    own = {category.casefold() for category in entry.categories}
    if category := next((category for category in rule.categories if category.casefold() in own), ""):
        return f"category {category}"
    if not rule.pattern:
        return ""
    # The pattern may match the title, the title as it was published (with prefix and guest) or the URL.
    published_title = " – ".join(part for part in (entry.label, entry.guest, entry.title) if part)
    texts = dict.fromkeys((entry.title, published_title, entry.url))
    return f"pattern {rule.pattern}" if any(search_pattern(rule.pattern, text) for text in texts) else ""
