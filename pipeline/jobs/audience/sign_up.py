"""Sign-ups: from a form to the mail that asks for confirmation.

The answer that a visitor gets, and when, must not depend on whether an address is known: both take the same steps,
and the mail is sent later by the queue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.audience.addresses import address_key, is_disposable, is_role_address, network_of, normalise_address
from pipeline.audience.subscription import describe, sign_up_mail
from pipeline.jobs.audience.context import MAIL_INTERVAL, AudienceContext
from pipeline.model.errors import FormError, RefusedError, TooManyRequestsError, UsageError
from pipeline.model.schedule import parse_schedule
from pipeline.model.subscriber import (
    DEFAULT_PREFERENCES,
    NOBODY,
    Preferences,
    SignupForm,
    Subscriber,
    SubscriptionEvent,
    Visitor,
    Wording,
)
from pipeline.scheduler.engine import Done, Task
from pipeline.store import Store
from pipeline.text.format import pluralize

LIMIT_INTERVAL = timedelta(hours=1)
CLEAN_UP = parse_schedule("daily 03:40")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpRequest:
    """The content of a sign-up form."""

    form: str
    address: str
    has_consented: bool
    """Whether the box was ticked."""
    preferences: Preferences = DEFAULT_PREFERENCES
    language: str = ""
    visitor: Visitor = NOBODY


@dataclass(frozen=True, slots=True)
class SignUp:
    """Accepts sign-ups. ``on_flood`` is called once an hour for a form that gets more of them than usual."""

    context: AudienceContext
    on_flood: Callable[[SignupForm, int, datetime], None] = lambda form, count, now: None

    def needs_challenge(self, form_id: str, now: datetime) -> bool:
        """Check whether a browser has to solve a challenge before it may send a form."""
        rules = self.context.rules
        if rules.challenge != "auto":
            return rules.challenge == "always"
        return self.is_flooded(form_id, now)

    def is_flooded(self, form_id: str, now: datetime) -> bool:
        """Check whether a form got more sign-ups within an hour than [signup] max_per_form."""
        limits = self.context.store.signup_limits
        return limits.current(_form_key(form_id), now) > self.context.rules.max_per_form

    def wording(self, request: SignUpRequest, now: datetime) -> Wording:
        """Return the current version of the text beside the box that was ticked."""
        form = self.context.form(request.form)
        return self.context.store.subscription_events.current_wording(form.id, request.language, form.wording, now)

    def store(self, request: SignUpRequest, address: str, now: datetime, wording: Wording | None = None) -> None:
        """Store a sign-up, with the address that ``check`` returned, and queue the mail that answers it.

        TooManyRequestsError if this network sent too many.
        """
        form = self.context.form(request.form)
        self._limit_network(request.visitor, now)
        wording = wording or self.wording(request, now)
        with self.context.store.audience_transaction(savepoint=False):
            self._store(form, address, request, wording, now)
        self._watch_form(form, now)

    def invite(
        self, address: str, preferences: Preferences, *, form_id: str, actor: str, now: datetime, note: str = ""
    ) -> bool:
        """Ask the person with an address to confirm a subscription that the operator adds; the receipt names both.

        Return False if they are subscribed, or were mailed within a week. RefusedError for an address that is
        suppressed, or of somebody who has left.
        """
        form, address = self.context.form(form_id), normalise_address(address)
        if reason := self.context.suppression(address):
            raise RefusedError(f"{address} is suppressed ({reason}): only the person can subscribe it again.")
        store = self.context.store
        wording = store.subscription_events.current_wording(form.id, "", form.wording, now)
        with store.audience_transaction():
            subscriber = self._add_unconfirmed(address, form, "", now)
            if subscriber.state == "left":
                raise RefusedError(f"{address} has unsubscribed: only the person can subscribe it again.")
            if subscriber.state != "unconfirmed" or not self._may_mail(address, form, now):
                return False
            store.subscribers.save(replace(subscriber, requested=preferences, changed_at=now))
            details = describe(preferences) | ({"note": note} if note else {})
            event = SubscriptionEvent(
                at=now, kind="requested", actor=actor, form=form.id, wording=wording, details=details
            )
            store.subscription_events.add(subscriber.id, event)
            store.person_mails.add("confirmation", subscriber.id, form=form.id, now=now, due_at=now)
        return True

    def check(self, request: SignUpRequest) -> str:
        """Return the address in its normal form, its domain looked up in the DNS; FormError if anything is wrong."""
        if not request.has_consented:
            raise FormError("Tick the box: we may only write to you if you want us to.", fault="consent")
        try:
            address = normalise_address(request.address)
        except UsageError as error:
            raise FormError(str(error), fault="address") from error
        domain = address.rpartition("@")[2]
        if not self.context.rules.allow_disposable and is_disposable(address):
            message = f"Use another address: mailboxes at {domain} are thrown away after a short time."
            raise FormError(message, fault="disposable")
        if not self.context.rules.allow_role and is_role_address(address):
            raise FormError("Use an address of your own: this one belongs to several people.", fault="role")
        if not self.context.rules.has_mail_server(domain):
            raise FormError(f"Check your address: {domain} does not receive mail.", fault="domain")
        return address

    def _limit_network(self, visitor: Visitor, now: datetime) -> None:
        if not visitor.ip_address:
            return
        key = f"network {network_of(visitor.ip_address)}"
        count = self.context.store.signup_limits.count(key, within=LIMIT_INTERVAL, now=now)
        if count > self.context.rules.max_per_network:
            raise TooManyRequestsError("There were too many sign-ups from your network. Try again in an hour.")

    def _store(self, form: SignupForm, address: str, request: SignUpRequest, wording: Wording, now: datetime) -> None:
        store = self.context.store
        subscriber = self._add_unconfirmed(address, form, request.language, now)
        may_mail = self._may_mail(address, form, now)
        suppression = self.context.suppression(address)
        mail = sign_up_mail(subscriber, suppression)
        changed = replace(subscriber, requested=request.preferences, changed_at=now)
        store.subscribers.save(changed if mail == "confirmation" else subscriber)
        event = SubscriptionEvent(
            at=now,
            kind="requested",
            actor="subscriber",
            form=form.id,
            wording=wording,
            visitor=request.visitor,
            details=describe(request.preferences),
        )
        store.subscription_events.add(subscriber.id, event)
        store.person_mails.add(mail if may_mail else None, subscriber.id, form=form.id, now=now, due_at=now)

    def _add_unconfirmed(self, address: str, form: SignupForm, language: str, now: datetime) -> Subscriber:
        """Add a subscriber unless there is one with this address; return it, locked."""
        store, key = self.context.store, address_key(address)
        new = Subscriber(
            id=0,
            address=address,
            state="unconfirmed",
            language=language,
            form=form.id,
            created_at=now,
            changed_at=now,
        )
        return store.subscribers.add_or_lock(new, key)

    def _may_mail(self, address: str, form: SignupForm, now: datetime) -> bool:
        """Count one more request of a form for an address; check whether it is the first within ``MAIL_INTERVAL``."""
        key = f"mail {self.context.address_hash(address)} {form.id}"
        return self.context.store.signup_limits.count(key, within=MAIL_INTERVAL, now=now) == 1

    def _watch_form(self, form: SignupForm, now: datetime) -> None:
        count = self.context.store.signup_limits.count(_form_key(form.id), within=LIMIT_INTERVAL, now=now)
        if count == self.context.rules.max_per_form + 1:
            self.on_flood(form, count, now)


def clean_up(store: Store, keep_unconfirmed: timedelta, *, now: datetime) -> int:
    """Delete the sign-ups that nobody confirmed in time, and all that is stored about them; return how many."""
    store.signup_limits.prune(now)
    store.person_mails.prune(now - MAIL_INTERVAL)
    return store.subscribers.delete_unconfirmed(requested_before=now - keep_unconfirmed)


def clean_up_task(store: Store, keep_unconfirmed: timedelta, resolve_floods: Callable[[datetime], None]) -> Task:
    """Return the task that deletes unconfirmed sign-ups once a day, and closes alerts about floods that are over."""

    def run(period: str, now: datetime) -> Done:
        deleted = clean_up(store, keep_unconfirmed, now=now)
        resolve_floods(now)
        return Done(message=f"{pluralize(deleted, 'unconfirmed sign-up')} deleted" if deleted else "")

    return Task(id="clean-up", schedule=CLEAN_UP, run=run)


def _form_key(form_id: str) -> str:
    return f"form {form_id}"
