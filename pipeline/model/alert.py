"""Alerts: what the operator or editor is notified of, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

AlertLevel = Literal["info", "warning", "error"]
"""Good to know; worth checking; something will not happen unless somebody acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert, in words for somebody who is not a programmer."""

    key: str
    """Identifies its cause, for example ``feed/blog/unread``. An open alert is not raised again."""
    subject: str
    """One line: what is wrong."""
    text: str
    """Facts and advice, in paragraphs separated by blank lines."""
    raised_at: datetime
    """Aware UTC."""
    level: AlertLevel = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivery:
    """An alert that is still to be sent through one channel."""

    alert_id: int
    channel: str
    """``command`` or ``mail``."""
    attempts: int
    """How often it was tried."""
    alert: Alert
    error: str = ""
    """Why the last attempt failed, in a sentence."""
