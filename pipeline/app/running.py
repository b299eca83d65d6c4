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

from pipeline.app.noticing import Noticing

if TYPE_CHECKING:
    from pipeline.jobs.mailing import Mailing
    from pipeline.jobs.tick import Beat, Clock, Coming, Task
    from pipeline.model.schedule import At

LASTING: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that no one sets and that goes on while the machine sleeps: Linux's monotonic one stands still then."""


class App(Noticing):
    """A publication, ready to work."""

    def beat(self, now: datetime) -> Iterator[Beat]:
        """Do what [schedule] says is due, each task as it is asked for; what waits or failed, in its turn."""
        from pipeline.jobs.ledger import Ledger
        from pipeline.jobs.tick import tick

        clock = _clock_from(now)
        return tick(self.tasks, Ledger(self.store.runs, _me(), clock), clock, self.clock.zone)

    def coming(self, now: datetime) -> tuple[Coming, ...]:
        """Say when each task is done next."""
        from pipeline.jobs.tick import coming

        return coming(self.tasks, self.store.runs.newest(), now, self.clock.zone)

    def try_out(self) -> None:
        """Open what config.toml names; PipelineError when something of it cannot be used."""
        self.store.feed_states()
        _ = self.press, self.postman, self.config.fetch.fixtures and self.fixtures

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What the daemon and cron do, in this order when several are due."""
        from pipeline.jobs.planned import draft_task, fetch_task, new_feeds_task

        said = self.config.schedule
        return (
            *self._send_tasks(),  # what is sealed waits for no feed
            fetch_task(said.fetch, self.refresher, self.feeds),
            new_feeds_task(self.refresher, self.feeds),
            *self.notice_tasks,
            draft_task(said.draft, self.store, lambda: self.press, self.editions),
            *self._proof_tasks(),
            *self._care_tasks(),
        )

    def _proof_tasks(self) -> Iterator[Task]:
        """Proofs, where a mail server takes them; those in an outbox would wait for nobody."""
        from pipeline.jobs.proof import proof_task

        if self.config.delivery.smtp_host:
            yield proof_task(self.store, self.clock, lambda: self.proofreader)

    def _send_tasks(self) -> Iterator[Task]:
        """The mailing, unless the editor sends by hand."""
        from pipeline.jobs.mailing import send_task

        if rhythm := self.config.schedule.send:
            yield send_task(rhythm, self.store, lambda: self._mailing(rhythm))

    def _mailing(self, rhythm: At) -> Mailing:
        from pipeline.jobs.editions import Publisher
        from pipeline.jobs.mailing import ABOUT, BY, Mailing, is_drafted
        from pipeline.jobs.weekly import lay_out

        press = self.press
        return Mailing(
            rhythm=rhythm,
            late_limit=self.config.schedule.late_limit,
            approval="unless-held" if self.unless_held else "required",
            publisher=Publisher(store=self.store, press=press, by=BY, prober=self.prober),
            backend=self.backend,
            settle=lambda true, at: self.notifier.settle(ABOUT, true, at=at),
            laid_out=lambda week, now: lay_out(self.store, press, week, self.editions, now=now),
            show=lambda week, now: self.proofreader.proof(week, now=now),
            drafted=lambda now: is_drafted(self.config.schedule.draft, self.store, now, self.clock.zone),
        )

    def _care_tasks(self) -> Iterator[Task]:
        """What the data needs by itself: nothing, unless old texts may go."""
        from pipeline.jobs.care.prune import prune_task

        if keep := self.config.store.keep_bodies:
            yield prune_task(self.store, keep)


def _clock_from(now: datetime) -> Clock:
    """Return a clock that shows ``now`` and goes on from there."""
    started = time.clock_gettime(LASTING)
    return lambda: now + timedelta(seconds=time.clock_gettime(LASTING) - started)


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
