"""The pages of the preview: a list of weeks, one week in every form, the mail for its frame.

In: requests the guard let through. Out: HTML made from templates/web/, or an edition's very bytes. Asks the desk, and
knows neither store nor feeds; changes nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline.model.digest import Edition, Trouble, WeekSummary
from pipeline.model.errors import NothingToPublish, UsageError
from pipeline.model.week import Week
from pipeline.web.desk import Desk
from pipeline.web.frame import framed
from pipeline.web.guard import MAIL_POLICY, NO_PICTURES, PICTURES
from pipeline.web.letter import CLIPPED_AT_KB, LIMITS_KB, read_letter, weigh
from pipeline.web.look import CHOICES, read_look

PARTS = {"html": "text/html", "txt": "text/plain", "eml": "message/rfc822"}
"""The files of an edition, as the address ends, and their media types."""
LONGEST_URL = 4096
_BETWEEN_LOOKS_SECONDS = 0.3


def span(week: WeekSummary) -> str:
    """Write the days of a week, its last instant's day the last.

    >>> from datetime import UTC
    >>> opens = datetime(2026, 2, 23, tzinfo=UTC)
    >>> span(WeekSummary(week="2026-W09", opens_at=opens, closes_at=opens + timedelta(days=7)))
    '23 February – 1 March 2026'
    >>> span(WeekSummary(week="2026-W08", opens_at=opens - timedelta(days=7), closes_at=opens))
    '16–22 February 2026'
    """
    first, last = week.opens_at, week.closes_at - timedelta(microseconds=1)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%B %Y}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%B}{year} – {last.day} {last:%B %Y}"


def day(at: datetime) -> str:
    """Write a day as a list does.

    >>> day(datetime(2026, 2, 9))
    'Mon 9 Feb'
    """
    return f"{at:%a} {at.day} {at:%b}"


@dataclass(frozen=True, slots=True)
class Pages:
    """The handlers, around one desk. ``patience_seconds`` is how long a request waits for something to change."""

    desk: Desk
    templates: Environment
    patience_seconds: float = 2.0

    @classmethod
    def of(cls, desk: Desk, folder: Path, *, patience_seconds: float) -> Pages:
        """Join a desk to the templates in a folder."""
        loader = FileSystemLoader(folder)
        templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        templates.filters.update(span=span, day=day)
        return cls(desk, templates, patience_seconds)

    def routes(self, static: Path) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        return [
            Route("/", self.weeks),
            Route("/week/{week}", self.week),
            Route("/week/{week}/mail", self.mail),
            Route("/week/{week}/digest.{part}", self.part),
            Route("/picture", self.picture),
            Route("/mark", self.mark),
            Mount("/static", StaticFiles(directory=static)),
        ]

    def weeks(self, request: Request) -> Response:
        """Show the list of weeks, or what to do first."""
        mark = self.desk.mark()
        return self._page("weeks", mark=mark, weeks=self.desk.weeks())

    def week(self, request: Request) -> Response:
        """Show a week in the form the query asks for; a trouble or an empty week in its place."""
        week, mark = _week(request), self.desk.mark()
        weeks = self.desk.weeks()
        shown: dict[str, Any] = {"mark": mark, "week": week, "look": read_look(request.query_params)}
        shown |= _around(week, weeks) | {"choices": CHOICES, "weeks": weeks}
        try:
            edition = self.desk.edition(week)
        except NothingToPublish as reason:
            return self._page("week", **shown, edition=None, trouble=None, empty=str(reason))
        except UsageError as error:
            raise HTTPException(404, str(error)) from error
        if isinstance(edition, Trouble):
            return self._page("week", **shown, edition=None, trouble=edition, empty="")
        shown |= self._beside(edition)
        return self._page("week", **shown, edition=edition, trouble=None, empty="")

    def mail(self, request: Request) -> Response:
        """Show the mail for its frame, as ``web.frame`` describes, with pictures or without."""
        look, edition = read_look(request.query_params), self._edition(request)
        html = framed(edition.html.decode(), scheme=look.scheme, at_hand=lambda url: self.desk.picture(url) is not None)
        pictures = PICTURES if look.pictures == "on" else NO_PICTURES
        return HTMLResponse(html, headers={"Content-Security-Policy": MAIL_POLICY.format(pictures=pictures)})

    def part(self, request: Request) -> Response:
        """Give the very bytes of a part: what is sealed, sent and kept."""
        kind, edition = request.path_params["part"], self._edition(request)
        if kind not in PARTS:
            raise HTTPException(404, "An edition has digest.html, digest.txt and digest.eml.")
        content = {"html": edition.html, "txt": edition.text, "eml": edition.eml}[kind]
        headers = {"Content-Security-Policy": MAIL_POLICY.format(pictures=PICTURES)}
        if kind == "eml":
            headers["Content-Disposition"] = f'attachment; filename="{edition.week}.eml"'
        return Response(content, media_type=PARTS[kind], headers=headers)

    def picture(self, request: Request) -> Response:
        """Give a picture the desk has at hand. It fetches none."""
        url = request.query_params.get("url", "")
        found = self.desk.picture(url) if 0 < len(url) <= LONGEST_URL else None
        if found is None or not found[0].startswith("image/"):
            raise HTTPException(404, "There is no such picture here.")
        return Response(
            found[1], media_type=found[0], headers={"Content-Security-Policy": "default-src 'none'; sandbox"}
        )

    async def mark(self, request: Request) -> Response:
        """Answer with the mark as soon as it differs from the one seen, or when patience ends."""
        seen, until = request.query_params.get("seen", ""), monotonic() + self.patience_seconds
        while (mark := await run_in_threadpool(self.desk.mark)) == seen and monotonic() < until:
            await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)
        return PlainTextResponse(mark)

    def refused(self, request: Request, error: Exception) -> Response:
        """Show an error as a page: a missing address, or what stands in the way of everything."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        message = error.detail if isinstance(error, HTTPException) else str(error)
        return self._page("refused", status=status, mark="", message=message)

    def _page(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template(f"{name}.html.j2").render(values), status_code=status)

    def _edition(self, request: Request) -> Edition:
        try:
            edition = self.desk.edition(_week(request))
        except (NothingToPublish, UsageError) as error:
            raise HTTPException(404, str(error)) from error
        if isinstance(edition, Trouble):
            raise HTTPException(404, edition.message)
        return edition

    def _beside(self, edition: Edition) -> dict[str, Any]:
        return {
            "letter": read_letter(edition),
            "weight": weigh(edition.html),
            "limits": [limit for limit, _ in LIMITS_KB],
            "clipped_at": CLIPPED_AT_KB,
            "fingerprint": edition.content_hash or sha256(edition.html).hexdigest(),
            "decisions": self.desk.decisions(edition.week),
        }


def _week(request: Request) -> str:
    try:
        return str(Week.parse(request.path_params["week"]))
    except ValueError as error:
        raise HTTPException(404, "A week is named like 2026-W07.") from error


def _around(week: str, weeks: tuple[WeekSummary, ...]) -> dict[str, WeekSummary | None]:
    """Find a week's summary and its neighbours in a list that is newest first."""
    this = next((each for each in weeks if each.week == week), None)
    earlier = next((each for each in weeks if each.week < week), None)
    later = next((each for each in reversed(weeks) if each.week > week), None)
    return {"summary": this, "earlier": earlier, "later": later}
