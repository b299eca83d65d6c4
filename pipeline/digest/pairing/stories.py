"""Entries that are told together: pairs, and pairs of pairs.

In: entries. Out: stories, and what the why-ledger says of how they came about. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.digest.pairing.pair import pair
from pipeline.model.entry import StoredEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedStories:
    """Which entries are told together, and what the why-ledger says of it. Keys are entry ids."""

    stories: tuple[tuple[StoredEntry, ...], ...]
    notes: Mapping[int, str]


def join_stories(entries: Sequence[StoredEntry]) -> JoinedStories:
    """Join paired entries, pairs of pairs too, into stories, in the order of their first entries."""
    ids = {(each.entry.feed_id, each.entry.guid): each.entry_id for each in entries}
    leader = {each.entry_id: each.entry_id for each in entries}
    remarks: dict[int, str] = {}
    pairing = pair([each.entry for each in entries])
    for found in pairing.pairs:
        one, other = (ids[each.feed_id, each.guid] for each in (found.first, found.second))
        old, new = leader[other], leader[one]
        leader = {each: new if led == old else led for each, led in leader.items()} if old != new else leader
        remarks[one] = remarks[other] = f"; one story, post and partner: {found.reason}"
    for doubt in pairing.uncertain:
        for entry, partner in ((doubt.first, doubt.second), (doubt.second, doubt.first)):
            remark = f"; perhaps one story with “{partner.title}”, kept apart: {doubt.reason}"
            remarks.setdefault(ids[entry.feed_id, entry.guid], remark)
    groups: dict[int, list[StoredEntry]] = {}
    for each in entries:
        groups.setdefault(leader[each.entry_id], []).append(each)
    return JoinedStories(stories=tuple(tuple(group) for group in groups.values()), notes=remarks)
