"""Features of an entry that pairing compares: keys, title words and runs of body words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from html import unescape

from pipeline.model.entry import Entry
from pipeline.text.similarity import normalised_words
from pipeline.text.text_keys import Run, word_runs
from pipeline.text.titles import ParsedTitle, parse_title
from pipeline.text.urls import media_key, url_key

_LINK = re.compile(r"""\b(?:href|src)\s*=\s*["']?(https?://[^"'\s>]+)""", re.IGNORECASE)
MEDIA_FILE_SUFFIX = re.compile(r"\.(?:mp3|m4a|mp4|m4v|ogg|opus|aac)$")
"""The end of a media file's key."""
_MAX_TEXT_CHARS = 2500
"""Only the beginning of a body is compared: texts that begin alike are alike."""
_MAX_LINK_CHARS = 50_000
"""Only this much of a body is searched for links."""
_OPENING_SHINGLES = 12
_NOT_NAMES = frozenset(normalised_words("and dr prof professor sir dame rev the und et con y e"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFeatures:
    """An entry as pairing compares it."""

    entry: Entry
    title: ParsedTitle
    page: str
    """Key of its page; empty for a home page, which identifies nothing."""
    file: str
    """Key of its media file; empty for a post."""
    links: frozenset[str]
    """Keys of the pages and media files that its body links to."""
    shingles: frozenset[Run]
    """Every run of three words in the beginning of its body that no feed has in several entries."""
    opening: tuple[Run, ...]
    """The first of these runs, in order."""
    guest: frozenset[str]
    """Words of the guest's name."""
    names: frozenset[str]
    """Words that may hold a guest's name: those of the title, the guest and the persons."""
    mentions_podcast: bool
    """True when its title or label says that it belongs to an episode."""


def extract_features(entries: Sequence[Entry]) -> list[EntryFeatures]:
    """Return the features of entries that pairing compares, in their order.

    Words that several entries of one feed have in common, such as a closing paragraph about the publisher, say nothing
    about an entry of any feed: they are left out.
    """
    known: dict[Run, Run] = {}  # equal runs share one tuple: what a publisher repeats is in every body
    shingles = [
        [known.setdefault(run, run) for run in word_runs(entry.body_html, _MAX_TEXT_CHARS)] for entry in entries
    ]
    seen: dict[str, set[Run]] = defaultdict(set)
    repeated: set[Run] = set()
    for entry, own in zip(entries, shingles, strict=True):
        repeated.update(seen[entry.feed_id].intersection(own))
        seen[entry.feed_id].update(own)
    return [_features(entry, own, repeated) for entry, own in zip(entries, shingles, strict=True)]


def _features(entry: Entry, shingles: Sequence[Run], repeated: Set[Run]) -> EntryFeatures:
    title, page = parse_title(entry.title), url_key(entry.url)
    own = tuple(shingle for shingle in shingles if shingle not in repeated)
    guests = " ".join(person.name for person in entry.persons if person.role.lower() == "guest")
    label = parse_title(f"{entry.label}: x").tags if entry.label else frozenset()
    links: set[str] = set()
    for link in map(unescape, _LINK.findall(entry.body_html[:_MAX_LINK_CHARS])):
        links.add(url_key(link))
        if MEDIA_FILE_SUFFIX.search(file := media_key(link)):
            links.add(file)
    return EntryFeatures(
        entry=entry,
        title=title,
        page=page if "/" in page or "?" in page else "",
        file=media_key(entry.enclosure.url) if entry.enclosure else "",
        links=frozenset(links),
        shingles=frozenset(own),
        opening=own[:_OPENING_SHINGLES],
        guest=frozenset(normalised_words(entry.guest)) - _NOT_NAMES,
        names=frozenset(normalised_words(f"{entry.title} {entry.guest} {guests}")),
        mentions_podcast="podcast" in label | title.tags,
    )
