"""Matching rules: decide whether two entries of different feeds are one story.

The rules are ordered from the strongest to the weakest; the first that applies decides. To add one, write a function
and list it in a tuple below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import timedelta

from pipeline.digest.pairing.features import MEDIA_FILE_SUFFIX, EntryFeatures
from pipeline.text.similarity import is_distinctive, one_letter_differs, title_key
from pipeline.text.titles import RECORDING_TAGS

MAX_GAP = timedelta(days=14)
"""Maximum time between two entries of one story: a re-run does not belong to the first run's post."""
_WEEK = timedelta(days=7)
_FOUR_DAYS = timedelta(days=4)
_THREE_DAYS = timedelta(days=3)

_GUEST_POST = re.compile(r"guest|gast|invit", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchContext:
    """Facts about all entries that matter for comparing two: a key that many entries share identifies nothing."""

    max_title_gap: timedelta
    """Half the time to the next entry of the same feed with the same title; beyond it, that one is the better match."""
    shared_keys: frozenset[str]
    """Pages and files that several entries of one feed have in common."""
    popular_links: frozenset[str]
    """Pages and files that several entries of one feed link to."""
    has_link_feed: bool = False
    """True when one of the two comes from a feed of links to other sites."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Match:
    """The result of comparing two entries; a smaller rank is stronger evidence."""

    rank: int
    reason: str
    certain: bool = True
    duplicate: bool = False
    """True for two copies of one post or episode, which may join a story that already has a post and an episode."""


MatchRule = Callable[[EntryFeatures, EntryFeatures, MatchContext], str]
"""Return why a post and an episode belong together, or "" when the rule does not apply."""


def find_match(one: EntryFeatures, other: EntryFeatures, context: MatchContext) -> Match | None:
    """Return how two entries of different feeds belong together, or None when no rule applies."""
    if time_between(one, other) > MAX_GAP:
        return None
    post, episode = sorted((one, other), key=reading_order)
    if are_two_recordings(post, episode, context):
        return None
    rules = _rules_for(post, episode, context)
    for rank, rule in enumerate((*rules, *_WEAK_RULES.get(rules, ()))):
        if reason := rule(post, episode, context):
            days = abs((one.entry.published_at.date() - other.entry.published_at.date()).days)
            distance = ("the same day", "one day apart")[days] if days < 2 else f"{days} days apart"
            return Match(
                rank=rank + _penalty(post, episode),
                reason=f"{reason}, {distance}",
                certain=rule in rules,
                duplicate=rule in _SAME_ADDRESS or rules is _SAME_KIND,
            )
    return None


def are_two_recordings(one: EntryFeatures, other: EntryFeatures, context: MatchContext) -> bool:
    """Return whether two entries have media files of their own and titles of their own: they are never one story."""
    if not (one.file and other.file and one.file != other.file and one.title.text and other.title.text):
        return False
    post, episode = sorted((one, other), key=reading_order)
    return not any(rule(post, episode, context) for rule in _TITLE_RULES)


def reading_order(one: EntryFeatures) -> tuple[bool, bool, bool]:
    """Return a sort key that puts the post before its episode, also where the post carries the episode's file."""
    return one.entry.is_episode, not one.mentions_podcast, one.entry.duration_seconds is not None


def time_between(one: EntryFeatures, other: EntryFeatures) -> timedelta:
    """Return the time between the publication of two entries."""
    return abs(one.entry.published_at - other.entry.published_at)


def _same_file(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    same = post.file and post.file == episode.file and post.file not in context.shared_keys
    return "same media file" if same else ""


def _same_page(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    same = post.page and post.page == episode.page and post.page not in context.shared_keys
    return "same page" if same and not _different_recording(post, episode) else ""


def _embedded_file(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    files = {link for link in post.links if MEDIA_FILE_SUFFIX.search(link)}
    embedded = files == {episode.file} and episode.file not in context.shared_keys | context.popular_links
    embedded = embedded and not _different_recording(post, episode)
    return "the post and the episode use the same audio file" if embedded else ""


def _same_title(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    same = post.title.text and post.title.text == episode.title.text
    if not same or _different_recording(post, episode):
        return ""
    if time_between(post, episode) > min(_max_title_gap(post), context.max_title_gap):
        return ""
    if post.entry.label or title_key(post.entry.title) != title_key(episode.entry.title):
        return "same title apart from its prefix"
    return "same title" if post.entry.title == episode.entry.title else "same title, spelled differently"


def _title_within_title(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    if _different_recording(post, episode) or time_between(post, episode) > min(_WEEK, context.max_title_gap):
        return ""
    for short, long in ((post.title, episode.title), (episode.title, post.title)):
        distinctive = is_distinctive(short.text) or _same_guest(post, episode)
        if short.text and distinctive and short.text in long.variants and short.parts == long.parts:
            return "same title apart from a prefix, a guest or a subtitle"
    return ""


def _truncated_title(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    near = time_between(post, episode) <= min(_WEEK, context.max_title_gap)
    for short, long in ((post.title, episode.title), (episode.title, post.title)):
        ends = (variant for variant in short.variants if short.text.endswith(variant) and len(variant.split()) > 3)
        if short.truncated and near and any(map(long.text.startswith, ends)):
            return "same title, truncated in one feed"
    return ""


def _similar_title(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    left, right = post.title.text.split(), episode.title.text.split()
    if _different_recording(post, episode) or post.title.numbers != episode.title.numbers:
        return ""
    if time_between(post, episode) > min(_FOUR_DAYS, context.max_title_gap):
        return ""
    if one_letter_differs(left, right):
        return "same title apart from one letter"
    words = [{word for word in side if len(word) > 3} - post.guest - episode.guest for side in (left, right)]
    enough = len(words[0]) >= (2 if _same_guest(post, episode) else 3)
    return "same title with its words in another order" if enough and words[0] == words[1] else ""


def _linked(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    if not _links(post, episode, context) or _different_recording(post, episode):
        return ""
    titles = [{word for word in one.title.text.split() if len(word) > 3} for one in (post, episode)]
    if _text_overlap(post, episode) >= 0.5 or _overlap(*titles) >= 0.6 or _same_guest(post, episode):
        return "one links to the other and both are about the same topic"
    if post.mentions_podcast and time_between(post, episode) <= _THREE_DAYS:
        return "one links to the other and the post is labelled as a podcast post"
    return ""


def _same_guest_and_text(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    gap = time_between(post, episode)
    if not _same_guest(post, episode) or _different_recording(post, episode) or gap > _WEEK:
        return ""
    if _text_overlap(post, episode) >= 0.4:
        return "same guest and similar text"
    if post.mentions_podcast and not _GUEST_POST.search(post.entry.label) and gap <= _THREE_DAYS:
        return "same guest, and the post is labelled as a podcast post"
    return ""


def _similar_text(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    near = time_between(post, episode) <= min(_WEEK, context.max_title_gap)
    similar = near and _text_overlap(post, episode, min_shingles=12) >= 0.6
    return "similar text" if similar and not _different_recording(post, episode) else ""


def _same_title_and_more(one: EntryFeatures, other: EntryFeatures, context: MatchContext) -> str:
    if not _same_title(one, other, context):
        return ""
    if _text_overlap(one, other) >= 0.5:
        return "same title and similar text"
    if _links(one, other, context):
        return "same title, and one links to the other"
    lengths = one.entry.duration_seconds, other.entry.duration_seconds
    if lengths[0] is not None and lengths[1] is not None and abs(lengths[0] - lengths[1]) <= 120:
        return "same title and same duration"
    return ""


def _only_linked(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    linked = _links(post, episode, context) and not _different_recording(post, episode)
    near = time_between(post, episode) <= _THREE_DAYS
    return "one links to the other, but their texts have nothing in common" if linked and near else ""


def _only_same_guest(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> str:
    same = _same_guest(post, episode) and not _different_recording(post, episode)
    return "same guest, but different text" if same and time_between(post, episode) <= _FOUR_DAYS else ""


def _only_same_title(one: EntryFeatures, other: EntryFeatures, context: MatchContext) -> str:
    return "same title, but nothing else in common" if _same_title(one, other, context) else ""


_POST_AND_EPISODE: tuple[MatchRule, ...] = (
    _same_file,
    _same_page,
    _embedded_file,
    _same_title,
    _title_within_title,
    _truncated_title,
    _similar_title,
    _linked,
    _same_guest_and_text,
    _similar_text,
)
_TITLE_RULES: tuple[MatchRule, ...] = (_same_title, _title_within_title, _truncated_title, _similar_title)
"""Two media files are one story only if one of these applies: a text, a guest or a page may belong to both shows."""
_SAME_KIND: tuple[MatchRule, ...] = (_same_file, _same_page, _same_title_and_more, _similar_text)
"""Rules for two posts or two episodes."""
_SAME_ADDRESS: tuple[MatchRule, ...] = (_same_file, _same_page)
"""The only rules for an entry of a link feed: the page it links to belongs to another site, whatever its title."""
_WEAK_RULES: dict[tuple[MatchRule, ...], tuple[MatchRule, ...]] = {
    _POST_AND_EPISODE: (_only_linked, _only_same_guest),
    _SAME_KIND: (_only_same_title,),
}
"""Tried when no certain rule applies: both entries are kept, and the decision log names the doubt."""


def _rules_for(post: EntryFeatures, episode: EntryFeatures, context: MatchContext) -> tuple[MatchRule, ...]:
    if context.has_link_feed:
        return _SAME_ADDRESS
    post_with_audio = post.entry.is_episode and post.mentions_podcast and not episode.mentions_podcast
    mixed = post_with_audio or post.entry.is_episode != episode.entry.is_episode
    return _POST_AND_EPISODE if mixed else _SAME_KIND


def _different_recording(one: EntryFeatures, other: EntryFeatures) -> bool:
    """Return whether only one title is a trailer or bonus, or the titles name different parts or numbers."""
    tags = one.title.tags ^ other.title.tags
    parts = one.title.parts, other.title.parts
    numbers = one.title.episode_number, other.title.episode_number
    return bool(tags & RECORDING_TAGS) or any(all(both) and both[0] != both[1] for both in (parts, numbers))


def _penalty(post: EntryFeatures, episode: EntryFeatures) -> int:
    """Return what is added to the rank of a transcript, a trailer or a bonus, so that a better partner wins."""
    transcript = "transcript" in post.title.tags
    lesser = episode.entry.episode_type in ("trailer", "bonus") and not episode.title.tags
    return 20 * transcript + 10 * lesser


def _max_title_gap(post: EntryFeatures) -> timedelta:
    """Return the maximum time between two entries of one title: the more distinctive the title, the longer."""
    if sum(len(word) > 3 for word in post.title.text.split()) > 1 and is_distinctive(post.title.text):
        return MAX_GAP
    return _WEEK if post.mentions_podcast else _FOUR_DAYS


def _links(one: EntryFeatures, other: EntryFeatures, context: MatchContext) -> bool:
    return any(
        target.page in linking.links and target.page not in context.shared_keys | context.popular_links
        for linking, target in ((one, other), (other, one))
        if target.page
    )


def _same_guest(one: EntryFeatures, other: EntryFeatures) -> bool:
    return any(len(a.guest) > 1 and a.guest <= b.names for a, b in ((one, other), (other, one)))


def _text_overlap(one: EntryFeatures, other: EntryFeatures, min_shingles: int = 5) -> float:
    """Return the overlap of two bodies; a body with fewer than ``min_shingles`` runs of its own proves nothing."""
    enough = min(len(one.shingles), len(other.shingles)) >= min_shingles
    return _overlap(one.shingles, other.shingles) if enough else 0.0


def _overlap(one: Set[object], other: Set[object]) -> float:
    """Return the share of the smaller set that the larger one holds, from 0 to 1."""
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0
