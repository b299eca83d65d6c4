"""A publication that is sent by the schedule: results of its ticks, alerts and messages."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from pipeline.delivery.outbox import Outbox
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.editions.scheduled_send import ACTOR, ApprovalMode, ScheduledSend, send_task
from pipeline.model.alert import Alert
from pipeline.model.errors import DeliveryFailedError, DeliveryKind
from pipeline.model.schedule import At, parse_schedule
from pipeline.model.week import Week
from pipeline.scheduler.engine import TaskResult, run_due
from pipeline.scheduler.lease import RunLeases
from tests.factories import entry
from tests.publication import CLOCK, W06, W07, PublicationHarness, shared_theme

SCHEDULE = parse_schedule("tue 07:00")
assert isinstance(SCHEDULE, At)
TUESDAY = datetime(2026, 2, 17, 7, tzinfo=UTC)
"""When 2026-W07, which closed the night before last, is to be sent."""
HOUR = timedelta(hours=1)


class FailingOutbox(Outbox):
    """An outbox that fails for a while."""

    def __init__(self, folder: Path, kind: DeliveryKind = "unreachable") -> None:
        super().__init__(folder)
        self.kind: DeliveryKind = kind
        self.failing = True

    def deliver(self, message: bytes) -> Path:
        if self.failing:
            raise DeliveryFailedError("the mail server is away: try again", kind=self.kind)
        return super().deliver(message)


@dataclass
class ScheduledPublication:
    """A publication that is sent by the schedule."""

    harness: PublicationHarness
    approval: ApprovalMode = "required"
    alerts: list[Alert] = field(default_factory=list)
    """All alerts so far."""
    open: set[str] = field(default_factory=set)
    backend: Outbox | None = None
    mail_server_down: bool = False
    """Whether the mail server, which sends proofs, is down."""
    draft_ready: bool = True
    """Whether the draft that is due was written."""

    def scheduled_send(self) -> ScheduledSend:
        return ScheduledSend(
            schedule=SCHEDULE,
            late_limit=12 * HOUR,
            approval=self.approval,
            workflow=replace(self.harness.workflow, actor=ACTOR),
            recovery=replace(self.harness.recovery, backend=self.backend or self.harness.outbox),
            reconcile_alerts=self.reconcile_alerts,
            editions_folder=self.harness.folder / "editions",
            send_proof=self.send_proof,
            draft_is_ready=lambda now: self.draft_ready,
        )

    def send_proof(self, week: Week, now: datetime) -> None:
        """Send a proof, if one is due."""
        if self.mail_server_down:
            raise DeliveryFailedError("the mail server is away: try again", kind="unreachable")
        store = self.harness.store
        edition = build_draft(store, self.harness.context, week, now=now).edition
        if claimed := store.proofs.claim(str(week), edition.content_hash, edition.manifest, now=now):
            store.proofs.mark_sent(claimed, now=now)

    def reconcile_alerts(self, current: Sequence[Alert], at: datetime) -> None:
        self.alerts += [alert for alert in current if alert.key not in self.open]
        self.open = {alert.key for alert in current}

    def tick(self, at: datetime) -> list[TaskResult]:
        """Run one tick."""
        self.harness.set_time(at)
        task = send_task(SCHEDULE, self.harness.store, self.scheduled_send)
        return list(run_due([task], RunLeases(self.harness.store.runs, "here", lambda: at), lambda: at, UTC))

    def run(self, at: datetime, hours: float = 0.01) -> list[str]:
        """Tick every half hour for some hours; return the messages."""
        moments = (at + nth * HOUR / 2 for nth in range(int(hours * 2) + 1))
        return [result.message for moment in moments for result in self.tick(moment)]

    @property
    def alert_subjects(self) -> list[str]:
        return [alert.subject for alert in self.alerts]

    @property
    def sent_count(self) -> int:
        return len(list(self.harness.outbox.folder.glob("*.eml")))

    def state(self, week: object = W07) -> str:
        return self.harness.store.editions.get(str(week)).state


def open_scheduled(folder: Path) -> ScheduledPublication:
    """Return a publication with one story in each of two weeks, the first of which was sent.

    It is prepared once for each process and copied.
    """
    before = _prepared()
    shutil.copytree(before.harness.folder, folder, dirs_exist_ok=True)
    return ScheduledPublication(
        PublicationHarness(folder, shared_theme()).set_time_after_closing(W07),
        alerts=[*before.alerts],
        open={*before.open},
    )


@cache
def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


@cache
def _prepared() -> ScheduledPublication:
    harness = PublicationHarness(Path(_temporary_folder().name), shared_theme())
    harness.set_time(CLOCK.bounds(W06)[0]).fetch()
    for nth, week in enumerate((W06, W07)):
        at = CLOCK.bounds(week)[0] + timedelta(days=2)
        harness.set_time(at).fetch(entry(guid=str(nth), title=f"Story {nth}", published_at=at))
    publication = ScheduledPublication(harness)
    harness.set_time_after_closing(W06, 24).publish(W06)
    assert publication.run(TUESDAY - timedelta(days=6)) == ["2026-W06 was sent"]
    harness.set_time_after_closing(W07).digest(W07)
    harness.store.close()
    return publication
