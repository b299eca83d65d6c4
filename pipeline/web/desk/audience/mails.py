"""The page that previews the mails to one person: each kind, for each form, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.digest.render.person_mail import RenderedMail
from pipeline.digest.render.translator import LANGUAGES
from pipeline.model.errors import PipelineError
from pipeline.model.subscriber import MailKind
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.message_frame import frame_html
from pipeline.web.desk.week import VIEW_CHOICES
from pipeline.web.security import IMAGE_SOURCES, MESSAGE_CSP
from pipeline.web.templating import PageTemplates

KINDS: dict[MailKind, tuple[str, str]] = {
    "confirmation": (
        "Confirmation",
        "Sent to everybody who fills in the form. Nobody is subscribed before they confirm.",
    ),
    "guide": ("Guide", "Sent once to everybody who confirms, if the form has a guide, and again when they ask for it."),
    "best-of": ("Best of", "Sent some days after somebody has confirmed, if [signup] best_of_after is set."),
    "already": ("Already subscribed", "Sent when the form is filled in with the address of a subscriber."),
    "address": ("New address", "Sent to the address that a subscriber wants to change to."),
}
"""Names of the kinds, and when each is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """The form, the language, the width and the colours of a preview."""

    form: str = ""
    language: str = ""
    """Empty for that of the publication."""
    width: str = "fit"
    scheme: str = "light"

    @property
    def query(self) -> str:
        """The query string of these options.

        >>> MailOptions(form="baking", language="de").query
        'form=baking&language=de&width=fit&scheme=light'
        """
        return urlencode({"form": self.form, "language": self.language, "width": self.width, "scheme": self.scheme})


@dataclass(frozen=True, slots=True)
class MailPages:
    """Handlers of the previews."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        return [Route("/mails/{kind}", self.show), Route("/mails/{kind}/html", self.message)]

    def show(self, request: Request) -> Response:
        """Show a mail in its frame, and its text below."""
        kind = _kind(request)
        service = self.cache.desk.subscribers
        mail, error = None, ""
        with self.cache.lock:
            forms = service.form_ids()
            options = _options(request.query_params, forms)
            version = self.cache.page_version()
            try:
                mail = service.preview(kind, options.form, options.language)
            except PipelineError as failure:
                error = str(failure)
        return self.templates.render(
            "mails",
            request,
            page_version=version,
            kinds=KINDS,
            kind=kind,
            options=options,
            choices={name: VIEW_CHOICES[name] for name in ("width", "scheme")},
            forms=forms,
            languages=LANGUAGES,
            mail=mail,
            fingerprint=sha256(mail.html.encode()).hexdigest() if mail else "",
            error=error,
        )

    def message(self, request: Request) -> Response:
        """Show the HTML for its frame, as described in ``message_frame``."""
        kind, desk = _kind(request), self.cache.desk
        with self.cache.lock:
            options = _options(request.query_params, desk.subscribers.form_ids())
            mail: RenderedMail = desk.subscribers.preview(kind, options.form, options.language)
            html = frame_html(
                mail.html,
                scheme=options.scheme,
                is_local=lambda url: desk.editions.local_image(url) is not None,
            )
        policy = MESSAGE_CSP.format(images=IMAGE_SOURCES["local"])
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})


def _kind(request: Request) -> MailKind:
    for kind in KINDS:
        if kind == request.path_params["kind"]:
            return kind
    raise HTTPException(404, f"There is no such mail; the kinds are {', '.join(KINDS)}.")


def _options(query: Mapping[str, str], forms: tuple[str, ...]) -> MailOptions:
    """Return the options in a query; the default for each that is missing or unknown."""

    def chosen(name: str, known: tuple[str, ...]) -> str:
        value = query.get(name, "")
        return value if value in known else known[0]

    return MailOptions(
        form=chosen("form", forms),
        language=chosen("language", ("", *LANGUAGES)),
        width=chosen("width", tuple(VIEW_CHOICES["width"])),
        scheme=chosen("scheme", tuple(VIEW_CHOICES["scheme"])),
    )
