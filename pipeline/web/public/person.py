"""Pages that act once: confirming a sign-up or a new address, unsubscribing, and the guide.

Scanners open every link of a mail, run the scripts of the page and send its forms. So confirming takes a click that a
script cannot make, or the six digits of the mail. Unsubscribing acts at once, as RFC 8058 asks, and can be undone.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from pipeline.audience.tokens import Purpose, confirmation_code
from pipeline.model.errors import ConfigError, RefusedError
from pipeline.web.forms import Form
from pipeline.web.public import wording
from pipeline.web.public.access import visitor_of
from pipeline.web.public.links import PERSON_CLICKS, Link, Links, confirmed, was_pressed

CODE_INTERVAL = timedelta(hours=1)
MAX_CODES = 10
"""How many wrong codes may be typed for a link within ``CODE_INTERVAL``."""


@dataclass(frozen=True, slots=True)
class PersonPages:
    """Handlers of links that act once."""

    links: Links

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        return [
            *self.links.routes("confirm", self.show_confirmation, self.confirm),
            *self.links.routes("address", self.show_address, self.change_address),
            *self.links.routes("unsubscribe", self.show_unsubscribe, self.unsubscribe),
            *self.links.routes("guide", self.guide, lambda link, form: self.guide(link)),
        ]

    def show_confirmation(self, link: Link) -> Response:
        """Show the button that confirms a sign-up."""
        return _not_to_confirm(link) or self._confirmation(link)

    def confirm(self, link: Link, form: Form) -> Response:
        """Confirm a sign-up, if a person pressed the button or typed the code of the mail."""
        if done := _not_to_confirm(link):
            return done
        context = link.audience.context
        method, problem = self._proof_of_person("confirm", link, form)
        if not method:
            return self._confirmation(link, problem, 422)
        details = {"method": method}
        if sent_at := context.store.person_mails.last_sent_at(link.subscriber.id, "confirmation"):
            details["seconds_since_mail"] = str(int((link.now - sent_at).total_seconds()))
        visitor = visitor_of(link.request, link.audience)
        try:
            self.links.writer.run(
                context.store,
                lambda: link.audience.subscriptions.confirm(link.subscriber, link.now, visitor, **details),
            )
        except RefusedError:
            return wording.no_mail(link.page)
        self.links.wake()
        return confirmed(link.renewed())

    def _proof_of_person(self, purpose: Purpose, link: Link, form: Form) -> tuple[str, str]:
        """Return how a person showed that they are one; else nothing, and what to say about that."""
        if form["pressed"] in PERSON_CLICKS:
            return form["pressed"], ""
        gettext, store = link.page.translator.gettext, link.audience.context.store
        code = "".join(char for char in form["code"] if char.isdecimal())
        if not code:
            return "", ""
        limits, key = store.signup_limits, f"code {link.token}"
        if self.links.writer.run(store, lambda: limits.count(key, within=CODE_INTERVAL, now=link.now)) > MAX_CODES:
            return "", gettext("Too many tries. Try again later.")
        expected = confirmation_code(link.token, link.audience.context.keys[purpose])
        if not hmac.compare_digest(code.encode(), expected.encode()):
            return "", gettext("This code is wrong. Copy the six digits from the email.")
        return "code", ""

    def _confirmation(self, link: Link, problem: str = "", status: int = 200) -> Response:
        """Return the page with the button; unless it is shown for the first time, with a field for the code."""
        return link.page.render("confirm", status=status, problem=problem, asks_code=status != 200)

    def show_address(self, link: Link) -> Response:
        """Show the button that changes the address."""
        return self._address(link)

    def change_address(self, link: Link, form: Form) -> Response:
        """Change the address of a subscriber to the one that the link was mailed to."""
        method, problem = self._proof_of_person("address", link, form)
        if not method:
            return self._address(link, problem, 422)
        context, translator = link.audience.context, link.page.translator
        visitor = visitor_of(link.request, link.audience)
        try:
            self.links.writer.run(
                context.store,
                lambda: link.audience.subscriptions.confirm_address(link.subscriber, link.now, visitor),
            )
        except RefusedError:
            return link.page.message(
                translator.gettext("The address was not changed"),
                translator.gettext("It is subscribed already, or gets no email from us."),
                wording.help_at(link.page),
                status=409,
            )
        return self._address(link.renewed())

    def _address(self, link: Link, problem: str = "", status: int = 200) -> Response:
        subscriber = link.subscriber
        if subscriber.state != "active":
            return wording.ended(link.page)
        is_done = subscriber.address == subscriber.new_address
        return link.page.render(
            "address",
            status=status,
            address=subscriber.new_address,
            is_done=is_done,
            problem=problem,
            asks_code=status != 200,
        )

    def show_unsubscribe(self, link: Link) -> Response:
        """Show the button that unsubscribes."""
        if link.subscriber.state in ("left", "suppressed"):
            return self._farewell(link)
        return link.page.render("unsubscribe", preferences_path=_preferences_path(link))

    def unsubscribe(self, link: Link, form: Form) -> Response:
        """Unsubscribe at once; or undo that, or take the reason for it."""
        context, subscriptions, writer = link.audience.context, link.audience.subscriptions, self.links.writer
        visitor = visitor_of(link.request, link.audience)
        if form["do"] == "undo":
            return self._undo(link, form)
        if form["do"] == "why":
            why = "; ".join(filter(None, (form["reason"], form["words"].strip())))
            writer.run(context.store, lambda: subscriptions.give_reason(link.subscriber, why, link.now))
            return self._farewell(link, has_answered=bool(why))
        writer.run(context.store, lambda: subscriptions.leave(link.subscriber, link.now, visitor))
        return self._farewell(link.renewed())

    def _undo(self, link: Link, form: Form) -> Response:
        if not was_pressed(form):
            return self._farewell(link, status=422)
        visitor, context = visitor_of(link.request, link.audience), link.audience.context
        try:
            self.links.writer.run(
                context.store, lambda: link.audience.subscriptions.come_back(link.subscriber, link.now, visitor)
            )
        except RefusedError:
            return wording.ended(link.page)
        return link.page.render("returned", preferences_path=_preferences_path(link))

    def _farewell(self, link: Link, *, has_answered: bool = False, status: int = 200) -> Response:
        can_undo = link.subscriber.confirmed_at is not None
        return link.page.render(
            "farewell", status=status, has_answered=has_answered, can_undo=can_undo, asks_tick=status != 200
        )

    def guide(self, link: Link) -> Response:
        """Return the guide: its file, or a redirect to the URL that config.toml names and no other."""
        context, translator = link.audience.context, link.page.translator
        given = [form for form, _, _ in context.store.person_mails.guides_of(link.subscriber.id)]
        wanted = link.request.query_params.get("form", "")
        form = wanted if wanted in given else (given or [link.subscriber.form])[-1]
        try:
            guide = context.guide(form)
        except ConfigError:
            guide = None
        if guide is None:
            return link.page.message(
                translator.gettext("The guide cannot be opened"),
                wording.help_at(link.page),
                status=503,
            )
        if guide.path is None:
            return RedirectResponse(guide.url, status_code=302)
        return FileResponse(guide.path, media_type=guide.media_type, filename=guide.path.name)


def _not_to_confirm(link: Link) -> Response | None:
    """Return the page of a subscription that there is nothing to confirm of; None if there is."""
    state = link.subscriber.state
    if state == "active":
        return confirmed(link)
    if state == "suppressed":
        return wording.no_mail(link.page)
    # A person who has left since has a new link once they sign up again.
    return wording.ended(link.page) if state == "left" and link.subscriber.requested is None else None


def _preferences_path(link: Link) -> str:
    return f"/preferences/{link.audience.context.token('preferences', link.subscriber, link.now)}"
