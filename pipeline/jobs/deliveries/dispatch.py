"""Start, pause, resume, cancel and finish the sending of editions to subscribers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pipeline.audience.variants import make_key, variant_for
from pipeline.digest.edition.variants import shown_topics
from pipeline.jobs.deliveries.copies import CopyWriter
from pipeline.jobs.deliveries.recipients import PlannedDelivery, plan_delivery
from pipeline.jobs.digests.build import write_sealed
from pipeline.jobs.editions.recovery import Recovery
from pipeline.jobs.editions.send import require_sealed, require_unpublished
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.model.delivery import Dispatch, DispatchKey, DispatchState
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import RefusedError
from pipeline.model.subscriber import DISPLAY_STATES
from pipeline.model.week import Week
from pipeline.text.format import pluralize


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Changes the state of dispatches, and of their editions with them."""

    workflow: EditionWorkflow
    recovery: Recovery
    open_copies: Callable[[str, Edition], CopyWriter]
    """Returns the writer of a week's copies; DeliveryFailedError if the edition cannot be sent."""
    backend_name: str

    def plan(self, week: Week, now: datetime) -> Iterator[PlannedDelivery]:
        """Yield every subscriber, with what they would get if the edition were sent now. Nothing is changed."""
        shown = shown_topics(require_sealed(self.workflow, week).edition)
        for subscriber in self.workflow.store.subscribers.iterate(now, states=DISPLAY_STATES):
            yield plan_delivery(subscriber, shown, now)

    def start(self, week: Week, now: datetime) -> Dispatch:
        """Freeze the recipients of an approved edition and return its dispatch; one that was begun is only returned.

        RefusedError if the edition may not be sent or nobody would get it; DeliveryFailedError if it cannot be sent.
        """
        store, key = self.workflow.store, (str(week), 0)
        with self.recovery.backend.lock():
            self.recovery.from_files(store, now=now)
            record = self.workflow.require(week, "send")
            sealed = require_sealed(self.workflow, week)
            if record.state == "sending":
                return self.require(key)
            require_unpublished(self.workflow, sealed, week, now)
            self.open_copies(str(week), sealed.edition)
            write_sealed(store, self.workflow.context, week, self.recovery.editions_folder, now=now)
            with store.transaction():
                store.editions.change_state(record, "sending", now=now, actor=self.workflow.actor)
                store.dispatches.start(key, now=now, actor=self.workflow.actor)
                if not self._freeze(key, sealed.edition, now):
                    raise RefusedError(
                        f"{week} would reach nobody: `pipeline send {week} --dry-run` says why for each subscriber."
                    )
        write_sealed(store, self.workflow.context, week, self.recovery.editions_folder, now=now)
        return self.require(key)

    def add_joined(self, week: Week, now: datetime) -> Dispatch:
        """Send an edition to those who subscribed after it was sent, too; RefusedError if there are none."""
        store, key = self.workflow.store, (str(week), 0)
        dispatch = self.require(key)
        if dispatch.state != "finished":
            raise RefusedError(f"{week} is still being sent ({dispatch.state}): wait until it is finished.")
        edition = require_sealed(self.workflow, week).edition
        with store.transaction():
            store.dispatches.start(key, now=now, actor=self.workflow.actor)
            if not self._freeze(key, edition, now):
                raise RefusedError(f"Nobody has subscribed since {week} was sent who wants what is in it.")
        return self.require(key)

    def pause(self, key: DispatchKey, now: datetime, note: str = "") -> Dispatch:
        """Pause a dispatch: messages that are being sent are finished, and no others begun."""
        dispatch = self.require(key)
        if not self._change(key, "paused", now, only_if="running", note=note):
            raise RefusedError(f"{key[0]} is not being sent: its dispatch is {dispatch.state}.")
        return self.require(key)

    def resume(self, key: DispatchKey, now: datetime) -> Dispatch:
        """Go on with a paused dispatch."""
        dispatch = self.require(key)
        if not self._change(key, "running", now, only_if="paused"):
            raise RefusedError(f"{key[0]} is not paused: its dispatch is {dispatch.state}.")
        return self.require(key)

    def cancel(self, key: DispatchKey, now: datetime) -> Dispatch:
        """End a dispatch before everybody has the edition: those who were not sent it get nothing.

        If nobody was, its entries are released as when it is held.
        """
        store, dispatch = self.workflow.store, self.require(key)
        with store.transaction():
            if not any(self._change(key, "cancelled", now, only_if=state) for state in ("running", "paused")):
                raise RefusedError(f"{key[0]} cannot be cancelled: its dispatch is {dispatch.state}.")
            store.deliveries.cancel(key, now)
            cancelled = self.require(key)
            record = store.editions.get(key[0])
            if key[1] == 0 and record.state == "sending":
                self._end(record, cancelled, now)
        return cancelled

    def finish(self, key: DispatchKey, now: datetime) -> EditionRecord | None:
        """Record that a dispatch is finished, and its edition sent; None if a delivery is still open."""
        store = self.workflow.store
        with store.transaction():
            if not store.dispatches.finish(key, now=now, actor=self.workflow.actor):
                return None
            record = store.editions.get(key[0])
            if key[1] == 0 and record.state == "sending":
                note = f"{self.backend_name}: {self.require(key).in_words()}"
                record = store.editions.change_state(record, "sent", now=now, actor=self.workflow.actor, note=note)
        week = Week.parse(key[0])
        write_sealed(store, self.workflow.context, week, self.recovery.editions_folder, now=now)
        return record

    def settle_uncertain(self, week: Week, *, accept: bool, now: datetime, address: str = "") -> int:
        """Count uncertain deliveries as sent, or send them again, perhaps twice; return how many there were."""
        store = self.workflow.store
        with store.transaction():
            number = store.deliveries.settle_uncertain(str(week), "sent" if accept else "queued", now, address=address)
            if number and not accept:
                self._reopen(week, now)
        return number

    def retry_failed(self, week: Week, now: datetime, *, address: str = "") -> int:
        """Send the deliveries again that failed; return how many there were."""
        store = self.workflow.store
        with store.transaction():
            if number := store.deliveries.retry_failed(str(week), now, address=address):
                self._reopen(week, now)
        return number

    def require(self, key: DispatchKey) -> Dispatch:
        """Return a dispatch; RefusedError if there is none."""
        if dispatch := self.workflow.store.dispatches.get(*key):
            return dispatch
        if self.backend_name == "outbox":
            advice = "with [delivery] backend = “outbox” nothing is; name another backend in config.toml"
        else:
            advice = f"run `pipeline send {key[0]}`"
        raise RefusedError(f"{key[0]} was not sent to subscribers: {advice}.")

    def _freeze(self, key: DispatchKey, edition: Edition, now: datetime) -> int:
        """Queue a delivery for everybody who wants the edition and has none; return how many were added."""
        store, shown = self.workflow.store, shown_topics(edition)
        variants: dict[str, list[tuple[str, str]]] = {}
        for topics, frequency in store.subscribers.wanted(now):
            name = variant_for(topics, make_key(topics, frequency).frequency, shown)
            if name:
                variants.setdefault(name, []).append((" ".join(topics), frequency))
        return store.dispatches.freeze(key, variants, now)

    def _reopen(self, week: Week, now: datetime) -> None:
        """Start dispatches of a week again that have queued deliveries."""
        store = self.workflow.store
        for dispatch in store.dispatches.of_week(str(week)):
            if dispatch.counts.get("queued") and dispatch.state in ("finished", "cancelled"):
                store.dispatches.start(dispatch.key, now=now, actor=self.workflow.actor)

    def _change(self, key: DispatchKey, state: DispatchState, now: datetime, *, only_if: str, note: str = "") -> bool:
        return self.workflow.store.dispatches.change_state(
            key, state, now=now, actor=self.workflow.actor, note=note, only_if=only_if
        )

    def _end(self, record: EditionRecord, cancelled: Dispatch, now: datetime) -> None:
        """End the sending of an edition: it counts as sent if anybody may have it, else it is held."""
        editions, actor = self.workflow.store.editions, self.workflow.actor
        reached = sum(cancelled.counts.get(state, 0) for state in ("sent", "uncertain", "final", "claimed"))
        if reached:
            note = f"cancelled after {pluralize(reached, 'delivery', 'deliveries')}"
            editions.change_state(record, "sent", now=now, actor=actor, note=note)
        else:
            editions.release(record, "held", (), now=now, actor=actor, note="sending was cancelled")
