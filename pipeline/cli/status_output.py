"""Printing the status, health results and what a URL contains as a feed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.model.fetch import NO_ADVICE
from pipeline.text.format import format_datetime, format_day, format_remaining, pluralize

if TYPE_CHECKING:
    from pipeline.jobs.feeds.probe import FeedProbe
    from pipeline.jobs.monitoring.status import FeedStatus, LastRun, Status
    from pipeline.model.digest import WeekSummary
    from pipeline.model.health import HealthLevel, HealthResult

MAX_TITLES = 3
"""How many entries of a probed feed are printed."""
LEVEL_SYMBOLS: dict[HealthLevel, str] = {"ok": "✓", "warning": "!", "error": "✗"}


def print_probes(probes: Sequence[FeedProbe], zone: tzinfo, *, as_json: bool) -> None:
    """Print what a URL, and the feeds it links to, contain."""
    if as_json:
        output.print_json([_probe_values(probe) for probe in probes])
        return
    for probe in probes:
        for line in _probe_lines(probe, zone):
            print(line)


def _probe_values(probe: FeedProbe) -> dict[str, object]:
    return {
        "url": probe.url,
        "ok": probe.ok,
        "outcome": probe.outcome,
        "message": probe.message,
        "kind": probe.kind,
        "version": probe.parsed.version if probe.parsed else "",
        "title": probe.parsed.channel.title if probe.parsed else "",
        "entries": len(probe.entries),
        "newest_at": max((entry.published_at for entry in probe.entries), default=None),
        "warnings": probe.warnings,
    }


def _probe_lines(probe: FeedProbe, zone: tzinfo) -> Iterator[str]:
    yield probe.url
    if not probe.parsed:
        yield f"  {probe.message}"
        return
    channel = probe.parsed.channel
    newest = sorted(probe.entries, key=lambda entry: entry.published_at, reverse=True)
    summary = [f"“{channel.title}”" if channel.title else "no title", probe.parsed.version]
    summary += [pluralize(len(newest), "entry", "entries"), f"looks like a {probe.kind}"]
    yield f"  {', '.join(summary)}"
    rows = [(format_day(entry.published_at, zone), entry.title or "(no title)") for entry in newest[:MAX_TITLES]]
    yield from output.table(rows, "  ")
    if probe.outcome not in NO_ADVICE:
        yield f"  {probe.message}"
    for warning in probe.warnings:
        yield f"  warning: {warning}"
    yield "  in config.toml:"
    yield "    [[feeds]]"
    yield f'    id = "{probe.kind}"'
    yield f'    url = "{probe.url}"'
    yield f'    kind = "{probe.kind}"'


def health_lines(results: Iterable[HealthResult]) -> Iterator[str]:
    """Yield each result with a symbol for its level, and below it the fix."""
    for result in results:
        yield f"{LEVEL_SYMBOLS[result.level]} {result.name}: {result.message}"
        if result.fix:
            yield f"  → {result.fix}"


def print_status(status: Status, zone: tzinfo) -> None:
    """Print the status: whether all is well, problems, feeds, weeks, the next runs and the last ones."""
    if status.summary:
        print(status.summary)
    for line in health_lines(status.problems):
        print(f"  {line}")
    _print_feeds(status.feeds, zone)
    _print_weeks(status, zone)
    _print_table(
        "Next",
        [(run.task, format_datetime(run.at, zone), format_remaining(run.in_seconds)) for run in status.next_runs],
    )
    _print_table("Last", [_last_run_row(run, zone) for run in status.last_runs])


def _print_table(heading: str, rows: Sequence[Sequence[str]]) -> None:
    if rows:
        print(heading)
    for line in output.table(rows, "  "):
        print(line)


def _last_run_row(run: LastRun, zone: tzinfo) -> tuple[str, ...]:
    duration = "" if run.duration_seconds is None else f"{run.duration_seconds:,.0f} s"
    attempt = f" (attempt {run.attempts})" if run.attempts > 1 else ""
    return run.task, format_datetime(run.started_at, zone), duration, f"{run.status}{attempt}", run.message


def _print_feeds(feeds: Sequence[FeedStatus], zone: tzinfo) -> None:
    print("Feeds")
    rows = [_feed_row(feed, zone) for feed in feeds]
    for feed, line in zip(feeds, output.table(rows, "  "), strict=True):
        print(line)
        for warning in feed.warnings:
            print(f"    {feed.feed.id} {warning.message}: {warning.fix}")


def _feed_row(status: FeedStatus, zone: tzinfo) -> tuple[str, ...]:
    feed, state, count = status.feed, status.state, status.count
    newest = f"newest {format_day(count.newest_at, zone)}" if count.entries else "nothing yet"
    last = f"read {format_datetime(state.read_at, zone)}"
    if state.failures:
        since = f", since {format_datetime(state.failing_since, zone)}" if state.failing_since else ""
        last = f"{state.message} ({pluralize(state.failures, 'time')} in a row{since})"
    elif state.outcome and state.outcome not in NO_ADVICE:
        last = f"{last}: {state.message}"
    if status.next_fetch_at:
        last = f"{last}, next {format_datetime(status.next_fetch_at, zone)}"
    return feed.id, feed.kind, pluralize(count.entries, "entry", "entries"), newest, last


def _print_weeks(status: Status, zone: tzinfo) -> None:
    print("Weeks")
    blockers = {edition.week: edition.blockers for edition in status.editions}
    rows = [_week_row(week, status, zone) for week in status.weeks]
    for week, line in zip(status.weeks, output.table(rows, "  "), strict=True):
        print(line)
        changes = status.changes.get(week.week, ())
        for change in changes:
            print(f"    {week.week} changed since approval: {change}")
        for blocker in blockers.get(week.week, ()):
            if blocker.message not in changes:
                print(f"    {blocker}")
    if not rows:
        print("  no entries yet: run `pipeline fetch`")


def _week_row(week: WeekSummary, status: Status, zone: tzinfo) -> tuple[str, ...]:
    counts = ((week.posts, "post"), (week.episodes, "episode"), (week.links, "link"))
    return week.week, *(pluralize(*count) for count in counts), _edition_cell(week, status, zone)


def _edition_cell(week: WeekSummary, status: Status, zone: tzinfo) -> str:
    record = status.records.get(week.week)
    if record and record.state != "draft":
        number = f"No. {record.number} " if record.number else ""
        return number + output.describe_edition_status(record, zone)
    if week.is_open:
        return "running"
    drafted_at = status.drafted_at.get(week.week)
    return f"drafted {format_datetime(drafted_at, zone)}" if drafted_at else "no draft yet"
