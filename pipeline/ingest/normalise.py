"""Normalises raw entries: absolute safe URLs, clean text, dates in UTC, one shape for every kind of feed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipeline.ingest.body import NO_BODY, entry_body
from pipeline.ingest.pictures import choose_picture
from pipeline.model.cpu_budget import check_cpu_budget
from pipeline.model.entry import DatedBy, Enclosure, Entry, ParsedFeed, Person, RawEntry, Transcript
from pipeline.model.feed import Feed
from pipeline.text.dates import MAX_DATE_CHARS, parse_duration
from pipeline.text.mojibake import repair_mojibake
from pipeline.text.plain_text import MAX_TITLE_CHARS, clean_markup, clean_text, clean_title, excerpt_text
from pipeline.text.title_parts import author_name, split_guest, split_title
from pipeline.text.urls import clean_url, is_feed_redirect, media_key, url_key

MAX_GUID_CHARS = 512
MAX_CATEGORIES = 50
FUTURE_SLACK = timedelta(days=1)
"""A wrong time zone puts a date up to a day ahead; a later date is not the date of publication."""
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_WITH_EXCERPTS = ("atom", "json")
"""Formats in which a summary is an excerpt; the description of RSS may be the whole text."""

_NUMBER = re.compile(r"(?:[^\d-]\D{0,11})?(\d{1,5})\D{0,3}")
_NO_MEDIA = re.compile(
    r"\.(?:jpe?g|png|gif|webp|avif|svg|bmp|ico|pdf|epub|docx?|zip|txt|vtt|srt|json|xml|html?)$", re.IGNORECASE
)
_VAGUE_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-download"})
_TYPES = {
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg", "oga": "audio/ogg",
    "opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac", "mp4": "video/mp4", "m4v": "video/mp4",
    "mov": "video/quicktime", "webm": "video/webm",
}  # fmt: skip


def normalise(parsed: ParsedFeed, feed: Feed, *, url: str, now: datetime) -> tuple[Entry, ...]:
    """Return the entries of a document in document order.

    ``url`` is the document's after redirects, ``now`` the time of the fetch (aware).

    * **guid**: the entry's own; else its link's key if no other entry has the link; else a hash of title, date and
      media. If it is repeated in the document, entries with the same link and media are one (the first counts); others
      are named ``guid|link`` (or ``guid|media``). Longer than ``MAX_GUID_CHARS``: its SHA-256, because a database
      indexes it.
    * **published_at**: published, else updated, else ``now``. A date before 1990 is ignored, and so is one more than a
      day ahead: an entry cannot have been fetched before it was published. Within a day it is kept, since a wrong time
      zone only affects the order.
    * **excerpt**: the summary, unless it was cut short and the body is complete.

    Entries with neither title, text, link nor media are left out.
    """
    identified = zip(parsed.entries, _identify(parsed, url), strict=True)
    entries = (_entry(raw, ids, feed, parsed, now) for raw, ids in identified)
    return tuple(_distinct(entry for entry in entries if not _is_blank(entry)))


class _Identifiers(NamedTuple):
    """The identifiers of an entry, which depend on all entries of the document."""

    base: str
    text_base: str
    link: str
    guid: str


def _identify(parsed: ParsedFeed, url: str) -> Iterator[_Identifiers]:
    home = parsed.channel.url
    bases = [clean_url(raw.base_url, url) or home or url for raw in parsed.entries]
    links = [_link(raw, base) for raw, base in zip(parsed.entries, bases, strict=True)]
    counts = Counter(url_key(link) for link in (*links, home))
    for raw, base, link in zip(parsed.entries, bases, links, strict=True):
        check_cpu_budget()
        text_base = clean_url(raw.content_base_url, base) or link or base
        yield _Identifiers(base, text_base, link, _guid(raw, link, is_unique=counts[url_key(link)] == 1))


def _link(raw: RawEntry, base: str) -> str:
    """Return the address of an entry's page; its guid if that is one and the link only leads there."""
    link = clean_url(raw.link, base)
    page = clean_url(raw.guid) if is_feed_redirect(link) else ""
    return page if page and not is_feed_redirect(page) else link


def _entry(raw: RawEntry, identifiers: _Identifiers, feed: Feed, parsed: ParsedFeed, now: datetime) -> Entry:
    base, text_base, link, guid = identifiers
    title = split_title(entry_title(raw))
    body = entry_body(raw, text_base)
    published_at, dated_by = _dated(raw, now)
    enclosure = _enclosure(raw.enclosures, base, untyped="audio/mpeg" if feed.kind == "podcast" else "")
    title_guest, short_title = split_guest(title.title) if enclosure and not title.guest else ("", title.title)
    return Entry(
        feed_id=feed.id,
        guid=guid,
        url=link,
        title=short_title or excerpt_text(body.excerpt_text, 10),
        published_at=published_at,
        dated_by=dated_by,
        updated_at=_usable(raw.updated_at, now),
        label=title.label,
        author=author_name(clean_title(raw.author)),
        guest=title.guest or _guest(raw.persons) or title_guest,
        body_html=body.html,
        excerpt_text=body.excerpt_text,
        summaries=body.summaries,
        categories=_categories(raw.categories),
        language=feed.language or parsed.channel.language,
        picture=choose_picture(raw, base, body.html),
        enclosure=enclosure,
        duration_seconds=parse_duration(raw.duration),
        season=_number(raw.season),
        episode=_number(raw.episode),
        episode_type=raw.episode_type if raw.episode_type in ("trailer", "bonus") else "full",
        explicit=raw.explicit,
        transcripts=tuple(_transcripts(raw.transcripts, base)),
        chapters_url=clean_url(raw.chapters_url, base),
        persons=tuple(_persons(raw.persons, base)),
        soundbites=tuple(replace(bite, title=clean_title(bite.title)[:200]) for bite in raw.soundbites),
        is_post=enclosure is not None and feed.kind != "podcast" and not _is_announced_as_episode(raw, title.label),
        needs_password=body is NO_BODY,
        is_cut=body.is_cut or (parsed.version.startswith(_WITH_EXCERPTS) and not raw.content_html),
        unusable_date=_unusable_date(raw, dated_by),
        raw_hash="" if _is_dated_ahead(raw, now) else raw.raw_hash,
    )


def _distinct(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Drop repeated entries; rename entries that repeat only the guid to ``guid|link`` or ``guid|media``."""
    seen: dict[str, tuple[str, str]] = {}
    for entry in entries:
        link, media = url_key(entry.url), media_key(entry.enclosure.url) if entry.enclosure else ""
        if entry.guid in seen and seen[entry.guid] != (link, media):
            suffix = entry.url if seen[entry.guid][0] != link else media
            entry = replace(entry, guid=_bounded_guid(f"{entry.guid}|{suffix}"))
        if entry.guid not in seen:
            seen[entry.guid] = link, media
            yield entry


def _guid(raw: RawEntry, link: str, *, is_unique: bool) -> str:
    """Return an entry's guid; ``is_unique``: no other entry, nor the site itself, has its link."""
    own = clean_text(raw.guid)
    if own:
        return _bounded_guid(own)
    if is_unique and (key := url_key(link)):
        return _bounded_guid(key)
    dated = raw.published_at or raw.updated_at
    media = raw.enclosures[0].url if raw.enclosures else ""
    content = "\n".join((entry_title(raw), dated.isoformat() if dated else "", media or raw.summary_html[:2000]))
    return "sha256:" + _sha256(content)


def entry_title(raw: RawEntry) -> str:
    """Return the title as text, cleaned as the type that the document declares."""
    if raw.title_type == "text":
        return repair_mojibake(clean_text(raw.title)[:MAX_TITLE_CHARS].rstrip())
    return clean_markup(raw.title) if raw.title_type == "html" else clean_title(raw.title)


def _bounded_guid(guid: str) -> str:
    return guid if len(guid) <= MAX_GUID_CHARS else "sha256:" + _sha256(guid)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _dated(raw: RawEntry, now: datetime) -> tuple[datetime, DatedBy]:
    if published := _usable(raw.published_at, now):
        return published, "published"
    if updated := _usable(raw.updated_at, now):
        return updated, "updated"
    return now.astimezone(UTC), "first_seen"


def _unusable_date(raw: RawEntry, dated_by: DatedBy) -> str:
    if dated_by != "first_seen":
        return ""
    date = raw.published_at or raw.updated_at
    return f"{date:%Y-%m-%d}" if date else clean_text(raw.unreadable_date)[:MAX_DATE_CHARS]


def _is_dated_ahead(raw: RawEntry, now: datetime) -> bool:
    """Check whether a date is too far ahead to be used now, but will be used later."""
    return any(date and date > now + FUTURE_SLACK for date in (raw.published_at, raw.updated_at))


def _usable(date: datetime | None, now: datetime) -> datetime | None:
    return date if date and _EARLIEST <= date <= now + FUTURE_SLACK else None


def _guest(persons: tuple[Person, ...]) -> str:
    """Return the names of the guests, as many as fit in 200 characters.

    >>> _guest(tuple(Person(name=name, role="guest") for name in ("Ada Marsh", "Bo Lund", "Ida Brandt")))
    'Ada Marsh, Bo Lund and Ida Brandt'
    """
    names = dict.fromkeys(clean_title(person.name) for person in persons if person.role.strip().lower() == "guest")
    *others, last = [*filter(None, names)] or [""]
    while others and len(", ".join(others)) + len(last) > 195:
        last = others.pop()
    return " and ".join(filter(None, (", ".join(others), last)))[:200]


def _is_blank(entry: Entry) -> bool:
    """Check whether an entry has nothing to show."""
    return not (entry.title or entry.url or entry.excerpt_text or entry.picture or entry.enclosure)


def _is_announced_as_episode(raw: RawEntry, label: str) -> bool:
    """Check whether an entry of a blog says that it is an episode, rather than a post with a media file attached."""
    stated = (
        raw.duration,
        raw.season,
        raw.episode,
        raw.episode_type,
        raw.chapters_url,
        raw.transcripts,
        raw.soundbites,
    )
    return any(stated) or "podcast" in label.lower() or "episode" in label.lower()


def _enclosure(enclosures: tuple[Enclosure, ...], base: str, *, untyped: str) -> Enclosure | None:
    """Return the first audio file, else the first video file, else None.

    ``untyped`` is the media type of a file that has neither a type nor a known ending; empty means that it is none.
    """
    playable = [file for enclosure in enclosures if (file := _playable(enclosure, base, untyped))]
    return min(playable, key=lambda file: not file.media_type.startswith("audio/"), default=None)


def _playable(enclosure: Enclosure, base: str, untyped: str) -> Enclosure | None:
    url = clean_url(enclosure.url, base)
    media_type = clean_title(enclosure.media_type).lower().partition(";")[0].strip()[:100]
    if not media_type.startswith(("audio/", "video/")):
        path = url.partition("?")[0]
        is_vague = media_type in _VAGUE_TYPES and not _NO_MEDIA.search(path)
        media_type = _TYPES.get(path.rpartition(".")[2].lower(), untyped if is_vague else "")
    return replace(enclosure, url=url, media_type=media_type) if url and media_type else None


def _number(text: str) -> int | None:
    """Return a season, episode or size as a number (``2``, ``S02``, ``Episode 12``), or None for anything else and 0.

    >>> _number("S02"), _number("12"), _number("1.5.2"), _number("0")
    (2, 12, None, None)
    """
    match = _NUMBER.fullmatch(text.strip()) if text.isascii() else None
    return int(match[1]) or None if match else None


def _categories(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for tag in tags[:MAX_CATEGORIES] if (name := clean_title(tag)[:100])))


def _transcripts(transcripts: tuple[Transcript, ...], base: str) -> Iterator[Transcript]:
    for transcript in transcripts[:20]:
        if url := clean_url(transcript.url, base):
            yield Transcript(
                url=url,
                media_type=clean_title(transcript.media_type)[:100],
                language=clean_title(transcript.language)[:35],
            )


def _persons(persons: tuple[Person, ...], base: str) -> Iterator[Person]:
    for person in persons:
        if name := clean_title(person.name)[:200]:
            yield Person(
                name=name,
                role=clean_title(person.role)[:50] or "host",
                url=clean_url(person.url, base),
                picture_url=clean_url(person.picture_url, base),
            )
