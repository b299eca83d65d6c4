"""Read out of an entry what pairing compares: keys, words of the title, runs of words of the body.

In: an entry. Out: a Profile. Touches nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from pipeline.model.entry import Entry
from pipeline.text.similarity import normalised_words
from pipeline.text.titles import ParsedTitle, parse_title
from pipeline.text.urls import media_key, url_key

_LINK = re.compile(r"""\b(?:href|src)\s*=\s*["']?(https?://[^"'\s>]+)""", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*(?:>|$)")
MEDIA_FILE_SUFFIX = re.compile(r"\.(?:mp3|m4a|mp4|m4v|ogg|opus|aac)$")
"""How the key of a media file ends."""
_READ_CHARS = 2500
"""So much of a body is read for its words: texts that begin alike go on alike."""
_SCANNED_CHARS = 50_000
"""So much of it is scanned for links."""
_OPENING = 12
_NO_NAMES = frozenset(normalised_words("and dr prof professor sir dame rev the und et con y e"))

Shingle = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFeatures:
    """An entry as pairing sees it."""

    entry: Entry
    title: ParsedTitle
    page: str
    """Key of its page; empty for a home page, which says nothing."""
    file: str
    links: frozenset[str]
    """Keys of the pages and files its body leads to."""
    shingles: frozenset[Shingle]
    """Every three words in a row of its body's first part."""
    opening: tuple[Shingle, ...]
    """Those it begins with."""
    guest: frozenset[str]
    """The words of the guest's name."""
    names: frozenset[str]
    """Words among which a guest's name may be found: title, guest, persons."""
    mentions_podcast: bool
    """True when it says itself that it belongs to an episode."""


def extract_features(entry: Entry) -> EntryFeatures:
    """Read what pairing needs out of an entry."""
    title, page = parse_title(entry.title), url_key(entry.url)
    text = normalised_words(unescape(_TAG.sub(" ", entry.body_html[:_READ_CHARS])))
    runs = tuple(zip(text, text[1:], text[2:], strict=False))
    persons = " ".join(person.name for person in entry.persons if person.role.lower() == "guest")
    label = parse_title(f"{entry.label}: x").tags if entry.label else frozenset()
    return EntryFeatures(
        entry=entry,
        title=title,
        page=page if "/" in page or "?" in page else "",
        file=media_key(entry.enclosure.url) if entry.enclosure else "",
        links=frozenset(
            key for link in _LINK.findall(entry.body_html[:_SCANNED_CHARS]) for key in _keys(unescape(link))
        ),
        shingles=frozenset(runs),
        opening=runs[:_OPENING],
        guest=frozenset(normalised_words(entry.guest)) - _NO_NAMES,
        names=frozenset(normalised_words(f"{entry.title} {entry.guest} {persons}")),
        mentions_podcast="podcast" in label | title.tags,
    )


def _keys(link: str) -> tuple[str, ...]:
    page, file = url_key(link), media_key(link)
    return (page, file) if MEDIA_FILE_SUFFIX.search(file) else (page,)
