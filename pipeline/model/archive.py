"""The position of a backfill in the archive of a feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePosition:
    """How far the archive of a feed was read; saved after every page."""

    feed_id: str
    next_url: str
    """The next page to fetch; empty at the end."""
    page_hashes: tuple[str, ...] = ()
    """A hash of each page that was read, to notice when pages repeat."""
    entry_count: int = 0
    """Number of entries it brought."""
    done: bool = False
    read_at: datetime
    """When the last page was read; aware UTC."""
