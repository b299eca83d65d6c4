"""The sheets pages are written on: the templates, our token in every form, and notes that wait for the next page.

In: a template's name and what it shows. Out: HTML. Remembers a few sentences, and nothing else.
"""

from __future__ import annotations

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
from pipeline.web.desk.fix_links import check_title, entry_anchor, fix_link

MAX_FLASH_MESSAGES = 50


def span(week: WeekSummary) -> str:
    """Write the days of a week, its last instant's day the last.

    >>> from datetime import UTC
    >>> opens = datetime(2026, 2, 23, tzinfo=UTC)
    >>> span(WeekSummary(week="2026-W09", opens_at=opens, closes_at=opens + timedelta(days=7)))
    '23 February – 1 March 2026'
    >>> span(WeekSummary(week="2026-W08", opens_at=opens - timedelta(days=7), closes_at=opens))
    '16–22 February 2026'
    """
    return format_date_range(week.opens_at, week.closes_at - timedelta(microseconds=1))


@dataclass(frozen=True, slots=True)
class PageTemplates:
    """All templates, and the token of this process."""

    environment: Environment
    csrf_token: str = field(default_factory=lambda: token_urlsafe(24), repr=False)
    flash_messages: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_folder(cls, folder: Path) -> PageTemplates:
        """Take the templates in a folder."""
        loader = FileSystemLoader(folder)
        templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        templates.filters.update(
            span=span, day=format_short_day, moment=format_datetime, anchor=entry_anchor, called=check_title
        )
        templates.globals.update(way=fix_link)
        return cls(templates)

    def render(self, name: str, request: Request, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Write a page, with the note it was sent to with."""
        note = self.flash_messages.get(request.query_params.get("note", ""), "")
        html = self.environment.get_template(f"{name}.html.j2").render(csrf=self.csrf_token, note=note, **values)
        return HTMLResponse(html, status_code=status)

    def redirect(self, address: str, message: str = "", fragment: str = "") -> Response:
        """Send the browser on (303, so that a reload does nothing twice), with a sentence to be shown there.

        ``place`` is where on the page to.
        """
        if message:
            key = token_urlsafe(6)
            self.flash_messages[key] = message
            for old in list(self.flash_messages)[:-MAX_FLASH_MESSAGES]:
                del self.flash_messages[old]
            address += f"{'&' if '?' in address else '?'}note={key}"
        return RedirectResponse(f"{address}#{fragment}" if fragment else address, status_code=303)
