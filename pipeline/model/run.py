"""Runs: which period of which schedule was taken on, and when.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One period of one schedule, claimed by exactly one process."""

    schedule_id: str
    period_key: str
    """What makes the period unique: a local date, an ISO week …"""
    claimed_at: datetime
    """Aware UTC."""
