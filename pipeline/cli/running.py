"""What runs by itself, and how it is doing: run, tick, status.

In: parsed arguments and a clock. Out: an exit code. Jobs are imported inside the commands, as everywhere in this room.
"""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from pipeline.app import App
from pipeline.cli import words

Clock = Callable[[], datetime]


def run(options: Namespace, clock: Clock) -> int:
    """Be the daemon."""
    from pipeline import schedule

    level = logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    with App.load(options.config) as app:
        logging.getLogger(__name__).info("reading %s", words.counted(len(app.feeds), "feed"))
        schedule.run(app.beat)
    return 0


def tick(options: Namespace, clock: Clock) -> int:
    """Do what is due, once."""
    code = 0
    with App.load(options.config) as app:
        for beat in app.beat(clock()):
            if beat.trouble:
                code = code or beat.trouble.exit_code
                print(f"{beat.task_id}: {beat.line}", file=sys.stderr)
            elif not options.quiet:
                print(f"{beat.task_id}: {beat.line}")
    return code


def status(options: Namespace, clock: Clock) -> int:
    """Show how it is doing."""
    from pipeline.cli.findings import show_status
    from pipeline.jobs.status import status as look

    with App.load(options.config) as app:
        found = look(app.store, app.feeds, app.clock, lambda: app.press, now=clock())
        if options.json:
            words.show_json(asdict(found))
        else:
            show_status(found, app.clock.zone)
    return 0
