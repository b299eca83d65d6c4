"""The session of a request: its editor, its CSRF token and its cookie."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from pipeline.app import user_name
from pipeline.model.editor import ActiveSession

DESK_COOKIE = "desk"
"""Session cookie of the desk behind the daemon. Browsers share cookies between ports, so the preview has another."""
_STATE_KEY = "session"
_current: ContextVar[ActiveSession | None] = ContextVar("session", default=None)


def enter_session(request: Request, session: ActiveSession) -> None:
    """Make a session that of a request, and of what the current task or thread does from now on."""
    request.scope.setdefault("state", {})[_STATE_KEY] = session
    _current.set(session)


def session_of(request: Request) -> ActiveSession | None:
    """Return the session of a request; None on pages without log-in, such as those of the preview."""
    session = request.scope.get("state", {}).get(_STATE_KEY)
    return session if isinstance(session, ActiveSession) else None


def current_session() -> ActiveSession | None:
    """Return the session of the request that is handled here; a handler's thread starts with a copy of its context."""
    return _current.get()


def current_actor() -> str:
    """Return who does what this request does: the editor who is logged in, else the user who runs the program."""
    session = current_session()
    return session.editor.name if session else user_name()


def csrf_token_of(request: Request, process_token: str) -> str:
    """Return the CSRF token of a request's forms: that of its session, else that of this process."""
    session = session_of(request)
    return session.csrf_token if session else process_token


def set_session_cookie(response: Response, secret: str, lifetime: timedelta, *, is_https: bool) -> None:
    """Set the cookie with the secret of a session: hidden from scripts, and not sent from other sites."""
    response.set_cookie(
        DESK_COOKIE,
        secret,
        max_age=int(lifetime.total_seconds()),
        secure=is_https,
        httponly=True,
        samesite="lax",
    )
