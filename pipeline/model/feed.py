"""Feeds: what config says of one, what a document says of itself, what we remember between runs.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

FeedKind = Literal["blog", "podcast", "links"]
FEED_KINDS: tuple[FeedKind, ...] = ("blog", "podcast", "links")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRule:
    """Which of a feed's entries an option means: those in a category, and those that fit a pattern."""

    categories: tuple[str, ...] = ()
    pattern: str = ""
    """A regular expression that ``text.patterns`` accepts, searched in title and address; empty fits nothing."""

    def __bool__(self) -> bool:
        return bool(self.categories or self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What config.toml says about one feed."""

    id: str
    url: str
    kind: FeedKind
    section: str = ""
    """Heading of its section in the digest; empty means the heading usual for its kind."""
    listen: tuple[tuple[str, str], ...] = ()
    """Where its episodes can be heard besides their own page: (name, URL), in the order to be shown."""
    interval: timedelta | None = None
    """How often it is asked; None means as often as all the others."""
    include: FilterRule = field(default_factory=FilterRule)
    """Empty means every entry."""
    exclude: FilterRule = field(default_factory=FilterRule)
    full_text: bool = False
    """Read the page of an entry that comes as an excerpt only."""
    language: str = ""
    """BCP 47, for its entries; empty means what the feed says itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a feed document says about itself. Empty means: it does not say."""

    title: str = ""
    url: str = ""
    """The site's home page."""
    description: str = ""
    language: str = ""
    """BCP 47 as found, e.g. ``en-GB``."""
    author: str = ""
    picture_url: str = ""
    generator: str = ""
    self_url: str = ""
    """atom:link rel=self."""
    new_feed_url: str = ""
    """itunes:new-feed-url: a hint that the feed moved."""
    funding_url: str = ""
    """Where listeners can support the show (podcast namespace: podcast:funding)."""
    funding_label: str = ""
    ttl_minutes: int | None = None
    """RSS 2.0 <ttl>, or the interval sy:updatePeriod/sy:updateFrequency ask for."""
    skip_hours: tuple[int, ...] = ()
    """UTC hours 0–23 in which not to ask (RSS 2.0 <skipHours>)."""
    head_hash: str = ""
    """Fingerprint of the part of the document that this was read from; empty where unknown."""
    skip_days: tuple[str, ...] = ()
    """English weekday names in which not to ask (RSS 2.0 <skipDays>)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What is remembered of a feed between two runs. All datetimes are aware UTC."""

    feed_id: str
    url: str = ""
    """The address the validators belong to; another address starts afresh."""
    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""
    """Of the last decoded body that was read whole, hexadecimal."""
    channel: Channel = field(default_factory=Channel)
    first_read_at: datetime | None = None
    """When the feed first gave entries. What came in that read is backlog, not news."""
    checked_at: datetime | None = None
    """When it was last asked, whatever the answer."""
    read_at: datetime | None = None
    """When it last answered well (a 304 counts)."""
    due_at: datetime | None = None
    """Not to be asked before this; None means due."""
    failures: int = 0
    """How many times in a row it failed."""
    outcome: str = ""
    """The last outcome's word, e.g. ``ok``, ``not_modified``, ``timeout``."""
    detail: str = ""
    """The last outcome in a sentence."""
    current_url: str = ""
    """Where it is asked instead of ``url``, once a permanent move was seen often enough; empty otherwise."""
    moved_to: str = ""
    """Where permanent redirects lead, while that is still being watched."""
    moved_first_at: datetime | None = None
    moved_count: int = 0
    document_at: datetime | None = None
    """When it last sent a document rather than a 304."""
    new_content_at: datetime | None = None
    """When a read last brought an entry that was new or changed: its rhythm follows from that."""
    retry_at: datetime | None = None
    """Its host asked (Retry-After) not to be asked before this, by anybody."""
    retry_host: str = ""
    """The host that asked it: ``name`` or ``name:port``."""
    gone_at: datetime | None = None
    """When it answered 410 Gone; it is not asked any more."""
    failing_since: datetime | None = None
    """When it answered otherwise than well for the first time, of all times since it was well; None while it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStats:
    """What is kept of a feed, at a glance."""

    entries: int = 0
    newest_at: datetime | None = None
    """``published_at`` of its newest entry; None while it has none."""
    newest_title: str = ""
    quarantined: int = 0
    """How many of its entries wait for an editor to accept them."""
