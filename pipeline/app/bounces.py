"""Builders for messages that come back: their mailbox, what handles them, and the task that reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.app.audience import build_audience_context
from pipeline.app.delivery import build_mailer, build_notifier
from pipeline.config import imap_password
from pipeline.config.sections import MAIL_OFF
from pipeline.text.message_headers import parse_mailbox

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.app.app import App
    from pipeline.audience.bounces import IncomingMail
    from pipeline.jobs.deliveries.come_back import ReturnedMessages
    from pipeline.jobs.deliveries.events import EventRecorder
    from pipeline.jobs.ports import ReturnMailbox
    from pipeline.scheduler.engine import Task


def build_mailbox(app: App) -> ReturnMailbox | None:
    """Return the mailbox of [bounces]; None if there is none, ConfigError if the environment lacks its password."""
    settings = app.config.bounces
    if settings.maildir:
        from pipeline.delivery.incoming.mailbox import MaildirMailbox

        return MaildirMailbox(path=app.folder / settings.maildir)
    if not settings.imap_host:
        return None
    from pipeline.delivery.incoming.imap import IMAP_PORTS, ImapMailbox

    return ImapMailbox(
        host=settings.imap_host,
        port=settings.imap_port or IMAP_PORTS[settings.imap_security],
        security=settings.imap_security,  # type: ignore[arg-type]  # config checked that it is one of Security
        username=settings.imap_username,
        password=imap_password(settings, os.environ),
        folder=settings.imap_folder,
    )


def build_event_recorder(app: App) -> EventRecorder:
    """Return what records events of deliveries, whether a message or a mail service reports them."""
    from pipeline.jobs.audience.subscriptions import Subscriptions
    from pipeline.jobs.deliveries.events import EventRecorder

    return EventRecorder(subscriptions=Subscriptions(build_audience_context(app)), max_soft=app.config.bounces.max_soft)


def build_returned_messages(app: App) -> ReturnedMessages:
    """Return what handles messages that came back."""
    from pipeline.jobs.deliveries.come_back import ReturnedMessages

    def forward(reply: IncomingMail, unique: str, now: datetime) -> None:
        from pipeline.delivery.forwarded_reply import reply_message

        publication = app.publication
        message = reply_message(
            author=reply.sender,
            subject=reply.subject,
            text=reply.text,
            sender=publication.sender,
            recipient=recipient,
            name=publication.name,
            unique=unique,
            now=now,
        )
        build_mailer(app).send(message, parse_mailbox(recipient).address)

    recipient = app.config.bounces.forward or app.publication.editor
    return ReturnedMessages(recorder=build_event_recorder(app), forward=None if recipient == MAIL_OFF else forward)


def bounces_tasks(app: App) -> Iterator[Task]:
    """Yield the task that reads the mailbox, if there is one."""
    from pipeline.jobs.deliveries.come_back import ALERT_PREFIX, bounces_task

    settings = app.config.bounces
    if settings.maildir or settings.imap_host:

        def build() -> tuple[ReturnedMessages, ReturnMailbox]:
            mailbox = build_mailbox(app)
            assert mailbox is not None  # noqa: S101 - the settings have one
            return build_returned_messages(app), mailbox

        yield bounces_task(
            settings.check,
            build,
            lambda alerts, at: build_notifier(app).reconcile(ALERT_PREFIX, alerts, at=at),
        )
