"""Entries: as parsed from a document (RawEntry), normalised (Entry), and stored (StoredEntry)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from pipeline.model.feed import Channel
from pipeline.text.urls import domain

DatedBy = Literal["published", "updated", "first_seen"]
_VIDEO_SERVICES = frozenset({"youtube.com", "m.youtube.com", "youtu.be", "vimeo.com", "player.vimeo.com"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture, with its size in pixels if known."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None
    length_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A media file of an entry (RSS 2.0 <enclosure>, Atom rel=enclosure)."""

    url: str
    media_type: str = ""
    length_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person in an episode (podcast namespace: podcast:person)."""

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
    """A highlight of an episode (podcast namespace: podcast:soundbite)."""

    start_seconds: float
    duration_seconds: float
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedText:
    """The title of a chapter, or a sentence of a transcript, and when it begins."""

    text: str
    start_seconds: int | None = None
    """None if it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """One entry as parsed: decoded, but neither cleaned nor trusted.

    URLs may be relative, unsafe or empty; HTML may be anything. Empty values are absent from the document.
    """

    guid: str = ""
    link: str = ""
    title: str = ""
    """Plain text or HTML, as in the document."""
    title_type: Literal["", "text", "html"] = ""
    """Which of them it is, if the document says so."""
    summary_html: str = ""
    subtitle: str = ""
    """itunes:subtitle."""
    content_html: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    author: str = ""
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    picture_url: str = ""
    """The entry's own picture: itunes:image, or ``image`` of JSON Feed."""
    pictures: tuple[Picture, ...] = ()
    """The images and thumbnails of Media RSS."""
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
    """The base of relative URLs in this entry, if it is written down (xml:base)."""
    content_base_url: str = ""
    """The same for URLs in its HTML."""
    unreadable_date: str = ""
    """The date as written, if the entry has one but it could not be read."""
    raw_hash: str = ""
    """Hash of the entry as written and of everything that influences parsing; empty if not computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A parsed feed document."""

    version: str
    """Format: rss20, rss10, rss092, atom10, json11 …"""
    channel: Channel
    entries: tuple[RawEntry, ...]
    warnings: tuple[str, ...] = ()
    """Problems of the document, a sentence each, for ``feeds check``."""
    damage: str = ""
    """How the document is damaged if entries may be missing, to complete "but its …"; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One normalised post, episode or link. Identity: ``(feed_id, guid)``.

    Every URL is absolute http(s) or empty, every text plain, and ``body_html`` sanitised.
    """

    feed_id: str
    guid: str
    url: str
    """The entry's page, without tracking parameters; empty if it has none."""
    title: str
    """Without its "Podcast –" or "Guest Blog –" prefix and guest; see ``label`` and ``guest``."""
    published_at: datetime
    """Aware UTC. Without a usable date, the time of the first fetch."""
    dated_by: DatedBy = "published"
    updated_at: datetime | None = None
    label: str = ""
    """The prefix found in the title, e.g. ``Podcast`` or ``Guest Blog``."""
    author: str = ""
    guest: str = ""
    body_html: str = ""
    excerpt_text: str = ""
    """Plain text of at most 60 words, ending at the end of a sentence if possible."""
    summaries: tuple[str, ...] = ()
    """The publisher's own summaries, like the excerpt: its description of the entry, then itunes:subtitle.

    The title and the beginning of the body are none.
    """
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
    is_post: bool = False
    """True for a post of a blog that merely has a media file attached."""
    needs_password: bool = False
    """True for a post that its publisher protects with a password; it has neither body nor excerpt."""
    is_cut: bool = False
    """True when its feed has only the beginning of its text, so that nobody knows how long the text is."""
    unusable_date: str = ""
    """The date in the document, if it could not be read or cannot be right, so that ``first_seen`` dates the entry."""
    raw_hash: str = ""
    """The same as in RawEntry; empty if the result of normalising depends on the time of the fetch."""

    @property
    def is_episode(self) -> bool:
        """True when it has audio or video to play, other than a file attached to a post."""
        return self.enclosure is not None and not self.is_post

    @property
    def is_film(self) -> bool:
        """True when it is a video: its media file is one, or its page is that of a video service."""
        if self.enclosure and not self.is_post:
            return self.enclosure.media_type.startswith("video/")
        return domain(self.url) in _VIDEO_SERVICES


class EntryIdentity(NamedTuple):
    """The identity and fingerprint of a stored entry, as deduplication needs them.

    A tuple like the database's rows, because it is ten times as fast to make: each new entry needs those of its feed.
    """

    entry_id: int
    guid: str
    url_key: str
    """``text.urls.url_key(url)``: one key for all spellings of a URL."""
    enclosure_key: str
    fingerprint: str
    """``ingest.dedupe.fingerprint``: a hash of the content without dates and counters."""
    title: str
    published_at: datetime
    dated_by: DatedBy
    duration_seconds: int | None
    vanished: bool
    """True when it was no longer in the last complete document."""
    media_type: str = ""
    """The enclosure's media type, e.g. ``audio/mpeg``; empty without an enclosure."""
    raw_hash: str = ""
    """The same as in Entry."""
    deleted: bool = False
    """True for a tombstone: the entry was deleted and is not stored again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """An entry with what the store knows about it. Datetimes are aware UTC."""

    entry_id: int
    entry: Entry
    first_seen_at: datetime
    changed_at: datetime
    """When its content last changed; ``first_seen_at`` until then."""
    vanished_at: datetime | None = None
    archived: bool = False
    """True when it came with its feed's first document or by backfill: it only belongs to the week of its date."""
    assigned_week: str = ""
    """The closed week whose digest contains it, e.g. ``2026-W07``; empty until then."""
    quarantined_at: datetime | None = None
    """When it was quarantined, until an editor accepts it; None otherwise."""
    fingerprint: str = ""
    """The same as in EntryIdentity."""
    edition_week: str = ""
    """The week of the sealed edition that contains its story; empty until then."""
    late_counterpart: bool = False
    """True when that edition contains its story without this entry, which arrived too late."""
    released_from: str = ""
    """The held or skipped week that released it; it carries over to the next digest."""
    withdrawn_at: datetime | None = None
    """When the publisher removed it from the feed; None if it merely scrolled off the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRevision:
    """The visible content of an entry at one time."""

    title: str
    url: str = ""
    enclosure_url: str = ""
    body_html: str = ""
