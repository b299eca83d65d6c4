"""``pipeline check``: look an edition over, and print what was found, the gravest first.

In: parsed arguments and a clock. Out: an exit code, 4 when an error stands in the way of approval.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.app.digests import build_digest_context
from pipeline.cli import output as words
from pipeline.cli.arguments import parse_week
from pipeline.model.check import LEVELS, CheckLevel, CheckResult, blocking_results
from pipeline.model.errors import RefusedError
from pipeline.text.format import pluralize

if TYPE_CHECKING:
    from pipeline.model.digest import Edition
    from pipeline.model.schedule import Clock

_HEADINGS: dict[CheckLevel, str] = {
    "error": "Errors, which stop approval",
    "warning": "Warnings",
    "hint": "Hints",
}


def check(options: Namespace, clock: Clock) -> int:
    """Look a week's edition over; an error refuses."""
    from pipeline.jobs.digests.build import current_edition
    from pipeline.jobs.editions import check_links as job

    with App.load(options.config) as app:
        now = clock()
        edition = current_edition(
            app.store, build_digest_context(app), parse_week(options.week, app.calendar, now), now=now
        )
        look = None if options.offline else job.check_and_save_links(app.store, edition, app.link_fetcher, now=now)
        found = job.check_results(edition, look)
    if options.json:
        checks = [asdict(each) for each in found]
        words.print_json({"edition": edition.week, "offline": options.offline, "checks": checks})
    else:
        _show(edition, found, offline=options.offline, quiet=options.quiet)
    return RefusedError.exit_code if blocking_results(found) else 0


def _show(edition: Edition, checks: Sequence[CheckResult], *, offline: bool, quiet: bool) -> None:
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
        counts = (pluralize(sum(each.level == level for each in checks), level) for level in LEVELS)
        print(f"{', '.join(counts)}.{' Links and pictures were not asked for (--offline).' if offline else ''}")


def _row(check: CheckResult) -> tuple[str, str]:
    named = check.where not in ("", check.name)
    return check.name, f"{check.where}: {check.message}" if named else check.message
