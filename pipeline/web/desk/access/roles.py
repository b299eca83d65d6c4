"""Rights of editors who may not approve: to edit, and nothing else.

It is decided by the path that a form is posted to. What is not listed needs the right to approve, so that a new form is
closed until it is listed.
"""

from __future__ import annotations

import re

from starlette.requests import Request

from pipeline.web.sessions import current_session, session_of

EDITING = re.compile(r"/(log-out|sessions|fetch|links|pictures)|/week/[^/]+/(edit|story|story-text|undo|link-check)")
"""Paths that all editors may post to."""
ACTIONS = re.compile(r"/week/[^/]+/actions")
"""Paths that decide by the button, see ``action_refusal``."""
FOR_ALL_EDITORS = ("test",)
"""The buttons of ``/actions`` for all editors."""
_CLOSED_PAGES = re.compile(r"/(feeds|settings|subscribers)(/.*)?|/week/[^/]+/(deliveries|corrections)")
"""Pages whose forms need the right to approve."""


def request_refusal(request: Request) -> str:
    """Return why a request is refused because of the role of its editor; empty if it is not."""
    session = session_of(request)
    path, is_read = request.url.path, request.method in ("GET", "HEAD")
    if session is None or is_read or EDITING.fullmatch(path) or ACTIONS.fullmatch(path):
        return ""
    return session.refusal


def action_refusal(request: Request, action: str) -> str:
    """Return why a button of ``/actions`` is refused; empty if it is not."""
    session = session_of(request)
    return session.refusal if session and action not in FOR_ALL_EDITORS else ""


def form_refusal(path: str) -> str:
    """Return why a form that is posted to a path would be refused; empty if not. A filter of templates.

    Those of ``/actions`` are, but for the buttons of ``FOR_ALL_EDITORS``.
    """
    session = current_session()
    return session.refusal if session and not EDITING.fullmatch(path) else ""


def page_refusal(path: str) -> str:
    """Return why the forms of the page at a path are disabled; empty if they are not. A filter of templates."""
    session = current_session()
    return session.refusal if session and _CLOSED_PAGES.fullmatch(path) else ""
