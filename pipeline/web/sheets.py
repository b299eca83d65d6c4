"""The sheets pages are written on: the templates, our token in every form, and notes that wait for the next page.

In: a template's name and what it shows. Out: HTML. Remembers a few sentences, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pipeline.model.digest import WeekSummary
from pipeline.web.mending import anchor, called, way

NOTES_MOST = 50


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


def moment(at: datetime) -> str:
    """Write a day and a time.

    >>> moment(datetime(2026, 2, 9, 8, 5))
    'Mon 9 Feb 2026, 08:05'
    """
    return f"{day(at)} {at:%Y, %H:%M}"


@dataclass(frozen=True, slots=True)
class Sheets:
    """All templates, and the token of this process."""

    templates: Environment
    token: str = field(default_factory=lambda: token_urlsafe(24), repr=False)
    notes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Sheets:
        """Take the templates in a folder."""
        loader = FileSystemLoader(folder)
        templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        templates.filters.update(span=span, day=day, moment=moment, anchor=anchor, called=called)
        templates.globals.update(way=way)
        return cls(templates)

    def page(self, name: str, request: Request, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Write a page, with the note it was sent to with."""
        note = self.notes.get(request.query_params.get("note", ""), "")
        html = self.templates.get_template(f"{name}.html.j2").render(csrf=self.token, note=note, **values)
        return HTMLResponse(html, status_code=status)

    def go(self, address: str, note: str = "", place: str = "") -> Response:
        """Send the browser on (303, so that a reload does nothing twice), with a sentence to be shown there.

        ``place`` is where on the page to.
        """
        if note:
            key = token_urlsafe(6)
            self.notes[key] = note
            for old in list(self.notes)[:-NOTES_MOST]:
                del self.notes[old]
            address += f"{'&' if '?' in address else '?'}note={key}"
        return RedirectResponse(f"{address}#{place}" if place else address, status_code=303)
