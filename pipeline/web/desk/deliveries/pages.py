"""The pages of deliveries: who would get an edition, what became of it, and a comparison of editions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.jobs.deliveries.numbers import EditionNumbers
from pipeline.jobs.deliveries.recipients import NO_VARIANT
from pipeline.model.delivery import FailureReason
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.errors import NothingToPublishError, PipelineError, UsageError
from pipeline.model.subscriber import DISPLAY_STATES
from pipeline.model.week import Week
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.deliveries.service import FILTERS, PAGE_ROWS, RETRIED_REASONS
from pipeline.web.desk.week import ViewOptions, WeekContext, requested_week
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates

CHANGES = ("pause", "resume", "cancel")
SETTLEMENTS = ("retry", "accept", "repeat")
BAR_WIDTH, PLOT_HEIGHT = 20, 100
"""In units of the plot’s view box; the width is that of a bar and the gap beside it."""
LOSSES = ("bounced", "complained", "left")
MAX_ID_DIGITS = 15
_VARIANTS = {"whole": "the whole edition", "monthly": "the best of the month"}
_LEFT_OUT = {
    NO_VARIANT: "not interested in its topics",
    "unconfirmed": "not confirmed",
    "left": "unsubscribed",
}
_FAILURES: dict[FailureReason, str] = {
    "refused": "refused by the recipient’s server",
    "expired": "not accepted in time",
    "message": "message refused",
    "unsubscribed": "unsubscribed meanwhile",
    "paused": "paused meanwhile",
    "suppressed": "suppressed meanwhile",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle of a plot."""

    name: str
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BarPlot:
    """Bars by edition, the oldest first; those of one edition stand on each other."""

    width: int
    highest: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class DeliveryPages:
    """Handlers of the pages of deliveries."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        token = self.templates.csrf_token
        return [
            Route("/deliveries", self.compare),
            Route("/week/{week}/recipients", self.recipients),
            Route("/week/{week}/deliveries", self.show, methods=["GET"]),
            Route("/week/{week}/deliveries", form_endpoint(self.submit, token), methods=["POST"]),
        ]

    def compare(self, request: Request) -> Response:
        """Show what became of the newest editions, as plots and as a table."""
        with self.cache.lock:
            version, editions = self.cache.page_version(), self.cache.desk.deliveries.newest_numbers()
            weeks = {summary.week: summary for summary in self.cache.weeks()}
        return self.templates.render(
            "editions",
            request,
            page_version=version,
            editions=editions,
            weeks=weeks,
            sent=bar_plot(editions, ["sent"]),
            losses=bar_plot(editions, LOSSES),
            has_delivered=any("delivered" in edition.figures for edition in editions),
        )

    def recipients(self, request: Request) -> Response:
        """Show who would get an edition, and why others get nothing."""
        week, query, service = requested_week(request), request.query_params, self.cache.desk.deliveries
        with self.cache.lock:
            context = WeekContext(self.cache).navigation(week)
            edition = self._edition(week)
            card = service.of_edition(week, edition)
            state, search = query.get("state", ""), query.get("search", "")
            rows = service.recipients(edition, state, search, _number(query.get("before", "")))
        if card is None or card.recipients is None:
            raise HTTPException(404, f"The recipients of {week} are decided: see its deliveries.")
        more = rows[PAGE_ROWS - 1].subscriber.id if len(rows) > PAGE_ROWS else None
        context |= {"recipients": card.recipients, "rows": rows[:PAGE_ROWS], "next_before": more}
        return self.templates.render(
            "recipients", request, **context, states=DISPLAY_STATES, state=state, search=search
        )

    def show(self, request: Request) -> Response:
        """Show the deliveries of an edition that somebody has to decide about, or others."""
        return self._list(request)

    def submit(self, request: Request, form: Form) -> Response:
        """Pause, resume or cancel the sending, or settle deliveries."""
        week, service, action = requested_week(request), self.cache.desk.deliveries, form["do"]
        try:
            with self.cache.lock:
                if action in CHANGES:
                    key = (week, _number(form["correction"]) or 0)
                    return self.templates.redirect(f"/week/{week}", service.change(key, action), "delivery")
                if action in SETTLEMENTS:
                    number = (_number(form["delivery"]) or 0) if "delivery" in form.fields else None
                    done = service.settle(Week.parse(week), action, number)
                    return self.templates.redirect(f"/week/{week}/deliveries", done)
        except PipelineError as error:
            if action in SETTLEMENTS:
                return self._list(request, error=str(error), status=409)
            context = WeekContext(self.cache).build(week, ViewOptions(), error=str(error))
            return self.templates.render("week", request, status=409, **context)
        raise HTTPException(400, "Use the buttons on the page.")

    def _list(self, request: Request, *, error: str = "", status: int = 200) -> Response:
        week, query, service = requested_week(request), request.query_params, self.cache.desk.deliveries
        state = query.get("state", "")
        state = state if state in FILTERS else ""
        with self.cache.lock:
            context = WeekContext(self.cache).navigation(week)
            try:
                numbers = service.numbers(week)
            except UsageError as missing:
                raise HTTPException(404, str(missing)) from missing
            links = service.link_clicks(week)
            rows = service.page(week, state, _number(query.get("after", "")) or 0)
        context |= {
            "numbers": numbers,
            "links": links,
            "filters": {name: label for name, (label, _) in FILTERS.items()},
            "state": state,
            "rows": rows[:PAGE_ROWS],
            "next_after": rows[PAGE_ROWS - 1].id if len(rows) > PAGE_ROWS else None,
            "retried_reasons": RETRIED_REASONS,
            "error": error,
        }
        return self.templates.render("deliveries", request, status=status, **context)

    def _edition(self, week: str) -> Edition:
        try:
            edition = self.cache.edition(week)
        except (NothingToPublishError, UsageError) as error:
            raise HTTPException(404, str(error)) from error
        if isinstance(edition, BuildFailure):
            raise HTTPException(404, edition.message)
        return edition


def variant_name(name: str) -> str:
    """Return the name of a variant in words.

    >>> variant_name("posts-links"), variant_name("whole")
    ('posts, links', 'the whole edition')
    """
    return _VARIANTS.get(name, name.replace("-", ", "))


def left_out(reason: str) -> str:
    """Return why a subscriber gets nothing, after a number."""
    return _LEFT_OUT.get(reason, reason)


def failure_reason(reason: FailureReason) -> str:
    """Return why a delivery failed, after a number."""
    return _FAILURES.get(reason, reason)


def bar_plot(editions: Sequence[EditionNumbers], names: Sequence[str]) -> BarPlot | None:
    """Return the plot of some figures of editions, which come newest first; None if all are 0."""
    highest = max((sum(edition.figures.get(name, 0) for name in names) for edition in editions), default=0)
    if not highest:
        return None
    bars: list[Bar] = []
    for position, edition in enumerate(reversed(editions)):
        top = float(PLOT_HEIGHT)
        for name in names:
            height = round(PLOT_HEIGHT * edition.figures.get(name, 0) / highest, 2)
            if height:
                top -= height
                bars.append(Bar(name=name, x=position * BAR_WIDTH, y=round(top, 2), height=height))
    return BarPlot(width=len(editions) * BAR_WIDTH, highest=highest, bars=tuple(bars))


def _number(text: str) -> int | None:
    """Return the number of a row in a query or a form; None for any other text."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= MAX_ID_DIGITS else None
