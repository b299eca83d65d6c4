"""The sign-up form: as a page, as a form to embed in other pages, and as JSON for their scripts."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.app import App
from pipeline.audience.subscription import make_preferences
from pipeline.config.public import DEFAULT_FORM
from pipeline.jobs.audience.sign_up import SignUpRequest
from pipeline.model.errors import FormError, TooManyRequestsError
from pipeline.model.schedule import Clock
from pipeline.model.subscriber import FREQUENCIES, TOPICS, SignupForm
from pipeline.web.forms import Form, read_form, with_limited_body
from pipeline.web.public import wording
from pipeline.web.public.access import visitor_of
from pipeline.web.public.audience import Audience, LiveAudience, build_audience
from pipeline.web.public.challenge import accept_solution, make_challenge, make_start_time, seconds_since
from pipeline.web.public.rendering import Page, visitor_page
from pipeline.web.public.writer import Writer

HONEYPOT = "website"
"""A field that people do not see and programs fill in."""
MAX_JSON_BYTES = 20_000
_CHECK_INTERVAL = timedelta(seconds=1)
Handler = Callable[[Request, Form], Response]


@dataclass(frozen=True, slots=True)
class SignUpPages:
    """Handlers of the sign-up form. ``wake`` is called when a mail may be due."""

    live: LiveAudience
    clock: Clock
    writer: Writer
    wake: Callable[[], None] = lambda: None

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages; scripts of the websites in [public] embed_on may use them."""
        cors = Middleware(
            CORSMiddleware,
            allow_origins=self.live.current().embed_on,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", "Accept"],
        )
        post = either_form(self.submit)
        return [
            Route("/subscribe", self.show, methods=["GET"], middleware=[cors]),
            Route("/subscribe", post, methods=["POST", "OPTIONS"], middleware=[cors]),
            Route("/subscribe/{form}/embed", self.embed, methods=["GET"]),
            Route("/subscribe/{form}", self.show, methods=["GET"], middleware=[cors]),
            Route("/subscribe/{form}", post, methods=["POST", "OPTIONS"], middleware=[cors]),
        ]

    def show(self, request: Request) -> Response:
        """Show the form, or describe it as JSON."""
        audience, now = self.live.current(), self.clock()
        form, page = form_of(request, audience), visitor_page(request, audience)
        if not wants_json(request):
            return self._form_page(page, form, now)
        return JSONResponse(
            {
                "form": form.id,
                "title": form.title,
                "introduction": form.introduction,
                "wording": form.wording,
                "asks": {"name": form.asks_name, "topics": form.asks_topics},
                "topics": TOPICS,
                "frequencies": FREQUENCIES,
                "started": make_start_time(now, audience.context.keys["challenge"]),
                "challenge": self._challenge(audience, form, now),
            }
        )

    def embed(self, request: Request) -> Response:
        """Return the HTML of the form, to be pasted into a page of another website."""
        audience = self.live.current()
        form, page = form_of(request, audience), visitor_page(request, audience)
        return _embed(page, form)

    def submit(self, request: Request, fields: Form) -> Response:
        """Accept a sign-up; the answer is the same whatever is known about the address."""
        audience, now = self.live.current(), self.clock()
        form, page = form_of(request, audience), visitor_page(request, audience, fields["language"])
        try:
            if problem := self._doubt(audience, form, fields, page, now):
                return self._refuse(request, page, form, fields, problem, "challenge", now)
            if not fields[HONEYPOT]:
                self._accept(request, audience, page, form, fields, now)
        except (FormError, TooManyRequestsError) as error:
            reason = error.fault if isinstance(error, FormError) else "network"
            return self._refuse(request, page, form, fields, wording.form_fault(error, page.translator), reason, now)
        if wants_json(request):
            return JSONResponse({"status": "accepted", "message": _accepted(page)}, status_code=202)
        return page.render("signed_up", form=form)

    def _accept(
        self, request: Request, audience: Audience, page: Page, form: SignupForm, fields: Form, now: datetime
    ) -> None:
        own = audience.publication.language
        came_from = fields["page"] or request.headers.get("referer", "") or request.headers.get("origin", "")
        sign_up = SignUpRequest(
            form=form.id,
            address=fields["address"],
            has_consented=bool(fields["consent"]),
            preferences=make_preferences(fields["name"], fields.get_all("topics"), fields["frequency"]),
            language="" if page.language == own else page.language,
            visitor=visitor_of(request, audience, page=came_from),
        )
        address = audience.sign_up.check(sign_up)
        key = form.id, sign_up.language
        wording = audience.wordings.get(key) or audience.wordings.setdefault(
            key, audience.sign_up.wording(sign_up, now)
        )
        self.writer.run(audience.context.store, lambda: audience.sign_up.store(sign_up, address, now, wording))
        self.wake()

    def _doubt(self, audience: Audience, form: SignupForm, fields: Form, page: Page, now: datetime) -> str:
        """Return why a form may have been sent by a program; empty if nothing says so.

        An embedded form does not say when it was shown.
        """
        key = audience.context.keys["challenge"]
        if started := fields["started"]:
            seconds = seconds_since(started, now, key)
            if seconds is None or seconds < audience.min_seconds:
                return wording.too_fast(page.translator)
        if needs_challenge(audience, form, now):
            store, payload = audience.context.store, fields["altcha"]
            if not payload or not self.writer.run(store, lambda: accept_solution(payload, form.id, now, key, store)):
                return wording.puzzle(page.translator)
        return ""

    def _refuse(
        self, request: Request, page: Page, form: SignupForm, fields: Form, problem: str, reason: str, now: datetime
    ) -> Response:
        status = 429 if reason == "network" else 422
        headers = {"Retry-After": "3600"} if reason == "network" else {}
        if not wants_json(request):
            response = self._form_page(page, form, now, fields=fields, error=problem, reason=reason, status=status)
            response.headers.update(headers)
            return response
        answer: dict[str, object] = {"status": "refused", "reason": reason, "message": problem}
        if reason == "challenge":
            answer["started"] = make_start_time(now, page.audience.context.keys["challenge"])
            answer["challenge"] = self._challenge(page.audience, form, now)
        return JSONResponse(answer, status_code=status, headers=headers)

    def _form_page(
        self,
        page: Page,
        form: SignupForm,
        now: datetime,
        *,
        fields: Form | None = None,
        error: str = "",
        reason: str = "",
        status: int = 200,
    ) -> Response:
        challenge = self._challenge(page.audience, form, now)
        return page.render(
            "sign_up",
            status=status,
            form=form,
            fields=fields or Form({}),
            started=make_start_time(now, page.audience.context.keys["challenge"]),
            challenge=json.dumps(challenge) if challenge else "",
            error=error,
            reason=reason,
            honeypot=HONEYPOT,
        )

    def _challenge(self, audience: Audience, form: SignupForm, now: datetime) -> Mapping[str, Any] | None:
        if not needs_challenge(audience, form, now):
            return None
        challenge: dict[str, Any] = json.loads(make_challenge(form.id, now, audience.context.keys["challenge"]))
        return challenge


def embed_html(app: App, form_id: str) -> str:
    """Return the HTML of a form for pages of other websites, in the language of the publication."""
    audience = build_audience(app)
    page = Page(audience, audience.publication.language)
    return bytes(_embed(page, audience.context.form(form_id)).body).decode()


def _embed(page: Page, form: SignupForm) -> Response:
    return page.render("embed", form=form, fields=Form({}), started="", error="", honeypot=HONEYPOT)


def form_of(request: Request, audience: Audience) -> SignupForm:
    """Return the sign-up form that a path names; 404 if there is none."""
    form = audience.context.forms.get(request.path_params.get("form", DEFAULT_FORM))
    if form is None:
        raise HTTPException(404)
    return form


def needs_challenge(audience: Audience, form: SignupForm, now: datetime) -> bool:
    """Check whether a form asks for a challenge, as it was at most a second ago."""
    checked_at, needed = audience.challenged.get(form.id, (datetime.min.replace(tzinfo=UTC), False))
    if not timedelta(0) <= now - checked_at < _CHECK_INTERVAL:
        needed = audience.sign_up.needs_challenge(form.id, now)
        audience.challenged[form.id] = now, needed
    return needed


def wants_json(request: Request) -> bool:
    """Check whether the client is a script rather than a browser that shows the answer."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept or request.headers.get("content-type", "").startswith("application/json")


def either_form(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that reads a form or the same as a JSON object, and runs ``handler`` in a thread."""

    async def endpoint(request: Request) -> Response:
        if request.headers.get("content-type", "").startswith("application/json"):
            form = json_form(await with_limited_body(request, MAX_JSON_BYTES).body())
        else:
            form = await read_form(request)
        return await run_in_threadpool(handler, request, form)

    return endpoint


def json_form(body: bytes) -> Form:
    """Return the fields of a JSON object; 400 if it is something else.

    >>> json_form(b'{"address": "ada@kueste.example", "consent": true, "topics": ["posts"], "name": null}').fields
    {'address': ['ada@kueste.example'], 'consent': ['yes'], 'topics': ['posts'], 'name': []}
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise HTTPException(400, "Send a JSON object.")
    return Form({name: _values(value) for name, value in data.items()})


def _values(value: object) -> list[str]:
    if isinstance(value, list):
        return [text for part in value if not isinstance(part, list) for text in _values(part)]
    if isinstance(value, bool):
        return ["yes"] if value else []
    return [value] if isinstance(value, str) else []


def _accepted(page: Page) -> str:
    return page.translator.gettext("Almost done: check your email")
