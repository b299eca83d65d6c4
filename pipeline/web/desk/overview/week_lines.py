"""A line for each week in the list of weeks: its subject, and what is due next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from pipeline.model.digest import Edition, WeekSummary
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import NothingToPublishError
from pipeline.text.format import datetime_in_words, format_short_day
from pipeline.web.desk.cache import EditionCache

MAX_COUNTED = 4
"""Of how many sent editions the deliveries are counted: a month of weeks, so that it takes no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekLine:
    """The subject of one week and a phrase about it."""

    subject: str = ""
    """Of the sealed edition, or of the draft that is due; empty if it would have to be built."""
    due: str = ""
    """What happens next, or what has happened, as a phrase; empty if nothing is due."""


def load_week_lines(cache: EditionCache, weeks: Sequence[WeekSummary]) -> Mapping[str, WeekLine]:
    """Return the line of each week. Only the draft of the newest closed week is built; the caller holds the lock."""
    editions = cache.desk.editions
    records = {week.week: editions.record(week.week) for week in weeks}
    sealed = editions.sealed_subjects()
    subjects = {week: sealed.get(week, "") for week, record in records.items() if record.is_sealed}
    newest = next((week for week in weeks if not week.is_open), None)
    if newest and records[newest.week].state == "draft":
        subjects[newest.week] = _draft_subject(cache, newest.week)
    sent = [week.week for week in weeks if records[week.week].state == "sent"][:MAX_COUNTED]
    return {
        week.week: WeekLine(
            subject=subjects.get(week.week, ""),
            due=_due(
                cache,
                week,
                records[week.week],
                is_next=week is newest and bool(subjects.get(week.week)),
                counted=week.week in sent,
            ),
        )
        for week in weeks
    }


def _draft_subject(cache: EditionCache, week: str) -> str:
    try:
        edition = cache.edition(week)
    except NothingToPublishError:
        return ""
    return edition.subject if isinstance(edition, Edition) else ""


def _due(cache: EditionCache, week: WeekSummary, record: EditionRecord, *, is_next: bool, counted: bool) -> str:
    zone = week.opens_at.tzinfo or UTC
    if record.state == "sent":
        got = cache.desk.deliveries.got(week.week) if counted else None
        day = f", {format_short_day(record.changed_at.astimezone(zone))}" if record.changed_at else ""
        return f"Sent{'' if got is None else f' to {got:,}'}{day}"
    if record.state in ("sending", "held"):
        return "Being sent" if record.state == "sending" else f"Held by {record.changed_by}"
    if record.state == "skipped":
        return record.note
    if not (week.is_open or is_next or record.state == "approved"):
        return ""
    at = cache.desk.overview.send_time(week.week)
    when = datetime_in_words(at, zone) if at else ""
    if week.is_open:
        return f"Closes {datetime_in_words(week.closes_at, zone)}" + (f", goes out {when}" if at else "")
    if record.state == "approved":
        return f"Goes out {when}" if at else "Waits to be sent"
    if at and cache.desk.overview.sends_unapproved():
        return f"Goes out {when}, unless you hold it"
    return f"Approve by {when}" if at else "Waits for approval"
