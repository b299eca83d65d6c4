"""Pair entries of different feeds that are one story: an episode's post and the episode, a post syndicated twice.

In: entries of any feeds, in any order. Out: a Pairing: pairs, and doubts where the signs do not suffice. Touches
nothing: no network, disk, clock or randomness.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipeline.model.entry import Entry
from pipeline.text.likeness import title_key
from pipeline.text.urls import media_key, url_key

_WINDOW = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two entries that are one story."""

    first: Entry
    """The one to read; of two of a kind the older one."""
    second: Entry
    reason: str
    """Why, as a sentence's end, for the why-ledger: ``same title apart from its prefix, one day apart``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Two entries that may be one story; both are kept."""

    first: Entry
    second: Entry
    reason: str
    """What speaks for it and what is missing, as a sentence's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which entries belong together. An entry is in at most one pair."""

    pairs: tuple[Pair, ...] = ()
    unsure: tuple[Doubt, ...] = ()


def pair(entries: Sequence[Entry]) -> Pairing:
    """Find the entries of different feeds that are one story; the order of ``entries`` does not matter."""
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.published_at, entry.feed_id, entry.guid)):
        groups["page", url_key(entry.url)].append(entry)
        groups["file", media_key(entry.enclosure.url) if entry.enclosure else ""].append(entry)
        groups["title", title_key(entry.title)].append(entry)
    return Pairing(pairs=_taken(groups))


def _taken(groups: dict[tuple[str, str], list[Entry]]) -> tuple[Pair, ...]:
    taken: set[tuple[str, str]] = set()
    pairs: list[Pair] = []
    for (sign, key), group in groups.items():
        for first, second in zip(group, group[1:], strict=False):
            names = {(first.feed_id, first.guid), (second.feed_id, second.guid)}
            near = second.published_at - first.published_at <= _WINDOW
            if key and near and first.feed_id != second.feed_id and not names & taken:
                taken |= names
                ordered = sorted((first, second), key=lambda entry: entry.is_episode)
                pairs.append(Pair(first=ordered[0], second=ordered[1], reason=f"same {sign}"))
    return tuple(pairs)
