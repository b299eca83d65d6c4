"""Entries: as found in a document (RawEntry), as kept (Entry), as remembered (StoredEntry).

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from pipeline.model.feed import Channel

DatedBy = Literal["published", "updated", "first_seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture and, where known, its size in pixels."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None
    length_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A media file that comes with an entry (RSS 2.0 <enclosure>, Atom rel=enclosure)."""

    url: str
    media_type: str = ""
    length_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody heard in an episode (podcast namespace: podcast:person)."""

    name: str
    role: str = "host"
    url: str = ""
    picture_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A transcript of an episode (podcast namespace: podcast:transcript)."""

    url: str
    media_type: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundbite:
    """A short piece of an episode worth hearing alone (podcast namespace: podcast:soundbite)."""

    start_seconds: float
    duration_seconds: float
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """One item as a source found it: text decoded, nothing cleaned, nothing trusted.

    URLs may be relative, unsafe or empty; HTML may be anything. Empty means: the document does not say.
    """

    guid: str = ""
    link: str = ""
    title: str = ""
    """Plain text or a scrap of HTML, as found."""
    summary_html: str = ""
    content_html: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    author: str = ""
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    picture_url: str = ""
    duration: str = ""
    """itunes:duration as written: ``2520``, ``42:00``, ``0:42:00``, ``42 min`` …"""
    season: str = ""
    episode: str = ""
    episode_type: str = ""
    """itunes:episodeType: full, trailer or bonus."""
    explicit: bool | None = None
    transcripts: tuple[Transcript, ...] = ()
    chapters_url: str = ""
    persons: tuple[Person, ...] = ()
    soundbites: tuple[Soundbite, ...] = ()
    base_url: str = ""
    """What relative addresses in this item are relative to."""
    raw_hash: str = ""
    """Fingerprint of the item as it is written, and of all that has a say in how it is read; empty where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A whole document as a source read it."""

    version: str
    """Dialect: rss20, rss10, rss092, atom10, json11 …"""
    channel: Channel
    entries: tuple[RawEntry, ...]
    warnings: tuple[str, ...] = ()
    """What is odd about the document, one sentence each, for ``feeds check``."""
    damage: str = ""
    """Not empty: how it is broken, so that it may have held more than could be read; completes "but its …"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One normalised post, episode or link. Identity: ``(feed_id, guid)``.

    Every URL is absolute http(s) (or empty), every text is clean plain text, ``body_html`` is sanitised.
    """

    feed_id: str
    guid: str
    url: str
    """The page to open: absolute, without tracking parameters; empty when the item has none."""
    title: str
    """Without its "Podcast –" or "Guest Blog –" prefix and guest; see ``label`` and ``guest``."""
    published_at: datetime
    """Aware UTC. Where the item has no usable date: when it was first seen."""
    dated_by: DatedBy = "published"
    updated_at: datetime | None = None
    label: str = ""
    """The prefix found in the title, e.g. ``Podcast`` or ``Guest Blog``."""
    author: str = ""
    guest: str = ""
    body_html: str = ""
    excerpt_text: str = ""
    """A few plain sentences, at most 60 words, ending at a sentence where there is one."""
    categories: tuple[str, ...] = ()
    language: str = ""
    picture: Picture | None = None
    enclosure: Enclosure | None = None
    duration_seconds: int | None = None
    season: int | None = None
    episode: int | None = None
    episode_type: str = "full"
    explicit: bool | None = None
    transcripts: tuple[Transcript, ...] = ()
    chapters_url: str = ""
    persons: tuple[Person, ...] = ()
    soundbites: tuple[Soundbite, ...] = ()
    raw_hash: str = ""
    """As ``RawEntry.mark``; empty also where the same item would be read otherwise at another time."""

    @property
    def is_episode(self) -> bool:
        """True when there is audio (or video) to play."""
        return self.enclosure is not None


class EntryIdentity(NamedTuple):
    """What deduplication needs of a stored entry: its names and its fingerprint, not its body.

    A tuple, as the database gives it: a feed's worth of these is made for every new item, ten times as fast so.
    """

    entry_id: int
    guid: str
    url_key: str
    """``text.urls.url_key(url)``: one key for all spellings of an address."""
    enclosure_key: str
    fingerprint: str
    """``ingest.dedupe.fingerprint``: of the content without dates and counters."""
    title: str
    published_at: datetime
    dated_by: DatedBy
    duration_seconds: int | None
    vanished: bool
    """True when it was no longer in the document at the last whole read."""
    media_type: str = ""
    """The enclosure's media type as stored, e.g. ``audio/mpeg``; empty without an enclosure. A repair compares it."""
    raw_hash: str = ""
    """As ``Entry.mark``."""
    deleted: bool = False
    """True for a tombstone: the entry was deleted here and stays deleted, whatever the document says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """An entry as the store holds it, with what the store alone knows. Datetimes are aware UTC."""

    entry_id: int
    entry: Entry
    first_seen_at: datetime
    changed_at: datetime
    """When its content last changed; equal to ``first_seen_at`` until then."""
    vanished_at: datetime | None = None
    archived: bool = False
    """True when it came with the first read of its feed: it belongs to the week of its date, however late that is."""
    assigned_week: str = ""
    """The closed week whose digest took it, e.g. ``2026-W07``; empty while none has."""
    quarantined_at: datetime | None = None
    """When it was put in quarantine: its feed turned new at once. It is no news until an editor accepts the feed."""
    fingerprint: str = ""
    """As ``EntryIdentity``: another one means another content."""
    edition_week: str = ""
    """The week of the sealed edition that reserves its story, or has carried it; empty while none has."""
    late_counterpart: bool = False
    """True when that edition tells its story without it: it turned up too late."""
    released_from: str = ""
    """The week that gave it up, held or skipped; it rolls on into the next digest that is made."""
    withdrawn_at: datetime | None = None
    """When it was taken out of its feed. One that merely scrolled off the end was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRevision:
    """How an entry reads, or read once: what a reader gets to see of it."""

    title: str
    url: str = ""
    enclosure_url: str = ""
    body_html: str = ""
