"""Everything a week's edition is built from, loaded before building starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.digest.compose.archive import ArchiveContent
from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.digest.selection.select import Selection
from pipeline.model.check import PreflightContext
from pipeline.model.digest import Publication
from pipeline.model.entry import Picture
from pipeline.model.feed import Feed
from pipeline.model.week import Week


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestInputs:
    """The inputs of one edition; equal inputs and themes give equal bytes."""

    week: Week
    opens_at: datetime
    closes_at: datetime
    number: int | None = None
    """The edition's number: the one it has, or the next free one."""
    publication: Publication
    feeds: tuple[Feed, ...]
    selection: Selection
    """The stories of the week, why other entries are out, and the editor's overrides."""
    archive: ArchiveContent = field(default_factory=ArchiveContent)
    """Older entries to link to."""
    episode_details: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """URL of a chapters file or transcript to the chapter titles, or the first sentences."""
    excerpts: Mapping[str, str] = field(default_factory=dict)
    """Saved excerpts as Markdown, by ``excerpt_key``; missing ones are made while composing."""
    image_sizes: Mapping[str, Picture] = field(default_factory=dict)
    """URL of an image to its measured size."""
    preflight: PreflightContext = field(default_factory=PreflightContext)
    translator: Translator = ENGLISH
