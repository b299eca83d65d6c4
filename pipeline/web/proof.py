"""The pages behind a proof's buttons: they ask for confirmation, and a second button decides.

GET and HEAD change nothing, since security scanners follow every link. The token in the address authorises the POST, so
the form needs no CSRF token. The desk's session is never in an address: a POST sets it as a cookie that expires.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.app import App, resources_folder
from pipeline.app.access import build_sessions, proof_editor
from pipeline.app.delivery import build_proof_sender, proof_signing_key, send_policy, web_url
from pipeline.app.digests import build_digest_context
from pipeline.jobs.access.sessions import PROOF_TTL
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.jobs.proof.decide import PendingDecision, ProofDecisions, require_unexpired
from pipeline.jobs.proof.tokens import verify_token
from pipeline.model.check import check_lines
from pipeline.model.errors import DeliveryError, InvalidTokenError, PipelineError, RefusedError
from pipeline.model.proof import ProofToken
from pipeline.model.schedule import Clock
from pipeline.model.week import Week
from pipeline.web.desk.fix_links import check_title
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.sessions import set_session_cookie
from pipeline.web.templating import PageTemplates

HTTP_STATUS = dict.fromkeys(("desk", "ready", "done", "already", "sent"), 200) | {
    "forged": 404,
    "expired": 410,
    "error": 500,
}
"""Status of the page for each case; 409 for all others."""
RESEND_INTERVAL = timedelta(minutes=1)
"""Minimum time between two proofs requested here."""


@dataclass(frozen=True, slots=True)
class ProofPages:
    """Handlers of proofs. Each request loads the publication from the current config.toml at ``path``."""

    path: Path
    clock: Clock
    templates: PageTemplates = field(
        default_factory=lambda: PageTemplates.from_folder(
            resources_folder() / "templates" / "web", check_title=check_title, check_lines=check_lines
        )
    )

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        return [
            Route("/proof/{token}", self.confirm, methods=["GET"]),
            Route("/proof/{token}", form_endpoint(self.submit), methods=["POST"]),
        ]

    def confirm(self, request: Request) -> Response:
        """Show what the button does, and ask for confirmation. Changes nothing."""

        def show(app: App, token: ProofToken, now: datetime) -> Response:
            if token.action == "open":
                require_unexpired(token, now)
                return self._page(request, app, case="desk")
            return self._page(request, app, decision=_decisions(app).preview(token, now=now))

        return self._with_token(request, show)

    def submit(self, request: Request, form: Form) -> Response:
        """Approve, hold, open the desk or send a new proof; show why if that is refused."""

        def decide(app: App, token: ProofToken, now: datetime) -> Response:
            if token.action == "open":
                require_unexpired(token, now)
                return _open_desk(request, app, token, now)
            decisions = _decisions(app)
            try:
                decision = decisions.decide(token, now=now, overridden=form.get_all("override"))
            except InvalidTokenError:
                raise
            except RefusedError as error:
                return self._page(request, app, decision=decisions.preview(token, now=now), message=str(error))
            return self._page(request, app, decision=decision)

        def resend(app: App, token: ProofToken, now: datetime) -> Response:
            try:
                return self._page(request, app, case="sent", message=_send_new_proof(app, token, now))
            except (RefusedError, DeliveryError) as error:
                return self._page(request, app, case="not sent", message=str(error))

        return self._with_token(request, resend if form["do"] == "resend" else decide)

    def _with_token(self, request: Request, respond: Callable[[App, ProofToken, datetime], Response]) -> Response:
        """Verify the token before anything costly, since anybody may send a forged one."""
        try:
            with App.load(self.path) as app:
                try:
                    return respond(
                        app, verify_token(request.path_params["token"], proof_signing_key(app)), self.clock()
                    )
                except InvalidTokenError as error:
                    return self._page(request, app, case=error.kind)
        except PipelineError as error:
            return self._page(request, None, case="error", message=str(error))

    def _page(
        self,
        request: Request,
        app: App | None,
        *,
        decision: PendingDecision | None = None,
        case: str = "",
        message: str = "",
    ) -> Response:
        """Show the page of a decision or of another case; ``message`` is the result, or why nothing was done."""
        case = decision.status if decision else case
        return self.templates.render(
            "proof",
            request,
            status=409 if decision and message else HTTP_STATUS.get(case, 409),
            publication=app.publication.name if app else "Newsletter",
            decision=decision,
            case=case,
            result=message,
            zone=app.calendar.zone if app else UTC,
        )


def _decisions(app: App) -> ProofDecisions:
    return ProofDecisions(
        workflow=EditionWorkflow(
            store=app.store(),
            context=build_digest_context(app),
            actor=f"{proof_editor(app).name}, by the proof",
            open_link_fetcher=app.link_fetcher,
        ),
        send_policy=send_policy(app),
        editions_folder=app.editions_folder,
    )


def _send_new_proof(app: App, token: ProofToken, now: datetime) -> str:
    """Send a new proof to the editor and return a sentence. An expired token is enough: only the editor gets it."""
    newest = next(iter(app.store().proofs.of_week(token.week)), None)
    if newest and now - newest.claimed_at < RESEND_INTERVAL:
        raise RefusedError("A proof was sent a moment ago. Check your mailbox, or try again in a minute.")
    return f"{build_proof_sender(app).send(Week.parse(token.week), now=now, resend=True)}."


def _open_desk(request: Request, app: App, token: ProofToken, now: datetime) -> Response:
    """Start a session of the proof's recipient."""
    browser = request.headers.get("user-agent", "")
    secret = build_sessions(app).start(proof_editor(app), "proof", now=now, browser=browser)
    redirect = RedirectResponse(f"/week/{token.week}", status_code=303)
    set_session_cookie(redirect, secret, PROOF_TTL, is_https=web_url(app).startswith("https:"))
    return redirect
