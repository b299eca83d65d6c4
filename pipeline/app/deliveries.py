"""Builders for sending editions to subscribers."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from secrets import token_hex
from threading import Event
from typing import TYPE_CHECKING

from pipeline.app.audience import build_audience_context
from pipeline.app.delivery import build_delivery_backend, build_notifier, build_recovery, build_signer
from pipeline.app.digests import build_digest_context
from pipeline.model.errors import RefusedError

if TYPE_CHECKING:
    from pipeline.app.app import App
    from pipeline.jobs.deliveries.deliver import Deliverer
    from pipeline.jobs.deliveries.dispatch import Dispatcher
    from pipeline.jobs.deliveries.limits import SendLimits, SendProgress
    from pipeline.jobs.deliveries.sender import SendResult
    from pipeline.model.alert import Alert
    from pipeline.model.delivery import Dispatch
    from pipeline.model.schedule import Clock
    from pipeline.scheduler.engine import Task


def delivers(app: App) -> bool:
    """Check whether editions are sent to subscribers, not written to the outbox."""
    return app.config.delivery.backend != "outbox"


def build_dispatcher(app: App, actor: str) -> Dispatcher:
    """Return what starts, pauses and ends the sending of editions. ConfigError if the backend cannot be used."""
    from pipeline.jobs.deliveries.copies import CopyWriter
    from pipeline.jobs.deliveries.dispatch import Dispatcher
    from pipeline.jobs.editions.workflow import EditionWorkflow
    from pipeline.model.digest import Edition

    def open_copies(week: str, edition: Edition) -> CopyWriter:
        context = build_audience_context(app)
        return CopyWriter.of_edition(
            context, week, edition, bounce_address=app.config.bounces.address, add_signature=build_signer(app)
        )

    return Dispatcher(
        workflow=EditionWorkflow(store=app.store(), context=build_digest_context(app), actor=actor),
        recovery=build_recovery(app),
        open_copies=open_copies,
        backend_name=app.config.delivery.backend,
    )


def build_deliverer(
    app: App,
    actor: str,
    clock: Clock,
    *,
    wait: Callable[[float], object] | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
    on_progress: Callable[[SendProgress], None] = lambda progress: None,
) -> Deliverer:
    """Return what sends editions to subscribers; RefusedError if [delivery] names the outbox, which has none."""
    from pipeline.jobs.deliveries.deliver import Deliverer
    from pipeline.jobs.deliveries.sender import DeliverySender

    backend = build_delivery_backend(app, clock)
    if backend is None:
        raise RefusedError("[delivery] backend is “outbox”, which delivers to nobody: name another one.")
    sender = DeliverySender(
        store=app.store(),
        context=build_audience_context(app),
        backend=backend,
        limits=send_limits(app),
        uncertain=app.config.delivery.uncertain,  # type: ignore[arg-type]  # config checked that it is one of them
        owner=f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}",
        clock=clock,
        wait=wait or Event().wait,
        is_stopping=is_stopping,
        on_progress=on_progress,
    )
    return Deliverer(dispatcher=build_dispatcher(app, actor), sender=sender)


def send_limits(app: App) -> SendLimits:
    """Return the limits of [delivery]."""
    from pipeline.jobs.deliveries.limits import SendLimits

    settings = app.config.delivery
    return SendLimits(
        zone=app.calendar.zone,
        connections=settings.connections,
        max_per_minute=settings.max_per_minute,
        max_per_domain_per_minute=settings.max_per_domain_per_minute,
        spread=settings.spread,
        hours=settings.hours,
        first_batch=settings.first_batch,
        first_batch_wait=settings.first_batch_wait,
        warm_up=settings.warm_up,
        retry_for=settings.retry_for,
    )


def deliver_running(
    app: App,
    clock: Clock,
    *,
    wait: Callable[[float], object] | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Sequence[tuple[Dispatch, SendResult]]:
    """Send what is due of the editions that are being sent, and return the result of each."""
    if not delivers(app) or not app.store().dispatches.has_running():
        return ()
    deliverer = build_deliverer(app, app.config.delivery.backend, clock, wait=wait, is_stopping=is_stopping)
    return list(deliverer.run_all())


def delivery_tasks(app: App) -> Iterator[Task]:
    """Yield the task that keeps the alerts about deliveries up to date."""
    from pipeline.jobs.deliveries.deliver import ALERT_PREFIX, delivery_alerts_task

    def reconcile(alerts: Sequence[Alert], now: datetime) -> None:
        build_notifier(app).reconcile(ALERT_PREFIX, alerts, at=now)

    if delivers(app):
        yield delivery_alerts_task(app.store(), app.config.delivery.backend, reconcile)
