"""The tasks of [schedule], and the functions that run them and say when they run next."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.app.audience import clean_up_tasks, public_url
from pipeline.app.bounces import bounces_tasks
from pipeline.app.deliveries import build_dispatcher, delivers, delivery_tasks
from pipeline.app.delivery import build_mailer, build_notifier, build_proof_sender, build_recovery, sends_unapproved
from pipeline.app.digests import build_digest_context
from pipeline.app.feeds import build_refresher

if TYPE_CHECKING:
    from pipeline.app.app import App
    from pipeline.jobs.editions.scheduled_send import ScheduledSend
    from pipeline.model.schedule import At, Clock
    from pipeline.scheduler.engine import NextRun, Supervise, Task, TaskResult

BOOTTIME: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that cannot be set and that also counts while the machine sleeps; Linux's monotonic clock stops then."""


def run_due_tasks(app: App, now: datetime, watch: Supervise = nullcontext) -> Iterator[TaskResult]:
    """Run the tasks of [schedule] that are due and yield the result of each. Each has its time limit."""
    from pipeline.scheduler.engine import run_due
    from pipeline.scheduler.lease import RunLeases
    from pipeline.scheduler.time_limit import time_limit

    @contextmanager
    def supervise(task: Task) -> Iterator[None]:
        with watch(task), time_limit(task.id, task.max_seconds):
            yield

    clock = _clock_from(now)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    return run_due(build_tasks(app), RunLeases(app.store().runs, owner, clock), clock, app.calendar.zone, supervise)


def next_runs(app: App, now: datetime) -> tuple[NextRun, ...]:
    """Return when each task runs next."""
    from pipeline.scheduler import engine

    return engine.next_runs(build_tasks(app), app.store().runs.newest(), now, app.calendar.zone)


def validate(app: App) -> None:
    """Open everything config.toml names; PipelineError if something cannot be used."""
    _ = app.store()
    app.fixtures_folder()
    build_mailer(app)
    build_digest_context(app)


def build_tasks(app: App) -> tuple[Task, ...]:
    """Return the tasks of the daemon and of ``pipeline tick``, in the order they run in if several are due."""
    from pipeline.jobs.tasks import draft_task, fetch_task, first_fetch_task

    settings, refresher = app.config.schedule, build_refresher(app)
    return (
        *_send_tasks(app),  # first: a sealed edition does not wait for feeds
        fetch_task(settings.fetch, refresher, app.feeds),
        first_fetch_task(refresher, app.feeds),
        *_alert_tasks(app),
        draft_task(settings.draft, app.store(), lambda: build_digest_context(app), app.editions_folder),
        *_proof_tasks(app),
        *bounces_tasks(app),
        *_maintenance_tasks(app),
    )


def _send_tasks(app: App) -> Iterator[Task]:
    from pipeline.jobs.editions.scheduled_send import send_task

    if schedule := app.config.schedule.send:
        yield send_task(schedule, app.store(), lambda: _scheduled_send(app, schedule))


def _scheduled_send(app: App, schedule: At) -> ScheduledSend:
    from pipeline.jobs.editions.scheduled_send import ACTOR, ALERT_PREFIX, ScheduledSend, is_draft_ready
    from pipeline.jobs.editions.workflow import EditionWorkflow

    context = build_digest_context(app)
    return ScheduledSend(
        schedule=schedule,
        late_limit=app.config.schedule.late_limit,
        approval="unless-held" if sends_unapproved(app) else "required",
        workflow=EditionWorkflow(store=app.store(), context=context, actor=ACTOR, open_link_fetcher=app.link_fetcher),
        recovery=build_recovery(app),
        reconcile_alerts=lambda alerts, at: build_notifier(app).reconcile(ALERT_PREFIX, alerts, at=at),
        editions_folder=app.editions_folder,
        send_proof=lambda week, now: build_proof_sender(app).send(week, now=now),
        start_sending=build_dispatcher(app, ACTOR).start if delivers(app) else None,
        draft_is_ready=lambda now: is_draft_ready(app.config.schedule.draft, app.store(), now, app.calendar.zone),
    )


def _alert_tasks(app: App) -> Iterator[Task]:
    from pipeline.jobs.monitoring.feed_alerts import feed_alerts_task
    from pipeline.jobs.monitoring.late_feeds import day_before, late_feeds_task
    from pipeline.jobs.monitoring.notifier import alert_retry_task
    from pipeline.jobs.monitoring.source_changes import source_changes_task

    settings, notifier, zone = app.config.schedule, build_notifier(app), app.calendar.zone
    late_feeds = settings.late_feeds or day_before(settings.draft)
    yield feed_alerts_task(settings.fetch, app.store(), app.feeds, notifier, zone)
    yield source_changes_task(settings.fetch, app.store(), notifier, zone)
    yield late_feeds_task(late_feeds, settings.draft, app.store(), app.feeds, notifier, zone)
    yield alert_retry_task(notifier)
    yield from delivery_tasks(app)


def _proof_tasks(app: App) -> Iterator[Task]:
    from pipeline.jobs.proof.send import proof_task

    if app.config.delivery.smtp_host:  # a proof in the outbox would not reach the editor
        yield proof_task(app.store(), app.calendar, lambda: build_proof_sender(app))


def _maintenance_tasks(app: App) -> Iterator[Task]:
    from pipeline.jobs.deliveries.clicks import clicks_task
    from pipeline.jobs.maintenance.prune import prune_task

    if public_url(app):
        yield from clean_up_tasks(app)
        if app.config.delivery.count_links or app.store().clicks.has_pending():
            yield clicks_task(app.store())

    if keep := app.config.store.keep_bodies:
        yield prune_task(app.store(), keep)


def _clock_from(now: datetime) -> Clock:
    """Return a clock that starts at ``now``."""
    started = time.clock_gettime(BOOTTIME)
    return lambda: now + timedelta(seconds=time.clock_gettime(BOOTTIME) - started)
