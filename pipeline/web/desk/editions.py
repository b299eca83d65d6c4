"""The pages that show: a list of weeks, one week in every form, the mail for its frame.

In: requests the guard let through. Out: HTML made from templates/web/, or an edition's very bytes. Asks the desk, and
knows neither store nor feeds; changes nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.errors import EditorFileError, NothingToPublishError, RefusedError, UsageError
from pipeline.web.desk.mail_frame import frame_html
from pipeline.web.desk.ports import EditionCache
from pipeline.web.desk.view_options import parse_view_options
from pipeline.web.desk.week import WeekContext, requested_week
from pipeline.web.security import IMAGE_SOURCES, MAIL_CSP
from pipeline.web.templating import PageTemplates

FILE_TYPES = {"html": "text/html", "txt": "text/plain", "eml": "message/rfc822"}
"""The files of an edition, as the address ends, and their media types."""
MAX_URL_LENGTH = 4096
_BETWEEN_LOOKS_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class EditionPages:
    """The handlers, around one desk. ``long_poll_seconds`` is how long a request waits for something to change."""

    cache: EditionCache
    templates: PageTemplates
    long_poll_seconds: float = 2.0

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        return [
            Route("/", self.weeks),
            Route("/week/{week}", self.week),
            Route("/week/{week}/mail", self.mail),
            Route("/week/{week}/digest.{part}", self.file),
            Route("/picture", self.image),
            Route("/mark", self.updates),
        ]

    def weeks(self, request: Request) -> Response:
        """Show the list of weeks, or what to do first."""
        with self.cache.lock:
            mark, weeks = self.cache.page_version(), self.cache.desk.weeks()
        fetching = self.cache.desk.fetch_progress()
        if weeks:
            return self.templates.render("weeks", request, mark=mark, weeks=weeks, feeds=None, fetching=fetching)
        feeds = list(self.cache.desk.feeds())
        return self.templates.render(
            "start", request, mark=mark, feeds=feeds, found=(), asked="", error="", fetching=fetching
        )

    def week(self, request: Request) -> Response:
        """Show a week in the form the query asks for; a trouble or an empty week in its place."""
        shown = WeekContext(self.cache).build(requested_week(request), parse_view_options(request.query_params))
        return self.templates.render("week", request, **shown)

    def mail(self, request: Request) -> Response:
        """Show the mail for its frame, as ``web.frame`` describes, with pictures or without."""
        look = parse_view_options(request.query_params)
        edition = self.cache.shown_edition(request.query_params.get("seen", "")) or self._edition(request)
        with self.cache.lock:
            html = frame_html(edition.html.decode(), scheme=look.scheme, is_local=self._at_hand)
        policy = MAIL_CSP.format(pictures=IMAGE_SOURCES[look.pictures])
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    def file(self, request: Request) -> Response:
        """Give the very bytes of a part: what is sealed, sent and kept."""
        kind, edition = request.path_params["part"], self._edition(request)
        if kind not in FILE_TYPES:
            raise HTTPException(404, "An edition has digest.html, digest.txt and digest.eml.")
        content = {"html": edition.html, "txt": edition.text, "eml": edition.eml}[kind]
        headers = {"Content-Security-Policy": MAIL_CSP.format(pictures=IMAGE_SOURCES["near"])}
        if kind == "eml":
            headers["Content-Disposition"] = f'attachment; filename="{edition.week}.eml"'
        return Response(content, media_type=FILE_TYPES[kind], headers=headers)

    def image(self, request: Request) -> Response:
        """Give a picture the desk has at hand. It fetches none."""
        url = request.query_params.get("url", "")
        with self.cache.lock:
            found = self.cache.desk.local_image(url) if 0 < len(url) <= MAX_URL_LENGTH else None
        if found is None or not found[0].startswith("image/"):
            raise HTTPException(404, "There is no such picture here.")
        return Response(
            found[1], media_type=found[0], headers={"Content-Security-Policy": "default-src 'none'; sandbox"}
        )

    async def updates(self, request: Request) -> Response:
        """Answer with the mark, and what is new, as soon as it differs from the one seen or when patience ends."""
        seen, until = request.query_params.get("seen", ""), monotonic() + self.long_poll_seconds
        while (mark := await run_in_threadpool(self.cache.page_version)) == seen and monotonic() < until:
            await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)
        return JSONResponse({"mark": mark, "news": await run_in_threadpool(self.cache.changes_since, seen)})

    def error(self, request: Request, error: Exception) -> Response:
        """Show an error as a page: a missing address, or what stands in the way of everything."""
        status = 409 if isinstance(error, RefusedError | EditorFileError) else 500
        if isinstance(error, HTTPException):
            status = error.status_code
        message = error.detail if isinstance(error, HTTPException) else str(error)
        message = "There is no such page." if message == "Not Found" else message
        return self.templates.render("refused", request, status=status, mark="", message=message)

    def _at_hand(self, url: str) -> bool:
        return self.cache.desk.local_image(url) is not None

    def _edition(self, request: Request) -> Edition:
        try:
            edition = self.cache.edition(requested_week(request))
        except (NothingToPublishError, UsageError) as error:
            raise HTTPException(404, str(error)) from error
        if isinstance(edition, BuildFailure):
            raise HTTPException(404, edition.message)
        return edition
