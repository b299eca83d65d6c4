"""What runs by itself: the tasks of [schedule], and the beat that does those that are due.

In: a whole house. Out: beats. The one clock it reads tells how long a beat has taken, never what time it is.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.app.notifications import Noticing

if TYPE_CHECKING:
    from pipeline.jobs.editions.scheduled_send import ScheduledSend
    from pipeline.model.schedule import At, Clock
    from pipeline.scheduler.engine import NextRun, Task, TaskResult

BOOTTIME: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that no one sets and that goes on while the machine sleeps: Linux's monotonic one stands still then."""


class App(Noticing):
    """A publication, ready to work."""

    def run_due_tasks(self, now: datetime) -> Iterator[TaskResult]:
        """Do what [schedule] says is due, each task as it is asked for; what waits or failed, in its turn."""
        from pipeline.scheduler.engine import run_due
        from pipeline.scheduler.lease import RunLeases

        clock = _clock_from(now)
        return run_due(self.tasks, RunLeases(self.store.runs, _me(), clock), clock, self.calendar.zone)

    def next_runs(self, now: datetime) -> tuple[NextRun, ...]:
        """Say when each task is done next."""
        from pipeline.scheduler.engine import next_runs

        return next_runs(self.tasks, self.store.runs.newest(), now, self.calendar.zone)

    def validate(self) -> None:
        """Open what config.toml names; PipelineError when something of it cannot be used."""
        self.store.feed_states()
        _ = self.digest_context, self.mailer, self.config.fetch.fixtures and self.fixtures_folder

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What the daemon and cron do, in this order when several are due."""
        from pipeline.jobs.tasks import draft_task, fetch_task, first_fetch_task

        said = self.config.schedule
        return (
            *self._send_tasks(),  # what is sealed waits for no feed
            fetch_task(said.fetch, self.refresher, self.feeds),
            first_fetch_task(self.refresher, self.feeds),
            *self.alert_tasks,
            draft_task(said.draft, self.store, lambda: self.digest_context, self.editions_folder),
            *self._proof_tasks(),
            *self._care_tasks(),
        )

    def _proof_tasks(self) -> Iterator[Task]:
        """Proofs, where a mail server takes them; those in an outbox would wait for nobody."""
        from pipeline.jobs.proof.send import proof_task

        if self.config.delivery.smtp_host:
            yield proof_task(self.store, self.calendar, lambda: self.proof_sender)

    def _send_tasks(self) -> Iterator[Task]:
        """The mailing, unless the editor sends by hand."""
        from pipeline.jobs.editions.scheduled_send import send_task

        if rhythm := self.config.schedule.send:
            yield send_task(rhythm, self.store, lambda: self._mailing(rhythm))

    def _mailing(self, rhythm: At) -> ScheduledSend:
        from pipeline.jobs.digests.build import write_sealed
        from pipeline.jobs.editions.scheduled_send import ACTOR, ALERT_PREFIX, ScheduledSend, is_draft_ready
        from pipeline.jobs.editions.workflow import EditionWorkflow

        press = self.digest_context
        return ScheduledSend(
            schedule=rhythm,
            late_limit=self.config.schedule.late_limit,
            approval="unless-held" if self.sends_unapproved else "required",
            workflow=EditionWorkflow(store=self.store, context=press, actor=ACTOR, open_link_fetcher=self.link_fetcher),
            backend=self.backend,
            reconcile_alerts=lambda true, at: self.notifier.reconcile(ALERT_PREFIX, true, at=at),
            on_state_change=lambda week, now: write_sealed(self.store, press, week, self.editions_folder, now=now),
            send_proof=lambda week, now: self.proof_sender.send(week, now=now),
            draft_is_ready=lambda now: is_draft_ready(self.config.schedule.draft, self.store, now, self.calendar.zone),
        )

    def _care_tasks(self) -> Iterator[Task]:
        """What the data needs by itself: nothing, unless old texts may go."""
        from pipeline.jobs.maintenance.prune import prune_task

        if keep := self.config.store.keep_bodies:
            yield prune_task(self.store, keep)


def _clock_from(now: datetime) -> Clock:
    """Return a clock that shows ``now`` and goes on from there."""
    started = time.clock_gettime(BOOTTIME)
    return lambda: now + timedelta(seconds=time.clock_gettime(BOOTTIME) - started)


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
