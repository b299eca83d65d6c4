"""How findings, signs and the status look on a terminal. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from pipeline.cli import words
from pipeline.model.fetch import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.jobs.inspect import Finding
    from pipeline.jobs.status import FeedStatus, LastRun, Status
    from pipeline.model.digest import WeekSummary
    from pipeline.model.health import Sign, SignLevel

NEWEST_SHOWN = 3
MARKS: dict[SignLevel, str] = {"well": "✓", "warning": "!", "trouble": "✗"}


def show_findings(findings: Sequence[Finding], zone: tzinfo, *, as_json: bool) -> None:
    """Print what was found at an address."""
    if as_json:
        words.show_json([_plain(each) for each in findings])
        return
    for each in findings:
        for line in _finding_lines(each, zone):
            print(line)


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "url": finding.url,
        "ok": finding.ok,
        "outcome": finding.outcome,
        "sentence": finding.sentence,
        "kind": finding.kind,
        "version": finding.parsed.version if finding.parsed else "",
        "title": finding.parsed.channel.title if finding.parsed else "",
        "entries": len(finding.entries),
        "newest_at": max((each.published_at for each in finding.entries), default=None),
        "oddities": finding.oddities,
    }


def _finding_lines(finding: Finding, zone: tzinfo) -> Iterator[str]:
    yield finding.url
    if not finding.parsed:
        yield f"  {finding.sentence}"
        return
    channel = finding.parsed.channel
    newest = sorted(finding.entries, key=lambda each: each.published_at, reverse=True)
    about = [f"“{channel.title}”" if channel.title else "no title", finding.parsed.version]
    about += [words.counted(len(newest), "entry", "entries"), f"looks like a {finding.kind}"]
    yield f"  {', '.join(about)}"
    yield from words.table(
        [(words.day(each.published_at, zone), each.title or "(no title)") for each in newest[:NEWEST_SHOWN]], "  "
    )
    if finding.outcome not in SILENT:
        yield f"  {finding.sentence}"
    for oddity in finding.oddities:
        yield f"  odd: {oddity}"
    yield "  in config.toml:"
    yield "    [[feeds]]"
    yield f'    id = "{finding.kind}"'
    yield f'    url = "{finding.url}"'
    yield f'    kind = "{finding.kind}"'


def show_status(found: Status, zone: tzinfo) -> None:
    """Print how it is doing: first whether all is well, then what is not, then everything else."""
    if found.sentence:
        print(found.sentence)
    for line in sign_lines(found.trouble):
        print(f"  {line}")
    _show_feeds(found, zone)
    _show_weeks(found, zone)
    rows: list[Sequence[str]] = [
        (job.task, words.moment(job.at, zone), away(job.in_seconds)) for job in found.next_jobs
    ]
    _show_table("Next", rows)
    _show_table("Last", [_run_row(each, zone) for each in found.last_runs])


def sign_lines(signs: Iterable[Sign]) -> Iterator[str]:
    """Write signs: a mark, what was found, and below it how to mend it."""
    for each in signs:
        yield f"{MARKS[each.level]} {each.name}: {each.finding}"
        if each.mend:
            yield f"  → {each.mend}"


def away(seconds: float) -> str:
    """Say how far away a moment is.

    >>> [away(seconds) for seconds in (0, 30, 720, 7_200, 259_200)]
    ['due now', 'in 30 s', 'in 12 min', 'in 2 h', 'in 3 days']
    """
    units = ((86_400, "days", 2), (3_600, "h", 2), (60, "min", 1), (1, "s", 1))
    fitting = ((size, unit) for size, unit, least in units if seconds >= least * size)
    return next((f"in {round(seconds / size)} {unit}" for size, unit in fitting), "due now")


def _show_table(heading: str, rows: Sequence[Sequence[str]]) -> None:
    if rows:
        print(heading)
    for line in words.table(rows, "  "):
        print(line)


def _run_row(each: LastRun, zone: tzinfo) -> tuple[str, ...]:
    took = "" if each.seconds is None else f"{each.seconds:,.0f} s"
    again = f" (attempt {each.attempts})" if each.attempts > 1 else ""
    return each.task, words.moment(each.at, zone), took, f"{each.outcome}{again}", each.line


def _show_feeds(found: Status, zone: tzinfo) -> None:
    print("Feeds")
    for each, line in zip(found.feeds, words.table([_feed_row(each, zone) for each in found.feeds], "  "), strict=True):
        print(line)
        for remark in each.remarks:
            print(f"    {each.feed.id} {remark}")


def _show_weeks(found: Status, zone: tzinfo) -> None:
    print("Weeks")
    blocks = {each.week: each.blocks for each in found.editions}
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
    return week.week, *(words.counted(*each) for each in counts), _where(week, found, zone)


def _where(week: WeekSummary, found: Status, zone: tzinfo) -> str:
    standing = found.standings.get(week.week)
    if standing and standing.state != "draft":
        number = f"No. {standing.number} " if standing.number else ""
        return number + words.standing_words(standing, zone)
    if week.running:
        return "running"
    made_at = found.made.get(week.week)
    return f"made {words.moment(made_at, zone)}" if made_at else "not made yet"


def _feed_row(each: FeedStatus, zone: tzinfo) -> tuple[str, ...]:
    newest = f"newest {words.day(each.count.newest_at, zone)}" if each.count.entries else "nothing yet"
    state = each.state
    read = f"read {words.moment(state.read_at, zone)}"
    if state.failures:
        since = f", since {words.moment(state.failing_since, zone)}" if state.failing_since else ""
        read = f"{state.detail} ({words.counted(state.failures, 'time')} in a row{since})"
    elif state.outcome and state.outcome not in SILENT:
        read = f"{read}: {state.detail}"
    if each.next_at:
        read = f"{read}, next {words.moment(each.next_at, zone)}"
    return each.feed.id, each.feed.kind, words.counted(each.count.entries, "entry", "entries"), newest, read
