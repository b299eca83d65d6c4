"""How findings and the status look on a terminal. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from pipeline.cli import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.jobs.inspect import Finding
    from pipeline.jobs.status import FeedStatus, Status

NEWEST_SHOWN = 3


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
    for oddity in finding.oddities:
        yield f"  odd: {oddity}"
    yield "  in config.toml:"
    yield "    [[feeds]]"
    yield f'    id = "{finding.kind}"'
    yield f'    url = "{finding.url}"'
    yield f'    kind = "{finding.kind}"'


def show_status(found: Status, zone: tzinfo) -> None:
    """Print how it is doing."""
    print("Feeds")
    for line in words.table([_feed_row(each, zone) for each in found.feeds], "  "):
        print(line)
    print("Weeks")
    rows = []
    for week in found.weeks:
        made = f"made {words.moment(found.made[week.week], zone)}" if week.week in found.made else "not made yet"
        counts = [
            words.counted(*each) for each in ((week.posts, "post"), (week.episodes, "episode"), (week.links, "link"))
        ]
        rows.append((week.week, *counts, "running" if week.running else made))
    for line in words.table(rows, "  ") if rows else ["  no entries yet: run `pipeline fetch`"]:
        print(line)


def _feed_row(each: FeedStatus, zone: tzinfo) -> tuple[str, ...]:
    newest = f"newest {words.day(each.count.newest_at, zone)}" if each.count.entries else "nothing yet"
    trouble = f"{each.state.detail} ({words.counted(each.state.failures, 'time')} in a row)"
    read = trouble if each.state.failures else f"read {words.moment(each.state.read_at, zone)}"
    return each.feed.id, each.feed.kind, words.counted(each.count.entries, "entry", "entries"), newest, read
