"""The pages to log in: one asks for an address, the other is where a mailed link leads.

GET changes nothing, since security scanners follow every link; a button uses the link up. The answer to an address, and
its time, do not reveal whether it is an editor's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.audience.addresses import network_of
from pipeline.jobs.access.log_in import LINK_TTL
from pipeline.jobs.access.sessions import MAX_TTL
from pipeline.model.errors import InvalidTokenError, TooManyRequestsError, UsageError
from pipeline.web.desk.access.gate import local_path
from pipeline.web.desk.access.live import LiveAccess
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.public.access import client_address
from pipeline.web.sessions import DESK_COOKIE, set_session_cookie
from pipeline.web.templating import PageTemplates

TOKEN_STATUS = {"forged": 404, "expired": 410, "used": 409, "removed": 403}
"""Status of the page of a link that does not work."""


@dataclass(frozen=True, slots=True)
class LogInPages:
    """Handlers of the pages that need no session."""

    access: LiveAccess
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        return [
            Route("/log-in", self.show, methods=["GET"]),
            Route("/log-in", form_endpoint(self.request_link), methods=["POST"]),
            Route("/log-in/{token}", self.confirm, methods=["GET"]),
            Route("/log-in/{token}", form_endpoint(self.use_link), methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the form, or what became of it; lead on who is logged in already."""
        if self.access.find(request.cookies.get(DESK_COOKIE, "")):
            return RedirectResponse(local_path(request.query_params.get("next", "/")), status_code=303)
        case = next((case for case in ("sent", "out") if case in request.query_params), "")
        return self._page(request, case=case)

    def show_refusal(self, request: Request, message: str) -> Response:
        """Show the form to who sent something without a session, and what became of that."""
        return self._page(request, status=403, message=message)

    def request_link(self, request: Request, form: Form) -> Response:
        """Mail a link if the address is an editor's; the answer is the same if it is not."""
        access, address, path = self.access.current(), form["address"].strip(), local_path(form["next"])
        if not access.editors or not access.sends_links:
            return self._page(request)
        peer = request.client.host if request.client else ""
        forwarded_for = ",".join(request.headers.getlist("x-forwarded-for")[-20:])[-2_000:]
        network = network_of(client_address(peer, forwarded_for, access.proxies))
        try:
            editor = access.log_in.request(address, network, now=self.access.clock())
        except TooManyRequestsError as error:
            return self._page(request, status=429, message=str(error), address=address, path=path)
        except UsageError:
            message = "This is not an email address. Check it, and try again."
            return self._page(request, status=400, message=message, address=address, path=path)
        if editor:
            self.access.mail_link(editor, path)
        return RedirectResponse(f"/log-in?{urlencode({'sent': '', 'next': path})}", status_code=303)

    def confirm(self, request: Request) -> Response:
        """Show whom a link logs in, and ask for confirmation. Changes nothing."""
        try:
            editor = self.access.current().log_in.verify(request.path_params["token"], now=self.access.clock())
        except InvalidTokenError as error:
            return self._page(request, status=TOKEN_STATUS[error.kind], case=error.kind)
        return self._page(request, case="confirm", editor=editor.name)

    def use_link(self, request: Request, form: Form) -> Response:
        """Use up a link and start a session, which replaces the one that the browser had."""
        access, now = self.access.current(), self.access.clock()
        browser = request.headers.get("user-agent", "")
        try:
            secret = access.log_in.use(request.path_params["token"], now=now, browser=browser)
        except InvalidTokenError as error:
            return self._page(request, status=TOKEN_STATUS[error.kind], case=error.kind)
        if former := self.access.find(request.cookies.get(DESK_COOKIE, "")):
            access.sessions.end(former, former.id)
        redirect = RedirectResponse(local_path(form["next"]), status_code=303)
        set_session_cookie(redirect, secret, MAX_TTL, is_https=access.is_https)
        return redirect

    def _page(
        self, request: Request, *, status: int = 200, case: str = "", message: str = "", path: str = "", **more: Any
    ) -> Response:
        """Show the page; ``case`` is what it says above the form, ``message`` what was wrong with the form."""
        access = self.access.current()
        context = {
            "publication": access.app.publication.name,
            "case": case,
            "error": message,
            "has_editors": bool(access.editors),
            "sends_links": access.sends_links,
            "minutes": int(LINK_TTL.total_seconds()) // 60,
            "next": path or local_path(request.query_params.get("next", "/")),
            "address": "",
            "editor": "",
        }
        return self.templates.render("log_in", request, status=status, **context | more)
