"""The desk's service of people: numbers, growth, one person's history, and what an editor does for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pipeline.digest.render.person_mail import RenderedMail
from pipeline.jobs.audience.context import AudienceContext
from pipeline.jobs.audience.person_mail_writer import PersonMailWriter
from pipeline.jobs.audience.sign_up import SignUp
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.model.errors import UsageError
from pipeline.model.schedule import Clock
from pipeline.model.subscriber import (
    DEFAULT_PREFERENCES,
    DISPLAY_STATES,
    DisplayState,
    EventKind,
    MailKind,
    PersonMailQueue,
    SignupForm,
    Subscriber,
    SubscriptionEvent,
)

PAGE_ROWS = 50
GROWTH_DAYS = 90
_GAINS: tuple[EventKind, ...] = ("confirmed", "added", "imported", "returned")
_LOSSES: tuple[EventKind, ...] = ("left", "suppressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """A sign-up form and how many people it brought."""

    form: SignupForm
    url: str
    """URL of its page; empty if there are no public pages."""
    embed_html: str
    """The form for a page of another website; empty if there are no public pages."""
    confirmed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceOverview:
    """The numbers of the page of subscribers."""

    counts: Mapping[DisplayState, int]
    growth: Sequence[tuple[date, int]]
    """Subscribers at the end of each of the last ``GROWTH_DAYS`` days (UTC), the last one today."""
    forms: Sequence[FormRow]
    confirmed_lately: int
    """Confirmations within the time a sign-up is kept; those still waiting are ``counts["unconfirmed"]``."""
    mails: PersonMailQueue

    @property
    def confirmed_percent(self) -> int | None:
        """The share of recent sign-ups that were confirmed; None without any."""
        total = self.confirmed_lately + self.counts["unconfirmed"]
        return round(100 * self.confirmed_lately / total) if total else None


@dataclass(frozen=True, slots=True)
class AudienceDesk:
    """People of a publication. ``open_context`` returns its current context, ``actor`` who is recorded with changes."""

    open_context: Callable[[], AudienceContext]
    open_writer: Callable[[], PersonMailWriter]
    """Returns what writes their mails."""
    embed_html: Callable[[str], str]
    """Returns the HTML of a form, by its id, for pages of other websites."""
    clock: Clock
    actor: Callable[[], str]

    def overview(self) -> AudienceOverview:
        """Return the numbers of now."""
        context, now = self.open_context(), self.clock()
        store = context.store
        counts = store.subscribers.counts(now)
        by_form = store.subscription_events.count_by_form("confirmed")
        lately = store.subscription_events.count_by_day(["confirmed"], since=now - context.rules.keep_unconfirmed)
        return AudienceOverview(
            counts=counts,
            growth=self._growth(context, counts["active"] + counts["paused"], now),
            forms=[
                FormRow(
                    form=form,
                    url=_form_url(context, form),
                    embed_html=self.embed_html(form.id) if context.public_url else "",
                    confirmed=by_form.get(form.id, 0),
                )
                for form in context.forms.values()
            ],
            confirmed_lately=sum(count for _, _, count in lately),
            mails=store.person_mails.queue(now),
        )

    def form_ids(self) -> tuple[str, ...]:
        """Return the ids of the forms, the main one first."""
        return tuple(self.open_context().forms)

    def preview(self, kind: MailKind, form_id: str, language: str) -> RenderedMail:
        """Return a mail as it would be written now. RefusedError if there is nothing to write: no guide, no edition."""
        return self.open_writer().preview(kind, form_id, language, self.clock())

    def page(self, state: str, search: str, before_id: int | None) -> Sequence[Subscriber]:
        """Return subscribers, the newest first; one more than ``PAGE_ROWS`` if there are older ones."""
        states = [known for known in DISPLAY_STATES if known == state]
        subscribers = self.open_context().store.subscribers
        return subscribers.page(
            self.clock(), states=states, search=search.strip(), before_id=before_id, limit=PAGE_ROWS + 1
        )

    def person(self, subscriber_id: int) -> tuple[Subscriber, Sequence[SubscriptionEvent]]:
        """Return a subscriber and their history, the oldest event first; UsageError if there is none."""
        store = self.open_context().store
        subscriber = store.subscribers.get(subscriber_id)
        if subscriber is None:
            raise UsageError("There is no such subscriber: they were erased, or never confirmed.")
        return subscriber, store.subscription_events.of_subscriber(subscriber_id)

    def invite(self, address: str) -> str:
        """Queue a mail that asks somebody to confirm whom the editor adds; return a sentence.

        RefusedError for an address that is suppressed, or of somebody who has left.
        """
        context = self.open_context()
        form_id = next(iter(context.forms))
        is_queued = SignUp(context).invite(
            address, DEFAULT_PREFERENCES, form_id=form_id, actor=self.actor(), now=self.clock()
        )
        if is_queued:
            return f"{address.strip()} gets a mail with a link to confirm."
        return f"{address.strip()} is subscribed already, or was asked to confirm within a week."

    def suppress(self, address: str) -> str:
        """Never mail an address again; return a sentence."""
        Subscriptions(self.open_context()).suppress(address, "operator", actor=self.actor(), now=self.clock())
        return f"{address.strip()} gets no more mail, even if it is entered or imported again."

    def lift(self, address: str) -> str:
        """Allow a suppressed person to sign up again; return a sentence."""
        Subscriptions(self.open_context()).lift_suppression(address, actor=self.actor(), now=self.clock())
        return f"{address} may sign up again. Nothing is sent until they confirm."

    def erase(self, address: str) -> str:
        """Delete everything about a person; return a sentence."""
        Subscriptions(self.open_context()).erase(address, actor=self.actor(), now=self.clock())
        return "Everything about this person was deleted. Imports will not bring the address back."

    def _growth(self, context: AudienceContext, total: int, now: datetime) -> Sequence[tuple[date, int]]:
        """Return how many subscribers there were on each day, counted back from today."""
        today = now.astimezone(UTC).date()
        since = datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(days=GROWTH_DAYS - 1)
        changes = dict.fromkeys((since.date() + timedelta(days=number) for number in range(GROWTH_DAYS)), 0)
        events = context.store.subscription_events.count_by_day([*_GAINS, *_LOSSES], since=since)
        for day, kind, count in events:
            changes[date.fromisoformat(day)] += count if kind in _GAINS else -count
        growth = []
        for day_of, change in reversed(changes.items()):
            growth.append((day_of, max(0, total)))
            total -= change
        return growth[::-1]


def _form_url(context: AudienceContext, form: SignupForm) -> str:
    if not context.public_url:
        return ""
    is_first = form.id == next(iter(context.forms))
    return f"{context.public_url}/subscribe" + ("" if is_first else f"/{form.id}")
