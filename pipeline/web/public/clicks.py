"""Counted links of editions, at ``/to/WEEK/TAG``: each leads on to the address that was sealed, and to no other.

Neither the database nor anything else that counting needs delays the answer: a click that cannot be recorded is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.jobs.deliveries.clicks import record_click
from pipeline.model.counted_link import COUNTED_PATH
from pipeline.model.schedule import Clock
from pipeline.web.public.access import visitor_of
from pipeline.web.public.audience import LiveAudience
from pipeline.web.public.writer import Writer

MAX_WAITING = 200
"""How many changes may wait to be written; with more, clicks are not recorded."""
_WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}")
_TAG = re.compile(r"[0-9a-f]{16}")
_PREFETCH = ("purpose", "sec-purpose", "x-moz", "x-purpose")
_PROGRAM = re.compile(r"(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|whatsapp/", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickPages:
    """Handlers of counted links."""

    live: LiveAudience
    clock: Clock
    writer: Writer

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [Route(f"{COUNTED_PATH}/{{week}}/{{tag}}", self.follow, methods=["GET"])]

    def follow(self, request: Request) -> Response:
        """Lead to the address of a link, and count the click if clicks are counted and a person may have made it."""
        audience, now = self.live.current(), self.clock()
        store, week, tag = audience.context.store, str(request.path_params["week"]), str(request.path_params["tag"])
        link = store.clicks.find(week, tag) if _WEEK.fullmatch(week) and _TAG.fullmatch(tag) else None
        if link is None:
            raise HTTPException(404)
        is_click = link.is_canary or (request.method == "GET" and may_be_person(request.headers))
        if is_click and audience.app.config.delivery.count_links and self.writer.waiting < MAX_WAITING:
            visitor = visitor_of(request, audience)
            self.writer.submit(store, lambda: record_click(store, week, link, visitor, now))
        return RedirectResponse(link.url, status_code=302)


def may_be_person(headers: Headers) -> bool:
    """Check whether a request may be a click: not of a browser that prefetches, or a program that says what it is.

    >>> agent = "Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0"
    >>> [may_be_person(Headers({"user-agent": agent} | more)) for more in ({}, {"sec-purpose": "prefetch;prerender"})]
    [True, False]
    >>> [may_be_person(Headers({"user-agent": name})) for name in ("Slackbot-LinkExpanding 1.0", "")]
    [False, False]
    """
    agent = headers.get("user-agent", "")
    return bool(agent) and not _PROGRAM.search(agent) and not any(headers.get(name) for name in _PREFETCH)
