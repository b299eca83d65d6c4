"""Similarity search: older entries about the same topic as a story.

Each term counts by where it is in the story (title, categories and guest, text) and by how few entries have it. The
similarity of an entry is the share of the story's weight that it has as well; a term that is only in the texts counts
little, since texts share sponsors and turns of phrase. An entry below ``MIN_SHARE``, or with fewer than
``MIN_SHARED_TERMS`` shared terms, is not related: no entry is better than a wrong one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple

from pipeline.model.entry import Entry, StoredEntry
from pipeline.text.similarity import normalised_words, title_key
from pipeline.text.titles import strip_episode_number

MAX_TERMS = 32
MAX_CANDIDATES = 12
MAX_TERM_ENTRIES = 300
"""A term that more entries have is not searched for: it says little and costs much."""
MAX_TERM_SHARE = 12
"""A term in more than 1/12 of all entries does not identify a topic."""
MIN_TERM_LIMIT = 4
"""In a small archive this many entries may share a term."""
MIN_SHARE = 0.15
MIN_SHARED_TERMS = 3
_TITLE_WEIGHT, _FACTS_WEIGHT, _TEXT_WEIGHT = 3.0, 2.0, 1.0
_MAX_TEXT_CHARS = 4_000
_PROMINENCE = (0.3, 0.6, 1.0)
"""What a shared term counts that is prominent in neither entry, in one of them, in both."""
_TAG = re.compile(r"<[^>]*>?")
_URL = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)
_STOP_WORD_LIST = """
able about add added adding after again age ago all almost along already also always and announce announced
announcing another any anyone anything april are around ask asked asking august available away back bad because
become been before best better between big bit both bring building built but call called came can cannot change
changed check click code come comes coming could count course day days december did didnt different does doesnt
doing done dont down each end enough episode even every everyone everything exclusive fact far february feel few
find finding first five follow for free friday from full future gave get getting give given gives goes going gone
good got great guide had half happen happened hard has have having help her here heres high him his home hour hours
how idea important instead into isnt its ive january job join july june just keep kind know known last later latest
leave left less let life like liked likes line link links listen little live long look looking lot made main make
many march maybe mean means might minutes moment monday month months more most move much need needed needs never new
next not nothing november now number october off offer offers often old once one only other our out over own part
parts people place plan play please plus podcast point possible post posts put question questions quite rather read
reading real really reason rest right run said same saturday say says second see seen send september series set
several share she short should show shows side simple since small some something soon space start started starting
stay step still stop story subscribe such sunday support sure take takes talk talking team tell than thank thanks
that thats the their them then there these they theyre thing things think this those thought three through thursday
time today together told too took top tried try trying tuesday turn turned two under until update updates use using
very via want wanted wants was watch way wednesday week weeks welcome well went were what whatever when where
whether which while who whole why will win with word work worked working works world worth would write writing wrong
year years yes yet you your youre youve
"""
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
"""Words that say little about a topic. Rarity excludes them too, but only in an archive of many entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """The terms of a story, or of an older entry, that may identify its topic, the weightiest first."""

    weights: Mapping[str, float]
    prominent: frozenset[str]
    """The stems of the terms in its titles, categories and guests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """The terms of a story that identify its topic, and the entries that share them."""

    weights: Mapping[str, float]
    """Stem to its weight, from where the story has it and from its rarity."""
    entry_ids: Mapping[str, Collection[int]]
    """Stem to the ids of the entries that have it."""
    prominent: frozenset[str]
    """The stems in the story's titles, categories and guests."""

    @classmethod
    def from_terms(cls, terms: KeyTerms, entry_ids: Mapping[str, Collection[int]], total: int) -> Similarity:
        """Return the similarity of a story with these terms; common terms are ignored, and forms of a word are one.

        ``entry_ids`` may have more terms than the story; ``total`` is the number of all entries.
        """
        limit = max(MIN_TERM_LIMIT, total // MAX_TERM_SHARE)
        shared: dict[str, frozenset[int]] = {}
        weights: dict[str, float] = {}
        for term, weight in terms.weights.items():
            if 0 < len(ids := entry_ids.get(term, ())) <= limit and (stem := _stem(term)) not in shared:
                shared[stem] = frozenset(ids)
                weights[stem] = weight * log(1 + total / len(ids))
        return cls(weights=weights, entry_ids=shared, prominent=terms.prominent)


def key_terms(story: Sequence[Entry]) -> KeyTerms:
    """Return the terms to compare a story by: at most ``MAX_TERMS``, without URLs."""
    counts: defaultdict[str, float] = defaultdict(float)
    prominent: set[str] = set()
    for entry in story:
        text = _TAG.sub(" ", entry.body_html[:_MAX_TEXT_CHARS]) or entry.excerpt_text
        for part, weight in ((entry.title, _TITLE_WEIGHT), (_facts(entry), _FACTS_WEIGHT), (text, _TEXT_WEIGHT)):
            for term in _terms(_URL.sub(" ", part)):
                counts[term] += weight / len(story)
        prominent |= _prominent(entry)
    # A term that occurs ten times is not ten times as significant.
    weights = {term: 1 + log(count) if count > 1 else count for term, count in counts.items()}
    ordered = sorted(weights.items(), key=lambda term: (-term[1], term[0]))
    return KeyTerms(weights=dict(ordered[:MAX_TERMS]), prominent=frozenset(prominent))


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


class RankedEntry(NamedTuple):
    """An older entry and its share, from 0 to 1, of a story's weight."""

    share: float
    stored: StoredEntry


def rank_related(similarity: Similarity, entries: Iterable[StoredEntry]) -> tuple[RankedEntry, ...]:
    """Return the related entries, the most similar first, then the newest."""
    ranked = [RankedEntry(_share(similarity, stored), stored) for stored in entries]
    ranked.sort(key=lambda one: (-one.share, -one.stored.entry_id))
    return tuple(one for one in ranked if one.share >= MIN_SHARE)


def distribute_related(
    ranked: Mapping[int, Sequence[RankedEntry]], shown: Iterable[StoredEntry] = (), *, max_entries: int
) -> dict[int, tuple[StoredEntry, ...]]:
    """Return the related entries of each story, by its key in ``ranked``: every older story once, where it fits best.

    A post and its episode are one story. Those in ``shown`` are shown elsewhere in the digest already.
    """
    taken = OlderStories(shown)
    related: dict[int, tuple[StoredEntry, ...]] = dict.fromkeys(ranked, ())
    by_share = sorted(
        ((one.share, story, one.stored) for story, entries in ranked.items() for one in entries),
        key=lambda one: -one[0],
    )
    for _, story, stored in by_share:
        if len(related[story]) < max_entries and taken.add(stored):
            related[story] += (stored,)
    return related


class OlderStories:
    """The older stories that a digest shows: an entry of one of them is not shown again."""

    def __init__(self, shown: Iterable[StoredEntry] = ()) -> None:
        self._entry_ids: set[int] = set()
        self._titles: list[tuple[str, frozenset[str]]] = []
        for stored in shown:
            self.add(stored)

    def add(self, stored: StoredEntry) -> bool:
        """Add an entry's story; return False if it was there.

        A post and its episode have the same title, or all terms of one title, if not a single one, are in the other.
        """
        entry = stored.entry
        title = title_key(strip_episode_number(entry.title, entry.episode, entry.season))
        terms = frozenset(_terms(entry.title))
        known = stored.entry_id in self._entry_ids or any(
            title == other_title or (min(len(terms), len(others)) > 1 and (terms <= others or others <= terms))
            for other_title, others in self._titles
        )
        self._entry_ids.add(stored.entry_id)
        self._titles.append((title, terms))
        return not known


def _share(similarity: Similarity, other: StoredEntry) -> float:
    """Return how much of a story's weight another entry has, from 0 to 1."""
    shared = [stem for stem, entry_ids in similarity.entry_ids.items() if other.entry_id in entry_ids]
    if len(shared) < MIN_SHARED_TERMS:
        return 0.0
    prominent = _prominent(other.entry)
    if prominent.isdisjoint(shared) and similarity.prominent.isdisjoint(shared):
        return 0.0
    weight = sum(
        similarity.weights[stem] * _PROMINENCE[(stem in similarity.prominent) + (stem in prominent)] for stem in shared
    )
    return weight / sum(similarity.weights.values())


def _prominent(entry: Entry) -> frozenset[str]:
    """Return the stems of the terms in an entry's title, categories and guest."""
    return frozenset(_stem(term) for term in _terms(f"{entry.title} {_facts(entry)}"))


def _facts(entry: Entry) -> str:
    return " ".join((*entry.categories, entry.guest))


def _terms(text: str) -> list[str]:
    return [word for word in normalised_words(text) if len(word) > 2 and word not in _STOP_WORDS and not word.isdigit()]


def _stem(word: str) -> str:
    """Return a word without the commonest English endings, to find it in titles.

    >>> _stem("loaves"), _stem("baking"), _stem("baked")
    ('loav', 'bak', 'bak')
    """
    return re.sub(r"(?<=\w{3})(?:ing|ed|es|s|e)$", "", word)
