"""Start, pause, resume, cancel and finish the sending of editions to subscribers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.audience.variants import make_key, variant_for
from pipeline.digest.edition.variants import shown_topics
from pipeline.jobs.deliveries.copies import CopyWriter
from pipeline.jobs.deliveries.recipients import HAS_FAILED, HAS_GOT, NOT_GOT, PlannedDelivery, plan_delivery
from pipeline.jobs.digests.build import write_sealed
from pipeline.jobs.editions.corrections import require_correction
from pipeline.jobs.editions.recovery import Recovery
from pipeline.jobs.editions.send import require_sealed, require_unpublished
from pipeline.jobs.editions.sent_editions import SENT_STATES
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.model.delivery import GOT_STATES, OPEN_STATES, DeliveryState, Dispatch, DispatchKey, DispatchState
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import RefusedError
from pipeline.model.subscriber import DISPLAY_STATES
from pipeline.model.variant import WHOLE
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
        store, shown = self.workflow.store, shown_topics(require_sealed(self.workflow, week).edition)
        ended = self._ended((str(week), 0), begun=store.editions.get(str(week)).state in SENT_STATES)
        for subscriber in store.subscribers.iterate(now, states=DISPLAY_STATES):
            planned = plan_delivery(subscriber, shown, now)
            reason = planned.reason or ended.get(subscriber.id, "")
            yield replace(planned, variant="" if reason else planned.variant, reason=reason)

    def start(self, week: Week, now: datetime) -> Dispatch:
        """Freeze the recipients of an approved edition and return its dispatch; one that was begun is only returned.

        RefusedError if the edition may not be sent or nobody would get it; DeliveryFailedError if it cannot be sent.
        """
        store, key = self.workflow.store, (str(week), 0)
        with self.recovery.backend.lock():
            self.recovery.from_files(store, now=now)
            begun = store.dispatches.get(*key)
            if begun and begun.state in OPEN_STATES and store.editions.get(str(week)).state in SENT_STATES:
                return begun
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
                if not self._freeze(key, sealed.edition, now, again=True):
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
            if dispatch.state in OPEN_STATES:
                raise RefusedError(f"{week} is still being sent ({dispatch.state}): wait until it is finished.")
            raise RefusedError(f"Sending {week} was cancelled, so nobody else gets it.")
        edition = require_sealed(self.workflow, week).edition
        with store.transaction():
            store.dispatches.start(key, now=now, actor=self.workflow.actor)
            if not self._freeze(key, edition, now):
                raise RefusedError(f"Nobody has subscribed since {week} was sent who wants what is in it.")
        return self.require(key)

    def plan_correction(self, week: Week, now: datetime) -> Iterator[PlannedDelivery]:
        """Yield every subscriber, with what they would get if the newest correction were sent now."""
        correction, edition = require_correction(self.workflow, week)
        store, names = self.workflow.store, {variant.name for variant in edition.variants}
        got = {
            one.subscriber_id: one.variant if one.variant in names else WHOLE.name
            for one in store.deliveries.iterate(str(week), states=GOT_STATES)
            if one.correction == 0
        }
        ended = self._ended(correction.key, begun=True)
        for subscriber in store.subscribers.iterate(now, states=DISPLAY_STATES):
            state, variant = subscriber.display_state(now), got.get(subscriber.id, "")
            reason = state if state != "active" else ended.get(subscriber.id, "") if variant else NOT_GOT
            yield PlannedDelivery(subscriber=subscriber, variant="" if reason else variant, reason=reason)

    def start_correction(self, week: Week, now: datetime, *, content_hash: str = "") -> Dispatch:
        """Freeze the recipients of the newest correction, those who got its edition, and return its dispatch.

        One that was begun is only returned; one that was sent goes to those who got the edition since. RefusedError if
        it may not be sent, if nobody would get it, or if it is not the one with ``content_hash``.
        """
        store, actor = self.workflow.store, self.workflow.actor
        with self.recovery.backend.lock():
            self.recovery.from_files(store, now=now)
            correction, edition = require_correction(self.workflow, week, content_hash=content_hash)
            begun = store.dispatches.get(*correction.key)
            if begun and (correction.state == "sending" or begun.state in OPEN_STATES):
                return begun
            if begun is None and correction.state != "draft":
                raise RefusedError(
                    f"Correction {correction.number} of {week} was sent, but this store does not know to whom: it is "
                    "not sent again."
                )
            if store.dispatches.get(str(week)) is None:
                raise RefusedError(
                    f"{week} was not sent to subscribers from here, so nobody is known to have got it: send the "
                    f"correction, in {week}/corrections/{correction.number}, the way you sent the edition."
                )
            self.open_copies(str(week), edition)
            with store.transaction():
                if correction.state == "draft":
                    correction = store.corrections.change_state(correction, "sending", now=now, actor=actor)
                store.dispatches.start(correction.key, now=now, actor=actor)
                names = [variant.name for variant in edition.variants]
                if not store.dispatches.freeze_correction(correction.key, names, now):
                    raise RefusedError(f"Nobody who got {week} is left to get correction {correction.number}.")
        write_sealed(store, self.workflow.context, week, self.recovery.editions_folder, now=now)
        return self.require(correction.key)

    def open_dispatches(self, week: Week) -> list[Dispatch]:
        """Return the dispatches of an edition and its corrections that are running or paused, the newest first."""
        dispatches = self.workflow.store.dispatches.of_week(str(week))
        return [dispatch for dispatch in reversed(dispatches) if dispatch.state in OPEN_STATES]

    def sealed(self, key: DispatchKey) -> Edition:
        """Return what was sealed as an edition or a correction; RefusedError if nothing was."""
        week, number = Week.parse(key[0]), key[1]
        sealed = self.workflow.store.corrections.sealed(*key) if number else require_sealed(self.workflow, week)
        if sealed is None:
            raise RefusedError(f"There is no correction {number} of {week}.")
        return sealed.edition

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
            if key[1]:
                self._end_correction(key, cancelled, now)
            elif record.state == "sending":
                self._end(record, cancelled, now)
        return cancelled

    def finish(self, key: DispatchKey, now: datetime) -> EditionRecord | None:
        """Record that a dispatch is finished, and its edition sent; None if a delivery is still open."""
        store = self.workflow.store
        with store.transaction():
            if not store.dispatches.finish(key, now=now, actor=self.workflow.actor):
                return None
            record = store.editions.get(key[0])
            if key[1]:
                self._end_correction(key, self.require(key), now)
            elif record.state == "sending":
                note = f"{self.backend_name}: {self.require(key).in_words()}"
                record = store.editions.change_state(record, "sent", now=now, actor=self.workflow.actor, note=note)
        week = Week.parse(key[0])
        write_sealed(store, self.workflow.context, week, self.recovery.editions_folder, now=now)
        return record

    def settle_uncertain(
        self, week: Week, *, accept: bool, now: datetime, address: str = "", correction: int | None = None
    ) -> int:
        """Count uncertain deliveries as sent, or send them again, perhaps twice; return how many there were.

        Those of a week, or of an ``address`` or a ``correction`` only, which is 0 for the edition itself.
        """
        store = self.workflow.store
        state: DeliveryState = "sent" if accept else "queued"
        with store.transaction():
            number = store.deliveries.settle_uncertain(str(week), state, now, address=address, correction=correction)
            if number and not accept:
                self._reopen(week, now)
        return number

    def retry_failed(self, week: Week, now: datetime, *, address: str = "", correction: int | None = None) -> int:
        """Send the deliveries again that failed, chosen alike; return how many there were."""
        store = self.workflow.store
        with store.transaction():
            if number := store.deliveries.retry_failed(str(week), now, address=address, correction=correction):
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

    def _ended(self, key: DispatchKey, *, begun: bool) -> dict[int | None, str]:
        """Return why subscribers get no copy of a dispatch any more, by id; what failed counts once it is ``begun``."""
        states: tuple[DeliveryState, ...] = (*GOT_STATES, "failed") if begun else GOT_STATES
        return {
            one.subscriber_id: HAS_FAILED if one.state == "failed" else HAS_GOT
            for one in self.workflow.store.deliveries.iterate(key[0], states=states)
            if one.correction == key[1]
        }

    def _freeze(self, key: DispatchKey, edition: Edition, now: datetime, *, again: bool = False) -> int:
        """Queue a delivery for everybody who wants the edition and has none; return how many were queued."""
        store, shown = self.workflow.store, shown_topics(edition)
        variants: dict[str, list[tuple[str, str]]] = {}
        for topics, frequency in store.subscribers.wanted(now):
            name = variant_for(topics, make_key(topics, frequency).frequency, shown)
            if name:
                variants.setdefault(name, []).append((" ".join(topics), frequency))
        return store.dispatches.freeze(key, variants, now, again=again)

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

    def _end_correction(self, key: DispatchKey, ended: Dispatch, now: datetime) -> None:
        """End the sending of a correction: it counts as sent if anybody may have it, else it is cancelled for good."""
        store = self.workflow.store
        correction = next((one for one in store.corrections.of_week(key[0]) if one.key == key), None)
        if correction and correction.state == "sending":
            is_out = ended.state == "finished" or _reached(ended)
            note = f"{self.backend_name}: {ended.in_words()}"
            store.corrections.change_state(
                correction, "sent" if is_out else "cancelled", now=now, actor=self.workflow.actor, note=note
            )

    def _end(self, record: EditionRecord, cancelled: Dispatch, now: datetime) -> None:
        """End the sending of an edition: it counts as sent if anybody may have it, else it is held."""
        editions, actor = self.workflow.store.editions, self.workflow.actor
        if reached := _reached(cancelled):
            note = f"cancelled after {pluralize(reached, 'delivery', 'deliveries')}"
            editions.change_state(record, "sent", now=now, actor=actor, note=note)
        else:
            editions.release(record, "held", (), now=now, actor=actor, note="sending was cancelled")


def _reached(dispatch: Dispatch) -> int:
    """Return how many may have got a dispatch that has ended."""
    return sum(dispatch.counts.get(state, 0) for state in ("sent", "uncertain", "final", "claimed"))
