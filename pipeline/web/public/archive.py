"""Sent editions as pages, at ``/archive/WEEK``: where "Read in your browser" leads.

An edition that was not sent, or not yet, has no page. Search engines are asked to leave them out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.model.message import without_personal_links
from pipeline.web.public.audience import LiveAudience
from pipeline.web.security import IMAGE_SOURCES, MESSAGE_CSP

CACHE_SECONDS = 600
_WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}")
_STATES = ("sending", "sent")


@dataclass(frozen=True, slots=True)
class ArchivePages:
    """Handlers of sent editions."""

    live: LiveAudience

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        return [Route("/archive/{week}", self.show, methods=["GET"])]

    def show(self, request: Request) -> Response:
        """Show an edition as it was sealed, without the links that belong to one subscriber."""
        week, editions = str(request.path_params["week"]), self.live.current().context.store.editions
        is_sent = _WEEK.fullmatch(week) and editions.get(week).state in _STATES
        sealed = editions.sealed(week) if is_sent else None
        if sealed is None:
            raise HTTPException(404)
        headers = {
            "Cache-Control": f"public, max-age={CACHE_SECONDS}",
            "Content-Security-Policy": MESSAGE_CSP.format(images=IMAGE_SOURCES["all"]),
        }
        return HTMLResponse(without_personal_links(sealed.edition.html.decode()), headers=headers)
