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

from pipeline.app import App, resources
from pipeline.jobs.answer import Answering, Asked, still_good
from pipeline.jobs.editions import Publisher
from pipeline.jobs.passes import read_pass, write_desk_key
from pipeline.jobs.weekly import lay_out
from pipeline.model.errors import DeliveryProblem, PassRefused, PipelineError, Refused
from pipeline.model.proof import Pass
from pipeline.model.week import Week
from pipeline.web.forms import Form, posted
from pipeline.web.guard import DESK_COOKIE
from pipeline.web.sheets import Sheets

STATUS = dict.fromkeys(("desk", "ready", "done", "already", "sent"), 200) | {
    "forged": 404,
    "expired": 410,
    "trouble": 500,
}
"""What each case is answered with; 409 where the world has moved on."""
OPEN_FOR = timedelta(days=1)
"""So long the desk stays open to the browser that opened it."""
A_MOMENT = timedelta(minutes=1)
"""Between two proofs that somebody asks for here."""


def _sheets() -> Sheets:
    return Sheets.of(resources() / "templates" / "web")


@dataclass(frozen=True, slots=True)
class ProofPages:
    """The handlers. Each request opens the publication for itself, by the newest config.toml."""

    path: Path
    clock: Callable[[], datetime]
    sheets: Sheets = field(default_factory=_sheets)

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        return [
            Route("/proof/{token}", self.asked, methods=["GET"]),
            Route("/proof/{token}", posted(self.answered), methods=["POST"]),
        ]

    def asked(self, request: Request) -> Response:
        """Show what the button is for; nothing is changed, and nothing given away."""

        def show(app: App, what: Pass, now: datetime) -> Response:
            if what.choice == "open":
                still_good(what, now)
                return self._page(request, app, case="desk")
            return self._page(request, app, asked=_answering(app).look(what, now=now))

        return self._with_pass(request, show)

    def answered(self, request: Request, form: Form) -> Response:
        """Do what the button says, or show why not."""

        def answer(app: App, what: Pass, now: datetime) -> Response:
            if what.choice == "open":
                still_good(what, now)
                return _to_the_desk(app, what, now)
            desk = _answering(app)
            try:
                return self._page(request, app, asked=desk.answer(what, now=now, overridden=form.all("override")))
            except PassRefused:
                raise
            except Refused as refused:
                return self._page(request, app, asked=desk.look(what, now=now), said=str(refused))

        def again(app: App, what: Pass, now: datetime) -> Response:
            try:
                return self._page(request, app, case="sent", said=_once_more(app, what, now))
            except (Refused, DeliveryProblem) as trouble:
                return self._page(request, app, case="not sent", said=str(trouble))

        return self._with_pass(request, again if form["do"] == "again" else answer)

    def _with_pass(self, request: Request, work: Callable[[App, Pass, datetime], Response]) -> Response:
        """Open the publication and read the pass, in that order and at little cost: anybody may send a forged one."""
        try:
            with App.load(self.path) as app:
                try:
                    return work(app, read_pass(request.path_params["token"], app.proof_key), self.clock())
                except PassRefused as refused:
                    return self._page(request, app, case=refused.kind)
        except PipelineError as trouble:
            return self._page(request, None, case="trouble", said=str(trouble))

    def _page(
        self, request: Request, app: App | None, *, asked: Asked | None = None, case: str = "", said: str = ""
    ) -> Response:
        """Write the page of a case; ``said`` is why something was not done, or what came of it."""
        case = asked.case if asked else case
        return self.sheets.page(
            "proof",
            request,
            status=409 if asked and said else STATUS.get(case, 409),
            publication=app.publication.name if app else "Newsletter",
            asked=asked,
            case=case,
            said=said,
            zone=app.clock.zone if app else UTC,
        )


def _answering(app: App) -> Answering:
    press = app.press
    by = parseaddr(app.publication.editor)[1]
    return Answering(
        publisher=Publisher(store=app.store, press=press, by=f"{by}, by the proof", prober=app.prober),
        plan=app.plan,
        laid_out=lambda week, now: lay_out(app.store, press, week, app.editions, now=now),
    )


def _once_more(app: App, what: Pass, now: datetime) -> str:
    """Send a new proof to the editor, and to nobody else: for that the oldest pass will do."""
    newest = next(iter(app.store.proofs.of_week(what.week)), None)
    if newest and now - newest.claimed_at < A_MOMENT:
        raise Refused("A proof was sent a moment ago: look into your mailbox, or press again in a minute.")
    return f"{app.proofreader.proof(Week.parse(what.week), now=now, again=True)}."


def _to_the_desk(app: App, what: Pass, now: datetime) -> Response:
    """Open the desk to this browser."""
    answer = RedirectResponse(f"/week/{what.week}", status_code=303)
    answer.set_cookie(
        DESK_COOKIE,
        write_desk_key(now + OPEN_FOR, app.proof_key),
        max_age=int(OPEN_FOR.total_seconds()),
        secure=app.pages.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer
