"""What tells people that something is the matter: the notifier and its ways.

In: a house that can send. Out: a Notifier, and the tasks that find what it is to tell. Reads the environment, to hand
it on to the program of [notify] command.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from email.utils import parseaddr
from typing import TYPE_CHECKING

from pipeline.app.leaving import Leaving
from pipeline.config.sections.telling import OFF

if TYPE_CHECKING:
    from pipeline.jobs.notify import Notifier, Way
    from pipeline.jobs.tick import Task
    from pipeline.model.notice import Notice


class Noticing(Leaving):
    """A house that says when something is the matter."""

    @property
    def notifier(self) -> Notifier:
        """What tells notices, in the ways of [notify]."""
        from pipeline.jobs.notify import Notifier

        ways: dict[str, Way] = {}
        if self.config.notify.command:
            ways["command"] = self._tell_by_command
        if self.notified:
            ways["mail"] = self._tell_by_mail
        return Notifier(notices=self.store.notices, ways=ways)

    @property
    def notified(self) -> str:
        """Who gets notices by mail; empty for nobody."""
        said = self.config.notify.mail
        usual = self.publication.editor if self.config.delivery.smtp_host else ""
        return "" if said == OFF else said or usual

    @property
    def notice_tasks(self) -> Iterator[Task]:
        """What looks for trouble, and tells it."""
        from pipeline.jobs.afterwards import afterwards_task
        from pipeline.jobs.feed_trouble import trouble_task
        from pipeline.jobs.notify import retry_task
        from pipeline.jobs.watch import day_before, watch_task

        said, notifier, zone = self.config.schedule, self.notifier, self.clock.zone
        watch = said.watch or day_before(said.draft)
        yield trouble_task(said.fetch, self.store, self.feeds, notifier, zone)
        yield afterwards_task(said.fetch, self.store, notifier, zone)
        yield watch_task(watch, said.draft, self.store, self.feeds, notifier, zone)
        yield retry_task(notifier)

    def _tell_by_command(self, notice: Notice) -> str:
        from pipeline.delivery.hook import Hook

        hook = Hook(command=self.config.notify.command, folder=self.folder, environment=os.environ)
        return hook.tell(notice)

    def _tell_by_mail(self, notice: Notice) -> str:
        from pipeline.delivery.note import note

        said = self.publication
        message = note(notice, sender=said.sender, recipient=self.notified, name=said.name)
        address = parseaddr(self.notified)[1]
        path = self.postman.post(message, address)
        return f"to {address}{f', in {path}' if path else ''}"
