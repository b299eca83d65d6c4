"""The server of the pages for subscribers: one application, on a listener of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline.app import resources_folder
from pipeline.app.services import build_certificates
from pipeline.model.errors import PipelineError
from pipeline.model.schedule import Clock
from pipeline.web.connections import ConnectionLimits
from pipeline.web.public.access import PublicMiddleware, security_headers
from pipeline.web.public.archive import ArchivePages
from pipeline.web.public.audience import LiveAudience
from pipeline.web.public.clicks import ClickPages
from pipeline.web.public.links import Links
from pipeline.web.public.mail_thread import MailThread
from pipeline.web.public.person import PersonPages
from pipeline.web.public.preferences import PreferencesPages
from pipeline.web.public.rendering import Action, visitor_page
from pipeline.web.public.sign_up import SignUpPages, wants_json
from pipeline.web.public.webhooks import WebhookPages
from pipeline.web.public.writer import Writer
from pipeline.web.server import serve_app

STYLESHEET_SECONDS = 86_400
MAX_WAITING = 4
"""How many changes may wait before mails are sent more slowly."""
_ROBOTS = "User-agent: *\nAllow: /\n"  # a page must be read for its noindex to be seen
log = logging.getLogger(__name__)


@contextmanager
def serve_public(
    path: Path,
    clock: Clock,
    *,
    unattended: bool = False,
    extra_routes: Sequence[BaseRoute] = (),
    limits: ConnectionLimits | None = None,
) -> Iterator[str]:
    """Serve the pages of a publication in a thread until the block ends, and send the mails that they queue.

    Yield their base URL; empty, with nothing served, if ``[public] listen`` or ``url`` is. ``path`` is that of
    config.toml. ``[public]`` is read once, the rest whenever the file changes.
    """
    with LiveAudience(path, unattended=unattended) as live:
        audience = live.current() if live.is_on else None
        if audience is None:
            yield ""
            return
        with Writer() as writer, MailThread(live, clock, lambda: writer.waiting > MAX_WAITING) as mails:
            app = create_public_app(live, clock, writer, mails.wake, extra_routes)
            with serve_app(audience.app.config.public.listen, app, section="public", limits=limits) as base_url:
                if base_url:
                    log.info("pages for subscribers at %s, listening on %s", audience.public_url, base_url)
                yield base_url


def create_public_app(
    live: LiveAudience,
    clock: Clock,
    writer: Writer,
    wake: Callable[[], None] = lambda: None,
    extra_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application. ``wake`` is called when a mail may be due; ``extra_routes`` are asked last."""
    links = Links(live, clock, writer, wake)
    pages = (
        SignUpPages(live, clock, writer, wake),
        PersonPages(links),
        PreferencesPages(links),
        ArchivePages(live),
        ClickPages(live=live, clock=clock, writer=writer),
        WebhookPages(live=live, clock=clock, writer=writer, certificates=build_certificates(live.current().app)),
    )

    def stylesheet(request: Request) -> Response:
        cached = {"Cache-Control": f"public, max-age={STYLESHEET_SECONDS}"}
        return Response(live.current().stylesheet, media_type="text/css", headers=cached)

    def error(request: Request, raised: Exception) -> Response:
        return error_response(request, live, raised)

    return Starlette(
        routes=[
            Route("/", lambda request: RedirectResponse("/subscribe", status_code=302)),
            Route("/robots.txt", lambda request: PlainTextResponse(_ROBOTS)),
            Route("/static/style.css", stylesheet),
            Mount("/static", StaticFiles(directory=resources_folder() / "templates" / "public" / "static")),
            *(route for handlers in pages for route in handlers.routes()),
            *extra_routes,
        ],
        middleware=[Middleware(PublicMiddleware, audience=live.current)],
        exception_handlers={HTTPException: error, PipelineError: error, Exception: error},
    )


def error_response(request: Request, live: LiveAudience, raised: Exception) -> Response:
    """Return the page, or the JSON, of a request that failed: what happened, and what to do."""
    status = raised.status_code if isinstance(raised, HTTPException) else 503
    headers = dict(getattr(raised, "headers", None) or {})
    if isinstance(raised, PipelineError):
        log.error("%s", raised)
    if not isinstance(raised, HTTPException):  # the answer to a bug does not pass through the middleware
        headers |= security_headers(live.current(), request.url.path) | {"Retry-After": "120"}
    page = visitor_page(request, live.current())
    gettext = page.translator.gettext
    if status in (404, 405):
        heading = gettext("There is no page here")
        text = gettext("Check the address, or begin at the sign-up page.")
    elif status < 500:
        heading = gettext("This form cannot be read")
        text = gettext("It is too long or damaged. Go back, reload the page, and send it again.")
    else:
        heading = gettext("Something went wrong on our side")
        text = gettext("Nothing was changed. Try again in a few minutes.")
    if wants_json(request):
        answer = {"status": "refused", "reason": "error", "message": f"{heading}. {text}"}
        return JSONResponse(answer, status_code=status, headers=headers)
    actions = [Action(label=gettext("Go to the sign-up page"), url="/subscribe")]
    response = page.message(heading, text, status=status, actions=actions)
    response.headers.update(headers)
    return response
