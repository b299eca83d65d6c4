"""Corrections: the same stories sealed and sent once more, with a note, to those who got an edition that was wrong.

draft ──send──> sending ──> sent | cancelled      (a new draft replaces a draft; after that the next number begins)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pipeline.model.delivery import DispatchKey

CorrectionState = Literal["draft", "sending", "sent", "cancelled"]
OUT_STATES: tuple[CorrectionState, ...] = ("sending", "sent")
"""States in which a correction has left, or may have."""
MAX_NOTE_CHARS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionNote:
    """The note that a correction is composed with."""

    number: int
    """1, 2, 3 … of one edition."""
    text_md: str
    """What was wrong, as Markdown."""
    made_at: datetime
    corrects: str
    """The content hash of the edition."""
    messages: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of the edition's message, and of those of its variants, by name: the copies of both are a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """The record of a correction, whose bytes are sealed with it."""

    week: str
    number: int
    state: CorrectionState = "draft"
    text_md: str
    content_hash: str
    """Of the sealed bytes, so that exactly what was shown is sent."""
    sealed_at: datetime
    sealed_by: str
    changed_at: datetime
    changed_by: str
    note: str = ""
    """Details of the last change: how it was sent."""

    @property
    def key(self) -> DispatchKey:
        """The key of its dispatch."""
        return self.week, self.number

    @property
    def is_out(self) -> bool:
        """Whether it has left, or may have."""
        return self.state in OUT_STATES
