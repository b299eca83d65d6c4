"""Ports of the pages of feeds: the service behind them, and its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """One row in the list of feeds."""

    id: str
    kind: str
    url: str
    title: str = ""
    """The title that the feed gives itself; empty before it was read."""
    has_icon: bool = False
    """Whether it states an icon or a picture."""
    status: str = ""
    """What to say where there is no problem."""
    problems: tuple[str, ...] = ()
    """What is wrong and what to do, a sentence each."""
    healthy: bool = True
    """False if a problem keeps it from being read."""
    last_read: str = ""
    next_read: str = ""
    publishes: str = ""
    """How often it publishes, as in ``usually weekly, on Tuesdays``; empty if it is too new to know."""
    entries: int = 0
    newest: str = ""
    """Day of the newest entry."""
    newest_title: str = ""
    quarantined: int = 0
    """How many entries wait for the editor to accept them."""

    @property
    def initial(self) -> str:
        """The character that stands for its icon.

        >>> FeedRow(id="blog", kind="blog", url="", title="«the quay»").initial
        'T'
        """
        return next((char for char in self.title + self.id if char.isalnum()), "·").upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedFeed:
    """A feed that was removed and can be restored."""

    id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed found at, or linked from, an address."""

    url: str
    ok: bool
    kind: str = "blog"
    title: str = ""
    status: str = ""
    newest_titles: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    existing: str = ""
    """The id of the configured feed that it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchProgress:
    """Progress of a fetch of all feeds."""

    running: bool = False
    done: int = 0
    total: int = 0
    results: tuple[tuple[bool, str], ...] = ()
    """(succeeded, sentence) for each feed that was fetched, in order of completion."""


class FeedsService(Protocol):
    """The feeds in config.toml."""

    def rows(self) -> Sequence[FeedRow]:
        """Return all feeds in the order of config.toml."""
        ...

    def icon(self, feed_id: str) -> tuple[str, bytes] | None:
        """Return (media type, bytes) of a feed's icon; None if there is none to be had. Uses the network."""
        ...

    def find(self, url: str) -> Sequence[FoundFeed]:
        """Return the feeds at an address, or linked from the page there."""
        ...

    def add(self, url: str) -> str:
        """Add the feed at an address and return a sentence that names it. Raise RefusedError."""
        ...

    def remove(self, feed_id: str) -> str:
        """Remove a feed from config.toml and return a sentence that names it. Raise RefusedError for the last one."""
        ...

    def removed(self) -> Sequence[RemovedFeed]:
        """Return the feeds that were removed and can be restored, the last one first."""
        ...

    def restore(self, feed_id: str) -> str:
        """Put a removed feed back, exactly as it was, and return a sentence. Raise RefusedError."""
        ...

    def accept(self, feed_id: str) -> str:
        """Release the entries of a feed that are in quarantine and return a sentence."""
        ...

    def start_fetch(self, feed_id: str = "") -> None:
        """Start to fetch one feed, or all of them, in the background, unless a fetch is running."""
        ...

    def fetch_progress(self) -> FetchProgress:
        """Return the progress of the running fetch, or the result of the last one."""
        ...
