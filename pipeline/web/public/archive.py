"""Sent editions and their corrections as pages, at ``/archive/WEEK``: where "Read in your browser" leads.

An edition that was not sent, or not yet, has no page. Above one that was corrected stands what was wrong. Search
engines are asked to leave them out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.digest.render.proof_banner import prepend_html
from pipeline.jobs.deliveries.copies import archive_path
from pipeline.jobs.editor.pictures import PictureFolder
from pipeline.model.correction import Correction
from pipeline.model.digest import Edition
from pipeline.model.message import without_personal_links
from pipeline.text.markdown import to_html
from pipeline.text.picture_references import FOLDER
from pipeline.web.public.audience import Audience, LiveAudience
from pipeline.web.public.rendering import Page
from pipeline.web.security import IMAGE_SOURCES, MESSAGE_CSP

CACHE_SECONDS = 600
_WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}")
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_STATES = ("sending", "sent")


@dataclass(frozen=True, slots=True)
class ArchivePages:
    """Handlers of sent editions."""

    live: LiveAudience

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        return [
            Route("/archive/{week}", self.show, methods=["GET"]),
            Route("/pictures/{name}", self.picture, methods=["GET"]),
            Route("/archive/{week}/corrections/{number}", self.show_correction, methods=["GET"]),
        ]

    def show(self, request: Request) -> Response:
        """Show an edition as it was sealed, below the notes of its corrections."""
        audience, week = self.live.current(), str(request.path_params["week"])
        store = audience.context.store
        is_sent = _WEEK.fullmatch(week) and store.editions.get(week).state in _STATES
        sealed = store.editions.sealed(week) if is_sent else None
        if sealed is None:
            raise HTTPException(404)
        corrections = [one for one in store.corrections.of_week(week) if one.is_out]
        return _page(sealed.edition, _notes(audience, corrections) if corrections else "")

    def picture(self, request: Request) -> Response:
        """Return an uploaded picture. Its name follows from its content, so it is cached for ever."""
        name = str(request.path_params["name"])
        content = PictureFolder(folder=self.live.current().app.editions_folder).read(f"{FOLDER}/{name}")
        if content is None:
            raise HTTPException(404)
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",  # mail programs in browsers show it
        }
        return Response(content, media_type="image/png" if name.endswith(".png") else "image/jpeg", headers=headers)

    def show_correction(self, request: Request) -> Response:
        """Show a correction as it was sealed."""
        week, number = str(request.path_params["week"]), str(request.path_params["number"])
        corrections = self.live.current().context.store.corrections
        known = corrections.of_week(week) if _WEEK.fullmatch(week) and _NUMBER.fullmatch(number) else []
        correction = next((one for one in known if one.is_out and one.number == int(number)), None)
        sealed = corrections.sealed(*correction.key) if correction else None
        if sealed is None:
            raise HTTPException(404)
        return _page(sealed.edition)


def _page(edition: Edition, notes_html: str = "") -> Response:
    """Return the page of what was sealed, without the links that belong to one subscriber."""
    headers = {
        "Cache-Control": f"public, max-age={CACHE_SECONDS}",
        "Content-Security-Policy": MESSAGE_CSP.format(images=IMAGE_SOURCES["all"]),
    }
    html = without_personal_links(edition.html.decode())
    return HTMLResponse(prepend_html(html, notes_html) if notes_html else html, headers=headers)


def _notes(audience: Audience, corrections: Sequence[Correction]) -> str:
    """Return the note and the date of each correction, in the language of the publication, as HTML."""
    publication = audience.publication
    translator, zone = Page(audience, publication.language).translator, ZoneInfo(publication.timezone)
    rows = [
        {
            "heading": translator.gettext(
                "Corrected on {date}", date=translator.format_date(one.changed_at.astimezone(zone))
            ),
            "note_html": to_html(one.text_md),
            "url": archive_path(*one.key),
        }
        for one in corrections
    ]
    template = audience.templates.get_template("parts/corrections.html.j2")
    link = translator.gettext("Read the corrected edition")
    return template.render(corrections=rows, link=link, language=publication.language, translator=translator)
