"""``pipeline run`` and ``pipeline tick``."""

from __future__ import annotations

import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from pipeline.cli.arguments import Commands, load_app
from pipeline.text.format import format_upcoming, pluralize

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.app import App
    from pipeline.model.schedule import Clock


def add_commands(commands: Commands) -> None:
    """Add run and tick."""
    parser = commands.add("run", run, "run as a daemon that does what [schedule] says, and serves its pages")
    _add_log(parser)
    text = "serve nothing but the pages for subscribers (public), and send the mails that they ask for"
    parser.add_argument("--only", choices=("public",), metavar="PART", help=text)
    _add_log(commands.add("tick", tick, "do what is due now and exit, for cron"))


def _add_log(parser: ArgumentParser) -> None:
    text = "format of the log: human, json (JSON Lines), or auto, which is human on a terminal (default: auto)"
    parser.add_argument("--log", choices=("auto", "human", "json"), default="auto", metavar="FORMAT", help=text)


def run(options: Namespace, clock: Clock) -> int:
    """Run the daemon, or one part of it, until it is stopped."""
    return _run_public(options, clock) if options.only == "public" else _run_all(options, clock)


def _run_all(options: Namespace, clock: Clock) -> int:
    from pipeline import daemon  # imported here to keep --help fast
    from pipeline.app.delivery_thread import DeliveryThread
    from pipeline.app.health import HealthProbe
    from pipeline.app.mailbox_watch import MailboxWatch
    from pipeline.app.reload import ReloadingApp
    from pipeline.cli.log import configured_logging
    from pipeline.scheduler.heartbeat import Heartbeat
    from pipeline.web.health import health_routes
    from pipeline.web.pages import serve_pages
    from pipeline.web.public.server import serve_public

    heartbeat = Heartbeat(daemon.TICK_INTERVAL_SECONDS, monotonic=time.monotonic)
    with ReloadingApp(options.config) as reloading, configured_logging(options, secrets=lambda: reloading.app.secrets):
        _log_start(reloading.app, clock())
        _claim_storage(reloading.app)
        health = health_routes(HealthProbe(lambda: reloading.app, heartbeat, clock))
        with (
            serve_pages(options.config, clock, health),
            serve_public(options.config, clock),
            DeliveryThread(options.config, clock),
            MailboxWatch(reloading.app, clock),
        ):
            daemon.run(
                heartbeat.watch(partial(reloading.run_due_tasks, watch=heartbeat.working)),
                after_tick=reloading.release_memory,
                on_sighup=reloading.request_reload,
                stuck_task=heartbeat.stuck_task,
            )
    return 0


def _log_start(app: App, now: datetime) -> None:
    """Log what the daemon will do, and what is odd about its schedule."""
    import logging

    from pipeline.app.doctor import schedule_checks
    from pipeline.app.tasks import next_runs

    log = logging.getLogger(__name__)
    upcoming = (f"{task.task_id} {format_upcoming(task.at, now, app.calendar.zone)}" for task in next_runs(app, now))
    log.info("started with %s; next runs: %s", pluralize(len(app.feeds), "feed"), ", ".join(upcoming))
    for result in schedule_checks(app, now):
        if result.level != "ok":
            log.warning("%s: %s", result.message, result.fix)


def _run_public(options: Namespace, clock: Clock) -> int:
    """Serve the pages for subscribers until a signal stops the process."""
    import logging

    from pipeline import daemon
    from pipeline.app.audience import public_url
    from pipeline.cli.log import configured_logging
    from pipeline.model.errors import ConfigError
    from pipeline.web.public.server import serve_public

    with load_app(options) as app:
        if not public_url(app):
            raise ConfigError(
                f"{options.config}: set [public] url and listen: without them there are no pages to serve."
            )
        with configured_logging(options, secrets=lambda: app.secrets):
            _claim_storage(app)
            with serve_public(options.config, clock, unattended=True) as base_url:
                if not base_url:
                    raise ConfigError(f"{options.config}: [public] listen = {app.config.public.listen!r} is in use.")
                daemon.wait_for_stop()
            logging.getLogger(__name__).info("stopped")
    return 0


def tick(options: Namespace, clock: Clock) -> int:
    """Run all tasks that are due, once, and return the exit code of the first that failed."""
    import logging

    from pipeline.app.deliveries import deliver_running
    from pipeline.app.tasks import run_due_tasks
    from pipeline.cli.log import configured_logging
    from pipeline.jobs.run_log import log_result

    code = 0
    log_to_stdout = partial(configured_logging, options, info_stream=sys.stdout)
    with load_app(options) as app, log_to_stdout(secrets=lambda: app.secrets), _sigterm_interrupts():
        _claim_storage(app)
        for result in run_due_tasks(app, clock()):
            log_result(result)
            if result.error:
                code = code or result.error.exit_code
        for dispatch, sent in deliver_running(app, clock):
            logging.getLogger(__name__).info("sending %s: %s", dispatch.week, sent.state)
    return code


def _claim_storage(app: App) -> None:
    """Record that database and outbox are this publication's, and log a warning for what is another's."""
    import logging

    from pipeline.app.doctor import claim_storage, owner_checks

    claim_storage(app)
    for result in owner_checks(app):
        logging.getLogger(__name__).warning("%s %s: %s", result.name, result.message, result.fix)


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Handle SIGTERM as Ctrl+C, so that an interrupted run releases its lease."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
