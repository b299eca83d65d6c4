"""The pages' templates, with a CSRF token for every form and messages that survive one redirect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pipeline.model.digest import WeekSummary
from pipeline.text.format import format_date_range, format_datetime, format_short_day
from pipeline.web.sessions import csrf_token_of, session_of

MAX_FLASH_MESSAGES = 50


@dataclass(frozen=True, slots=True)
class PageTemplates:
    """A folder of templates, with this process's CSRF token and pending messages."""

    environment: Environment
    csrf_token: str = field(default_factory=lambda: token_urlsafe(24), repr=False)
    flash_messages: dict[str, str] = field(default_factory=dict)
    navigation: Callable[[Request], object] | None = None
    """Returns what ``layout.html.j2`` shows at the top of a page; None for pages that do not extend it."""

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        navigation: Callable[[Request], object] | None = None,
        **filters: Callable[..., object],
    ) -> PageTemplates:
        """Return the templates in ``folder``, with more ``filters`` for dates and those given."""
        environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            week_span=_week_span, short_day=format_short_day, day_and_time=format_datetime, **filters
        )
        return cls(environment, navigation=navigation)

    def render(self, name: str, request: Request, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Return a rendered page, with the message of the redirect that led to it.

        Besides ``context`` a template has ``session``, if somebody is logged in, and ``role_refusal``: why they may not
        do what needs the right to approve, empty if they may.
        """
        message = self.flash_messages.get(request.query_params.get("message", ""), "")
        template = self.environment.get_template(f"{name}.html.j2")
        navigation = self.navigation(request) if self.navigation else None
        session = session_of(request)
        html = template.render(
            csrf_token=csrf_token_of(request, self.csrf_token),
            message=message,
            navigation=navigation,
            session=session,
            role_refusal=session.refusal if session else "",
            path=request.url.path,
            **context,
        )
        return HTMLResponse(html, status_code=status)

    def redirect(self, path: str, message: str = "", fragment: str = "") -> Response:
        """Return a redirect (303, so that a reload does not post again); the next page shows ``message``."""
        if message:
            key = token_urlsafe(6)
            self.flash_messages[key] = message
            for outdated in list(self.flash_messages)[:-MAX_FLASH_MESSAGES]:
                del self.flash_messages[outdated]
            path += f"{'&' if '?' in path else '?'}message={key}"
        return RedirectResponse(f"{path}#{fragment}" if fragment else path, status_code=303)


def _week_span(week: WeekSummary) -> str:
    """Return the first and the last day of a week; the last day is that of its last instant."""
    return format_date_range(week.opens_at, week.closes_at - timedelta(microseconds=1))
