"""A desk whose edition is sent to subscribers, on a real store, for tests."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.jobs.deliveries.dispatch import Dispatcher
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.edition import EditionRecord
from pipeline.model.week import Week
from pipeline.web.desk.ports import Action, ActionOptions
from tests.deliveries import DeliveryHarness
from tests.fake_desk import FakeDesk
from tests.publication import W07


@dataclass
class SendingDesk(FakeDesk):
    """The desk of a harness. Only its edition, records and deliveries are real."""

    harness: DeliveryHarness | None = None

    @classmethod
    def of(cls, harness: DeliveryHarness) -> SendingDesk:
        """Return the desk of an approved edition."""
        return cls(harness=harness, people=harness.context, delivers=True, limits=harness.limits, clock=harness.clock)

    @property
    def real(self) -> DeliveryHarness:
        """The harness."""
        assert self.harness
        return self.harness

    def open_dispatcher(self) -> Dispatcher:
        return self.real.dispatcher

    def edition(self, week: str) -> Edition | BuildFailure:
        sealed = self.real.store.editions.sealed(str(W07)) if week == str(W07) else None
        return sealed.edition if sealed else super().edition(week)

    def record(self, week: str) -> EditionRecord:
        return self.real.store.editions.get(week)

    def perform(self, week: str, action: Action, options: ActionOptions) -> str:
        assert action == "send"
        return self.services().deliveries.start(Week.parse(week))
