"""The pages behind a person's own link: who it belongs to, and what is shown if it is late, forged or of nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.audience.tokens import Purpose
from pipeline.model.errors import InvalidTokenError
from pipeline.model.schedule import Clock
from pipeline.model.subscriber import MailKind, Subscriber
from pipeline.web.forms import Form
from pipeline.web.public import wording
from pipeline.web.public.audience import Audience, LiveAudience
from pipeline.web.public.rendering import Page, person_page, visitor_page
from pipeline.web.public.sign_up import either_form
from pipeline.web.public.writer import Writer

NEW_LINK_INTERVAL = timedelta(days=1)
"""A person is mailed at most one new link of a purpose in this time."""
_MAIL_WITH_LINK: dict[Purpose, MailKind] = {"preferences": "already", "guide": "guide", "address": "address"}
PERSON_CLICKS = ("pointer", "key")
"""What the script of the pages puts into the field ``pressed`` when a person, and no program, uses the button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A valid link that somebody has opened."""

    request: Request
    audience: Audience
    subscriber: Subscriber
    now: datetime

    @property
    def page(self) -> Page:
        """A page in the language of the person."""
        return person_page(self.audience, self.subscriber)

    @property
    def token(self) -> str:
        """The token in its path."""
        return str(self.request.path_params["token"])

    def renewed(self) -> Link:
        """Return the link with the subscriber as they are stored now."""
        stored = self.audience.context.store.subscribers.get(self.subscriber.id)
        return Link(request=self.request, audience=self.audience, subscriber=stored or self.subscriber, now=self.now)


Show = Callable[[Link], Response]
Submit = Callable[[Link, Form], Response]


@dataclass(frozen=True, slots=True)
class Links:
    """Makes routes of a person's links. ``wake`` is called when a mail may be due."""

    live: LiveAudience
    clock: Clock
    writer: Writer
    wake: Callable[[], None] = lambda: None

    def routes(self, purpose: Purpose, show: Show, submit: Submit) -> list[BaseRoute]:
        """Return the routes of one purpose: GET and HEAD only show, POST acts."""

        def get(request: Request) -> Response:
            return self._open(request, purpose, show, wants_new=False)

        def post(request: Request, form: Form) -> Response:
            return self._open(request, purpose, lambda link: submit(link, form), wants_new=form["do"] == "mail")

        path = f"/{purpose}/{{token}}"
        return [Route(path, get, methods=["GET"]), Route(path, either_form(post), methods=["POST"])]

    def _open(self, request: Request, purpose: Purpose, respond: Show, *, wants_new: bool) -> Response:
        audience, now, token = self.live.current(), self.clock(), request.path_params["token"]
        try:
            subscriber = audience.context.subscriber_of(purpose, token, now)
        except InvalidTokenError as error:
            if error.kind == "expired":
                subscriber = audience.context.subscriber_of(purpose, token, now, even_if_expired=True)
                late = Link(request=request, audience=audience, subscriber=subscriber, now=now)
                return self._late(purpose, late, wants_new=wants_new)
            return self._invalid(purpose, visitor_page(request, audience), error)
        return respond(Link(request=request, audience=audience, subscriber=subscriber, now=now))

    def _invalid(self, purpose: Purpose, page: Page, error: InvalidTokenError) -> Response:
        response = wording.invalid_link(page, error)
        if purpose == "unsubscribe" and error.kind == "used":
            response.status_code = 200  # what the person wanted is so: they get no mail
        return response

    def _late(self, purpose: Purpose, link: Link, *, wants_new: bool) -> Response:
        subscriber, page = link.subscriber, link.page
        if purpose == "confirm":
            if subscriber.state == "active":
                return confirmed(link)
            return wording.late_confirmation(page, subscriber.form)
        if subscriber.state != "active":
            return wording.ended(page)
        if not wants_new:
            return wording.late_link(page)
        store, kind, now = link.audience.context.store, _MAIL_WITH_LINK[purpose], link.now

        def queue() -> None:
            key = f"link {purpose} {subscriber.id}"
            if store.signup_limits.count(key, within=NEW_LINK_INTERVAL, now=now) == 1:
                store.person_mails.add(kind, subscriber.id, form=subscriber.form, now=now, due_at=now)

        self.writer.run(store, queue)
        self.wake()
        return wording.new_link_sent(page)


def confirmed(link: Link) -> Response:
    """Return the page of a subscription that is confirmed, however often it is opened."""
    context, subscriber = link.audience.context, link.subscriber
    guide = context.guide_if_readable(subscriber.form)
    return link.page.render(
        "confirmed",
        guide=guide,
        guide_path=f"/guide/{context.token('guide', subscriber, link.now)}",
        preferences_path=f"/preferences/{context.token('preferences', subscriber, link.now)}",
    )


def was_pressed(form: Form) -> bool:
    """Check whether a person sent a form: by a click that the script saw, or by ticking a box where it does not run."""
    return form["pressed"] in PERSON_CLICKS or form["person"] == "yes"
