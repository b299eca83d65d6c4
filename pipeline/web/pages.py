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

from pipeline.model.digest import Edition, Trouble
from pipeline.model.errors import EditorFileError, NothingToPublish, Refused, UsageError
from pipeline.web.desk import Memory
from pipeline.web.frame import framed
from pipeline.web.guard import MAIL_POLICY, PICTURES
from pipeline.web.look import read_look
from pipeline.web.sheets import Sheets
from pipeline.web.week import WeekPage, week_of

PARTS = {"html": "text/html", "txt": "text/plain", "eml": "message/rfc822"}
"""The files of an edition, as the address ends, and their media types."""
LONGEST_URL = 4096
_BETWEEN_LOOKS_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Pages:
    """The handlers, around one desk. ``patience_seconds`` is how long a request waits for something to change."""

    memory: Memory
    sheets: Sheets
    patience_seconds: float = 2.0

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        return [
            Route("/", self.weeks),
            Route("/week/{week}", self.week),
            Route("/week/{week}/mail", self.mail),
            Route("/week/{week}/digest.{part}", self.part),
            Route("/picture", self.picture),
            Route("/mark", self.mark),
        ]

    def weeks(self, request: Request) -> Response:
        """Show the list of weeks, or what to do first."""
        with self.memory.alone:
            mark, weeks = self.memory.mark(), self.memory.desk.weeks()
        fetching = self.memory.desk.fetching()
        if weeks:
            return self.sheets.page("weeks", request, mark=mark, weeks=weeks, feeds=None, fetching=fetching)
        feeds = list(self.memory.desk.feeds())
        return self.sheets.page(
            "start", request, mark=mark, feeds=feeds, found=(), asked="", error="", fetching=fetching
        )

    def week(self, request: Request) -> Response:
        """Show a week in the form the query asks for; a trouble or an empty week in its place."""
        shown = WeekPage(self.memory).values(week_of(request), read_look(request.query_params))
        return self.sheets.page("week", request, **shown)

    def mail(self, request: Request) -> Response:
        """Show the mail for its frame, as ``web.frame`` describes, with pictures or without."""
        look = read_look(request.query_params)
        edition = self.memory.seen(request.query_params.get("seen", "")) or self._edition(request)
        with self.memory.alone:
            html = framed(edition.html.decode(), scheme=look.scheme, at_hand=self._at_hand)
        policy = MAIL_POLICY.format(pictures=PICTURES[look.pictures])
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    def part(self, request: Request) -> Response:
        """Give the very bytes of a part: what is sealed, sent and kept."""
        kind, edition = request.path_params["part"], self._edition(request)
        if kind not in PARTS:
            raise HTTPException(404, "An edition has digest.html, digest.txt and digest.eml.")
        content = {"html": edition.html, "txt": edition.text, "eml": edition.eml}[kind]
        headers = {"Content-Security-Policy": MAIL_POLICY.format(pictures=PICTURES["near"])}
        if kind == "eml":
            headers["Content-Disposition"] = f'attachment; filename="{edition.week}.eml"'
        return Response(content, media_type=PARTS[kind], headers=headers)

    def picture(self, request: Request) -> Response:
        """Give a picture the desk has at hand. It fetches none."""
        url = request.query_params.get("url", "")
        with self.memory.alone:
            found = self.memory.desk.picture(url) if 0 < len(url) <= LONGEST_URL else None
        if found is None or not found[0].startswith("image/"):
            raise HTTPException(404, "There is no such picture here.")
        return Response(
            found[1], media_type=found[0], headers={"Content-Security-Policy": "default-src 'none'; sandbox"}
        )

    async def mark(self, request: Request) -> Response:
        """Answer with the mark, and what is new, as soon as it differs from the one seen or when patience ends."""
        seen, until = request.query_params.get("seen", ""), monotonic() + self.patience_seconds
        while (mark := await run_in_threadpool(self.memory.mark)) == seen and monotonic() < until:
            await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)
        return JSONResponse({"mark": mark, "news": await run_in_threadpool(self.memory.news, seen)})

    def refused(self, request: Request, error: Exception) -> Response:
        """Show an error as a page: a missing address, or what stands in the way of everything."""
        status = 409 if isinstance(error, Refused | EditorFileError) else 500
        if isinstance(error, HTTPException):
            status = error.status_code
        message = error.detail if isinstance(error, HTTPException) else str(error)
        message = "There is no such page." if message == "Not Found" else message
        return self.sheets.page("refused", request, status=status, mark="", message=message)

    def _at_hand(self, url: str) -> bool:
        return self.memory.desk.picture(url) is not None

    def _edition(self, request: Request) -> Edition:
        try:
            edition = self.memory.edition(week_of(request))
        except (NothingToPublish, UsageError) as error:
            raise HTTPException(404, str(error)) from error
        if isinstance(edition, Trouble):
            raise HTTPException(404, edition.message)
        return edition
