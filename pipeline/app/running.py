"""What runs by itself: the tasks of [schedule], and the beat that does those that are due.

In: a whole house. Out: beats.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from pipeline.app.noticing import Noticing

if TYPE_CHECKING:
    from pipeline.jobs.tick import Beat, Task


class App(Noticing):
    """A publication, ready to work."""

    def beat(self, now: datetime) -> Iterator[Beat]:
        """Do what [schedule] says is due, each task as it is asked for."""
        from pipeline.jobs.tick import tick

        last = {schedule_id: run.period_key for schedule_id, run in self.store.last_runs().items()}
        claim = partial(self.store.claim_run, now=now)
        return tick(self.tasks, claim, last, now, self.clock.zone)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What the daemon and cron do, in this order when several are due."""
        from pipeline.jobs.planned import draft_task, fetch_task

        return (
            fetch_task(self.config.schedule.fetch, self.refresher, self.feeds),
            draft_task(self.config.schedule.draft, self.store, lambda: self.press, self.editions),
            *self._care_tasks(),
        )

    def _care_tasks(self) -> Iterator[Task]:
        """What the data needs by itself: nothing, unless old texts may go."""
        from pipeline.jobs.care.prune import prune_task

        if keep := self.config.store.keep_bodies:
            yield prune_task(self.store, keep)
