"""Raw items into entries: one shape, safe addresses, clean text, a date in UTC.

In: a ParsedFeed, the Feed it was read for, the instant. Out: frozen Entries, one an item. Touches nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipeline.ingest.body import extract_body
from pipeline.model.entry import DatedBy, Enclosure, Entry, ParsedFeed, Person, Picture, RawEntry, Transcript
from pipeline.model.feed import Feed
from pipeline.text.durations import parse_duration
from pipeline.text.plain_text import clean_title, excerpt_text
from pipeline.text.title_parts import is_generic_author, split_guest, split_title
from pipeline.text.urls import clean_url, media_key, url_key

MAX_GUID_CHARS = 512
MAX_CATEGORIES = 50
FUTURE_SLACK = timedelta(days=1)
"""A wrong time zone puts a date up to a day ahead; more than that is not when it was published."""
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_NUMBER = re.compile(r"(?:[^\d-]\D{0,11})?(\d{1,5})\D{0,3}")
_IMG = re.compile(r"<img\s[^>]*>")
_ATTRIBUTE = re.compile(r"([\w-]+)=\"([^\"]*)\"")
_TYPES = {
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg", "oga": "audio/ogg",
    "opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac", "mp4": "video/mp4", "m4v": "video/mp4",
    "mov": "video/quicktime", "webm": "video/webm",
}  # fmt: skip


def normalise(parsed: ParsedFeed, feed: Feed, *, url: str, now: datetime) -> tuple[Entry, ...]:
    """Make one Entry of each item of a document, in the document's order.

    ``url`` is where the document came from, ``now`` the instant it was read (aware).

    * **guid**: the item's own; else its link's key, where no other item shares the link; else a hash of title, date and
      media. One that is repeated in the document names one entry where link and media are the same (the first counts),
      else ``guid|link`` (or ``guid|media``) names the later one. Longer than ``MAX_GUID_CHARS``: its SHA-256, for a
      database indexes it.
    * **published_at**: published, else updated, else first seen (``now``). A date before 1990 is no date. One more than
      a day ahead is no date either: a post cannot have been read before it was published, so an update before ``now``
      counts, or ``now`` itself. Within a day it stays as it is, for a wrong time zone moves nothing but the order.
    * **excerpt**: the summary, unless it was cut short and the body knows how the sentence ends.
    """
    language = feed.language or parsed.channel.language
    settled = zip(parsed.entries, _settled(parsed, url), strict=True)
    return tuple(_named_once(_entry(raw, each, feed, language=language, now=now) for raw, each in settled))


class _Settled(NamedTuple):
    """What is settled of an item by a look at all of them."""

    base: str
    link: str
    guid: str


def _settled(parsed: ParsedFeed, url: str) -> Iterator[_Settled]:
    home = parsed.channel.url
    bases = [clean_url(raw.base_url, url) or home or url for raw in parsed.entries]
    links = [clean_url(raw.link, base) for raw, base in zip(parsed.entries, bases, strict=True)]
    times = Counter(url_key(link) for link in (*links, home))
    for raw, base, link in zip(parsed.entries, bases, links, strict=True):
        yield _Settled(base, link, _guid(raw, link, alone=times[url_key(link)] == 1))


def _entry(raw: RawEntry, settled: _Settled, feed: Feed, *, language: str, now: datetime) -> Entry:
    base, link, guid = settled
    title = split_title(clean_title(raw.title))
    body_html, excerpt = extract_body(raw.content_html, raw.summary_html, link or base)
    published_at, dated_by = _dated(raw, now)
    enclosure = _enclosure(raw.enclosures, base)
    named, short = split_guest(title.title) if enclosure and not title.guest else ("", title.title)
    return Entry(
        feed_id=feed.id,
        guid=guid,
        url=link,
        title=short or _title_of(excerpt),
        published_at=published_at,
        dated_by=dated_by,
        updated_at=_usable(raw.updated_at, now),
        label=title.label,
        author=_author(raw.author),
        guest=title.guest or _guest(raw.persons) or named,
        body_html=body_html,
        excerpt_text=excerpt,
        categories=tuple(
            dict.fromkeys(name for tag in raw.categories[:MAX_CATEGORIES] if (name := clean_title(tag)[:100]))
        ),
        language=language,
        picture=_picture(raw, base, body_html),
        enclosure=enclosure,
        duration_seconds=parse_duration(raw.duration),
        season=_number(raw.season),
        episode=_number(raw.episode),
        episode_type=raw.episode_type if raw.episode_type in ("trailer", "bonus") else "full",
        explicit=raw.explicit,
        transcripts=tuple(_transcripts(raw.transcripts, base)),
        chapters_url=clean_url(raw.chapters_url, base),
        persons=tuple(_persons(raw.persons, base)),
        soundbites=tuple(replace(each, title=clean_title(each.title)[:200]) for each in raw.soundbites),
        raw_hash="" if _ahead(raw, now) else raw.raw_hash,
    )


def _named_once(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Drop an item that repeats another; name one that repeats the guid alone ``guid|link`` or ``guid|media``."""
    seen: dict[str, tuple[str, str]] = {}
    for entry in entries:
        link, media = url_key(entry.url), media_key(entry.enclosure.url) if entry.enclosure else ""
        if entry.guid in seen and seen[entry.guid] != (link, media):
            rest = entry.url if seen[entry.guid][0] != link else media
            entry = replace(entry, guid=_short(f"{entry.guid}|{rest}"))
        if entry.guid not in seen:
            seen[entry.guid] = link, media
            yield entry


def _guid(raw: RawEntry, link: str, *, alone: bool) -> str:
    """Name an item; ``alone`` tells that no other item, and not the site itself, has its link."""
    own = clean_title(raw.guid, markup=False)
    if own:
        return _short(own)
    if alone and (key := url_key(link)):
        return _short(key)
    dated = raw.published_at or raw.updated_at
    media = raw.enclosures[0].url if raw.enclosures else ""
    content = "\n".join((clean_title(raw.title), dated.isoformat() if dated else "", media or raw.summary_html[:2000]))
    return "sha256:" + _sha256(content)


def _short(guid: str) -> str:
    return guid if len(guid) <= MAX_GUID_CHARS else "sha256:" + _sha256(guid)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _dated(raw: RawEntry, now: datetime) -> tuple[datetime, DatedBy]:
    if published := _usable(raw.published_at, now):
        return published, "published"
    if updated := _usable(raw.updated_at, now):
        return updated, "updated"
    return now.astimezone(UTC), "first_seen"


def _ahead(raw: RawEntry, now: datetime) -> bool:
    """Tell whether a date is still too far ahead to be used, and will be used one day."""
    return any(instant and instant > now + FUTURE_SLACK for instant in (raw.published_at, raw.updated_at))


def _usable(instant: datetime | None, now: datetime) -> datetime | None:
    return instant if instant and _EARLIEST <= instant <= now + FUTURE_SLACK else None


def _title_of(excerpt: str) -> str:
    """Name an item without a title after its first words."""
    return excerpt_text(excerpt, 10)


def _author(text: str) -> str:
    """Return a name; an e-mail address is nobody's to print, and an account such as "admin" is nobody.

    >>> _author("ada@example.org (Ada Marsh)"), _author("ada@example.org"), _author("admin")
    ('Ada Marsh', '', '')
    """
    name = _EMAIL.sub("", clean_title(text)).strip(" ()<>,;:")
    return "" if is_generic_author(name) else name[:200]


def _guest(persons: tuple[Person, ...]) -> str:
    return " and ".join(clean_title(person.name) for person in persons[:3] if person.role.lower() == "guest")[:200]


def _enclosure(enclosures: tuple[Enclosure, ...], base: str) -> Enclosure | None:
    """Choose what to play: sound before film, the first of each; what is neither is nothing to play."""
    playable = [made for enclosure in enclosures if (made := _playable(enclosure, base))]
    return min(playable, key=lambda enclosure: not enclosure.media_type.startswith("audio/"), default=None)


def _playable(enclosure: Enclosure, base: str) -> Enclosure | None:
    address = clean_url(enclosure.url, base)
    kind = clean_title(enclosure.media_type).lower().partition(";")[0][:100]
    if not kind.startswith(("audio/", "video/")):
        kind = _TYPES.get(address.partition("?")[0].rpartition(".")[2].lower(), "")
    return replace(enclosure, url=address, media_type=kind) if address and kind else None


def _picture(raw: RawEntry, base: str, body_html: str) -> Picture | None:
    """Choose the item's own picture, a picture that came as an enclosure, or the body's first."""
    attached = (part.url for part in raw.enclosures if part.media_type.lower().startswith("image/"))
    for address in (raw.picture_url, *attached):
        if own := clean_url(address, base):
            return Picture(url=own)
    found = _IMG.search(body_html)
    return _picture_of(dict(_ATTRIBUTE.findall(found[0]))) if found else None


def _picture_of(attributes: dict[str, str]) -> Picture | None:
    source = clean_url(clean_title(attributes.get("src", "")))
    width, height = (_number(attributes.get(side, "")) for side in ("width", "height"))
    return (
        Picture(url=source, alt=clean_title(attributes.get("alt", "")), width=width, height=height) if source else None
    )


def _number(text: str) -> int | None:
    """Read a season, an episode or a size: ``2``, ``S02``, ``Episode 12``; None for anything else, and for 0.

    >>> _number("S02"), _number("12"), _number("1.5.2"), _number("0")
    (2, 12, None, None)
    """
    found = _NUMBER.fullmatch(text.strip()) if text.isascii() else None
    return int(found[1]) or None if found else None


def _transcripts(transcripts: tuple[Transcript, ...], base: str) -> Iterator[Transcript]:
    for transcript in transcripts[:20]:
        if address := clean_url(transcript.url, base):
            yield Transcript(
                url=address,
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
