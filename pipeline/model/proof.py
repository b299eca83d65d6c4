"""Proofs: what the editor was sent to look at, and the passes that its buttons carry.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Choice = Literal["approve", "hold", "open"]
"""What a button does; ``open`` leads to the desk, and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One proof mail of a week's draft."""

    week: str
    content_hash: str
    """Of the draft that it shows."""
    nth: int
    """Which proof of these very bytes: 1 goes out by itself, the others were asked for."""
    claimed_at: datetime
    posted_at: datetime | None = None
    """None while it is on its way; if its process died, for ever."""
    manifest: bytes
    """Of the draft that it shows, to tell later what has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one button may do, to one draft, until an instant, once."""

    week: str
    content_hash: str
    choice: Choice
    nth: int
    """Of the proof it stands in."""
    expires_at: datetime

    @property
    def key(self) -> str:
        """What it is known by once it has been used."""
        return f"{self.week} {self.content_hash} {self.choice} {self.nth}"
