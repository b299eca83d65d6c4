"""Eligibility: entries that are excluded from a week's digest whatever week they belong to.

Exclusion is not stored: remove a filter from config.toml, or restore an entry in its feed, and it is eligible again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.model.edition import Overrides
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.feed import Feed, FilterRule
from pipeline.model.week import Week
from pipeline.text.safe_regex import search_pattern

LEFT_OUT_BY_EDITOR = "left out by the editor"
"""The reason of an entry that the editor's file leaves out."""


class Exclusion(NamedTuple):
    """Why an entry is excluded."""

    by: Literal["editor", "quarantine", "removal", "earlier edition", "password", "filter", "repeat"]
    reason: str
    """The end of a sentence."""


def find_exclusions(
    week: Week, assignment: WeekAssignment, feeds: Iterable[Feed], overrides: Overrides, entries: Iterable[StoredEntry]
) -> dict[int, Exclusion]:
    """Return the exclusions from a week's digest, by entry id.

    Entries of a sealed edition are excluded from that edition only, and no longer once it is sent.
    """
    filtered = {feed.id: feed for feed in feeds if feed.include or feed.exclude}
    editions = ("",) if assignment.is_sent(week) else ("", str(week))
    exclusions = {}
    for stored in entries:
        if stored.edition_week in editions:
            feed = filtered.get(stored.entry.feed_id)
            if exclusion := _exclusion(stored, week, assignment, feed, overrides):
                exclusions[stored.entry_id] = exclusion
    return exclusions


def _exclusion(
    stored: StoredEntry, week: Week, assignment: WeekAssignment, feed: Feed | None, overrides: Overrides
) -> Exclusion | None:
    entry = stored.entry
    if overrides.excludes(entry):
        return Exclusion("editor", LEFT_OUT_BY_EDITOR)
    if overrides.includes(entry):
        return None
    if stored.quarantined_at:
        release = f"`pipeline feeds accept {entry.feed_id}` releases it"
        return Exclusion("quarantine", f"quarantined: it looks imported or comes from another feed; {release}")
    if stored.withdrawn_at:
        return Exclusion("removal", "removed from its feed")
    earlier = stored.assigned_week if stored.assigned_week != str(week) and not stored.edition_week else ""
    if earlier and assignment.record_of(earlier).state != "draft":
        # That edition was sealed or skipped without the entry, so its editor had left it out.
        return Exclusion("earlier edition", f"left out of {earlier} by the editor")
    if entry.needs_password:
        return Exclusion("password", "left out: it needs a password, which subscribers do not have")
    reason = explain_filter(entry, feed) if feed else ""
    return Exclusion("filter", reason) if reason else None


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
