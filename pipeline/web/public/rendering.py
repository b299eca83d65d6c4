"""Pages in the language of the visitor. All words are arguments of ``gettext``, here or in the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from pipeline.digest.render.translations import translator_for
from pipeline.digest.render.translator import LANGUAGES, Translator
from pipeline.model.subscriber import Subscriber
from pipeline.web.public.audience import Audience

LANGUAGE_FIELD = "language"
_MAX_HEADER_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button or a link below the text of a page."""

    label: str
    url: str = ""
    """Where it leads; empty for a button that posts to the page itself."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to be rendered for one request, in one language."""

    audience: Audience
    language: str
    """BCP 47."""

    @property
    def translator(self) -> Translator:
        """The translator of its language."""
        return translator_for(self.language)

    def render(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a rendered template of ``templates/public``."""
        translator, publication = self.translator, self.audience.publication
        html = self.audience.templates.get_template(f"{template}.html.j2").render(
            gettext=translator.gettext,
            translator=translator,
            page_language=translator.language if translator.is_translated else "en",
            publication=publication,
            publication_name=translator.isolate(publication.name),
            public_url=self.audience.public_url,
            contact=self.audience.contact,
            stylesheet=f"/static/style.css?v={self.audience.stylesheet_version}",
            **values,
        )
        return HTMLResponse(html, status_code=status, headers={"Content-Language": self.language})

    def message(self, heading: str, *texts: str, status: int = 200, actions: Sequence[Action] = ()) -> HTMLResponse:
        """Return a page that says something."""
        return self.render("message", status=status, heading=heading, texts=texts, actions=actions)


def visitor_page(request: Request, audience: Audience, chosen: str = "") -> Page:
    """Return a page for somebody unknown: in the language that a form has ``chosen``, else in one that they accept."""
    chosen = chosen or request.query_params.get(LANGUAGE_FIELD, "")
    own = audience.publication.language
    accepted = [chosen] if chosen else accepted_languages(request.headers.get("accept-language", ""))
    return Page(audience, choose_language(accepted, own))


def person_page(audience: Audience, subscriber: Subscriber) -> Page:
    """Return a page for a subscriber, in the language of their mails."""
    return Page(audience, choose_language([subscriber.language], audience.publication.language))


def accepted_languages(header: str) -> list[str]:
    """Return the tags of an ``Accept-Language`` header (RFC 9110, 12.5.4), the preferred first.

    >>> accepted_languages("fr-CH, fr;q=0.9, en;q=0.8, de;q=0, *;q=0.5")
    ['fr-CH', 'fr', 'en']
    """
    weighted = []
    for part in header[:_MAX_HEADER_CHARS].split(","):
        tag, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=") or "1"
        number = float(weight) if weight.replace(".", "", 1).isdecimal() and weight.isascii() else 0.0
        if tag.strip() not in ("", "*") and number > 0:
            weighted.append((number, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]


def choose_language(accepted: Sequence[str], own: str) -> str:
    """Return the language of a page: that of the publication if it is accepted, else the first that we have.

    The newsletter comes in its own language in any case, so a visitor who reads that language sees no mixture.

    >>> choose_language(["de", "en;"], "en-GB"), choose_language(["fr-CH", "de"], "en-GB"), choose_language([], "en-GB")
    ('de', 'fr', 'en-GB')
    """
    primary = [tag.split("-")[0].lower() for tag in accepted]
    if own.split("-")[0].lower() in primary:
        return own
    return next((language for language in primary if language in LANGUAGES), own)
