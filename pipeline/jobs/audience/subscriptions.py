"""Changes of subscriptions: by people behind their own links, and by the operator for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from pipeline.audience import subscription
from pipeline.audience.addresses import address_key, normalise_address
from pipeline.audience.subscription import Step, describe, is_blocked
from pipeline.jobs.audience.context import MAIL_INTERVAL, AudienceContext, Guide
from pipeline.model.errors import ConfigError, RefusedError, UsageError
from pipeline.model.subscriber import (
    NOBODY,
    Basis,
    EventKind,
    Preferences,
    Subscriber,
    SubscriptionEvent,
    SuppressionReason,
    Visitor,
)

BY_PERSON = "subscriber"


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Changes subscriptions and records each change in its history. Doing the same twice is the same as once."""

    context: AudienceContext

    def find(self, address: str) -> Subscriber:
        """Return the subscriber with an address; UsageError if there is none."""
        known = self.context.store.subscribers.find(address_key(normalise_address(address)))
        if known is None:
            raise UsageError(f"{address} is not a subscriber.")
        return known

    def confirm(self, subscriber: Subscriber, now: datetime, visitor: Visitor = NOBODY, **details: str) -> Subscriber:
        """Confirm a sign-up and queue the guides of the forms that were filled in; ``details`` are recorded with it.

        RefusedError if the address was suppressed meanwhile.
        """
        store = self.context.store
        with store.audience_transaction():
            before = self._locked(subscriber)
            suppression = self.context.suppression(before.address)
            after = self._apply(before, subscription.confirm(before, suppression, now), now, visitor=visitor, **details)
            if after == before:
                return after
            store.suppressions.lift(self.context.address_hash(after.address))  # only one of an erased person is left
            history = store.subscription_events.of_subscriber(after.id)
            for form_id in dict.fromkeys(event.form for event in history if event.kind == "requested"):
                self.give_guide(after, form_id, now)
            if self.context.rules.best_of_after:
                due_at = now + self.context.rules.best_of_after
                store.person_mails.add("best-of", after.id, form=after.form, now=now, due_at=due_at)
            return after

    def give_guide(self, subscriber: Subscriber, form_id: str, now: datetime, *, again: bool = False) -> None:
        """Queue the guide of a form, once for each version; ``again`` if the person asked for it again.

        One whose file cannot be read is queued as well: the mail is tried again until somebody has put that right.
        """
        try:
            guide = self.context.guide(form_id)
            is_wanted = guide is not None and self.record_guide(subscriber, guide, now, again=again)
        except ConfigError:
            is_wanted = True
        if is_wanted:
            self.context.store.person_mails.add("guide", subscriber.id, form=form_id, now=now, due_at=now)

    def record_guide(self, subscriber: Subscriber, guide: Guide, now: datetime, *, again: bool = True) -> bool:
        """Record that a guide is given; if it is not given ``again``, return False for a version that was before."""
        if not self.context.store.person_mails.give_guide(subscriber.id, guide.form, guide.version, now) and not again:
            return False
        self._record(subscriber, "guide", now, form=guide.form, guide_version=guide.version)
        return True

    def leave(
        self,
        subscriber: Subscriber,
        now: datetime,
        visitor: Visitor = NOBODY,
        *,
        actor: str = BY_PERSON,
        **details: str,
    ) -> None:
        """End a subscription; ``details`` are recorded with it."""
        with self.context.store.audience_transaction():
            before = self._locked(subscriber)
            self._apply(before, subscription.leave(before, now), now, visitor=visitor, actor=actor, **details)

    def give_reason(self, subscriber: Subscriber, reason: str, now: datetime) -> None:
        """Record why a person left, once; 500 characters at most, and only for a subscription that has ended."""
        why = reason.strip()[:500]
        history = self.context.store.subscription_events.of_subscriber(subscriber.id)
        if why and subscriber.state == "left" and all(event.details.get("why") != why for event in history):
            self._record(subscriber, "reason", now, why=why)

    def come_back(self, subscriber: Subscriber, now: datetime, visitor: Visitor = NOBODY) -> None:
        """Undo that a person left or was suppressed; RefusedError if they had not confirmed."""
        with self.context.store.audience_transaction():
            before = self._locked(subscriber)
            self._apply(before, subscription.come_back(before, now), now, visitor=visitor)
            self.context.store.suppressions.lift(self.context.address_hash(before.address))

    def change(
        self, subscriber: Subscriber, preferences: Preferences, pause_until: datetime | None, now: datetime
    ) -> None:
        """Change what a subscriber gets, and until when nothing."""
        with self.context.store.audience_transaction():
            before = self._locked(subscriber)
            changed = self._apply(before, subscription.change_preferences(before, preferences, now), now)
            self._apply(changed, subscription.pause(changed, pause_until, now), now)

    def request_address(self, subscriber: Subscriber, address: str, now: datetime) -> None:
        """Queue a mail to a new address, whose link changes the address. UsageError if its syntax is wrong.

        Nothing is revealed about an address that somebody else has subscribed: it gets no mail. An address gets one
        mail a week at most, also if several people enter it.
        """
        new_address = normalise_address(address)
        store = self.context.store
        with store.audience_transaction():
            before = self._locked(subscriber)
            if new_address == before.address:
                return
            store.subscribers.save(replace(before, new_address=new_address, changed_at=now))
            is_free = store.subscribers.find(address_key(new_address)) in (None, before)
            key = f"mail {self.context.address_hash(new_address)} address"
            is_first = store.signup_limits.count(key, within=MAIL_INTERVAL, now=now) == 1
            may_mail = is_first and is_free and not is_blocked(before.state, self.context.suppression(new_address))
            self._record(before, "address-requested", now)
            store.person_mails.add("address" if may_mail else None, before.id, form=before.form, now=now, due_at=now)

    def confirm_address(self, subscriber: Subscriber, now: datetime, visitor: Visitor = NOBODY) -> Subscriber:
        """Change a subscriber's address to the one that they have confirmed; RefusedError if it is taken."""
        with self.context.store.audience_transaction():
            before = self._locked(subscriber)
            if not before.new_address:
                return before
            if is_blocked(before.state, self.context.suppression(before.new_address)):
                raise RefusedError("This address no longer gets mail from us: write to us if you would like it to.")
            after = replace(before, address=before.new_address, changed_at=now)
            if after == replace(before, changed_at=now):
                return before
            self.context.store.subscribers.change_address(after, address_key(after.address))
            self._record(after, "address-changed", now, visitor=visitor, before=before.address, after=after.address)
            return after

    def add(
        self,
        address: str,
        preferences: Preferences,
        *,
        basis: Basis,
        collected_on: date,
        now: datetime,
        actor: str,
        note: str = "",
    ) -> bool:
        """Add an active subscriber for whom the operator states a lawful basis; return False if it is active already.

        RefusedError for an address that is suppressed, or of somebody who has left.
        """
        address = normalise_address(address)
        if reason := self.context.suppression(address):
            raise RefusedError(f"{address} is suppressed ({reason}): only the person can subscribe it again.")
        store, key = self.context.store, address_key(address)
        new = Subscriber(
            id=0, address=address, state="unconfirmed", preferences=preferences, created_at=now, changed_at=now
        )
        with store.audience_transaction():
            before = store.subscribers.add_or_lock(new, key)
            if before.state == "left":
                raise RefusedError(f"{address} has unsubscribed: only the person can subscribe it again.")
            step = subscription.add(before, basis=basis, collected_on=collected_on, now=now, event="added")
            if step.event is None:
                return False
            details = {**step.details, **describe(preferences), **({"note": note} if note else {})}
            chosen = Step(replace(step.subscriber, preferences=preferences), step.event, details)
            self._apply(before, chosen, now, actor=actor)
            self._log("add", address, actor=actor, now=now, basis=basis)
            return True

    def suppress(self, address: str, reason: SuppressionReason, *, actor: str, now: datetime) -> None:
        """Never mail an address again, whether or not it is a subscriber's."""
        address = normalise_address(address)
        store = self.context.store
        with store.audience_transaction():
            store.suppressions.add(self.context.address_hash(address), reason, actor=actor, now=now)
            if before := store.subscribers.find(address_key(address), lock=True):
                self._apply(before, subscription.suppress(before, reason, now), now, actor=actor)
            self._log("suppress", address, actor=actor, now=now, reason=reason)

    def lift_suppression(self, address: str, *, actor: str, now: datetime) -> None:
        """Allow the person with an address to sign up again; UsageError if it is not suppressed."""
        address = normalise_address(address)
        store = self.context.store
        if self.context.suppression(address) is None:
            raise UsageError(f"{address} is not suppressed.")
        with store.audience_transaction():
            store.suppressions.lift(self.context.address_hash(address))
            if before := store.subscribers.find(address_key(address), lock=True):
                self._apply(before, subscription.lift_suppression(before, now), now, actor=actor)
            self._log("lift", address, actor=actor, now=now)

    def erase(self, address: str, *, actor: str, now: datetime) -> None:
        """Delete everything stored about a person (GDPR, article 17). An HMAC of the address keeps imports out."""
        subscriber = self.find(address)
        store, hashed = self.context.store, self.context.address_hash(subscriber.address)
        with store.audience_transaction():
            history = store.subscription_events.of_subscriber(subscriber.id)
            changes = (event.details["before"] for event in history if event.kind == "address-changed")
            known_as = dict.fromkeys((subscriber.address, *changes))
            store.subscribers.delete(subscriber.id)
            if store.suppressions.find(hashed) is None:
                store.suppressions.add(hashed, "erased", actor=actor, now=now)
            self._log("erase", *known_as, actor=actor, now=now)

    def _log(self, action: str, *addresses: str, actor: str, now: datetime, **details: str) -> None:
        hashes = " ".join(map(self.context.address_hash, addresses))
        self.context.store.subscription_events.log(action, actor=actor, at=now, address_hash=hashes, **details)

    def _locked(self, subscriber: Subscriber) -> Subscriber:
        locked = self.context.store.subscribers.get(subscriber.id, lock=True)
        if locked is None:
            raise RefusedError("This subscription was erased.")
        return locked

    def _apply(
        self,
        before: Subscriber,
        step: Step,
        now: datetime,
        *,
        visitor: Visitor = NOBODY,
        actor: str = BY_PERSON,
        **details: str,
    ) -> Subscriber:
        if step.event is None:
            return before
        self.context.store.subscribers.save(step.subscriber)
        self._record(step.subscriber, step.event, now, visitor=visitor, actor=actor, **step.details, **details)
        return step.subscriber

    def _record(
        self,
        subscriber: Subscriber,
        kind: EventKind,
        now: datetime,
        *,
        visitor: Visitor = NOBODY,
        actor: str = BY_PERSON,
        form: str = "",
        **details: str,
    ) -> None:
        event = SubscriptionEvent(
            at=now, kind=kind, actor=actor, form=form or subscriber.form, visitor=visitor, details=details
        )
        self.context.store.subscription_events.add(subscriber.id, event)
