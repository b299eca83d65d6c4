"""Pair entries of different feeds that are one story: an episode's post and the episode, a post syndicated twice.

In: entries of any feeds, in any order. Out: a Pairing: pairs, and doubts where the signs do not suffice. Touches
nothing: no network, disk, clock or randomness. What counts as a sign, ``kinship.py`` says; here candidates are found
without comparing everything with everything, and each entry gets the best partner that is left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipeline.digest.pairing.features import EntryFeatures, extract_features
from pipeline.digest.pairing.rules import MAX_GAP, Match, MatchContext, find_match, reading_order
from pipeline.model.entry import Entry
from pipeline.text.urls import domain

_CROWD = 30
"""So many neighbours in time under one key are looked at, no more: what is as common as that tells nothing."""
_TWICE = timedelta(hours=3)
"""Nearer than this one title is one post published twice by mistake, and no series."""
_SAMPLE = 12
"""So many three-word runs of a body serve as keys: the alphabetically first are a fair sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two entries that are one story."""

    first: Entry
    """The one to read; of two of a kind the older one."""
    second: Entry
    reason: str
    """Why, as a sentence's end for the why-ledger: ``same title apart from its prefix, one day apart``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainPair:
    """Two entries that may be one story; both are kept."""

    first: Entry
    second: Entry
    reason: str
    """What speaks for it and what does not, as a sentence's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which entries belong together.

    An entry has at most one partner in any other feed. Where pairs share an entry (a post, its copy in a magazine and
    the episode), all of them are one story, and no story holds two entries of one feed.
    """

    pairs: tuple[Pair, ...] = ()
    uncertain: tuple[UncertainPair, ...] = ()


def pair(entries: Sequence[Entry]) -> Pairing:
    """Find the entries of different feeds that are one story.

    ``entries``: no two with the same feed and guid; their order does not matter. Time grows with their number, not
    with its square.

    >>> from datetime import UTC, datetime
    >>> from pipeline.model.entry import Enclosure
    >>> day, audio = datetime(2026, 2, 10, tzinfo=UTC), Enclosure(url="https://cdn.example/14.mp3")
    >>> post = Entry(feed_id="blog", guid="1", url="", title="The last ferry", label="Podcast", published_at=day)
    >>> heard = Entry(feed_id="cast", guid="9", url="", title="14. The Last Ferry", published_at=day, enclosure=audio)
    >>> [(pair.second.title, pair.reason) for pair in pair([heard, post]).pairs]
    [('14. The Last Ferry', 'same title apart from its prefix, the same day')]
    """
    profiles = sorted(map(extract_features, entries), key=_order)
    surroundings = _Surroundings(profiles)
    matches = []
    for left, right in sorted(_candidates(profiles)):
        found = find_match(profiles[left], profiles[right], surroundings.around(left, right))
        if found:
            matches.append(_Match(kin=found, left=left, right=right))
    matches.sort(key=lambda match: (match.kin.rank, _gap(profiles[match.left], profiles[match.right]), match.left))
    return _assigned(matches, profiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    kin: Match
    left: int
    right: int


def _order(one: EntryFeatures) -> tuple[object, ...]:
    return one.entry.published_at, one.entry.feed_id, one.entry.guid


def _gap(one: EntryFeatures, other: EntryFeatures) -> timedelta:
    return abs(one.entry.published_at - other.entry.published_at)


def _candidates(profiles: Sequence[EntryFeatures]) -> set[tuple[int, int]]:
    """Find the pairs of places in ``profiles`` worth a look: those that share a key and are near in time."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    guests = frozenset(_tell_tale(one.guest) for one in profiles if one.guest)
    for place, one in enumerate(profiles):
        for key in set(_keys(one, guests)):
            groups[key].append(place)
    return {near for group in groups.values() for near in _neighbours(group, profiles)}


def _neighbours(group: Sequence[int], profiles: Sequence[EntryFeatures]) -> Iterator[tuple[int, int]]:
    for index, left in enumerate(group):
        for right in group[index + 1 : index + _CROWD]:
            if _gap(profiles[left], profiles[right]) > MAX_GAP:
                break
            if profiles[left].entry.feed_id != profiles[right].entry.feed_id:
                yield left, right


def _keys(one: EntryFeatures, guests: frozenset[str]) -> Iterator[Hashable]:
    """Give all keys under which a partner may be found; ``guests``: a word of every guest's name."""
    title = one.title.text.split()
    yield from ((key,) for key in {one.page, one.file, *one.links} - {""})
    yield from (("title", core) for core in one.title.variants if core)
    yield "order", tuple(sorted(word for word in title if len(word) > 3))
    yield from (("slip", place, *title[:place], *title[place + 1 :]) for place in range(len(title)) if len(title) > 2)
    yield from (("start", *core.split()[:4]) for core in one.title.variants if len(core.split()) > 3)
    yield from (("guest", word) for word in one.names & guests)
    yield from (("text", run) for run in one.opening)
    yield from (("text", run) for run in sorted(one.shingles)[:_SAMPLE])


def _tell_tale(guest: frozenset[str]) -> str:
    """Choose the word of a name that is likely the rarest."""
    return max(guest, key=lambda word: (len(word), word))


class _Surroundings:
    """What all entries together make of a sign between two of them."""

    def __init__(self, profiles: Sequence[EntryFeatures]) -> None:
        self._profiles = profiles
        self._shared = _several((one.entry.feed_id, key) for one in profiles for key in {one.page, one.file})
        self._popular = _several((one.entry.feed_id, link) for one in profiles for link in one.links)
        self._gaps = _half_gaps(profiles)
        self._feeds_of_links = _feeds_of_links(profiles)

    def around(self, left: int, right: int) -> MatchContext:
        """Describe the surroundings of two places."""
        feeds = {self._profiles[place].entry.feed_id for place in (left, right)}
        return MatchContext(
            max_title_gap=min(self._gaps[left], self._gaps[right]),
            shared_keys=self._shared,
            popular_pages=self._popular,
            has_link_feed=bool(feeds & self._feeds_of_links),
        )


def _feeds_of_links(profiles: Sequence[EntryFeatures]) -> frozenset[str]:
    """Find the feeds whose entries lead to many sites, none of them to most."""
    sites: dict[str, Counter[str]] = defaultdict(Counter)
    for one in profiles:
        if not one.entry.is_episode:
            sites[one.entry.feed_id][domain(one.entry.url)] += 1
    return frozenset(feed for feed, counts in sites.items() if 2 < counts.total() >= 2 * max(counts.values()))


def _several(keys: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Give the keys that occur more than once in one feed; ``keys``: feed and key."""
    return frozenset(key for (_, key), count in Counter(keys).items() if count > 1 and key)


def _half_gaps(profiles: Sequence[EntryFeatures]) -> list[timedelta]:
    """Give, for each place, half the time to the nearest entry of the same feed with the same title."""
    gaps = [MAX_GAP] * len(profiles)
    last: dict[Hashable, int] = {}
    for place, one in enumerate(profiles):
        name = (one.entry.feed_id, one.title.text, one.title.tags - {"podcast"})
        if name not in last:
            last[name] = place
        elif _gap(profiles[last[name]], one) > _TWICE:
            half = _gap(profiles[last[name]], one) / 2
            gaps[place], gaps[last[name]] = half, min(half, gaps[last[name]])
            last[name] = place
    return gaps


def _assigned(matches: Sequence[_Match], profiles: Sequence[EntryFeatures]) -> Pairing:
    """Give each entry its best partners, the surest first; note doubts about those left alone."""
    stories = _Stories(profiles)
    pairs = [match for match in matches if match.kin.certain and stories.join(match)]
    lone = [match for match in matches if not match.kin.certain and stories.alone(match)]
    return Pairing(
        pairs=tuple(Pair(first=a, second=b, reason=reason) for a, b, reason in _told(pairs, profiles)),
        uncertain=tuple(UncertainPair(first=a, second=b, reason=reason) for a, b, reason in _told(lone, profiles)),
    )


class _Stories:
    """Which places hang together so far: no two of one feed, and no more than one post that is no copy of another."""

    def __init__(self, profiles: Sequence[EntryFeatures]) -> None:
        self._feeds = [one.entry.feed_id for one in profiles]
        self._story = [frozenset({place}) for place in range(len(profiles))]
        self._read_and_heard: set[int] = set()

    def join(self, match: _Match) -> bool:
        """Make one story of two places if that may be, and say whether it was done."""
        joined = self._story[match.left] | self._story[match.right]
        again = match.right in self._story[match.left] or len({self._feeds[place] for place in joined}) < len(joined)
        if again or (not match.kin.duplicate and joined & self._read_and_heard):
            return False
        for place in joined:
            self._story[place] = joined
        self._read_and_heard |= frozenset() if match.kin.duplicate else joined
        return True

    def alone(self, match: _Match) -> bool:
        """Say whether neither place has found a partner."""
        return len(self._story[match.left]) == len(self._story[match.right]) == 1


def _told(matches: Iterable[_Match], profiles: Sequence[EntryFeatures]) -> Iterator[tuple[Entry, Entry, str]]:
    for match in sorted(matches, key=lambda match: (match.left, match.right)):
        first, second = sorted((profiles[match.left], profiles[match.right]), key=reading_order)
        yield first.entry, second.entry, match.kin.reason
