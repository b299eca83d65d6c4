"""Similarity search: older entries about the same topic as a story.

Each term counts by where it is in the story (title, categories and guest, text) and by how few entries have it. The
similarity of an entry is the share of the story's weight that it has as well; a term in its title counts fully, one in
its text a little less. An entry below ``MIN_SHARE``, or with a single shared term, is not related.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log

from pipeline.model.entry import Entry, StoredEntry
from pipeline.text.similarity import normalised_words

MAX_TERMS = 32
MAX_CANDIDATES = 12
MAX_TERM_ENTRIES = 300
"""A term that more entries have is not searched for: it says little and costs much."""
MAX_TERM_SHARE = 12
"""A term in more than 1/12 of all entries does not identify a topic."""
MIN_TERM_LIMIT = 4
"""In a small archive this many entries may share a term."""
MIN_SHARE = 0.15
MIN_SHARED_TERMS = 2
_TITLE_WEIGHT, _FACTS_WEIGHT, _TEXT_WEIGHT = 3.0, 2.0, 1.0
_MAX_TEXT_CHARS = 4_000
_TAG = re.compile(r"<[^>]*>?")
_STOP_WORD_LIST = """
about after again all also and any are back because been before but can could day did does down each episode
even every first for from get had has have her here him his how into its just like made make many more most
much never new next not now off old once one only other our out over own people podcast post same she should
some still story such take than that the their them then there these they thing things this those through
time too two under until use very was way week well were what when where which while who why will with would
year years you your
"""
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
"""Rarity excludes common words too, but only in an archive of many entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """The terms of a story that identify its topic, and the entries that share them."""

    weights: Mapping[str, float]
    """Term to its weight, from where the story has it and from its rarity."""
    entry_ids: Mapping[str, Collection[int]]
    """Term to the ids of the entries that have it, in this or another form."""

    @classmethod
    def from_terms(
        cls, weights: Mapping[str, float], entry_ids: Mapping[str, Collection[int]], total: int
    ) -> Similarity:
        """Return the similarity of a story with these terms; common terms are ignored.

        ``entry_ids`` may have more terms than the story; ``total`` is the number of all entries.
        """
        limit = max(MIN_TERM_LIMIT, total // MAX_TERM_SHARE)
        shared = {term: frozenset(entry_ids[term]) for term in weights if 0 < len(entry_ids.get(term, ())) <= limit}
        by_rarity = {term: weights[term] * log(1 + total / len(ids)) for term, ids in shared.items()}
        return cls(weights=by_rarity, entry_ids=shared)


def key_terms(story: Sequence[Entry]) -> dict[str, float]:
    """Return the terms to compare a story by, the weightiest first, with their weights."""
    counts: defaultdict[str, float] = defaultdict(float)
    for entry in story:
        text = _TAG.sub(" ", entry.body_html[:_MAX_TEXT_CHARS]) or entry.excerpt_text
        facts = " ".join((*entry.categories, entry.guest))
        for part, weight in ((entry.title, _TITLE_WEIGHT), (facts, _FACTS_WEIGHT), (text, _TEXT_WEIGHT)):
            for term in _terms(part):
                counts[term] += weight / len(story)
    # A term that occurs ten times is not ten times as significant.
    weights = {term: 1 + log(count) if count > 1 else count for term, count in counts.items()}
    ordered = sorted(weights.items(), key=lambda term: (-term[1], term[0]))
    return dict(ordered[:MAX_TERMS])


def candidates(similarity: Similarity, *, excluded: Collection[int]) -> tuple[int, ...]:
    """Return the ids of the entries that may be related, those that share most first; at most ``MAX_CANDIDATES``."""
    shared: defaultdict[int, list[float]] = defaultdict(list)
    for term, entry_ids in similarity.entry_ids.items():
        for entry_id in entry_ids:
            shared[entry_id].append(similarity.weights[term])
    minimum = MIN_SHARE * sum(similarity.weights.values())
    scores = {entry_id: sum(weights) for entry_id, weights in shared.items() if len(weights) >= MIN_SHARED_TERMS}
    others = [entry_id for entry_id, score in scores.items() if score >= minimum and entry_id not in excluded]
    return tuple(sorted(others, key=lambda entry_id: (-scores[entry_id], -entry_id))[:MAX_CANDIDATES])


def rank_related(
    similarity: Similarity, entries: Sequence[StoredEntry], *, max_entries: int
) -> tuple[StoredEntry, ...]:
    """Return the related entries, the most similar first, each story once."""
    shares = {stored.entry_id: _share(similarity, stored) for stored in entries}
    related: list[StoredEntry] = []
    for stored in sorted(entries, key=lambda stored: (-shares[stored.entry_id], -stored.entry_id)):
        if shares[stored.entry_id] >= MIN_SHARE and not any(_is_one_story(stored, other) for other in related):
            related.append(stored)
    return tuple(related[:max_entries])


def _is_one_story(one: StoredEntry, other: StoredEntry) -> bool:
    """Return whether all terms of one title are in the other, as for a post and its episode."""
    first, second = (frozenset(_terms(stored.entry.title)) for stored in (one, other))
    return bool(first and second) and (first <= second or second <= first)


def _share(similarity: Similarity, other: StoredEntry) -> float:
    """Return how much of a story's weight another entry has, from 0 to 1."""
    title = {_stem(word) for word in normalised_words(other.entry.title)}
    shared = [term for term, entry_ids in similarity.entry_ids.items() if other.entry_id in entry_ids]
    if len(shared) < MIN_SHARED_TERMS:
        return 0.0
    weight = sum(similarity.weights[term] * (1.0 if _stem(term) in title else 0.8) for term in shared)
    return weight / sum(similarity.weights.values())


def _terms(text: str) -> list[str]:
    return [word for word in normalised_words(text) if len(word) > 2 and word not in _STOP_WORDS and not word.isdigit()]


def _stem(word: str) -> str:
    """Return a word without the commonest English endings, to find it in titles.

    >>> _stem("loaves"), _stem("baking"), _stem("baked")
    ('loav', 'bak', 'bak')
    """
    return re.sub(r"(?<=\w{3})(?:ing|ed|es|s|e)$", "", word)
