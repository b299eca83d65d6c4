"""How results look on a terminal: lines, tables, JSON, a progress bar. Decides nothing.

In: reports and records. Out: text on stdout; what went wrong on stderr.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.text.format import format_datetime, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.jobs.feeds.refresh import FeedReport
    from pipeline.model.digest import Decision
    from pipeline.model.edition import EditionRecord


def print_json(value: Any) -> None:
    """Print a value as JSON: dates in RFC 3339, paths as text."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def table(rows: Sequence[Sequence[str]], indent: str = "") -> Iterator[str]:
    """Line up columns; the last one is as wide as it likes.

    >>> list(table([("a", "bb"), ("ccc", "d")]))
    ['a    bb', 'ccc  d']
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        yield indent + "  ".join([*cells, row[-1]]).rstrip()


def relative_path(path: Path) -> str:
    """Write a path as one would type it from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def feed_line(report: FeedReport, width: int) -> str:
    """One feed's outcome in a line."""
    done = [pluralize(report.applied.new, "new", "new")] if report.applied.new else []
    done += [pluralize(report.applied.changed, "changed", "changed")] if report.applied.changed else []
    tail = f" ({', '.join(done)})" if done else ""
    return f"{report.feed_id.ljust(width)}  {report.message}{tail}"


def feeds_summary(reports: Sequence[FeedReport]) -> str:
    """All feeds in a line."""
    new, changed = (sum(getattr(each.applied, what) for each in reports) for what in ("new", "changed"))
    failed = sum(not each.ok for each in reports)
    parts = [pluralize(new, "new entry", "new entries"), f"{changed:,} changed"]
    return f"{pluralize(len(reports), 'feed')}: {', '.join(parts)}{f', {failed} failed' if failed else ''}."


def decision_lines(decisions: Iterable[Decision]) -> Iterator[str]:
    """The why-ledger: every entry in a line, in or out, and why; by date, what is in first."""
    ordered = sorted(decisions, key=lambda each: not each.included)
    rows = [("in" if each.included else "out", each.feed_id, f"{each.title}: {each.reason}") for each in ordered]
    yield from table(rows)


def edition_status_lines(record: EditionRecord, changes: Iterable[str], zone: tzinfo) -> Iterator[str]:
    """Where a sealed edition stands, and what has changed since; nothing for a draft."""
    if not record.is_sealed:
        return
    yield f"  these are the sealed bytes of No. {record.number}, {describe_edition_status(record, zone)}"
    for each in changes:
        yield f"  changed since approval: {each}"


def describe_edition_status(record: EditionRecord, zone: tzinfo) -> str:
    """Where an edition stands, in a few words: ``approved by ann, Mon 16 Feb 2026 09:00``."""
    by = f" by {record.changed_by}" if record.changed_by else ""
    remark = f" ({record.note})" if record.note else ""
    return f"{record.state}{by}, {format_datetime(record.changed_at, zone)}{remark}"


@contextmanager
def feed_progress(total: int, width: int, *, quiet: bool) -> Iterator[Callable[[FeedReport], None]]:
    """Show feeds as they are done: a bar over the lines on a terminal, plain lines otherwise.

    Failures go to stderr, whatever ``quiet`` says.
    """

    def line(report: FeedReport) -> None:
        if not report.ok or not quiet:
            print(feed_line(report, width), file=sys.stdout if report.ok else sys.stderr, flush=True)

    if quiet or not sys.stdout.isatty():
        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("fetching"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("feeds", total=total)

        def advance(report: FeedReport) -> None:
            bar.console.print(
                feed_line(report, width), style=None if report.ok else "red", markup=False, highlight=False
            )
            bar.advance(task)

        yield advance
