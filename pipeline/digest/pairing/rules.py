"""Weigh what speaks for two entries being one story.

In: two entries of different feeds, and what is known of all entries around them. Out: a Kin (how strong the sign is,
and the words for the why-ledger), or None. Touches nothing.

The rules stand in order of strength; the first that answers counts. A new rule is a function more in a tuple.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pipeline.digest.pairing.features import MEDIA_FILE_SUFFIX, EntryFeatures
from pipeline.text.similarity import title_key, within_one_edit
from pipeline.text.titles import RECORDING_TAGS

MAX_GAP = timedelta(days=14)
"""No two entries further apart are ever one story: a re-run is not its first run's post."""
_FEW_DAYS = timedelta(days=7)
_SHORT = timedelta(days=4)
_AT_ONCE = timedelta(days=3)

_GUEST_POST = re.compile(r"guest|gast|invit", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchContext:
    """What the other entries make of a sign: none that many share says anything."""

    max_title_gap: timedelta
    """Half the time to the next entry of the same feed with the same title: nearer than that, the sibling is meant."""
    shared_keys: frozenset[str]
    """Pages and files that several entries of one feed have."""
    popular_pages: frozenset[str]
    """Pages that several entries of one feed link to."""
    has_link_feed: bool = False
    """True when one of the two comes from a feed of links to other people's pages."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Match:
    """How two entries belong together; the smaller the rank, the stronger the sign."""

    rank: int
    reason: str
    certain: bool = True
    duplicate: bool = False
    """True for the same thing twice, which may join a story that has both a post and an episode already."""


def find_match(one: EntryFeatures, other: EntryFeatures, context: MatchContext) -> Match | None:
    """Say how two entries of different feeds belong together, None when nothing speaks for it."""
    if abs(one.entry.published_at - other.entry.published_at) > MAX_GAP:
        return None
    post, episode = sorted((one, other), key=reading_order)
    rules = _rules(post, episode, context)
    for rank, rule in enumerate((*rules, *_DOUBTS.get(rules, ()))):
        reason = rule(post, episode, context)
        if reason:
            return Match(
                rank=rank + _handicap(post, episode),
                reason=f"{reason}, {_distance(one, other)}",
                certain=rule in rules,
                duplicate=rule in _SAME_THING or rules is _TWO_OF_A_KIND,
            )
    return None


def reading_order(one: EntryFeatures) -> tuple[bool, bool, bool]:
    """Order the part to read before the part to hear; a post may carry its episode's file, but seldom its length."""
    return one.entry.is_episode, not one.mentions_podcast, one.entry.duration_seconds is not None


MatchRule = Callable[[EntryFeatures, EntryFeatures, MatchContext], str]
"""Says why two entries belong together, or "" when it does not apply."""


def _same_file(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    same = post.file and post.file == episode.file and post.file not in around.shared_keys
    return "same media file" if same else ""


def _same_page(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    same = post.page and post.page == episode.page and post.page not in around.shared_keys
    return "same page" if same and not _other_kind(post, episode) else ""


def _plays_the_file(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    files = {link for link in post.links if MEDIA_FILE_SUFFIX.search(link)}
    plays = files == {episode.file} and episode.file not in around.shared_keys
    return "the post plays the episode's file" if plays and not _other_kind(post, episode) else ""


def _same_title(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    same = post.title.text and post.title.text == episode.title.text
    within = min(_title_window(post), around.max_title_gap)
    if not same or _other_kind(post, episode) or _apart(post, episode) > within:
        return ""
    if post.entry.label or title_key(post.entry.title) != title_key(episode.entry.title):
        return "same title apart from its prefix"
    return "same title" if post.entry.title == episode.entry.title else "same title in another spelling"


def _title_within_title(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    if _other_kind(post, episode) or _apart(post, episode) > min(_FEW_DAYS, around.max_title_gap):
        return ""
    for short, long in ((post.title, episode.title), (episode.title, post.title)):
        telling = _telling(short.text) or _same_guest(post, episode)
        if short.text and telling and short.text in long.variants and short.parts == long.parts:
            return "same title apart from a prefix, a guest or a subtitle"
    return ""


def _cut_title(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    for short, long in ((post.title, episode.title), (episode.title, post.title)):
        starts = any(long.text.startswith(core) and len(core.split()) > 3 for core in short.variants)
        if short.truncated and starts and _apart(post, episode) <= min(_FEW_DAYS, around.max_title_gap):
            return "same title, which one feed cuts short"
    return ""


def _nearly_same_title(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    left, right = post.title.text.split(), episode.title.text.split()
    if _other_kind(post, episode) or post.title.numbers != episode.title.numbers:
        return ""
    if _apart(post, episode) > min(_SHORT, around.max_title_gap):
        return ""
    if _slip(left, right):
        return "same title but for a spelling"
    bags = [{word for word in side if len(word) > 3} - post.guest - episode.guest for side in (left, right)]
    enough = len(bags[0]) >= (2 if _same_guest(post, episode) else 3)
    return "same title in another order" if enough and bags[0] == bags[1] else ""


def _linked(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    if not _links(post, episode, around) or _other_kind(post, episode):
        return ""
    if _same_words(post, episode) >= 0.5 or _title_words_shared(post, episode) >= 0.6 or _same_guest(post, episode):
        return "one links to the other and they speak of the same"
    if post.mentions_podcast and _apart(post, episode) <= _AT_ONCE:
        return "one links to the other and the post says it is the podcast's"
    return ""


def _same_guest_and_words(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    if not _same_guest(post, episode) or _other_kind(post, episode) or _apart(post, episode) > _FEW_DAYS:
        return ""
    if _same_words(post, episode) >= 0.4:
        return "same guest and much the same words"
    own = post.mentions_podcast and not _GUEST_POST.search(post.entry.label)
    if own and _apart(post, episode) <= _AT_ONCE:
        return "same guest, and the post says it is the podcast's"
    return ""


def _much_the_same_words(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    enough = min(len(post.shingles), len(episode.shingles)) >= 12
    near = _apart(post, episode) <= min(_FEW_DAYS, around.max_title_gap)
    same = enough and near and _same_words(post, episode) >= 0.6
    return "much the same words" if same and not _other_kind(post, episode) else ""


def _same_title_and_words(one: EntryFeatures, other: EntryFeatures, around: MatchContext) -> str:
    if not _same_title(one, other, around):
        return ""
    if min(len(one.shingles), len(other.shingles)) >= 5 and _same_words(one, other) >= 0.5:
        return "same title and much the same words"
    if _links(one, other, around):
        return "same title, and one links to the other"
    if _same_length(one, other):
        return "same title and same length"
    return ""


def _perhaps_linked(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    near = _links(post, episode, around) and not _other_kind(post, episode) and _apart(post, episode) <= _AT_ONCE
    return "one links to the other, but they share no words" if near else ""


def _perhaps_same_guest(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> str:
    near = _same_guest(post, episode) and not _other_kind(post, episode) and _apart(post, episode) <= _SHORT
    return "same guest, but other words" if near else ""


def _perhaps_same_title(one: EntryFeatures, other: EntryFeatures, around: MatchContext) -> str:
    return "same title, but nothing else in common" if _same_title(one, other, around) else ""


_POST_AND_EPISODE: tuple[MatchRule, ...] = (
    _same_file,
    _same_page,
    _plays_the_file,
    _same_title,
    _title_within_title,
    _cut_title,
    _nearly_same_title,
    _linked,
    _same_guest_and_words,
    _much_the_same_words,
)
_TWO_OF_A_KIND: tuple[MatchRule, ...] = (_same_file, _same_page, _same_title_and_words, _much_the_same_words)
_SAME_THING: tuple[MatchRule, ...] = (_same_file, _same_page)
"""All that counts where one of them is a mere link: what it leads to is somebody else's, whatever its title."""
_DOUBTS: dict[tuple[MatchRule, ...], tuple[MatchRule, ...]] = {
    _POST_AND_EPISODE: (_perhaps_linked, _perhaps_same_guest),
    _TWO_OF_A_KIND: (_perhaps_same_title,),
}
"""Asked when nothing is sure: both are kept, and the why-ledger names the doubt."""


def _rules(post: EntryFeatures, episode: EntryFeatures, around: MatchContext) -> tuple[MatchRule, ...]:
    if around.has_link_feed:
        return _SAME_THING
    posted_audio = post.entry.is_episode and post.mentions_podcast and not episode.mentions_podcast
    mixed = posted_audio or post.entry.is_episode != episode.entry.is_episode
    return _POST_AND_EPISODE if mixed else _TWO_OF_A_KIND


def _other_kind(one: EntryFeatures, other: EntryFeatures) -> bool:
    """Say whether only one of the two titles says trailer or bonus, or they name different parts or numbers."""
    marks = one.title.tags ^ other.title.tags
    parts = one.title.parts, other.title.parts
    serials = one.title.episode_number, other.title.episode_number
    return bool(marks & RECORDING_TAGS) or any(all(both) and both[0] != both[1] for both in (parts, serials))


def _handicap(post: EntryFeatures, episode: EntryFeatures) -> int:
    """Let a transcript wait for better notes, and a trailer or bonus for the full episode."""
    transcript = "transcript" in post.title.tags
    lesser = episode.entry.episode_type in ("trailer", "bonus") and not episode.title.tags
    return 20 * transcript + 10 * lesser


def _title_window(post: EntryFeatures) -> timedelta:
    """Say how far apart a title may be found again: the more it says, the further."""
    if len([word for word in post.title.text.split() if len(word) > 3]) > 1 and _telling(post.title.text):
        return MAX_GAP
    return _FEW_DAYS if post.mentions_podcast else _SHORT


def _telling(title: str) -> bool:
    """Say whether a title says enough to be told from others: three words, or the like without spaces."""
    return len(title.split()) > 2 or (not title.isascii() and title.isalpha() and len(title) > 5 and _cjk(title))


def _cjk(text: str) -> bool:
    return any("\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3" for character in text)


def _slip(left: list[str], right: list[str]) -> bool:
    """Say whether two titles differ by one letter of one long word."""
    if len(left) != len(right) or len(left) < 3:
        return False
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if a != b]
    return len(pairs) == 1 and min(map(len, pairs[0])) > 6 and within_one_edit(*pairs[0])


def _links(one: EntryFeatures, other: EntryFeatures, around: MatchContext) -> bool:
    return any(
        target.page in source.links and target.page not in around.shared_keys | around.popular_pages
        for source, target in ((one, other), (other, one))
        if target.page
    )


def _same_guest(one: EntryFeatures, other: EntryFeatures) -> bool:
    return any(len(a.guest) > 1 and a.guest <= b.names for a, b in ((one, other), (other, one)))


def _same_words(one: EntryFeatures, other: EntryFeatures) -> float:
    """Say which share of the shorter text's three-word runs the longer one holds."""
    fewest = min(len(one.shingles), len(other.shingles))
    return len(one.shingles & other.shingles) / fewest if fewest else 0.0


def _title_words_shared(one: EntryFeatures, other: EntryFeatures) -> float:
    bags = [{word for word in side.title.text.split() if len(word) > 3} for side in (one, other)]
    fewest = min(map(len, bags))
    return len(bags[0] & bags[1]) / fewest if fewest else 0.0


def _same_length(one: EntryFeatures, other: EntryFeatures) -> bool:
    lengths = one.entry.duration_seconds, other.entry.duration_seconds
    return lengths[0] is not None and lengths[1] is not None and abs(lengths[0] - lengths[1]) <= 120


def _apart(one: EntryFeatures, other: EntryFeatures) -> timedelta:
    return abs(one.entry.published_at - other.entry.published_at)


def _distance(one: EntryFeatures, other: EntryFeatures) -> str:
    days = abs((one.entry.published_at.date() - other.entry.published_at.date()).days)
    return ("the same day", "one day apart")[days] if days < 2 else f"{days} days apart"
