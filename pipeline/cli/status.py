"""How it is doing, and what is wrong with the set-up: status and doctor.

In: parsed arguments and a clock. Out: an exit code. Jobs are imported inside the commands, as everywhere in this room.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.app.digests import build_digest_context
from pipeline.app.tasks import build_tasks, next_runs
from pipeline.cli import output as words
from pipeline.model.errors import ConfigError
from pipeline.model.health import HealthResult, health_result_of, worst_level

if TYPE_CHECKING:
    from pipeline.model.schedule import Clock

UNHEALTHY = 3


def status(options: Namespace, clock: Clock) -> int:
    """Show how it is doing."""
    from pipeline.cli.status_output import health_lines, print_status
    from pipeline.jobs.monitoring.status_report import build_status_report

    with App.load(options.config) as app:
        now = clock()
        found = build_status_report(
            app.store,
            app.feeds,
            app.calendar,
            lambda: build_digest_context(app),
            build_tasks(app),
            next_runs(app, now),
            now=now,
        )
    if options.json:
        words.print_json(asdict(found))
    elif options.quiet:
        print(*health_lines(found.problems), sep="\n", end="\n" if found.problems else "")
    else:
        print_status(found, app.calendar.zone)
    return 0


def doctor(options: Namespace, clock: Clock) -> int:
    """Look at everything, say what is not well, and how to mend it."""
    try:
        with App.load(options.config) as app:
            signs = _show(_examined(app, options, clock()), options)
    except ConfigError as unusable:
        _show([health_result_of(str(unusable), category="config", name=options.config.name, level="trouble")], options)
        return ConfigError.exit_code
    return UNHEALTHY if worst_level(signs) == "trouble" else 0


def _examined(app: App, options: Namespace, now: datetime) -> Iterator[HealthResult]:
    from pipeline.app.doctor import doctor_checks
    from pipeline.jobs.doctor import run_checks

    return run_checks(doctor_checks(app, now=now, offline=options.offline))


def _show(signs: Iterable[HealthResult], options: Namespace) -> list[HealthResult]:
    """Print signs group by group, as they are found, and sum them up; with --quiet only what is not well."""
    from pipeline.cli.status_output import health_lines
    from pipeline.jobs.monitoring.status_report import summarize

    found: list[HealthResult] = []
    if options.json:
        found = list(signs)
        words.print_json({"level": worst_level(found), "signs": list(map(asdict, found))})
        return found
    for group, members in groupby(signs, key=lambda sign: sign.category):
        seen = list(members)
        found += seen
        shown = [sign for sign in seen if sign.level != "well" or not options.quiet]
        for line in (group.capitalize(), *(f"  {line}" for line in health_lines(shown))) if shown else ():
            print(line, flush=True)
    if not options.quiet:
        print(summarize(found))
    return found
