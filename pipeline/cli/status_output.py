"""How findings, signs and the status look on a terminal. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from pipeline.cli import output as words
from pipeline.model.fetch import NO_ADVICE
from pipeline.text.format import format_datetime, format_day, format_remaining, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.jobs.feeds.probe import FeedProbe
    from pipeline.jobs.monitoring.status import FeedStatus, LastRun, Status
    from pipeline.model.digest import WeekSummary
    from pipeline.model.health import HealthLevel, HealthResult

NEWEST_SHOWN = 3
LEVEL_SYMBOLS: dict[HealthLevel, str] = {"well": "✓", "warning": "!", "trouble": "✗"}


def print_probes(probes: Sequence[FeedProbe], zone: tzinfo, *, as_json: bool) -> None:
    """Print what was found at an address."""
    if as_json:
        words.print_json([_plain(each) for each in probes])
        return
    for each in probes:
        for line in _finding_lines(each, zone):
            print(line)


def _plain(finding: FeedProbe) -> dict[str, object]:
    return {
        "url": finding.url,
        "ok": finding.ok,
        "outcome": finding.outcome,
        "sentence": finding.message,
        "kind": finding.kind,
        "version": finding.parsed.version if finding.parsed else "",
        "title": finding.parsed.channel.title if finding.parsed else "",
        "entries": len(finding.entries),
        "newest_at": max((each.published_at for each in finding.entries), default=None),
        "oddities": finding.warnings,
    }


def _finding_lines(finding: FeedProbe, zone: tzinfo) -> Iterator[str]:
    yield finding.url
    if not finding.parsed:
        yield f"  {finding.message}"
        return
    channel = finding.parsed.channel
    newest = sorted(finding.entries, key=lambda each: each.published_at, reverse=True)
    about = [f"“{channel.title}”" if channel.title else "no title", finding.parsed.version]
    about += [pluralize(len(newest), "entry", "entries"), f"looks like a {finding.kind}"]
    yield f"  {', '.join(about)}"
    yield from words.table(
        [(format_day(each.published_at, zone), each.title or "(no title)") for each in newest[:NEWEST_SHOWN]],
        "  ",
    )
    if finding.outcome not in NO_ADVICE:
        yield f"  {finding.message}"
    for oddity in finding.warnings:
        yield f"  odd: {oddity}"
    yield "  in config.toml:"
    yield "    [[feeds]]"
    yield f'    id = "{finding.kind}"'
    yield f'    url = "{finding.url}"'
    yield f'    kind = "{finding.kind}"'


def print_status(status: Status, zone: tzinfo) -> None:
    """Print how it is doing: first whether all is well, then what is not, then everything else."""
    if status.summary:
        print(status.summary)
    for line in health_lines(status.problems):
        print(f"  {line}")
    _show_feeds(status, zone)
    _show_weeks(status, zone)
    rows: list[Sequence[str]] = [
        (job.task, format_datetime(job.at, zone), format_remaining(job.in_seconds)) for job in status.next_runs
    ]
    _show_table("Next", rows)
    _show_table("Last", [_run_row(each, zone) for each in status.last_runs])


def health_lines(results: Iterable[HealthResult]) -> Iterator[str]:
    """Write signs: a mark, what was found, and below it how to mend it."""
    for each in results:
        yield f"{LEVEL_SYMBOLS[each.level]} {each.name}: {each.message}"
        if each.fix:
            yield f"  → {each.fix}"


def _show_table(heading: str, rows: Sequence[Sequence[str]]) -> None:
    if rows:
        print(heading)
    for line in words.table(rows, "  "):
        print(line)


def _run_row(each: LastRun, zone: tzinfo) -> tuple[str, ...]:
    took = "" if each.duration_seconds is None else f"{each.duration_seconds:,.0f} s"
    again = f" (attempt {each.attempts})" if each.attempts > 1 else ""
    return each.task, format_datetime(each.started_at, zone), took, f"{each.status}{again}", each.message


def _show_feeds(found: Status, zone: tzinfo) -> None:
    print("Feeds")
    for each, line in zip(found.feeds, words.table([_feed_row(each, zone) for each in found.feeds], "  "), strict=True):
        print(line)
        for remark in each.warnings:
            print(f"    {each.feed.id} {remark}")


def _show_weeks(found: Status, zone: tzinfo) -> None:
    print("Weeks")
    blocks = {each.week: each.blockers for each in found.editions}
    rows = [_week_row(week, found, zone) for week in found.weeks]
    for week, line in zip(found.weeks, words.table(rows, "  "), strict=True):
        print(line)
        for change in found.changes.get(week.week, ()):
            print(f"    {week.week} changed since approval: {change}")
        for block in blocks.get(week.week, ()):
            if block not in found.changes.get(week.week, ()):
                print(f"    {block}")
    if not rows:
        print("  no entries yet: run `pipeline fetch`")


def _week_row(week: WeekSummary, found: Status, zone: tzinfo) -> tuple[str, ...]:
    counts = ((week.posts, "post"), (week.episodes, "episode"), (week.links, "link"))
    return week.week, *(pluralize(*each) for each in counts), _where(week, found, zone)


def _where(week: WeekSummary, found: Status, zone: tzinfo) -> str:
    standing = found.records.get(week.week)
    if standing and standing.state != "draft":
        number = f"No. {standing.number} " if standing.number else ""
        return number + words.describe_edition_status(standing, zone)
    if week.is_open:
        return "running"
    made_at = found.drafted_at.get(week.week)
    return f"made {format_datetime(made_at, zone)}" if made_at else "not made yet"


def _feed_row(each: FeedStatus, zone: tzinfo) -> tuple[str, ...]:
    newest = f"newest {format_day(each.count.newest_at, zone)}" if each.count.entries else "nothing yet"
    state = each.state
    read = f"read {format_datetime(state.read_at, zone)}"
    if state.failures:
        since = f", since {format_datetime(state.failing_since, zone)}" if state.failing_since else ""
        read = f"{state.detail} ({pluralize(state.failures, 'time')} in a row{since})"
    elif state.outcome and state.outcome not in NO_ADVICE:
        read = f"{read}: {state.detail}"
    if each.next_fetch_at:
        read = f"{read}, next {format_datetime(each.next_fetch_at, zone)}"
    return each.feed.id, each.feed.kind, pluralize(each.count.entries, "entry", "entries"), newest, read
