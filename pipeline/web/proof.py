"""The pages behind a proof's buttons: what is asked, once more, and a button that does it.

In: links from a proof. Out: a page for however things stand. A GET or a HEAD changes nothing: mail scanners follow
every link. The pass in the address is what a POST needs, and nobody else has it; so the form needs no other token. The
desk's is no address: its key comes with the POST, in a cookie, and runs out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.app import App, resources_folder
from pipeline.app.delivery import build_proof_sender, proof_signing_key, send_policy, web_url
from pipeline.app.digests import build_digest_context
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.jobs.proof.decide import PendingDecision, ProofDecisions, require_unexpired
from pipeline.jobs.proof.tokens import sign_session, verify_token
from pipeline.model.errors import DeliveryError, InvalidTokenError, PipelineError, RefusedError
from pipeline.model.proof import ProofToken
from pipeline.model.schedule import Clock
from pipeline.model.week import Week
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.security import DESK_COOKIE
from pipeline.web.templating import PageTemplates

HTTP_STATUS = dict.fromkeys(("desk", "ready", "done", "already", "sent"), 200) | {
    "forged": 404,
    "expired": 410,
    "trouble": 500,
}
"""What each case is answered with; 409 where the world has moved on."""
SESSION_TTL = timedelta(days=1)
"""So long the desk stays open to the browser that opened it."""
RESEND_INTERVAL = timedelta(minutes=1)
"""Between two proofs that somebody asks for here."""


def _sheets() -> PageTemplates:
    return PageTemplates.from_folder(resources_folder() / "templates" / "web")


@dataclass(frozen=True, slots=True)
class ProofPages:
    """The handlers. Each request opens the publication for itself, by the newest config.toml."""

    path: Path
    clock: Clock
    templates: PageTemplates = field(default_factory=_sheets)

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        return [
            Route("/proof/{token}", self.confirm, methods=["GET"]),
            Route("/proof/{token}", form_endpoint(self.submit), methods=["POST"]),
        ]

    def confirm(self, request: Request) -> Response:
        """Show what the button is for; nothing is changed, and nothing given away."""

        def show(app: App, what: ProofToken, now: datetime) -> Response:
            if what.action == "open":
                require_unexpired(what, now)
                return self._page(request, app, case="desk")
            return self._page(request, app, asked=_answering(app).preview(what, now=now))

        return self._with_pass(request, show)

    def submit(self, request: Request, form: Form) -> Response:
        """Do what the button says, or show why not."""

        def answer(app: App, what: ProofToken, now: datetime) -> Response:
            if what.action == "open":
                require_unexpired(what, now)
                return _to_the_desk(app, what, now)
            desk = _answering(app)
            try:
                return self._page(request, app, asked=desk.decide(what, now=now, overridden=form.get_all("override")))
            except InvalidTokenError:
                raise
            except RefusedError as refused:
                return self._page(request, app, asked=desk.preview(what, now=now), said=str(refused))

        def again(app: App, what: ProofToken, now: datetime) -> Response:
            try:
                return self._page(request, app, case="sent", said=_once_more(app, what, now))
            except (RefusedError, DeliveryError) as trouble:
                return self._page(request, app, case="not sent", said=str(trouble))

        return self._with_pass(request, again if form["do"] == "again" else answer)

    def _with_pass(self, request: Request, work: Callable[[App, ProofToken, datetime], Response]) -> Response:
        """Open the publication and read the pass, in that order and at little cost: anybody may send a forged one."""
        try:
            with App.load(self.path) as app:
                try:
                    return work(app, verify_token(request.path_params["token"], proof_signing_key(app)), self.clock())
                except InvalidTokenError as refused:
                    return self._page(request, app, case=refused.kind)
        except PipelineError as trouble:
            return self._page(request, None, case="trouble", said=str(trouble))

    def _page(
        self, request: Request, app: App | None, *, asked: PendingDecision | None = None, case: str = "", said: str = ""
    ) -> Response:
        """Write the page of a case; ``said`` is why something was not done, or what came of it."""
        case = asked.status if asked else case
        return self.templates.render(
            "proof",
            request,
            status=409 if asked and said else HTTP_STATUS.get(case, 409),
            publication=app.publication.name if app else "Newsletter",
            asked=asked,
            case=case,
            said=said,
            zone=app.calendar.zone if app else UTC,
        )


def _answering(app: App) -> ProofDecisions:
    press = build_digest_context(app)
    by = parseaddr(app.publication.editor)[1]
    return ProofDecisions(
        workflow=EditionWorkflow(
            store=app.store, context=press, actor=f"{by}, by the proof", open_link_fetcher=app.link_fetcher
        ),
        send_policy=send_policy(app),
        editions_folder=app.editions_folder,
    )


def _once_more(app: App, what: ProofToken, now: datetime) -> str:
    """Send a new proof to the editor, and to nobody else: for that the oldest pass will do."""
    newest = next(iter(app.store.proofs.of_week(what.week)), None)
    if newest and now - newest.claimed_at < RESEND_INTERVAL:
        raise RefusedError("A proof was sent a moment ago: look into your mailbox, or press again in a minute.")
    return f"{build_proof_sender(app).send(Week.parse(what.week), now=now, resend=True)}."


def _to_the_desk(app: App, what: ProofToken, now: datetime) -> Response:
    """Open the desk to this browser."""
    answer = RedirectResponse(f"/week/{what.week}", status_code=303)
    answer.set_cookie(
        DESK_COOKIE,
        sign_session(now + SESSION_TTL, proof_signing_key(app)),
        max_age=int(SESSION_TTL.total_seconds()),
        secure=web_url(app).startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer
