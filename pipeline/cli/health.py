"""How it is doing, and what is wrong with the set-up: status and doctor.

In: parsed arguments and a clock. Out: an exit code. Jobs are imported inside the commands, as everywhere in this room.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import groupby

from pipeline.app import App
from pipeline.cli import words
from pipeline.model.errors import ConfigError
from pipeline.model.health import Sign, sign_of, worst

Clock = Callable[[], datetime]
NEEDS_MENDING = 3


def status(options: Namespace, clock: Clock) -> int:
    """Show how it is doing."""
    from pipeline.cli.findings import show_status, sign_lines
    from pipeline.jobs.overview import overview

    with App.load(options.config) as app:
        now = clock()
        found = overview(app.store, app.feeds, app.clock, lambda: app.press, app.tasks, app.coming(now), now=now)
    if options.json:
        words.show_json(asdict(found))
    elif options.quiet:
        print(*sign_lines(found.trouble), sep="\n", end="\n" if found.trouble else "")
    else:
        show_status(found, app.clock.zone)
    return 0


def doctor(options: Namespace, clock: Clock) -> int:
    """Look at everything, say what is not well, and how to mend it."""
    try:
        with App.load(options.config) as app:
            signs = _show(_examined(app, options, clock()), options)
    except ConfigError as unusable:
        _show([sign_of(str(unusable), group="config", name=options.config.name, level="trouble")], options)
        return ConfigError.exit_code
    return NEEDS_MENDING if worst(signs) == "trouble" else 0


def _examined(app: App, options: Namespace, now: datetime) -> Iterator[Sign]:
    from pipeline.app.examined import examinations
    from pipeline.jobs.doctor import examine

    return examine(examinations(app, now=now, offline=options.offline))


def _show(signs: Iterable[Sign], options: Namespace) -> list[Sign]:
    """Print signs group by group, as they are found, and sum them up; with --quiet only what is not well."""
    from pipeline.cli.findings import sign_lines
    from pipeline.jobs.overview import in_a_sentence

    found: list[Sign] = []
    if options.json:
        found = list(signs)
        words.show_json({"level": worst(found), "signs": list(map(asdict, found))})
        return found
    for group, members in groupby(signs, key=lambda sign: sign.group):
        seen = list(members)
        found += seen
        shown = [sign for sign in seen if sign.level != "well" or not options.quiet]
        for line in (group.capitalize(), *(f"  {line}" for line in sign_lines(shown))) if shown else ():
            print(line, flush=True)
    if not options.quiet:
        print(in_a_sentence(found))
    return found
