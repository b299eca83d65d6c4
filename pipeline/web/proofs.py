"""The pages behind a proof's buttons: what is asked, once more, and a button that does it.

In: links from a proof. Out: a page for however things stand. A GET or a HEAD changes nothing: mail scanners follow
every link. The pass in the address is what a POST needs, and nobody else has it; so the form needs no other token.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.app import App, resources
from pipeline.jobs.answer import Answering, Asked
from pipeline.jobs.editions import Publisher
from pipeline.jobs.passes import read_pass
from pipeline.jobs.weekly import lay_out
from pipeline.model.errors import DeliveryProblem, PassRefused, Refused
from pipeline.model.proof import Pass
from pipeline.model.week import Week
from pipeline.web.forms import Form, posted
from pipeline.web.sheets import Sheets

STATUS = {"ready": 200, "done": 200, "already": 200, "sent": 200, "forged": 404, "expired": 410}
"""What each case is answered with; 409 where the world has moved on."""
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
        """Show what the button is for, or lead to the desk; nothing is changed."""
        now = self.clock()
        with self._answering() as (app, answering):
            try:
                what = answering.read(request.path_params["token"], now=now)
                if what.choice == "open":
                    return RedirectResponse(f"/week/{what.week}?token={desk_token(app.proof_key)}", status_code=303)
                return self._page(request, app, answering.look(request.path_params["token"], now=now))
            except PassRefused as refused:
                return self._page(request, app, None, case=refused.kind)

    def answered(self, request: Request, form: Form) -> Response:
        """Do what the button says, or show why not."""
        now, token = self.clock(), request.path_params["token"]
        with self._answering() as (app, answering):
            try:
                if form["do"] == "again":
                    return self._again(request, app, read_pass(token, app.proof_key), now)
                return self._page(request, app, answering.answer(token, now=now, overridden=form.all("override")))
            except PassRefused as refused:
                return self._page(request, app, None, case=refused.kind)
            except Refused as refused:
                return self._page(request, app, answering.look(token, now=now), refusal=str(refused))

    def _again(self, request: Request, app: App, what: Pass, now: datetime) -> Response:
        """Send a new proof to the editor, and to nobody else: for that the oldest pass will do."""
        newest = next(iter(app.store.proofs.of_week(what.week)), None)
        try:
            if newest and now - newest.claimed_at < A_MOMENT:
                raise Refused("A proof was sent a moment ago: look into your mailbox, or press again in a minute.")
            said = app.proofreader.proof(Week.parse(what.week), now=now, again=True)
        except (Refused, DeliveryProblem) as trouble:
            return self._page(request, app, None, case="not sent", refusal=str(trouble))
        return self._page(request, app, None, case="sent", refusal=f"{said}.")

    @contextmanager
    def _answering(self) -> Iterator[tuple[App, Answering]]:
        with App.load(self.path) as app:
            press = app.press
            by = parseaddr(app.publication.editor)[1]
            publisher = Publisher(store=app.store, press=press, by=f"{by}, by the proof", prober=app.prober)
            yield (
                app,
                Answering(
                    publisher=publisher,
                    plan=app.plan,
                    key=app.proof_key,
                    laid_out=lambda week, now: lay_out(app.store, press, week, app.editions, now=now),
                ),
            )

    def _page(self, request: Request, app: App, asked: Asked | None, *, case: str = "", refusal: str = "") -> Response:
        case = asked.case if asked else case
        return self.sheets.page(
            "proof",
            request,
            status=409 if refusal and case != "sent" else STATUS.get(case, 409),
            publication=app.publication.name,
            asked=asked,
            case=case,
            refusal=refusal,
            zone=app.clock.zone,
        )


def desk_token(key: str) -> str:
    """Give what opens the desk behind the daemon: it lasts as long as the key of proofs, and does not give it away.

    >>> desk_token("key") == desk_token("key") != desk_token("other key")
    True
    """
    return hmac.new(key.encode(), b"desk", sha256).hexdigest()[:32]
