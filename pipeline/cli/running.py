"""What runs by itself: run, tick.

In: parsed arguments and a clock. Out: an exit code. Jobs are imported inside the commands, as everywhere in this room.
"""

from __future__ import annotations

import logging
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from pipeline.app import App
from pipeline.cli import words
from pipeline.cli.logs import logging_to

Clock = Callable[[], datetime]

log = logging.getLogger(__name__)


def run(options: Namespace, clock: Clock) -> int:
    """Be the daemon."""
    from pipeline import schedule
    from pipeline.app.examined import foresight
    from pipeline.app.living import Living
    from pipeline.app.sight import Sight
    from pipeline.jobs.pulse import Pulse
    from pipeline.web import health
    from pipeline.web.daemon import pages

    pulse = Pulse(schedule.BEAT_SECONDS)
    with Living(options.config) as living, logging_to(options, secrets=lambda: living.app.secrets):
        app = living.app
        log.info("reading %s; next: %s", words.counted(len(app.feeds), "feed"), _next(app, clock()))
        for sign in foresight(app, clock()):
            if sign.level != "well":
                log.warning("%s: %s", sign.finding, sign.mend)
        with pages(options.config, clock, health.routes(Sight(lambda: living.app, pulse))):
            schedule.run(pulse.felt(living.beat), on_hangup=living.read_again)
    return 0


def _next(app: App, now: datetime) -> str:
    return ", ".join(f"{each.task_id} {words.soon(each.at, now, app.clock.zone)}" for each in app.coming(now))


def tick(options: Namespace, clock: Clock) -> int:
    """Do what is due, once."""
    from pipeline.jobs.telling import tell

    code = 0
    log_to = partial(logging_to, options, calm=sys.stdout)
    with App.load(options.config) as app, log_to(secrets=lambda: app.secrets), _interruptible():
        for beat in app.beat(clock()):
            tell(beat)
            if beat.trouble:
                code = code or beat.trouble.exit_code
    return code


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM do what Ctrl+C does: what is underway is given up in order, and free for whoever comes next."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
