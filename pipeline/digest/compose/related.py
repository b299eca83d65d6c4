"""What older entries are about the same.

In: entries, and which stored entries have which words (the store knows). Out: the nearest, best first. Pure.

Each word counts by where it stands in the story (title, categories and guest, text) and by how few entries have it. An
entry is as near as the share of the story's weight that it has, too; a word it has in its title counts in full, one in
its text a little less. What shares less than ``MIN_SHARE``, or one word alone, is not related.
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
"""A word that more entries have says little, and costs much: it is not looked at."""
MIN_SHARING_LIMIT = 4
"""However small the archive, so many may share a word."""
MIN_SHARE = 0.15
MIN_SHARED_TERMS = 2
_IN_TITLE, _IN_FACTS, _IN_TEXT = 3.0, 2.0, 1.0
_TEXT_CHARACTERS = 4_000
_TAG = re.compile(r"<[^>]*>")
_IDLE_WORDS = """
about after again all also and any are back because been before but can could day did does down each episode
even every first for from get had has have her here him his how into its just like made make many more most
much never new next not now off old once one only other our out over own people podcast post same she should
some still story such take than that the their them then there these they thing things this those through
time too two under until use very was way week well were what when where which while who why will with would
year years you your
"""
"""Found in any text about anything. How rare a word is says the same, but only where there are many entries."""
_IDLE = frozenset(_IDLE_WORDS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """What a story is compared by, and who has it, too."""

    weights: Mapping[str, float]
    """Word to what it counts in the story and by how few have it; only words that anybody has."""
    entry_ids: Mapping[str, Collection[int]]
    """The same words to the ids of the entries that have them, in this or another form."""

    @classmethod
    def from_terms(
        cls, weights: Mapping[str, float], entry_ids: Mapping[str, Collection[int]], total: int
    ) -> Similarity:
        """Compare by what is not on everybody's lips: a word of every twelfth entry is the house's, not a subject.

        ``having`` may know more words than the story has; ``total``: how many entries there are.
        """
        most = max(MIN_SHARING_LIMIT, total // 12)
        shared = {word: frozenset(entry_ids[word]) for word in weights if 0 < len(entry_ids.get(word, ())) <= most}
        worth = {word: weights[word] * log(1 + total / len(ids)) for word, ids in shared.items()}
        return cls(weights=worth, entry_ids=shared)


def key_terms(story: Sequence[Entry]) -> dict[str, float]:
    """Choose the words a story is compared by, the weightiest first, and say what each counts."""
    counts: defaultdict[str, float] = defaultdict(float)
    for entry in story:
        text = _TAG.sub(" ", entry.body_html[:_TEXT_CHARACTERS]) or entry.excerpt_text
        facts = " ".join((*entry.categories, entry.guest))
        for part, weight in ((entry.title, _IN_TITLE), (facts, _IN_FACTS), (text, _IN_TEXT)):
            for word in _telling(part):
                counts[word] += weight / len(story)
    # Said ten times is not ten times as telling.
    weighed = {word: 1 + log(count) if count > 1 else count for word, count in counts.items()}
    ordered = sorted(weighed.items(), key=lambda item: (-item[1], item[0]))
    return dict(ordered[:MAX_TERMS])


def candidates(similarity: Similarity, *, excluded: Collection[int]) -> tuple[int, ...]:
    """Name the entries worth a closer look, without the story's own: those that share most, and enough at best."""
    shared: defaultdict[int, list[float]] = defaultdict(list)
    for word, ids in similarity.entry_ids.items():
        for entry_id in ids:
            shared[entry_id].append(similarity.weights[word])
    enough = MIN_SHARE * sum(similarity.weights.values())
    weighed = {entry_id: sum(worths) for entry_id, worths in shared.items() if len(worths) >= MIN_SHARED_TERMS}
    others = [each for each, worth in weighed.items() if worth >= enough and each not in excluded]
    return tuple(sorted(others, key=lambda each: (-weighed[each], -each))[:MAX_CANDIDATES])


def rank_related(
    similarity: Similarity, entries: Sequence[StoredEntry], *, max_entries: int
) -> tuple[StoredEntry, ...]:
    """Choose the entries that are about the same, nearest first, each story once; often there is none."""
    judged = sorted(
        ((_share(similarity, each), each) for each in entries), key=lambda pair: (-pair[0], -pair[1].entry_id)
    )
    near: list[StoredEntry] = []
    for share, each in judged:
        if share >= MIN_SHARE and not any(_one_story(each, other) for other in near):
            near.append(each)
    return tuple(near[:max_entries])


def _one_story(one: StoredEntry, other: StoredEntry) -> bool:
    """Tell whether two titles name one story, as a post and its episode do: all words of the one are in the other."""
    first, second = (frozenset(_telling(each.entry.title)) for each in (one, other))
    return bool(first and second) and (first <= second or second <= first)


def _share(likeness: Similarity, other: StoredEntry) -> float:
    """Say how much of a story's weight another entry has, from 0 to 1."""
    title = {_stem(word) for word in normalised_words(other.entry.title)}
    shared = [word for word, ids in likeness.entry_ids.items() if other.entry_id in ids]
    if len(shared) < MIN_SHARED_TERMS:
        return 0.0
    in_full = sum(likeness.weights[word] * (1.0 if _stem(word) in title else 0.8) for word in shared)
    return in_full / sum(likeness.weights.values())


def _telling(text: str) -> list[str]:
    return [word for word in normalised_words(text) if len(word) > 2 and word not in _IDLE and not word.isdigit()]


def _stem(word: str) -> str:
    """Cut the commonest English endings: enough to see that a title has a word.

    >>> _stem("loaves"), _stem("baking"), _stem("baked")
    ('loav', 'bak', 'bak')
    """
    return re.sub(r"(?<=\w{3})(?:ing|ed|es|s|e)$", "", word)
