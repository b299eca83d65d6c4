"""Printing results: lines, tables, JSON and a progress bar. Errors go to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.text.format import format_datetime, pluralize

if TYPE_CHECKING:
    from pipeline.jobs.feeds.refresh import FeedReport
    from pipeline.model.digest import Decision
    from pipeline.model.edition import EditionRecord
    from pipeline.model.health import HealthLevel, HealthResult

LEVEL_SYMBOLS: dict[HealthLevel, str] = {"ok": "✓", "warning": "!", "error": "✗"}


def print_json(value: Any) -> None:
    """Print a value as JSON: times in RFC 3339, paths and the like as text."""

    def convert(part: Any) -> str:
        return part.isoformat().replace("+00:00", "Z") if isinstance(part, datetime) else str(part)

    print(json.dumps(value, ensure_ascii=False, indent=2, default=convert))


def table(rows: Sequence[Sequence[str]], indent: str = "") -> Iterator[str]:
    """Yield rows with their columns aligned; the last column is not padded.

    >>> list(table([("a", "bb"), ("ccc", "d")]))
    ['a    bb', 'ccc  d']
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        yield indent + "  ".join([*cells, row[-1]]).rstrip()


def relative_path(path: Path) -> str:
    """Return a path relative to the working directory if it is below it, else unchanged."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def feed_line(report: FeedReport, width: int) -> str:
    """Return the outcome of one feed; ids are padded to ``width``."""
    counts = [pluralize(report.applied.new, "new", "new")] if report.applied.new else []
    counts += [pluralize(report.applied.changed, "changed", "changed")] if report.applied.changed else []
    suffix = f" ({', '.join(counts)})" if counts else ""
    return f"{report.feed_id.ljust(width)}  {report.message}{suffix}"


def last_read(instant: datetime | None, zone: tzinfo) -> str:
    """Return when a feed was last read: ``read Mon 16 Feb 2026 09:00`` or ``never read``."""
    return f"read {format_datetime(instant, zone)}" if instant else "never read"


def feeds_summary(reports: Sequence[FeedReport]) -> str:
    """Return the outcome of all feeds in one line."""
    new = pluralize(sum(report.applied.new for report in reports), "new entry", "new entries")
    changed = sum(report.applied.changed for report in reports)
    failed = sum(not report.ok for report in reports)
    return f"{pluralize(len(reports), 'feed')}: {new}, {changed:,} changed{f', {failed} failed' if failed else ''}."


def health_lines(results: Iterable[HealthResult]) -> Iterator[str]:
    """Yield each result with a symbol for its level, and below it the fix."""
    for result in results:
        yield f"{LEVEL_SYMBOLS[result.level]} {result.name}: {result.message}"
        if result.fix:
            yield f"  → {result.fix}"


def decision_lines(decisions: Iterable[Decision]) -> Iterator[str]:
    """Yield a line for each entry, with why it is in or out: first those that are in, then the others."""
    ordered = sorted(decisions, key=lambda decision: not decision.included)
    yield from table(
        [
            ("in" if decision.included else "out", decision.feed_id, f"{decision.title}: {decision.reason}")
            for decision in ordered
        ]
    )


def edition_status_lines(record: EditionRecord, changes: Iterable[str], zone: tzinfo) -> Iterator[str]:
    """Yield the status of a sealed edition and what has changed since approval; nothing for a draft."""
    if not record.is_sealed:
        return
    yield f"  these are the sealed bytes of Issue {record.number}, {describe_edition_status(record, zone)}"
    for change in changes:
        yield f"  changed since approval: {change}"


def describe_edition_status(record: EditionRecord, zone: tzinfo) -> str:
    """Return an edition's status in a few words: ``approved by ann, Mon 16 Feb 2026 09:00``."""
    by = f" by {record.changed_by}" if record.changed_by else ""
    note = f" ({record.note})" if record.note else ""
    return f"{record.state}{by}, {format_datetime(record.changed_at, zone)}{note}"


@contextmanager
def feed_progress(total: int, width: int, *, quiet: bool) -> Iterator[Callable[[FeedReport], None]]:
    """Yield a function that prints a feed's outcome; on a terminal with a progress bar below.

    Failures go to stderr, even if ``quiet``.
    """

    def print_line(report: FeedReport) -> None:
        if not report.ok or not quiet:
            print(feed_line(report, width), file=sys.stdout if report.ok else sys.stderr, flush=True)

    if quiet or not sys.stdout.isatty():
        yield print_line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("fetching"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("feeds", total=total)

        def advance(report: FeedReport) -> None:
            style = None if report.ok else "red"
            bar.console.print(feed_line(report, width), style=style, markup=False, highlight=False)
            bar.advance(task)

        yield advance
