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
from pipeline.jobs.ledger import Ledger
from pipeline.jobs.mailing import BY, Approval, Mailing, send_task
from pipeline.jobs.tick import Beat, tick
from pipeline.jobs.weekly import draft
from pipeline.model.errors import DeliveryFailed, DeliveryKind
from pipeline.model.notice import Notice
from pipeline.model.schedule import At, parse_schedule
from pipeline.model.week import Week
from tests.making import entry
from tests.publishing import CLOCK, W06, W07, House, usual_theme

RHYTHM = parse_schedule("tue 07:00")
assert isinstance(RHYTHM, At)
TUESDAY = datetime(2026, 2, 17, 7, tzinfo=UTC)
"""When 2026-W07, which closed the night before last, is to go out."""
HOUR = timedelta(hours=1)


class Breaks(Outbox):
    """A way out that is shut for a while."""

    def __init__(self, folder: Path, kind: DeliveryKind = "unreachable") -> None:
        super().__init__(folder)
        self.kind: DeliveryKind = kind
        self.shut = True

    def deliver(self, message: bytes) -> Path:
        if self.shut:
            raise DeliveryFailed("the mail server is away: try again", kind=self.kind)
        return super().deliver(message)


@dataclass
class Office:
    """A house whose mailing is left to the schedule."""

    house: House
    approval: Approval = "required"
    notices: list[Notice] = field(default_factory=list)
    """All that were told."""
    open: set[str] = field(default_factory=set)
    backend: Outbox | None = None
    shut: bool = False
    """Whether the mail server, which takes proofs, is away."""
    drafted: bool = True
    """Whether the draft that is due has been made."""

    def mailing(self) -> Mailing:
        return Mailing(
            rhythm=RHYTHM,
            late_limit=12 * HOUR,
            approval=self.approval,
            publisher=replace(self.house.publisher, by=BY),
            backend=self.backend or self.house.outbox,
            settle=self.settle,
            laid_out=lambda week, now: None,
            show=self.show,
            drafted=lambda now: self.drafted,
        )

    def show(self, week: Week, now: datetime) -> None:
        """Send the editor a proof, if one is due."""
        if self.shut:
            raise DeliveryFailed("the mail server is away: try again", kind="unreachable")
        store = self.house.store
        edition, _ = draft(store, self.house.press, week, now=now)
        if claimed := store.proofs.claim(str(week), edition.content_hash, edition.manifest, now=now):
            store.proofs.posted(claimed, now=now)

    def settle(self, true: Sequence[Notice], at: datetime) -> None:
        self.notices += [each for each in true if each.key not in self.open]
        self.open = {each.key for each in true}

    def beat(self, at: datetime) -> list[Beat]:
        """Beat once."""
        self.house.at(at)
        task = send_task(RHYTHM, self.house.store, self.mailing)
        return list(tick([task], Ledger(self.house.store.runs, "here", lambda: at), lambda: at, UTC))

    def lines(self, at: datetime, hours: float = 0.01) -> list[str]:
        """Beat every half hour for some hours, and give what was said."""
        moments = (at + nth * HOUR / 2 for nth in range(int(hours * 2) + 1))
        return [each.line for moment in moments for each in self.beat(moment)]

    @property
    def told(self) -> list[str]:
        return [each.subject for each in self.notices]

    @property
    def mails(self) -> int:
        return len(list(self.house.outbox.folder.glob("*.eml")))

    def state(self, week: object = W07) -> str:
        return self.house.store.editions.standing(str(week)).state


def opened(folder: Path) -> Office:
    """Open an office: one story in each of two weeks; what was due before is done.

    It has come so far once a process; what it had by then, on the disk and told, is copied.
    """
    before = _come_so_far()
    shutil.copytree(before.house.folder, folder, dirs_exist_ok=True)
    return Office(House(folder, usual_theme()).closing(W07), notices=[*before.notices], open={*before.open})


@cache
def _of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


@cache
def _come_so_far() -> Office:
    house = House(Path(_of_this_process().name), usual_theme())
    house.at(CLOCK.bounds(W06)[0]).fetch()
    for nth, week in enumerate((W06, W07)):
        at = CLOCK.bounds(week)[0] + timedelta(days=2)
        house.at(at).fetch(entry(guid=str(nth), title=f"Story {nth}", published_at=at))
    office = Office(house)
    house.closing(W06, 24).publish(W06)
    assert office.lines(TUESDAY - timedelta(days=6)) == ["2026-W06 was sent"]
    house.closing(W07).digest(W07)
    house.store.close()
    return office
