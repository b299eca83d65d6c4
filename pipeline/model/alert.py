"""Notices: what somebody should be told although nobody asked.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

AlertLevel = Literal["info", "warning", "error"]
"""Good to know; wants a look; something will not happen unless somebody acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to be told, in words for somebody who is no programmer."""

    key: str
    """What it is about, e.g. ``feed/blog/unread``. While a notice of this key is open, it is not told again."""
    subject: str
    """A line: what is the matter."""
    text: str
    """Some sentences: what is known, and what to do. Paragraphs are parted by blank lines."""
    raised_at: datetime
    """Since when this is known; aware UTC."""
    level: AlertLevel = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivery:
    """A notice that is still to be told in one way."""

    alert_id: int
    channel: str
    """``command`` or ``mail``."""
    attempts: int
    """How often it was tried before."""
    alert: Alert
    error: str = ""
    """Why the last attempt failed, in a sentence."""
