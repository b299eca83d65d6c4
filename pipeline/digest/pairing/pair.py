"""Pairing: find the entries of different feeds that are one story, such as a post with its episode or its copy.

``pair`` finds pairs; ``join_stories`` joins them, and pairs that share an entry, into stories. Candidates share a key
and are near in time, so no entry is compared with every other; ``rules.py`` judges each pair.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

from pipeline.digest.pairing.features import EntryFeatures, extract_features
from pipeline.digest.pairing.rules import (
    MAX_GAP,
    Match,
    MatchContext,
    are_two_recordings,
    find_match,
    reading_order,
    time_between,
)
from pipeline.model.entry import Entry, StoredEntry
from pipeline.text.urls import domain

_MAX_TITLE_WORDS = 60
"""One word of a title may differ; of a longer one, one of the first."""
_MAX_NEIGHBOURS = 30
"""Candidates per entry and key: a key with more neighbours in time than this identifies nothing."""
_REPOST_GAP = timedelta(hours=3)
"""Two entries of one title in one feed within this time are an accidental repost, not a series."""
_SAMPLED_SHINGLES = 12
"""Runs of body words used as keys; the alphabetically first are a fair sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two entries that are one story."""

    first: Entry
    """The post to read; of two posts or two episodes the older one."""
    second: Entry
    reason: str
    """The end of a sentence, such as ``same title apart from its prefix, one day apart``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainPair:
    """Two entries that may be one story; both are kept."""

    first: Entry
    second: Entry
    reason: str
    """The evidence for and against, as the end of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The pairs found among entries.

    An entry has at most one partner in any other feed. Where pairs share an entry (a post, its copy in a magazine and
    the episode), all of them are one story, and no story holds two entries of one feed.
    """

    pairs: tuple[Pair, ...] = ()
    uncertain: tuple[UncertainPair, ...] = ()


def pair(entries: Sequence[Entry], others: Sequence[Entry] = ()) -> Pairing:
    """Return the pairs among entries of different feeds that are one story.

    No two entries may share feed and guid; their order does not matter. The time grows linearly with their number.
    ``others`` are more entries of the same feeds. They are not paired, but show which words, pages and files several
    entries of a feed have in common.

    >>> from datetime import UTC, datetime
    >>> from pipeline.model.entry import Enclosure
    >>> day, audio = datetime(2026, 2, 10, tzinfo=UTC), Enclosure(url="https://cdn.example/14.mp3")
    >>> post = Entry(feed_id="blog", guid="1", url="", title="The last ferry", label="Podcast", published_at=day)
    >>> episode = Entry(feed_id="cast", guid="9", url="", title="14. The Last Ferry", published_at=day, enclosure=audio)
    >>> [(pair.second.title, pair.reason) for pair in pair([episode, post]).pairs]
    [('14. The Last Ferry', 'same title apart from its prefix, the same day')]
    """
    everything = extract_features([*entries, *others])
    features = sorted(
        everything[: len(entries)], key=lambda one: (one.entry.published_at, one.entry.feed_id, one.entry.guid)
    )
    contexts = _Contexts(features, everything)
    candidates = []
    for left, right in sorted(_candidates(features)):
        if match := find_match(features[left], features[right], contexts.of(left, right)):
            gap = time_between(features[left], features[right])
            candidates.append(_Candidate(match=match, left=left, right=right, gap=gap))
    candidates.sort(key=lambda candidate: (candidate.match.rank, candidate.gap, candidate.left))
    stories = _Stories(features, contexts)
    paired = [candidate for candidate in candidates if candidate.match.certain and stories.join(candidate)]
    uncertain = [one for one in candidates if not one.match.certain and stories.are_unpaired(one)]
    return Pairing(
        pairs=tuple(Pair(first=a, second=b, reason=reason) for a, b, reason in _in_order(paired, features)),
        uncertain=tuple(
            UncertainPair(first=a, second=b, reason=reason) for a, b, reason in _in_order(uncertain, features)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """Two entries that match, by their indexes."""

    match: Match
    left: int
    right: int
    gap: timedelta


def _candidates(features: Sequence[EntryFeatures]) -> set[tuple[int, int]]:
    """Return the index pairs worth comparing: entries of different feeds that share a key and are near in time."""
    by_key: dict[Hashable, list[int]] = defaultdict(list)
    guests = frozenset(max(one.guest, key=lambda word: (len(word), word)) for one in features if one.guest)
    for index, one in enumerate(features):
        for key in set(_keys(one, guests)):
            by_key[key].append(index)
    return {neighbours for indexes in by_key.values() for neighbours in _neighbours(indexes, features)}


def _neighbours(indexes: Sequence[int], features: Sequence[EntryFeatures]) -> Iterator[tuple[int, int]]:
    for position, left in enumerate(indexes):
        for right in indexes[position + 1 : position + _MAX_NEIGHBOURS]:
            if time_between(features[left], features[right]) > MAX_GAP:
                break
            if features[left].entry.feed_id != features[right].entry.feed_id:
                yield left, right


def _keys(one: EntryFeatures, guests: frozenset[str]) -> Iterator[Hashable]:
    """Yield the keys under which a partner may be found; ``guests`` holds the longest word of every guest's name."""
    words = one.title.text.split()
    yield from ((key,) for key in {one.page, one.file, *one.links} - {""})
    yield from (("title", variant) for variant in one.title.variants if variant)
    yield "order", tuple(sorted(word for word in words if len(word) > 3))
    if len(words) > 2:
        droppable = range(min(len(words), _MAX_TITLE_WORDS))
        yield from (("without", index, *words[:index], *words[index + 1 :]) for index in droppable)
    yield from (("start", *variant.split()[:4]) for variant in one.title.variants if len(variant.split()) > 3)
    yield from (("guest", word) for word in one.names & guests)
    yield from (("text", shingle) for shingle in one.opening)
    yield from (("text", shingle) for shingle in sorted(one.shingles)[:_SAMPLED_SHINGLES])


class _Contexts:
    """The contexts of matches, computed from all entries once."""

    def __init__(self, features: Sequence[EntryFeatures], everything: Sequence[EntryFeatures]) -> None:
        self._features = features
        self._shared = _repeated_keys((one.entry.feed_id, key) for one in everything for key in {one.page, one.file})
        self._popular = _repeated_keys((one.entry.feed_id, link) for one in everything for link in one.links)
        self._gaps = _title_gaps(features)
        self._link_feeds = _link_feeds(features)

    def of(self, left: int, right: int) -> MatchContext:
        """Return the context of two entries, given by their indexes."""
        feeds = {self._features[index].entry.feed_id for index in (left, right)}
        return MatchContext(
            max_title_gap=min(self._gaps[left], self._gaps[right]),
            shared_keys=self._shared,
            popular_links=self._popular,
            has_link_feed=bool(feeds & self._link_feeds),
        )


def _link_feeds(features: Sequence[EntryFeatures]) -> frozenset[str]:
    """Return the feeds whose entries lead to many sites, with no site holding more than half of them."""
    sites: dict[str, Counter[str]] = defaultdict(Counter)
    for one in features:
        if not one.entry.is_episode:
            sites[one.entry.feed_id][domain(one.entry.url)] += 1
    return frozenset(feed for feed, counts in sites.items() if 2 < counts.total() >= 2 * max(counts.values()))


def _repeated_keys(keys: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the keys that occur more than once in one feed, given pairs of feed id and key."""
    return frozenset(key for (_, key), count in Counter(keys).items() if count > 1 and key)


def _title_gaps(features: Sequence[EntryFeatures]) -> list[timedelta]:
    """Return, for each entry, half the time to the nearest entry of the same feed with the same title."""
    gaps = [MAX_GAP] * len(features)
    latest: dict[Hashable, int] = {}
    for index, one in enumerate(features):
        title = (one.entry.feed_id, one.title.text, one.title.tags - {"podcast"})
        previous = latest.get(title)
        if previous is None:
            latest[title] = index
        elif (gap := time_between(features[previous], one)) > _REPOST_GAP:
            gaps[index], gaps[previous] = gap / 2, min(gap / 2, gaps[previous])
            latest[title] = index
    return gaps


class _Stories:
    """Indexes joined into stories so far: no two entries of one feed, and one post and one episode besides copies."""

    def __init__(self, features: Sequence[EntryFeatures], contexts: _Contexts) -> None:
        self._features, self._contexts = features, contexts
        self._feeds = [one.entry.feed_id for one in features]
        self._stories = [frozenset({index}) for index in range(len(features))]
        self._complete: set[int] = set()
        """Entries of stories that have both a post and an episode."""

    def join(self, candidate: _Candidate) -> bool:
        """Join two entries if their stories allow it, and return whether they were joined."""
        joined = self._stories[candidate.left] | self._stories[candidate.right]
        if candidate.right in self._stories[candidate.left]:
            return False
        if len({self._feeds[index] for index in joined}) < len(joined) or self._has_two_recordings(joined):
            return False
        if not candidate.match.duplicate:
            if joined & self._complete:
                return False
            self._complete |= joined
        for index in joined:
            self._stories[index] = joined
        return True

    def _has_two_recordings(self, story: frozenset[int]) -> bool:
        return any(
            are_two_recordings(self._features[one], self._features[other], self._contexts.of(one, other))
            for one, other in combinations(sorted(story), 2)
        )

    def are_unpaired(self, candidate: _Candidate) -> bool:
        """Return whether neither entry has a partner."""
        return len(self._stories[candidate.left]) == len(self._stories[candidate.right]) == 1


def _in_order(
    candidates: Iterable[_Candidate], features: Sequence[EntryFeatures]
) -> Iterator[tuple[Entry, Entry, str]]:
    """Yield (post or older entry, partner, reason), in the order of the entries."""
    for candidate in sorted(candidates, key=lambda candidate: (candidate.left, candidate.right)):
        first, second = sorted((features[candidate.left], features[candidate.right]), key=reading_order)
        yield first.entry, second.entry, candidate.match.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedStories:
    """Entries joined into stories."""

    stories: tuple[tuple[StoredEntry, ...], ...]
    """In the order of their first entries; an entry without a partner is a story of its own."""
    notes: Mapping[int, str]
    """Entry id to the end of its decision: the partner it was paired with, or may belong to, and why."""


def join_stories(
    entries: Sequence[StoredEntry],
    others: Sequence[Entry] = (),
    *,
    split: Collection[int] = (),
    join: Iterable[Collection[int]] = (),
) -> JoinedStories:
    """Pair entries and join pairs that share an entry into one story; ``others`` as for ``pair``.

    The editor decides before the evidence does: entries with an id in ``split`` are paired with no other, and those of
    each set of ids in ``join`` are one story.
    """
    ids = {(stored.entry.feed_id, stored.entry.guid): stored.entry_id for stored in entries}
    titles = {stored.entry_id: stored.entry.title for stored in entries}
    first_ids = {entry_id: entry_id for entry_id in titles}
    notes: dict[int, str] = {}

    def unite(one: int, other: int) -> None:
        old, new = first_ids[other], first_ids[one]
        first_ids.update({entry_id: new for entry_id, first in first_ids.items() if first == old})

    pairing = pair([stored.entry for stored in entries], others)
    for match in pairing.pairs:
        one, other = (ids[entry.feed_id, entry.guid] for entry in (match.first, match.second))
        if one in split or other in split:
            notes[one] = f"not paired with “{titles[other]}”, as the editor decided, although: {match.reason}"
            notes[other] = f"not paired with “{titles[one]}”, as the editor decided, although: {match.reason}"
            continue
        unite(one, other)
        notes[one] = notes[other] = f"paired: {match.reason}"
    for doubt in pairing.uncertain:
        for entry, partner in ((doubt.first, doubt.second), (doubt.second, doubt.first)):
            note = f"may be one story with “{partner.title}”, not paired: {doubt.reason}"
            notes.setdefault(ids[entry.feed_id, entry.guid], note)
    for joined in join:
        first, *rest = sorted(entry_id for entry_id in joined if entry_id in titles) or [0]
        for entry_id in rest:
            unite(first, entry_id)
            notes[first] = notes[entry_id] = "paired: the editor joined them"
    stories: dict[int, list[StoredEntry]] = {}
    for stored in entries:
        stories.setdefault(first_ids[stored.entry_id], []).append(stored)
    return JoinedStories(stories=tuple(map(tuple, stories.values())), notes=notes)
