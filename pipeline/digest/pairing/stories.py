"""Stories: entries joined by their pairs, and by pairs of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.digest.pairing.pair import pair
from pipeline.model.entry import StoredEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedStories:
    """Entries joined into stories."""

    stories: tuple[tuple[StoredEntry, ...], ...]
    """In the order of their first entries; an entry without a partner is a story of its own."""
    notes: Mapping[int, str]
    """Entry id to the end of its decision: the partner it was paired with, or may belong to, and why."""


def join_stories(entries: Sequence[StoredEntry]) -> JoinedStories:
    """Pair entries and join pairs that share an entry into one story."""
    ids = {(stored.entry.feed_id, stored.entry.guid): stored.entry_id for stored in entries}
    first_ids = {stored.entry_id: stored.entry_id for stored in entries}
    notes: dict[int, str] = {}
    pairing = pair([stored.entry for stored in entries])
    for match in pairing.pairs:
        one, other = (ids[entry.feed_id, entry.guid] for entry in (match.first, match.second))
        old, new = first_ids[other], first_ids[one]
        if old != new:
            first_ids = {entry_id: new if first == old else first for entry_id, first in first_ids.items()}
        notes[one] = notes[other] = f"; paired: {match.reason}"
    for doubt in pairing.uncertain:
        for entry, partner in ((doubt.first, doubt.second), (doubt.second, doubt.first)):
            note = f"; may be one story with “{partner.title}”, not paired: {doubt.reason}"
            notes.setdefault(ids[entry.feed_id, entry.guid], note)
    stories: dict[int, list[StoredEntry]] = {}
    for stored in entries:
        stories.setdefault(first_ids[stored.entry_id], []).append(stored)
    return JoinedStories(stories=tuple(map(tuple, stories.values())), notes=notes)
