"""RSS extensions that feedparser drops or merges, read from the XML tree.

Covers https://podcastindex.org/namespace/1.0, http://www.itunes.com/dtds/podcast-1.0.dtd,
http://purl.org/rss/1.0/modules/syndication/ and skipHours and skipDays of RSS 2.0. Namespaces are matched by what all
spellings of their URLs have in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from pipeline.model.entry import Person, Soundbite, Transcript
from pipeline.model.feed import Channel
from pipeline.text.urls import clean_url

Element = Any  # lxml has no types

_PREFIXES = {"podcastindex": "podcast", "itunes.com": "itunes", "modules/syndication": "sy"}
_NO_BASES: Mapping[Element, str] = MappingProxyType({})
TEXT_NAMES = ("content", "encoded", "body", "description", "summary")
"""Elements that may contain HTML, the usual body first."""
_YES = frozenset({"yes", "true", "explicit", "1"})
_NO = frozenset({"no", "false", "clean", "0"})
_SECONDS = re.compile(r"\d{1,6}(\.\d{1,6})?")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTES_BY_UNIT = {"hourly": 60, "daily": 1440, "weekly": 10080, "monthly": 43200, "yearly": 525600}
MAX_PERSONS = MAX_SOUNDBITES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """The extension elements of one entry."""

    explicit: bool | None = None
    season: str = ""
    episode: str = ""
    transcripts: tuple[Transcript, ...] = ()
    chapters_url: str = ""
    persons: tuple[Person, ...] = ()
    soundbites: tuple[Soundbite, ...] = ()
    base_url: str = ""
    content_base_url: str = ""


def entry_extensions(element: Element, bases: Mapping[Element, str] = _NO_BASES) -> Extensions:
    """Return the extensions of one entry; ``bases`` are those of the document's elements."""
    tags: dict[str, list[Element]] = {}
    for child in element.iterchildren("*"):
        if ":" in (name := qualified_name(child.tag)):
            tags.setdefault(name, []).append(child)

    base_url, content_base_url = bases.get(element, ""), _content_base(element, bases) if bases else ""
    if not tags:
        return Extensions(base_url=base_url, content_base_url=content_base_url)

    def first(name: str) -> str:
        return next((text for tag in tags.get(name, ()) if (text := _text(tag))), "")

    return Extensions(
        explicit=_parse_bool(first("itunes:explicit")),
        season=first("podcast:season") or first("itunes:season"),
        episode=first("podcast:episode") or first("itunes:episode"),
        transcripts=tuple(_transcripts(tags.get("podcast:transcript", []))),
        chapters_url=next((tag.get("url", "") for tag in tags.get("podcast:chapters", ())), ""),
        persons=tuple(_persons(tags.get("podcast:person", [])[:MAX_PERSONS])),
        soundbites=tuple(_soundbites(tags.get("podcast:soundbite", [])[:MAX_SOUNDBITES])),
        base_url=base_url,
        content_base_url=content_base_url,
    )


def element_guid(element: Element) -> str:
    """Return an entry's ``guid`` (RSS) or ``id`` (Atom) as written, or ""."""
    names = (_text(child) for child in element.iterchildren("{*}guid", "{*}id"))
    return next((name for name in names if name), "")


def channel_extensions(root: Element) -> Channel:
    """Return a Channel with only the values that feedparser does not provide.

    >>> from lxml import etree
    >>> root = etree.fromstring("<rss><channel><skipHours><hour>24</hour><hour>7</hour></skipHours></channel></rss>")
    >>> channel_extensions(root).skip_hours
    (0, 7)
    """
    tags: dict[str, list[Element]] = {}
    for element in _channel_children(root):
        tags.setdefault(qualified_name(element.tag), []).append(element)

    def texts(name: str, inner: str = "") -> Iterator[str]:
        for tag in tags.get(name, ()):
            yield from (
                (_text(part) for part in tag.iterchildren("*") if qualified_name(part.tag) == inner)
                if inner
                else [_text(tag)]
            )

    hours = {int(hour) % 24 for hour in texts("skipHours", "hour") if hour.isdecimal() and int(hour) <= 24}
    days = {day.capitalize() for day in texts("skipDays", "day")}
    funding = next((tag for tag in tags.get("podcast:funding", ()) if tag.get("url")), None)
    return Channel(
        funding_url="" if funding is None else clean_url(funding.get("url")),
        funding_label="" if funding is None else _text(funding),
        new_feed_url=next(texts("itunes:new-feed-url"), ""),
        ttl_minutes=_ttl(next(texts("ttl"), ""))
        or _update_interval(next(texts("sy:updatePeriod"), ""), next(texts("sy:updateFrequency"), "")),
        skip_hours=tuple(sorted(hours)),
        skip_days=tuple(day for day in _DAYS if day in days),
    )


def image_descriptions(element: Element) -> Iterator[tuple[str, str]]:
    """Yield the URL and description of each image of an entry that has its own (https://www.rssboard.org/media-rss)."""
    for image in element.iter("{*}content", "{*}thumbnail"):
        if (url := image.get("url", "")) and (text := next(map(_text, image.iterchildren("{*}description")), "")):
            yield url, text


@lru_cache(maxsize=4096)
def qualified_name(tag: object) -> str:
    """Return a tag's local name, with the usual prefix if it belongs to one of the namespaces above.

    >>> qualified_name("{https://podcastindex.org/namespace/1.0}person"), qualified_name("{http://www.w3.org/2005/Atom}id")
    ('podcast:person', 'id')
    """
    namespace, _, name = str(tag).rpartition("}")
    prefix = next((prefix for key, prefix in _PREFIXES.items() if key in namespace.lower()), "")
    return f"{prefix}:{name}" if prefix else name


def _channel_children(root: Element) -> Iterator[Element]:
    for child in root.iterchildren("*"):
        yield from child.iterchildren("*") if qualified_name(child.tag) == "channel" else [child]


def _transcripts(tags: list[Element]) -> Iterator[Transcript]:
    for tag in tags:
        if tag.get("url"):
            yield Transcript(url=tag.get("url"), media_type=tag.get("type", ""), language=tag.get("language", ""))


def _persons(tags: list[Element]) -> Iterator[Person]:
    for tag in tags:
        if name := _text(tag):
            role = tag.get("role", "host").strip().lower() or "host"
            yield Person(name=name, role=role, url=tag.get("href", ""), picture_url=tag.get("img", ""))


def _soundbites(tags: list[Element]) -> Iterator[Soundbite]:
    for tag in tags:
        start, duration = (_seconds(tag.get(name, "")) for name in ("startTime", "duration"))
        if start is not None and duration:
            yield Soundbite(start_seconds=start, duration_seconds=duration, title=_text(tag))


def _seconds(text: str) -> float | None:
    return float(text) if _SECONDS.fullmatch(text.strip()) else None


def _content_base(element: Element, bases: Mapping[Element, str]) -> str:
    """Return the base of the HTML in an entry, or "" if none is written down."""
    texts = {str(child.tag).rpartition("}")[2]: bases[child] for child in element if child in bases}
    return next((texts[name] for name in TEXT_NAMES if name in texts), bases.get(element, ""))


def _text(element: Element) -> str:
    return "".join(element.itertext()).strip() if len(element) < 20 else ""


def _parse_bool(text: str) -> bool | None:
    return True if text.lower() in _YES else False if text.lower() in _NO else None


def _ttl(text: str) -> int | None:
    return int(text) if text.isdecimal() and 0 < int(text[:9]) <= 525_600 else None


def _update_interval(unit: str, frequency: str) -> int | None:
    minutes = _MINUTES_BY_UNIT.get(unit.lower())
    times = int(frequency) if frequency.isdecimal() and 0 < int(frequency[:9]) < 10_000 else 1
    return max(minutes // times, 1) if minutes else None
