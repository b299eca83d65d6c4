"""The pages of subscribers: numbers and growth, a list to search, one person's history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.audience.receipt import BASIS_NAMES, EVENT_NAMES
from pipeline.model.errors import PipelineError, UsageError
from pipeline.model.subscriber import DISPLAY_STATES, Subscriber, SubscriptionEvent
from pipeline.web.desk.audience.service import PAGE_ROWS
from pipeline.web.desk.cache import EditionCache
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.security import IMAGE_SOURCES, MESSAGE_CSP
from pipeline.web.templating import PageTemplates

MAX_NUMBER = 2**63
"""Larger ones are no numbers of rows."""
PLOT_WIDTH, PLOT_HEIGHT = 640, 160
"""In units of the plot's view box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """The curve of a number by day, as points of an SVG polyline."""

    line: str
    area: str
    """The line, closed along the bottom."""
    low: int
    high: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class SubscriberPages:
    """Handlers of the pages of subscribers."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        token = self.templates.csrf_token
        return [
            Route("/subscribers", self.show, methods=["GET"]),
            Route("/subscribers", form_endpoint(self.submit, token), methods=["POST"]),
            Route("/subscribers/forms/{form}", self.show_form, methods=["GET"]),
            Route("/subscribers/{number:int}", self.show_person, methods=["GET"]),
            Route("/subscribers/{number:int}", form_endpoint(self.change_person, token), methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the numbers, and the subscribers that a search finds."""
        return self._page(request)

    def submit(self, request: Request, form: Form) -> Response:
        """Invite somebody, or suppress an address."""
        service = self.cache.desk.subscribers
        try:
            action = service.suppress if form["do"] == "suppress" else service.invite
            return self.templates.redirect("/subscribers", action(form["address"]))
        except PipelineError as error:
            return self._page(request, address=form["address"], error=str(error), status=409)

    def show_form(self, request: Request) -> Response:
        """Show a sign-up form without a stylesheet, for a frame. It cannot be submitted."""
        service, form_id = self.cache.desk.subscribers, request.path_params["form"]
        if form_id not in service.form_ids() or not service.open_context().public_url:
            raise HTTPException(404, "There is no such form.")
        page = self.templates.render("form_preview", request, form=service.embed_html(form_id))
        page.headers["Content-Security-Policy"] = MESSAGE_CSP.format(images=IMAGE_SOURCES["none"])
        return page

    def show_person(self, request: Request) -> Response:
        """Show one person's history."""
        return self._person_page(request)

    def change_person(self, request: Request, form: Form) -> Response:
        """Suppress a person, lift that, or erase them."""
        service, number = self.cache.desk.subscribers, request.path_params["number"]
        subscriber, _ = self._person(request)
        try:
            if form["do"] == "erase":
                if form["sure"] != "yes":
                    raise UsageError("Tick the box first: erasing cannot be undone.")
                return self.templates.redirect("/subscribers", service.erase(subscriber.address))
            action = service.lift if form["do"] == "lift" else service.suppress
            return self.templates.redirect(f"/subscribers/{number}", action(subscriber.address))
        except PipelineError as error:
            return self._person_page(request, error=str(error), status=409)

    def _page(self, request: Request, *, address: str = "", error: str = "", status: int = 200) -> Response:
        service, query = self.cache.desk.subscribers, request.query_params
        before = query.get("before", "")
        before_id = int(before) if before.isdecimal() and len(before) < 16 else None
        rows = service.page(query.get("state", ""), query.get("search", ""), before_id)
        overview = service.overview()
        return self.templates.render(
            "subscribers",
            request,
            status=status,
            page_version=self.cache.page_version(),
            overview=overview,
            plot=plot(overview.growth),
            states=DISPLAY_STATES,
            state=query.get("state", ""),
            search=query.get("search", ""),
            rows=rows[:PAGE_ROWS],
            next_before=rows[PAGE_ROWS - 1].id if len(rows) > PAGE_ROWS else None,
            now=service.clock(),
            address=address,
            error=error,
        )

    def _person(self, request: Request) -> tuple[Subscriber, Sequence[SubscriptionEvent]]:
        number = request.path_params["number"]
        try:
            return self.cache.desk.subscribers.person(number if number < MAX_NUMBER else 0)
        except UsageError as error:
            raise HTTPException(404, str(error)) from error

    def _person_page(self, request: Request, *, error: str = "", status: int = 200) -> Response:
        subscriber, events = self._person(request)
        return self.templates.render(
            "subscriber",
            request,
            status=status,
            page_version=self.cache.page_version(),
            person=subscriber,
            state=subscriber.display_state(self.cache.desk.subscribers.clock()),
            basis=BASIS_NAMES[subscriber.basis] if subscriber.basis else "",
            events=events,
            event_names=EVENT_NAMES,
            error=error,
        )


def plot(growth: Sequence[tuple[date, int]]) -> Plot | None:
    """Return the curve of a number by day; None if it was always 0."""
    values = [value for _, value in growth]
    if not any(values):
        return None
    low, high = min(values), max(values)
    span = max(high - low, 1)
    step = PLOT_WIDTH / max(len(values) - 1, 1)
    points = [
        f"{number * step:.1f},{PLOT_HEIGHT - 8 - (PLOT_HEIGHT - 16) * (value - low) / span:.1f}"
        for number, value in enumerate(values)
    ]
    line = " ".join(points)
    area = f"0,{PLOT_HEIGHT} {line} {PLOT_WIDTH},{PLOT_HEIGHT}"
    return Plot(line=line, area=area, low=low, high=high, first_day=growth[0][0], last_day=growth[-1][0])
