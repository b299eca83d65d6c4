"""Builder for the notifier and its channels: the command and the mail of [notify]."""

from __future__ import annotations

import os
from email.utils import parseaddr
from typing import TYPE_CHECKING

from pipeline.app.delivery import build_mailer
from pipeline.config.sections import MAIL_OFF

if TYPE_CHECKING:
    from pipeline.app.app import App
    from pipeline.jobs.monitoring.notifier import AlertChannel, Notifier
    from pipeline.model.alert import Alert


def build_notifier(app: App) -> Notifier:
    """Return the notifier, with the channels of [notify]."""
    from pipeline.jobs.monitoring.notifier import Notifier

    channels: dict[str, AlertChannel] = {}
    if app.config.notify.command:
        channels["command"] = _command_channel(app)
    if recipient := alert_recipient(app):
        channels["mail"] = _mail_channel(app, recipient)
    return Notifier(alerts=app.store().alerts, channels=channels)


def alert_recipient(app: App) -> str:
    """Return who gets alerts by mail, by default the editor if there is a mail server; empty for nobody."""
    setting = app.config.notify.mail
    default = app.publication.editor if app.config.delivery.smtp_host else ""
    return "" if setting == MAIL_OFF else setting or default


def _command_channel(app: App) -> AlertChannel:
    from pipeline.delivery.notify_command import CommandNotifier

    return CommandNotifier(command=app.config.notify.command, folder=app.folder, environment=os.environ).send


def _mail_channel(app: App, recipient: str) -> AlertChannel:
    from pipeline.delivery.notify_mail import alert_message

    def send(alert: Alert) -> str:
        publication = app.publication
        message = alert_message(alert, sender=publication.sender, recipient=recipient, name=publication.name)
        address = parseaddr(recipient)[1]
        path = build_mailer(app).send(message, address)
        return f"to {address}{f', in {path}' if path else ''}"

    return send
