"""``pipeline check``: look an edition over, and print what was found, the gravest first.

In: parsed arguments and a clock. Out: an exit code, 4 when an error stands in the way of approval.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.cli import words
from pipeline.cli.weeks import week_meant
from pipeline.model.check import LEVELS, Check, CheckLevel, blocking
from pipeline.model.errors import Refused

if TYPE_CHECKING:
    from pipeline.model.digest import Edition

Clock = Callable[[], datetime]
_HEADINGS: dict[CheckLevel, str] = {
    "error": "Errors, which stop approval",
    "warning": "Warnings",
    "hint": "Hints",
}


def check(options: Namespace, clock: Clock) -> int:
    """Look a week's edition over; an error refuses."""
    from pipeline.jobs import check as job
    from pipeline.jobs.weekly import show

    with App.load(options.config) as app:
        now = clock()
        edition = show(app.store, app.press, week_meant(options.week, app.clock, now), now=now)
        look = None if options.offline else job.look_over(app.store, edition, app.prober, now=now)
        found = job.findings(edition, look)
    if options.json:
        checks = [asdict(each) for each in found]
        words.show_json({"edition": edition.week, "offline": options.offline, "checks": checks})
    else:
        _show(edition, found, offline=options.offline, quiet=options.quiet)
    return Refused.exit_code if blocking(found) else 0


def _show(edition: Edition, checks: Sequence[Check], *, offline: bool, quiet: bool) -> None:
    """Print checks under their headings; with ``quiet`` the errors alone."""
    if not quiet:
        print(f"{edition.week}: “{edition.subject}”")
    for level in LEVELS[:1] if quiet else LEVELS:
        rows = [_row(each) for each in checks if each.level == level]
        if rows:
            print(_HEADINGS[level])
        for line in words.table(rows, "  "):
            print(line)
    if not quiet:
        counts = (words.counted(sum(each.level == level for each in checks), level) for level in LEVELS)
        print(f"{', '.join(counts)}.{' Links and pictures were not asked for (--offline).' if offline else ''}")


def _row(check: Check) -> tuple[str, str]:
    named = check.where not in ("", check.name)
    return check.name, f"{check.where}: {check.message}" if named else check.message
