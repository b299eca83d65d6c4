"""The archive behind a feed: how far it was read.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePosition:
    """Where reading a feed's archive stands; kept after every page, so that it can go on from there."""

    feed_id: str
    next_url: str
    """The page to ask for next; empty at the end."""
    page_hashes: tuple[str, ...] = ()
    """A mark of each page that was read, to notice when they repeat."""
    entry_count: int = 0
    """How many entries it brought."""
    done: bool = False
    read_at: datetime
    """When the last page was read; aware UTC."""
