"""What runs by itself: run, tick.

In: parsed arguments and a clock. Out: an exit code. Jobs are imported inside the commands, as everywhere in this room.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.app.tasks import next_runs, run_due_tasks
from pipeline.cli.log import configured_logging
from pipeline.text.format import format_upcoming, pluralize

if TYPE_CHECKING:
    from pipeline.model.schedule import Clock


log = logging.getLogger(__name__)


def run(options: Namespace, clock: Clock) -> int:
    """Be the daemon."""
    from pipeline import daemon as schedule
    from pipeline.app.doctor import schedule_checks
    from pipeline.app.health import HealthProbe
    from pipeline.app.reload import ReloadingApp
    from pipeline.scheduler.heartbeat import Heartbeat
    from pipeline.web import health
    from pipeline.web.server import serve_pages

    pulse = Heartbeat(schedule.TICK_INTERVAL_SECONDS, monotonic=time.monotonic)
    with ReloadingApp(options.config) as living, configured_logging(options, secrets=lambda: living.app.secrets):
        app = living.app
        log.info("reading %s; next: %s", pluralize(len(app.feeds), "feed"), _next(app, clock()))
        for sign in schedule_checks(app, clock()):
            if sign.level != "well":
                log.warning("%s: %s", sign.message, sign.fix)
        with serve_pages(options.config, clock, health.health_routes(HealthProbe(lambda: living.app, pulse))):
            schedule.run(pulse.watch(living.run_due_tasks), on_sighup=living.request_reload)
    return 0


def _next(app: App, now: datetime) -> str:
    return ", ".join(
        f"{each.task_id} {format_upcoming(each.at, now, app.calendar.zone)}" for each in next_runs(app, now)
    )


def tick(options: Namespace, clock: Clock) -> int:
    """Do what is due, once."""
    from pipeline.jobs.run_log import log_result

    code = 0
    log_to = partial(configured_logging, options, info_stream=sys.stdout)
    with App.load(options.config) as app, log_to(secrets=lambda: app.secrets), _interruptible():
        for beat in run_due_tasks(app, clock()):
            log_result(beat)
            if beat.error:
                code = code or beat.error.exit_code
    return code


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM do what Ctrl+C does: what is underway is given up in order, and free for whoever comes next."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
