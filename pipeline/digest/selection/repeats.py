"""Repeats: entries that are a story of their feed again, under another guid, address, date, title or text.

Near-identical text within a feed is evidence that it is the same story, also after years for what was published. Words
that other stories of the feed have, such as an introduction or a closing paragraph, prove nothing, and neither does a
title that a column always has. But a third title makes no other story of a text that has two already. A re-run that
says so in its title is news, and two recordings are two stories.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from pipeline.model.entry import StoredEntry
from pipeline.text.similarity import title_key
from pipeline.text.text_keys import Run, page_path, text_keys, word_runs
from pipeline.text.titles import parse_title
from pipeline.text.urls import media_key, url_key

MAX_TEXT_CHARS = 30_000
_MAX_SHARING = 12
"""A key that more entries of a feed have than this identifies nothing."""
_MAX_SECONDS_BETWEEN = 30
"""Two files of one recording may differ by this much, because of advertising."""
_COPIED, _NEARLY_ALL, _HALF, _SOME = 0.9, 0.8, 0.5, 0.3
"""Shares of runs of words that two texts have in common, of those in either."""
_LONG, _SHORT, _TINY = 30, 15, 6
"""Numbers of runs of words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The story that an entry repeats."""

    original: StoredEntry
    evidence: str
    """What both have in common, as a noun: ``the same text``."""
    certain: bool
    """False if an editor should decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTexts:
    """The texts that new entries are compared with besides those around their week."""

    published: Sequence[StoredEntry] = ()
    """Entries of sealed editions, however old, that have a key in common with a new entry."""
    keys: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Entry id to ``text_keys``, as far as they were computed."""


def compute_keys(entries: Sequence[StoredEntry]) -> dict[int, frozenset[int]]:
    """Return the keys of all entries of feeds that have a new one, by entry id."""
    feeds = {stored.entry.feed_id for stored in entries if _is_new(stored)}
    return {stored.entry_id: _keys(stored) for stored in entries if stored.entry.feed_id in feeds}


def distinctive_keys(entries: Sequence[StoredEntry], keys: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """Return the keys of new entries that no more than two different texts have."""
    names = {stored.entry_id: _keys_of_names(stored) for stored in entries if stored.entry_id in keys}
    texts = {keys[entry_id] - own for entry_id, own in names.items()}
    counts = Counter(key for own in (*names.values(), *texts) for key in own)
    new = (stored.entry_id for stored in entries if _is_new(stored))
    return frozenset(key for entry_id in new for key in keys[entry_id] if counts[key] < 3)


def find_repeats(
    entries: Sequence[StoredEntry],
    others: Iterable[StoredEntry],
    *,
    keys: Mapping[int, frozenset[int]] = MappingProxyType({}),
    is_left_behind: Callable[[StoredEntry], bool] = lambda stored: False,
) -> dict[int, Repeat]:
    """Return the repeats among new entries that no edition carries, by entry id.

    ``others`` are all other known entries of their feeds. The original is one that an edition carries, or else the
    one that was stored first. ``keys`` are those computed before. ``is_left_behind`` says of an entry without an
    edition that it will never be in one.

    The time grows linearly with the number of entries.
    """
    by_feed: dict[str, dict[int, _Text]] = defaultdict(dict)
    feeds = {stored.entry.feed_id for stored in entries}
    for stored in (*entries, *others):
        if stored.entry.feed_id in feeds:
            by_feed[stored.entry.feed_id].setdefault(
                stored.entry_id, _Text(stored, keys.get(stored.entry_id), is_left_behind(stored))
            )
    wanted = {stored.entry_id for stored in entries}
    repeats: dict[int, Repeat] = {}
    for feed_id in [*by_feed]:
        texts = by_feed.pop(feed_id)  # their runs of words are large: those of one feed are in memory at a time
        repeats.update(_repeats_in_feed(_Feed([texts[entry_id] for entry_id in sorted(texts)]), wanted))
    return repeats


class _Text:
    """An entry as it is compared; what is slow to compute is computed when first needed."""

    def __init__(self, stored: StoredEntry, keys: frozenset[int] | None, is_left_behind: bool) -> None:
        entry = stored.entry
        self.keys = _keys(stored) if keys is None else keys
        self.stored = stored
        self.is_left_behind = is_left_behind
        self.title = title_key(entry.title)
        self.page = url_key(entry.url)
        self.file = media_key(entry.enclosure.url) if entry.enclosure else ""

    @cached_property
    def body(self) -> tuple[Run, ...]:
        return word_runs(self.stored.entry.body_html, MAX_TEXT_CHARS)

    @cached_property
    def excerpt(self) -> tuple[Run, ...]:
        return word_runs(self.stored.entry.excerpt_text, MAX_TEXT_CHARS)

    @cached_property
    def is_rerun(self) -> bool:
        return "rerun" in parse_title(f"{self.stored.entry.label}: {self.stored.entry.title}").tags

    @property
    def is_story_of_its_own(self) -> bool:
        """Whether it is known to be another story than the rest of its feed."""
        return self.stored.archived or bool(self.stored.edition_week)


class _Feed:
    """All texts of a feed, in the order they were stored."""

    def __init__(self, texts: Sequence[_Text]) -> None:
        self.texts = texts
        self._titles = Counter(text.title for text in texts)
        self._paths = Counter(page_path(text.page) for text in texts if text.is_story_of_its_own)

    def is_series(self, text: _Text) -> bool:
        """Check whether more than two entries have a text's title."""
        return self._titles[text.title] > 2

    def has_own_page(self, text: _Text) -> bool:
        """Check whether no other story has the page of a text, whatever the query."""
        path = page_path(text.page)
        return bool(path) and self._paths[path] < 2


def _repeats_in_feed(feed: _Feed, wanted: Collection[int]) -> Iterator[tuple[int, Repeat]]:
    """Yield the repeats among the texts of a feed; ``wanted`` are the ids of those that may be one."""
    sharing: dict[int, list[_Text]] = defaultdict(list)

    def share(text: _Text) -> None:
        for key in text.keys:
            sharing[key].append(text)

    for text in feed.texts:
        if text.stored.entry_id not in wanted:
            share(text)
    for text in feed.texts:
        if text.stored.entry_id not in wanted:
            continue
        near = (sharing[key] for key in text.keys if len(sharing[key]) <= _MAX_SHARING)
        originals = {other.stored.entry_id: other for texts in near for other in texts if _comes_before(other, text)}
        compared = (_compare(text, original, feed) for _, original in sorted(originals.items()))
        if repeats := [repeat for repeat in compared if repeat]:
            best = max(repeats, key=lambda repeat: (repeat.certain, bool(repeat.original.edition_week)))
            yield text.stored.entry_id, best
        else:  # a repeat is not compared with others: however many there are, they make no key less distinctive
            share(text)


def _comes_before(original: _Text, text: _Text) -> bool:
    if original is text:
        return False
    return bool(original.stored.edition_week) or original.stored.entry_id < text.stored.entry_id


def _compare(text: _Text, original: _Text, feed: _Feed) -> Repeat | None:
    """Return the repeat if a text is that of an original again, else None."""
    if (text.is_rerun and not original.is_rerun) or _are_two_recordings(text, original):
        return None
    same_title = bool(text.title) and text.title == original.title
    same_page = feed.has_own_page(text) and page_path(text.page) == page_path(original.page)
    common = _resemblance(text, original, feed.texts)
    named = same_title or same_page
    if common.share >= _HALF and common.runs >= _SHORT and named:
        certain = True
    elif common.share >= _NEARLY_ALL and common.runs >= _LONG:
        certain = not common.is_one_end and not common.has_edited_copies
    elif common.share >= _NEARLY_ALL and common.runs >= _TINY and same_title:
        certain = not feed.is_series(text)
    elif (
        (common.share >= _HALF and common.runs >= _LONG and not common.is_one_end)
        or (common.share >= _SOME and common.runs >= _SHORT and named)
        or (same_title and same_page and not feed.is_series(text) and _is_without_text(text, original))
    ):
        certain = False
    else:
        return None
    if original.is_left_behind:
        certain = False
    evidence = [_describe(common.share)] * (common.share >= _SOME)
    evidence += ["title"] * same_title + ["address"] * same_page
    return Repeat(original=original.stored, evidence="the same " + " and ".join(evidence), certain=certain)


class _Resemblance(NamedTuple):
    """The words of their own that two texts have in common."""

    share: float = 0.0
    """The runs of words in both, of those in either."""
    runs: int = 0
    """How many the shorter has."""
    is_one_end: bool = False
    """True if they only begin alike, or only end alike, as with a paragraph that stands in every text."""
    has_edited_copies: bool = False
    """True if further texts are nearly the same: copies again, or a form that is filled in."""


def _resemblance(text: _Text, original: _Text, texts: Sequence[_Text]) -> _Resemblance:
    part: Callable[[_Text], tuple[Run, ...]]
    part = (lambda one: one.body) if text.body and original.body else (lambda one: one.excerpt)
    own, first = part(text), part(original)
    either = {*own, *first}
    if len({*own} & {*first}) < _SOME * len(either):
        return _Resemblance()
    common: set[Run] = set()
    has_edited_copies = False
    for other in texts:
        if other is not text and other is not original and _is_witness(other, text, original):
            if not other.is_story_of_its_own and _is_copy(part(other), first):
                has_edited_copies |= {*part(other)} != {*first} or {*own} != {*first}
            else:
                common |= either.intersection(part(other))
    own, first = (tuple(run for run in runs if run not in common) for runs in (own, first))
    shared = {*own} & {*first}
    ends = [_common_length(own, first), _common_length(own[::-1], first[::-1])]
    return _Resemblance(
        share=len(shared) / (len({*own, *first}) or 1),
        runs=min(len({*own}), len({*first})),
        is_one_end=max(ends) + 3 < min(len(own), len(first)) and len(shared) <= max(ends) + 2,
        has_edited_copies=has_edited_copies,
    )


def _is_copy(own: Sequence[Run], first: Sequence[Run]) -> bool:
    """Check whether two texts are nearly the same, and not only around one passage that each has of its own."""
    shared, either = {*own} & {*first}, {*own} | {*first}
    if len(shared) < _COPIED * len(either) or len(shared) < _LONG:
        return False
    ends = _common_length(own, first) + _common_length(own[::-1], first[::-1])
    return ends + 3 >= min(len(own), len(first)) or len(shared) > ends + 2


def _common_length(one: Sequence[Run], other: Sequence[Run]) -> int:
    """Return how many runs of words two texts begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _is_witness(other: _Text, text: _Text, original: _Text) -> bool:
    """Check whether an entry is another story, so that words it shares prove nothing."""
    if other.is_story_of_its_own or original.stored.edition_week:
        return other.is_story_of_its_own  # other new entries may be repeats of the original, too
    return other.title not in (text.title, original.title)


def _are_two_recordings(text: _Text, original: _Text) -> bool:
    if not text.file or not original.file or text.file == original.file:
        return False
    seconds = (text.stored.entry.duration_seconds, original.stored.entry.duration_seconds)
    if seconds[0] is not None and seconds[1] is not None and abs(seconds[0] - seconds[1]) > _MAX_SECONDS_BETWEEN:
        return True
    return text.title != original.title


def _is_without_text(text: _Text, original: _Text) -> bool:
    return min(len(one.body) + len(one.excerpt) for one in (text, original)) < _TINY


def _describe(share: float) -> str:
    return "text" if share == 1 else "text, apart from edits,"


def _is_new(stored: StoredEntry) -> bool:
    return not stored.edition_week and not stored.archived


def _keys(stored: StoredEntry) -> frozenset[int]:
    entry = stored.entry
    return text_keys(entry.feed_id, entry.title, url_key(entry.url), entry.body_html or entry.excerpt_text)


def _keys_of_names(stored: StoredEntry) -> frozenset[int]:
    """Return the keys of an entry's title and page."""
    return text_keys(stored.entry.feed_id, stored.entry.title, url_key(stored.entry.url), "")
