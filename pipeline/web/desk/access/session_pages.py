"""The page of an editor's sessions, where each can be ended, and the button to log out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import tzinfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.model.editor import ActiveSession
from pipeline.text.format import pluralize
from pipeline.web.desk.access.live import LiveAccess
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.sessions import DESK_COOKIE, session_of
from pipeline.web.templating import PageTemplates

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
"""(part of a User-Agent, name), in this order: most browsers pretend to be others that stand further down."""
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS")),
    *(("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux")),
)


@dataclass(frozen=True, slots=True)
class SessionPages:
    """Handlers of an editor's own sessions."""

    access: LiveAccess
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        token = self.templates.csrf_token
        return [
            Route("/sessions", self.show, methods=["GET"]),
            Route("/sessions", form_endpoint(self.submit, token), methods=["POST"]),
            Route("/log-out", form_endpoint(self.log_out, token), methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """List the sessions, this one first."""
        active, access = _require_session(request), self.access.current()
        sessions = access.sessions.of(active, now=self.access.clock())
        zone: tzinfo = access.app.calendar.zone
        rows = [
            {
                "id": session.id,
                "is_this": session.id == active.id,
                "browser": describe_browser(session.browser),
                "by_proof": session.origin == "proof",
                "started_at": session.started_at.astimezone(zone),
                "used_at": session.used_at.astimezone(zone),
            }
            for session in sorted(sessions, key=lambda session: session.id != active.id)
        ]
        return self.templates.render("sessions", request, page_version="", rows=rows)

    def submit(self, request: Request, form: Form) -> Response:
        """End one session, or all but this one."""
        active, sessions = _require_session(request), self.access.current().sessions
        if form["do"] == "end others":
            count = sessions.end_others(active)
            return self.templates.redirect("/sessions", f"{pluralize(count, 'other session')} ended.")
        if not form["session"].isdecimal() or len(form["session"]) > 15:
            raise HTTPException(400, "Use the buttons on the page.")
        if int(form["session"]) == active.id:
            return self.log_out(request, form)
        has_ended = sessions.end(active, int(form["session"]))
        return self.templates.redirect("/sessions", "Session ended." if has_ended else "This session had ended before.")

    def log_out(self, request: Request, form: Form) -> Response:
        """End this session."""
        active = _require_session(request)
        self.access.current().sessions.end(active, active.id)
        redirect = RedirectResponse("/log-in?out", status_code=303)
        redirect.delete_cookie(DESK_COOKIE, httponly=True, samesite="lax")
        return redirect


def describe_browser(user_agent: str) -> str:
    """Return a browser and its system in words that an editor recognises.

    >>> describe_browser("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    >>> describe_browser("curl/8.5.0"), describe_browser("")
    ('curl', 'Unknown browser')
    """
    browser = next((name for part, name in _BROWSERS if f"{part}/" in user_agent), "")
    system = next((name for part, name in _SYSTEMS if part in user_agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    first = re.match(r"[A-Za-z][\w. -]{0,40}", user_agent)
    return first[0].strip() if first else "Unknown browser"


def _require_session(request: Request) -> ActiveSession:
    session = session_of(request)
    if session is None:
        raise HTTPException(404, "Nobody logs in here.")
    return session
