"""The desk's service of deliveries: who gets an edition, how its sending gets on, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.digest.edition.variants import shown_topics
from pipeline.jobs.deliveries.dispatch import Dispatcher
from pipeline.jobs.deliveries.limits import SendLimits
from pipeline.jobs.deliveries.numbers import (
    EditionNumbers,
    load_link_clicks,
    load_newest_numbers,
    load_numbers,
)
from pipeline.jobs.deliveries.progress import DispatchProgress, load_progress
from pipeline.jobs.deliveries.recipients import PlannedDelivery, RecipientCounts, count_recipients, plan_delivery
from pipeline.model.counted_link import LinkClicks
from pipeline.model.delivery import (
    DELIVERY_STATES,
    GOT_STATES,
    OPEN_STATES,
    UNFINISHED_STATES,
    Delivery,
    DeliveryState,
    DispatchKey,
)
from pipeline.model.digest import Edition
from pipeline.model.errors import RefusedError, UsageError
from pipeline.model.schedule import Clock
from pipeline.model.subscriber import DISPLAY_STATES
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.text.format import pluralize

PAGE_ROWS = 50
MAX_EDITIONS = 26
"""How many editions are compared: half a year of weeks."""
ACTIVITY_INTERVAL = timedelta(seconds=2)
"""How often open pages follow a send, at most."""
FILTERS: dict[str, tuple[str, tuple[DeliveryState, ...]]] = {
    "": ("Failed and uncertain", ("failed", "uncertain")),
    "failed": ("Failed", ("failed",)),
    "uncertain": ("Uncertain", ("uncertain",)),
    "waiting": ("Waiting", UNFINISHED_STATES),
    "sent": ("Sent", ("sent",)),
    "all": ("All", DELIVERY_STATES),
}
"""The lists of deliveries: their names and states, by the word in the query."""
RETRIED_REASONS = ("refused", "expired", "message")
"""Reasons of failures that can be sent again: the others did not want the edition any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionDelivery:
    """The delivery of an edition, as the page of its week shows it."""

    recipients: RecipientCounts | None = None
    """Of an edition whose sending has not begun."""
    rules: tuple[str, ...] = ()
    """Sentences about the limits that apply to it."""
    open: tuple[DispatchProgress, ...] = ()
    """The dispatches that are running or paused: its own, and those of its corrections."""
    numbers: EditionNumbers | None = None
    """Once its sending has begun."""


@dataclass(slots=True)
class DeliveryDesk:
    """Deliveries of a publication, whose current parts the functions return."""

    open_store: Callable[[], Store]
    open_dispatcher: Callable[[], Dispatcher]
    """Returns what starts and ends the sending; ConfigError if the backend cannot be used."""
    open_limits: Callable[[], SendLimits]
    delivers: Callable[[], bool]
    """Returns whether editions are delivered to subscribers, not to the outbox."""
    clock: Clock
    _activity: str = ""
    _read_at: datetime | None = None

    def of_edition(self, week: str, edition: Edition) -> EditionDelivery | None:
        """Return what is known about an edition's delivery; None if it is for the outbox."""
        store, limits, now = self.open_store(), self.open_limits(), self.clock()
        dispatches = store.dispatches.of_week(week)
        if dispatches:
            is_open = [dispatch for dispatch in dispatches if dispatch.state in OPEN_STATES]
            return EditionDelivery(
                open=tuple(load_progress(store, dispatch, limits, now) for dispatch in is_open),
                numbers=load_numbers(store, dispatches[0]),
            )
        if not self.delivers() or store.editions.get(week).state in ("sending", "sent", "skipped"):
            return None
        recipients = count_recipients(store, edition, now)
        return EditionDelivery(recipients=recipients, rules=tuple(limits.in_words(recipients.total)))

    def got(self, week: str) -> int | None:
        """Return how many have got an edition, or may have; None if it was not sent to subscribers."""
        dispatch = self.open_store().dispatches.get(week)
        return sum(dispatch.counts.get(state, 0) for state in GOT_STATES) if dispatch else None

    def recipients(self, edition: Edition, state: str, search: str, before_id: int | None) -> list[PlannedDelivery]:
        """Return subscribers with what they would get, the newest first; one more than ``PAGE_ROWS`` if there are."""
        now, shown = self.clock(), shown_topics(edition)
        states = [known for known in DISPLAY_STATES if known == state]
        page = self.open_store().subscribers.page(
            now, states=states, search=search.strip(), before_id=before_id, limit=PAGE_ROWS + 1
        )
        return [plan_delivery(subscriber, shown, now) for subscriber in page]

    def page(self, week: str, state: str, after_id: int) -> list[Delivery]:
        """Return deliveries of one of ``FILTERS``; one more than ``PAGE_ROWS`` if there are more."""
        _, states = FILTERS[state]
        return self.open_store().deliveries.page(week, states=states, after_id=after_id, limit=PAGE_ROWS + 1)

    def numbers(self, week: str) -> EditionNumbers:
        """Return the numbers of an edition; UsageError if it was not sent to subscribers."""
        store = self.open_store()
        dispatch = store.dispatches.get(week)
        if dispatch is None:
            raise UsageError(f"{week} was not sent to subscribers.")
        return load_numbers(store, dispatch)

    def link_clicks(self, week: str) -> Sequence[LinkClicks]:
        """Return the counted links of an edition, those that were followed most first."""
        return load_link_clicks(self.open_store(), week)

    def newest_numbers(self) -> Sequence[EditionNumbers]:
        """Return the numbers of the newest editions, the newest first."""
        return load_newest_numbers(self.open_store(), MAX_EDITIONS)

    def start(self, week: Week) -> str:
        """Begin to send an approved edition, and return a sentence."""
        dispatch = self.open_dispatcher().start(week, self.clock())
        return f"It goes to {pluralize(dispatch.total, 'subscriber')}. You can pause or cancel it below."

    def change(self, key: DispatchKey, action: str) -> str:
        """Pause, resume or cancel a dispatch, and return a sentence; RefusedError if its state does not allow it."""
        dispatcher, now = self.open_dispatcher(), self.clock()
        if action == "pause":
            dispatcher.pause(key, now)
            return "Paused. Messages that were being sent are finished, and no others begun."
        if action == "resume":
            dispatcher.resume(key, now)
            return "Resumed where it was left."
        cancelled = dispatcher.cancel(key, now).failures.get("cancelled", 0)
        return f"Cancelled. {pluralize(cancelled, 'subscriber')} will not get this edition."

    def settle(self, week: Week, action: str, delivery_id: int | None) -> str:
        """Accept an uncertain delivery as sent, or send it or a failed one again; all of the week without a number."""
        address, correction = "", None
        if delivery_id is not None:
            delivery = self.open_store().deliveries.get(delivery_id)
            if delivery is None or delivery.week != str(week) or not delivery.address:
                raise RefusedError("This delivery is no longer known: the person was erased.")
            address, correction = delivery.address, delivery.correction
        dispatcher, now = self.open_dispatcher(), self.clock()
        if action == "retry":
            number = dispatcher.retry_failed(week, now, address=address, correction=correction)
            done = f"{pluralize(number, 'delivery is', 'deliveries are')} sent again."
        elif action == "accept":
            number = dispatcher.settle_uncertain(week, accept=True, now=now, address=address, correction=correction)
            done = f"{pluralize(number, 'delivery counts', 'deliveries count')} as sent."
        else:
            number = dispatcher.settle_uncertain(week, accept=False, now=now, address=address, correction=correction)
            done = f"{pluralize(number, 'delivery is', 'deliveries are')} sent again, perhaps for the second time."
        return done if number else "Nothing was left to do: somebody has done it already."

    @property
    def activity(self) -> str:
        """A text that differs with the progress of what is being sent, read every ``ACTIVITY_INTERVAL`` at most."""
        now = self.clock()
        if self._read_at is None or now - self._read_at >= ACTIVITY_INTERVAL:
            self._activity = str(sum(self.open_store().deliveries.sent_by_day().values()))
            self._read_at = now
        return self._activity
