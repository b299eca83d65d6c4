"""Feeds: their configuration, the metadata of their documents and their state between runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

FeedKind = Literal["blog", "podcast", "links"]
FEED_KINDS: tuple[FeedKind, ...] = ("blog", "podcast", "links")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRule:
    """Selects entries by category, or by a pattern in title or URL."""

    categories: tuple[str, ...] = ()
    pattern: str = ""
    """A regular expression that ``text.safe_regex`` accepts; an empty one matches nothing."""

    def __bool__(self) -> bool:
        return bool(self.categories or self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The configuration of one feed."""

    id: str
    url: str
    kind: FeedKind
    section: str = ""
    """Heading of its section in the newsletter; empty means the usual one for its kind."""
    listen: tuple[tuple[str, str], ...] = ()
    """Other services where its episodes can be heard, as (name, URL), in the order to show them."""
    interval: timedelta | None = None
    """How often it is fetched; None means as often as all feeds."""
    include: FilterRule = field(default_factory=FilterRule)
    """Only matching entries are eligible; an empty rule means all."""
    exclude: FilterRule = field(default_factory=FilterRule)
    """Matching entries are not eligible."""
    full_text: bool = False
    """Fetch the page of entries that are only excerpts."""
    language: str = ""
    """BCP 47 tag of its entries; empty means as stated by the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Metadata of a feed document. Empty fields are not stated."""

    title: str = ""
    url: str = ""
    """Home page of the site."""
    description: str = ""
    language: str = ""
    """BCP 47 tag as stated, e.g. ``en-GB``."""
    author: str = ""
    picture_url: str = ""
    """The cover of a show, or the picture of a site."""
    icon_url: str = ""
    """A small square picture of a site, where the feed has one besides (Atom, JSON Feed)."""
    generator: str = ""
    self_url: str = ""
    """atom:link rel=self."""
    new_feed_url: str = ""
    """itunes:new-feed-url: a hint that the feed moved."""
    funding_url: str = ""
    """URL to support the show (podcast namespace: podcast:funding)."""
    funding_label: str = ""
    ttl_minutes: int | None = None
    """RSS 2.0 <ttl>, or the interval of sy:updatePeriod and sy:updateFrequency."""
    skip_hours: tuple[int, ...] = ()
    """UTC hours 0–23 in which not to fetch (RSS 2.0 <skipHours>)."""
    head_hash: str = ""
    """The parser's version, a dot, and a hash of the part of the document that this was read from; none if unknown."""
    skip_days: tuple[str, ...] = ()
    """English weekday names on which not to fetch (RSS 2.0 <skipDays>)."""
    omitted_entries: int = 0
    """Number of entries in the document that were not read because it has too many."""

    @property
    def omission(self) -> str:
        """The omitted entries as a part of a sentence about the feed; empty if all were read."""
        omitted = self.omitted_entries
        return (
            f"has too many entries, and {omitted:,} of them, the oldest as far as known, are not read"
            if omitted
            else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """State of a feed between two runs. All datetimes are aware UTC."""

    feed_id: str
    url: str = ""
    """The configured URL that this state belongs to; another URL starts with a new state."""
    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""
    """Hexadecimal hash of the last complete body, decoded."""
    channel: Channel = field(default_factory=Channel)
    first_read_at: datetime | None = None
    """When the feed was first read successfully. The entries of that read are archived, not new."""
    checked_at: datetime | None = None
    """When it was last fetched, whatever the outcome."""
    read_at: datetime | None = None
    """When it was last fetched successfully (a 304 counts)."""
    due_at: datetime | None = None
    """When it is due next; None means now."""
    failures: int = 0
    """Number of consecutive failures."""
    outcome: str = ""
    """Kind of the last outcome, e.g. ``ok``, ``not_modified``, ``timeout``."""
    detail: str = ""
    """The last outcome as the start of a sentence: ``answered 404 Not Found``."""
    advice: str = ""
    """Advice for it as a part of a sentence; empty if there is nothing to do."""
    current_url: str = ""
    """URL to fetch instead of ``url`` after a permanent redirect was confirmed; empty otherwise."""
    moved_to: str = ""
    """Target of permanent redirects that are not confirmed yet."""
    moved_first_at: datetime | None = None
    moved_count: int = 0
    document_at: datetime | None = None
    """When it last sent a document rather than a 304."""
    new_content_at: datetime | None = None
    """When a read last brought a new or changed entry; the polling interval depends on it."""
    retry_at: datetime | None = None
    """When its host allows requests again (Retry-After)."""
    retry_host: str = ""
    """The host that asked for it: ``name`` or ``name:port``."""
    gone_at: datetime | None = None
    """When it answered 410 Gone; it is no longer fetched."""
    failing_since: datetime | None = None
    """When the first of its consecutive failures happened; None while it is healthy."""

    @property
    def message(self) -> str:
        """The last outcome and the advice in one sentence."""
        return f"{self.detail}: {self.advice}" if self.advice else self.detail


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStats:
    """Numbers of the stored entries of a feed."""

    entries: int = 0
    newest_at: datetime | None = None
    """``published_at`` of its newest entry; None if it has none."""
    newest_title: str = ""
    quarantined: int = 0
    """Number of entries in quarantine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePosition:
    """How far the archive of a feed was read; saved after every page."""

    feed_id: str
    next_url: str
    """The next page to fetch; empty at the end."""
    page_hashes: tuple[str, ...] = ()
    """A hash of each page that was read, to detect repeated pages."""
    entry_count: int = 0
    """Number of entries it brought."""
    done: bool = False
    read_at: datetime
    """When the last page was read; aware UTC."""
