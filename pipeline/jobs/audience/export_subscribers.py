"""Export all subscribers as CSV, which spreadsheets open safely and which can be imported again."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import TextIO

from pipeline.audience.csv_rows import safe_cell
from pipeline.jobs.audience.context import AudienceContext
from pipeline.model.subscriber import Subscriber

COLUMNS = (
    *("address", "name", "state", "topics", "frequency", "language", "form", "basis"),
    *("created_at", "confirmed_at", "changed_at", "paused_until"),
)


def export_csv(context: AudienceContext, file: TextIO, *, actor: str, now: datetime) -> int:
    """Write all subscribers to a file that translates no line ends; log it, and return how many there are."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    for subscriber in context.store.subscribers.iterate(now):
        writer.writerow([safe_cell(cell) for cell in _cells(subscriber, now)])
        count += 1
    context.store.subscription_events.log("export", actor=actor, at=now, subscribers=str(count))
    return count


def _cells(subscriber: Subscriber, now: datetime) -> tuple[str, ...]:
    preferences = subscriber.preferences
    instants = (subscriber.created_at, subscriber.confirmed_at, subscriber.changed_at, subscriber.paused_until)
    return (
        subscriber.address,
        preferences.name,
        subscriber.display_state(now),
        " ".join(preferences.topics),
        preferences.frequency,
        subscriber.language,
        subscriber.form,
        subscriber.basis or "",
        *(instant.isoformat() if instant else "" for instant in instants),
    )
