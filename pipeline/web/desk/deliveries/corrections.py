"""The desk's service of corrections: the jobs that the command line calls, each with a sentence for its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from pipeline.delivery.mime import envelope_address
from pipeline.jobs.deliveries.dispatch import Dispatcher
from pipeline.jobs.digests.build import write_sealed
from pipeline.jobs.editions.corrections import (
    discard_correction,
    make_correction,
    send_correction,
    send_test_correction,
)
from pipeline.jobs.ports import Mailer
from pipeline.model.correction import Correction
from pipeline.model.digest import Edition
from pipeline.model.schedule import Clock
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.text.format import pluralize


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionDesk:
    """Corrections of a publication, whose current parts the functions return."""

    open_store: Callable[[], Store]
    open_dispatcher: Callable[[], Dispatcher]
    """Returns what starts and ends the sending; ConfigError if the backend cannot be used."""
    open_mailer: Callable[[], Mailer]
    delivers: Callable[[], bool]
    """Returns whether editions are delivered to subscribers, not to the outbox."""
    opened: Callable[[], AbstractContextManager[Dispatcher]]
    """Opens the publication again, with what checks links, for work that takes seconds and must block no page."""
    clock: Clock

    def of_week(self, week: str) -> Sequence[Correction]:
        """Return the corrections of an edition; only the last may be a draft."""
        return self.open_store().corrections.of_week(week)

    def edition(self, correction: Correction) -> Edition | None:
        """Return what was sealed as a correction."""
        sealed = self.open_store().corrections.sealed(*correction.key)
        return sealed.edition if sealed else None

    def make(self, week: Week, text: str, overridden: Sequence[str]) -> str:
        """Seal a correction and return a sentence; the errors of ``make_correction``. Needs no lock."""
        with self.opened() as dispatcher:
            make_correction(dispatcher.workflow, week, text, now=self.clock(), overridden=overridden)
            self._write(dispatcher, week)
        return "Made. Look at it: exactly this is sent, once you say so."

    def send(self, week: Week, content_hash: str) -> str:
        """Begin to send the correction with this hash, and return a sentence."""
        dispatcher, now = self.open_dispatcher(), self.clock()
        if self.delivers():
            dispatch = dispatcher.start_correction(week, now, content_hash=content_hash)
            return f"It goes to {pluralize(dispatch.total, 'subscriber')}. You can pause or cancel it below."
        sent, path = send_correction(dispatcher.workflow, dispatcher.recovery, week, now=now, content_hash=content_hash)
        self._write(dispatcher, week)
        return f"Correction {sent.number} {sent.note}: {path.parent.name}/{path.name}."

    def test(self, week: Week, address: str) -> str:
        """Send the correction to one address, and return a sentence."""
        mailer, recipient = self.open_mailer(), envelope_address(address)
        copy = send_test_correction(self.open_dispatcher().workflow, mailer, week, recipient, now=self.clock())
        return f"Test copy for {recipient} {mailer.outcome}{f': {copy.parent.name}/{copy.name}' if copy else ''}."

    def discard(self, week: Week) -> str:
        """Delete the draft, and return a sentence."""
        dispatcher = self.open_dispatcher()
        discard_correction(dispatcher.workflow, week, dispatcher.recovery.editions_folder)
        return "Discarded. Nothing was sent."

    def _write(self, dispatcher: Dispatcher, week: Week) -> None:
        workflow, folder = dispatcher.workflow, dispatcher.recovery.editions_folder
        write_sealed(workflow.store, workflow.context, week, folder, now=self.clock())
