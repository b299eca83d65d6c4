"""What every digest of a publication is made with.

In: what the composition root has read from the settings. Out: a Press, handed to every job that makes digests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.digest.render.theme import Theme
from pipeline.digest.selection.select import Selection
from pipeline.model.digest import Edition, Publication
from pipeline.model.edition import Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekCalendar

ReadOverrides = Callable[[Week, Sequence[StoredEntry]], Overrides]
"""What the editor asks for of a week's edition, given the entries around it."""

CreateEditorFile = Callable[[Edition, Selection, Path], Path | None]
"""Writes a file for the editor's wishes where there is none; gives its path when it did."""

Enrich = Callable[[Sequence[tuple[StoredEntry, ...]], datetime], object]
"""Finds out, over the network, what the stories of a digest that is being made are about; keeps it in the store."""


def no_overrides(week: Week, stored: Sequence[StoredEntry]) -> Overrides:
    """Leave everything to the program."""
    return Overrides()


def no_editor_file(edition: Edition, selection: Selection, out: Path) -> Path | None:
    """Write none."""
    return None


def no_enrichment(groups: Sequence[tuple[StoredEntry, ...]], now: datetime) -> None:
    """Make do with what is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestContext:
    """What every digest of a publication is made with."""

    publication: Publication
    feeds: tuple[Feed, ...]
    calendar: WeekCalendar
    theme: Theme
    quiet_period: timedelta = timedelta(0)
    """How long news waits since it was first seen or last changed."""
    read_overrides: ReadOverrides = no_overrides
    create_editor_file: CreateEditorFile = no_editor_file
    enrich: Enrich = no_enrichment
    max_links: int = 7
    """So many useful links are told in one edition; the others roll on."""
    min_links: int = 3
    """With fewer, preflight says so."""
    min_stories: int = 2
    """A week with fewer posts and episodes is thin …"""
    skip_thin_weeks: bool = False
    """… and waits for the next; otherwise it is filled up with older ones."""

    @property
    def feed_ids(self) -> list[str]:
        """The feeds that count; what is stored of others is not looked at."""
        return [feed.id for feed in self.feeds]

    @property
    def link_feed_ids(self) -> list[str]:
        """The feeds of useful links."""
        return [feed.id for feed in self.feeds if feed.kind == "links"]
