"""The page of useful links: the queue, a form to add one, and a bookmarklet that fills it in."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.model.errors import PipelineError
from pipeline.text.urls import MAX_URL_CHARS
from pipeline.web.desk.cache import EditionCache
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates

PATH = "/links"
MAX_TITLE_CHARS = 300
MAX_NOTE_CHARS = 1_000
_FIELDS = {"url": MAX_URL_CHARS, "title": MAX_TITLE_CHARS, "note": MAX_NOTE_CHARS}
"""The fields of the form that the bookmarklet fills in, and how many characters of each it may."""
# URLSearchParams replaces half an emoji, which encodeURIComponent refuses. No "%": browsers decode these addresses.
_BOOKMARKLET = (
    "javascript:(()=>{{const u='{origin}/links?'+new URLSearchParams({{url:location.href,"
    "title:document.title.trim().slice(0,{title}),note:String(getSelection()).trim().slice(0,{note})}});"
    "open(u)||(location.href=u)}})()"
)


@dataclass(frozen=True, slots=True)
class LinkPages:
    """Handlers of the links. They hold no lock: adding one uses the network."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of this page."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(PATH, form_endpoint(self.submit, self.templates.csrf_token), methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the links, and the form with what the query has for it."""
        fields = {name: request.query_params.get(name, "")[:limit].strip() for name, limit in _FIELDS.items()}
        return self._page(request, fields)

    def submit(self, request: Request, form: Form) -> Response:
        """Add, remove or restore a link; after an error the form has what was typed."""
        links, url = self.cache.desk.links, form["url"].strip()
        change = {"remove": links.remove, "restore": links.restore}.get(form["do"])
        try:
            message = change(url) if change else links.add(url, title=form["title"], note=form["note"])
        except PipelineError as error:
            fields = {name: "" if change else form[name] for name in _FIELDS}
            return self._page(request, fields, error=str(error), status=409)
        return self.templates.redirect(PATH, message)

    def _page(self, request: Request, fields: dict[str, str], *, error: str = "", status: int = 200) -> Response:
        links = self.cache.desk.links
        rows = links.all()
        return self.templates.render(
            "links",
            request,
            status=status,
            page_version=self.cache.page_version(),
            waiting=[row for row in rows if not row.used_in and not row.week],
            in_files=[row for row in rows if row.week],
            published=[row for row in reversed(rows) if row.used_in],
            removed=links.removed(),
            max_links=links.max_links(),
            bookmarklet=build_bookmarklet(desk_origin(request, links.public_url())),
            limits=_FIELDS,
            fields=fields,
            error=error,
        )


def desk_origin(request: Request, public_url: str) -> str:
    """Return the origin of the page as a browser sees it: behind a proxy its scheme is that of ``public_url``."""
    public = urlsplit(public_url)
    scheme = public.scheme if public.netloc == request.url.netloc else request.url.scheme
    return f"{scheme}://{request.url.netloc}"


def build_bookmarklet(origin: str) -> str:
    """Return an address that, as a bookmark, opens the form of the desk at ``origin`` for the page it is used on."""
    return _BOOKMARKLET.format(origin=origin.replace("'", ""), title=MAX_TITLE_CHARS, note=MAX_NOTE_CHARS)
