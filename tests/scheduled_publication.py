"""A publication whose mailing is left to the schedule, beat by beat: what is said, told and sent."""

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
"""When 2026-W07, which closed the night before last, is to go out."""
HOUR = timedelta(hours=1)


class FailingOutbox(Outbox):
    """A way out that is shut for a while."""

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
    """A house whose mailing is left to the schedule."""

    harness: PublicationHarness
    approval: ApprovalMode = "required"
    alerts: list[Alert] = field(default_factory=list)
    """All that were told."""
    open: set[str] = field(default_factory=set)
    backend: Outbox | None = None
    mail_server_down: bool = False
    """Whether the mail server, which takes proofs, is away."""
    draft_ready: bool = True
    """Whether the draft that is due has been made."""

    def scheduled_send(self) -> ScheduledSend:
        return ScheduledSend(
            schedule=SCHEDULE,
            late_limit=12 * HOUR,
            approval=self.approval,
            workflow=replace(self.harness.workflow, actor=ACTOR),
            backend=self.backend or self.harness.outbox,
            reconcile_alerts=self.reconcile_alerts,
            editions_folder=self.harness.folder / "editions",
            send_proof=self.send_proof,
            draft_is_ready=lambda now: self.draft_ready,
        )

    def send_proof(self, week: Week, now: datetime) -> None:
        """Send the editor a proof, if one is due."""
        if self.mail_server_down:
            raise DeliveryFailedError("the mail server is away: try again", kind="unreachable")
        store = self.harness.store
        edition = build_draft(store, self.harness.context, week, now=now).edition
        if claimed := store.proofs.claim(str(week), edition.content_hash, edition.manifest, now=now):
            store.proofs.mark_sent(claimed, now=now)

    def reconcile_alerts(self, true: Sequence[Alert], at: datetime) -> None:
        self.alerts += [each for each in true if each.key not in self.open]
        self.open = {each.key for each in true}

    def tick(self, at: datetime) -> list[TaskResult]:
        """Beat once."""
        self.harness.set_time(at)
        task = send_task(SCHEDULE, self.harness.store, self.scheduled_send)
        return list(run_due([task], RunLeases(self.harness.store.runs, "here", lambda: at), lambda: at, UTC))

    def run(self, at: datetime, hours: float = 0.01) -> list[str]:
        """Beat every half hour for some hours, and give what was said."""
        moments = (at + nth * HOUR / 2 for nth in range(int(hours * 2) + 1))
        return [each.message for moment in moments for each in self.tick(moment)]

    @property
    def alert_subjects(self) -> list[str]:
        return [each.subject for each in self.alerts]

    @property
    def sent_count(self) -> int:
        return len(list(self.harness.outbox.folder.glob("*.eml")))

    def state(self, week: object = W07) -> str:
        return self.harness.store.editions.get(str(week)).state


def open_scheduled(folder: Path) -> ScheduledPublication:
    """Open an office: one story in each of two weeks; what was due before is done.

    It has come so far once a process; what it had by then, on the disk and told, is copied.
    """
    before = _come_so_far()
    shutil.copytree(before.harness.folder, folder, dirs_exist_ok=True)
    return ScheduledPublication(
        PublicationHarness(folder, shared_theme()).set_time_after_closing(W07),
        alerts=[*before.alerts],
        open={*before.open},
    )


@cache
def _of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


@cache
def _come_so_far() -> ScheduledPublication:
    house = PublicationHarness(Path(_of_this_process().name), shared_theme())
    house.set_time(CLOCK.bounds(W06)[0]).fetch()
    for nth, week in enumerate((W06, W07)):
        at = CLOCK.bounds(week)[0] + timedelta(days=2)
        house.set_time(at).fetch(entry(guid=str(nth), title=f"Story {nth}", published_at=at))
    office = ScheduledPublication(house)
    house.set_time_after_closing(W06, 24).publish(W06)
    assert office.run(TUESDAY - timedelta(days=6)) == ["2026-W06 was sent"]
    house.set_time_after_closing(W07).digest(W07)
    house.store.close()
    return office
