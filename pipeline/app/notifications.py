"""What tells people that something is the matter: the notifier and its ways.

In: a house that can send. Out: a Notifier, and the tasks that find what it is to tell. Reads the environment, to hand
it on to the program of [notify] command.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from email.utils import parseaddr
from typing import TYPE_CHECKING

from pipeline.app.delivery import Leaving
from pipeline.config.sections.notify import MAIL_OFF

if TYPE_CHECKING:
    from pipeline.jobs.monitoring.notifier import AlertChannel, Notifier
    from pipeline.model.alert import Alert
    from pipeline.scheduler.engine import Task


class Noticing(Leaving):
    """A house that says when something is the matter."""

    @property
    def notifier(self) -> Notifier:
        """What tells notices, in the ways of [notify]."""
        from pipeline.jobs.monitoring.notifier import Notifier

        ways: dict[str, AlertChannel] = {}
        if self.config.notify.command:
            ways["command"] = self._tell_by_command
        if self.alert_recipient:
            ways["mail"] = self._tell_by_mail
        return Notifier(alerts=self.store.alerts, channels=ways)

    @property
    def alert_recipient(self) -> str:
        """Who gets notices by mail; empty for nobody."""
        said = self.config.notify.mail
        usual = self.publication.editor if self.config.delivery.smtp_host else ""
        return "" if said == MAIL_OFF else said or usual

    @property
    def alert_tasks(self) -> Iterator[Task]:
        """What looks for trouble, and tells it."""
        from pipeline.jobs.monitoring.feed_alerts import feed_alerts_task
        from pipeline.jobs.monitoring.late_feeds import day_before, late_feeds_task
        from pipeline.jobs.monitoring.notifier import alert_retry_task
        from pipeline.jobs.monitoring.source_changes import source_changes_task

        said, notifier, zone = self.config.schedule, self.notifier, self.calendar.zone
        watch = said.late_feeds or day_before(said.draft)
        yield feed_alerts_task(said.fetch, self.store, self.feeds, notifier, zone)
        yield source_changes_task(said.fetch, self.store, notifier, zone)
        yield late_feeds_task(watch, said.draft, self.store, self.feeds, notifier, zone)
        yield alert_retry_task(notifier)

    def _tell_by_command(self, notice: Alert) -> str:
        from pipeline.delivery.notify_command import CommandNotifier

        hook = CommandNotifier(command=self.config.notify.command, folder=self.folder, environment=os.environ)
        return hook.send(notice)

    def _tell_by_mail(self, notice: Alert) -> str:
        from pipeline.delivery.notify_mail import alert_message

        said = self.publication
        message = alert_message(notice, sender=said.sender, recipient=self.alert_recipient, name=said.name)
        address = parseaddr(self.alert_recipient)[1]
        path = self.mailer.send(message, address)
        return f"to {address}{f', in {path}' if path else ''}"
