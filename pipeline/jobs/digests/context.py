"""Settings and collaborators needed to build digests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.digest.render.theme import Theme
from pipeline.digest.selection.select import Selection
from pipeline.model.block import Block
from pipeline.model.digest import Edition, Publication
from pipeline.model.edition import Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekCalendar

ReadOverrides = Callable[[Week, Sequence[StoredEntry]], Overrides]
"""Returns the editor's overrides for a week, given the entries around it."""

ReadPictures = Callable[[Iterable[str]], Mapping[str, bytes]]
"""Returns uploaded pictures by reference; raises EditorFileError if one is missing."""

CreateEditorFile = Callable[[Edition, Selection, Path], Path | None]
"""Creates the editor's file of an edition if there is none; returns its path if it did."""

Enrich = Callable[[Selection, datetime], object]
"""Fetches and stores the episode details and image sizes of the stories selected."""


def no_overrides(week: Week, entries: Sequence[StoredEntry]) -> Overrides:
    """Return no overrides."""
    return Overrides()


def no_pictures(references: Iterable[str]) -> Mapping[str, bytes]:
    """Return no pictures."""
    return {}


def no_editor_file(edition: Edition, selection: Selection, out: Path) -> Path | None:
    """Create no file."""
    return None


def no_enrichment(selection: Selection, now: datetime) -> None:
    """Fetch nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestContext:
    """The settings of a publication's digests, and what reads and writes around them."""

    publication: Publication
    feeds: tuple[Feed, ...]
    calendar: WeekCalendar
    theme: Theme
    blocks: tuple[Block, ...] = ()
    """The standing blocks of all editions."""
    counting_url: str = ""
    """URL of the pages that count clicks on links; empty if nobody counts them."""
    quiet_period: timedelta = timedelta(0)
    """How long an entry must have been unchanged before a digest includes it."""
    post_decides_week: bool = True
    """Whether the post decides the week of its story; otherwise the first of its entries does."""
    public_url: str = ""
    """Where the public pages are, with a page for each sent edition; empty if there are none."""
    read_overrides: ReadOverrides = no_overrides
    read_pictures: ReadPictures = no_pictures
    create_editor_file: CreateEditorFile = no_editor_file
    enrich: Enrich = no_enrichment
    max_links: int = 7
    """Maximum number of useful links in one edition; the others carry over."""
    min_links: int = 3
    """With fewer useful links, preflight adds a hint."""
    min_stories: int = 2
    """A week with fewer posts and episodes is thin."""
    skip_thin_weeks: bool = False
    """Whether the entries of a thin week carry over; otherwise it is filled with older entries."""

    @property
    def feed_ids(self) -> list[str]:
        """The ids of the configured feeds; stored entries of other feeds are ignored."""
        return [feed.id for feed in self.feeds]

    @property
    def link_feed_ids(self) -> list[str]:
        """The ids of the feeds of useful links."""
        return [feed.id for feed in self.feeds if feed.kind == "links"]
