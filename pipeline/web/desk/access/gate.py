"""The gate of the desk behind the daemon: it lets in who has a session, and refuses what their role may not do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from pipeline.model.editor import ActiveSession
from pipeline.model.errors import PipelineError
from pipeline.web.desk.access.live import LiveAccess
from pipeline.web.desk.access.roles import request_refusal
from pipeline.web.sessions import DESK_COOKIE, enter_session

DESK_CLOSED = (
    "The desk is closed. Press “Open the desk” in a proof, then come back. Text you were just writing is on the "
    "previous page."
)
LOGGED_OUT = "You are logged out. Log in in another tab; what you have typed is kept in this browser."
NOT_SAVED = (
    "You are logged out, so nothing was done. Log in, then go back: text that you were writing is on the previous page."
)
_LOCAL_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~=&?%-]{0,300}")

ShowMessage = Callable[[Request, str], Response]
"""Shows a page with a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskGate:
    """Decides on each request to the desk."""

    access: LiveAccess
    show_log_in: ShowMessage
    refuse: ShowMessage

    def __call__(self, request: Request) -> ActiveSession | Response:
        """Return the session of a request, or the response that it gets instead."""
        try:
            session = self.access.find(request.cookies.get(DESK_COOKIE, ""))
            if session is None:
                return self._without_session(request)
        except PipelineError as error:
            return PlainTextResponse(str(error), status_code=503)
        enter_session(request, session)
        reason = request_refusal(request)
        return self.refuse(request, reason) if reason else session

    def _without_session(self, request: Request) -> Response:
        has_editors = bool(self.access.current().editors)
        if is_from_script(request):
            return JSONResponse({"message": LOGGED_OUT if has_editors else DESK_CLOSED}, status_code=403)
        if not has_editors:
            return PlainTextResponse(DESK_CLOSED, status_code=403)
        if request.method in ("GET", "HEAD"):
            path = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
            return RedirectResponse(f"/log-in?{urlencode({'next': local_path(path)})}", status_code=303)
        return self.show_log_in(request, NOT_SAVED)


def is_from_script(request: Request) -> bool:
    """Check whether a script of a page sent a request, which can show a message, but not a page."""
    return request.headers.get("sec-fetch-dest") == "empty"


def local_path(path: str) -> str:
    """Return a path of the desk as it is, and "/" instead of anything else.

    >>> [local_path(path) for path in ("/week/2026-W07?view=text", "//x.example", "https://x.example", "/log-out")]
    ['/week/2026-W07?view=text', '/', '/', '/']
    """
    return path if _LOCAL_PATH.fullmatch(path) and not path.startswith("/log-") else "/"
