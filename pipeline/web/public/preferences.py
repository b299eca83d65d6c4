"""The page of a subscriber's preferences: topics, frequency, name, pause and address in one form.

Sent without a change it changes nothing, since scanners send forms as they find them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.routing import BaseRoute

from pipeline.audience.subscription import make_preferences
from pipeline.model.errors import RefusedError, UsageError
from pipeline.model.subscriber import FREQUENCIES, TOPICS, Subscriber
from pipeline.web.forms import Form
from pipeline.web.public import wording
from pipeline.web.public.links import Link, Links

MAX_PAUSE = timedelta(days=2 * 366)
MAX_ADDRESS_CHANGES = 5
"""How many new addresses a person may name in a day; each gets a mail."""


@dataclass(frozen=True, slots=True)
class PreferencesPages:
    """Handlers of the preferences."""

    links: Links

    def routes(self) -> list[BaseRoute]:
        """Return the routes of this page."""
        return self.links.routes("preferences", self.show, self.change)

    def show(self, link: Link) -> Response:
        """Show the preferences."""
        return self._page(link)

    def change(self, link: Link, form: Form) -> Response:
        """Change what differs, and show the preferences with what was done."""
        audience, subscriber, now = link.audience, link.subscriber, link.now
        if subscriber.state != "active":
            return wording.ended(link.page)
        gettext, store = link.page.translator.gettext, audience.context.store
        if not set(form.get_all("topics")) & set(TOPICS):
            return self._page(link, form, gettext("Choose at least one, or unsubscribe."), "topics")
        try:
            pause_until = _pause_until(form["pause"], subscriber, audience.publication.timezone, now)
        except ValueError:
            return self._page(link, form, gettext("Choose a day within the next two years."), "pause")
        preferences = make_preferences(form["name"], form.get_all("topics"), form["frequency"])
        messages = [gettext("Your changes are saved.")]
        try:
            if new_address := form["address"].strip():
                self.links.writer.run(store, lambda: self._request_address(link, new_address))
                messages.append(gettext("We have sent a link to the new address. Press the button behind it."))
            self.links.writer.run(
                store, lambda: audience.subscriptions.change(subscriber, preferences, pause_until, now)
            )
        except UsageError:
            problem = gettext("Check the email address: it is incomplete or has a typing error.")
            return self._page(link, form, problem, "address")
        except RefusedError:
            return self._page(link, form, gettext("Too many tries. Try again later."), "address", 429)
        self.links.wake()
        return self._page(link.renewed(), messages=messages)

    def _request_address(self, link: Link, address: str) -> None:
        limits, key = link.audience.context.store.signup_limits, f"address {link.subscriber.id}"
        if limits.count(key, within=timedelta(days=1), now=link.now) > MAX_ADDRESS_CHANGES:
            raise RefusedError("There were too many changes of the address today.")
        link.audience.subscriptions.request_address(link.subscriber, address, link.now)

    def _page(
        self,
        link: Link,
        form: Form | None = None,
        problem: str = "",
        field: str = "",
        status: int = 0,
        *,
        messages: list[str] | None = None,
    ) -> Response:
        subscriber, now, zone = link.subscriber, link.now, link.audience.publication.timezone
        if subscriber.state != "active":
            return wording.ended(link.page)
        preferences, translator = subscriber.preferences, link.page.translator
        pause = _shown_pause(subscriber, zone, now)
        today = now.astimezone(ZoneInfo(zone)).date()
        token = link.audience.context.token("unsubscribe", subscriber, now)
        return link.page.render(
            "preferences",
            status=status or (422 if problem else 200),
            address=wording.masked(subscriber.address),
            name=form["name"] if form else preferences.name,
            topics=form.get_all("topics") if form else preferences.topics,
            frequency=form["frequency"] if form else preferences.frequency,
            frequencies=FREQUENCIES,
            pause=form["pause"] if form else pause,
            first_day=(today + timedelta(days=1)).isoformat(),
            last_day=(today + MAX_PAUSE).isoformat(),
            paused_until=translator.format_date(date.fromisoformat(pause)) if pause else "",
            new_address=form["address"] if form else "",
            problem=problem,
            field=field,
            messages=messages or [],
            unsubscribe_path=f"/unsubscribe/{token}",
        )


def _shown_pause(subscriber: Subscriber, zone: str, now: datetime) -> str:
    """Return the day that the form shows: the first with mail again; empty without a pause."""
    until = subscriber.paused_until
    return wording.day_of(until, zone) if until and subscriber.is_paused(now) else ""


def _pause_until(text: str, subscriber: Subscriber, zone: str, now: datetime) -> datetime | None:
    """Return when a pause ends: at the beginning of the day that was chosen. Raise ValueError if it cannot be."""
    text = text.strip()
    if text == _shown_pause(subscriber, zone, now):
        return subscriber.paused_until if text else None
    if not text:
        return None
    until = datetime.combine(date.fromisoformat(text), time(), ZoneInfo(zone))
    if not now < until <= now + MAX_PAUSE:
        raise ValueError
    return until.astimezone(now.tzinfo)
