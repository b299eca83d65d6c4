"""All web pages: served by the daemon along with the pages of proofs, or as a preview until Ctrl-C."""

from __future__ import annotations

import logging
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_urlsafe
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from pipeline.app import resources_folder
from pipeline.app.delivery import web_url
from pipeline.model.errors import PipelineError
from pipeline.model.schedule import Clock
from pipeline.web.desk.access.gate import DeskGate
from pipeline.web.desk.access.live import LiveAccess
from pipeline.web.desk.access.log_in import LogInPages
from pipeline.web.desk.access.roles import form_refusal, page_refusal
from pipeline.web.desk.access.session_pages import SessionPages
from pipeline.web.desk.audience.mails import MailPages
from pipeline.web.desk.audience.pages import SubscriberPages
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.deliveries.correction_pages import CorrectionPages
from pipeline.web.desk.deliveries.pages import DeliveryPages, failure_reason, left_out, variant_name
from pipeline.web.desk.editions import ActionPages, EditionPages
from pipeline.web.desk.editor import EditorPages
from pipeline.web.desk.feeds.pages import FeedPages
from pipeline.web.desk.fix_links import check_title, entry_anchor, fix_link, summarize_checks
from pipeline.web.desk.links.pages import LinkPages
from pipeline.web.desk.overview.pages import StatusPages
from pipeline.web.desk.pictures.pages import PicturePages
from pipeline.web.desk.ports import Desk
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk
from pipeline.web.desk.settings.pages import SettingsPages
from pipeline.web.desk.stories.pages import StoryPages
from pipeline.web.proof import ProofPages
from pipeline.web.security import LOOPBACK_HOSTS, AccessMiddleware
from pipeline.web.server import DEFAULT_HOST, bind_socket, create_server, serve_routes
from pipeline.web.templating import PageTemplates

log = logging.getLogger(__name__)


class DeskPages(Protocol):
    """Handlers of some pages."""

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        ...


_PAGES: tuple[Callable[[EditionCache, PageTemplates], DeskPages], ...] = (
    EditorPages,
    StoryPages,
    ActionPages,
    FeedPages,
    LinkPages,
    SubscriberPages,
    DeliveryPages,
    CorrectionPages,
    MailPages,
    StatusPages,
    SettingsPages,
)
"""The desk's pages, beside those of editions."""


@contextmanager
def serve_pages(path: Path, clock: Clock, extra_routes: Sequence[BaseRoute] = ()) -> Iterator[str]:
    """Serve a publication's pages in a thread until the block ends. Yield their base URL; empty if they are off.

    ``path`` is that of config.toml; ``[web] listen`` and ``[web] url`` are read once. The desk needs a session, which a
    link to log in starts, or a proof's button.
    """
    with LivePublication(path, clock) as publication, LiveAccess(path, clock) as access:
        app = publication.current_app()
        public_url = web_url(app)
        log_in = LogInPages(access, PageTemplates.from_folder(_templates_folder()))
        desk_app = create_desk_app(create_desk(publication), public_url=public_url, log_in=log_in)
        routes = [*ProofPages(path, clock).routes(), *log_in.routes(), *extra_routes, Mount("/", desk_app)]
        with serve_routes(app.config.web.listen, routes, public_url=public_url) as base_url:
            if base_url:
                log.info("listening on %s", app.config.web.url or base_url)
            yield base_url


def serve_preview(
    desk: Desk,
    *,
    week: str | None,
    port: int,
    open_browser: bool,
    host: str = DEFAULT_HOST,
    echo: Callable[[str], None] = print,
) -> None:
    """Serve the preview until Ctrl-C, at ``port`` or the next free one.

    For a ``host`` other than this machine the printed URL contains a token.
    """
    token = "" if host in LOOPBACK_HOSTS else token_urlsafe(24)
    with bind_socket(port, host) as listener:
        bound_port = listener.getsockname()[1]
        if port not in (0, bound_port):
            echo(f"Port {port} is taken, using port {bound_port}.")
        name = f"[{host}]" if ":" in host else host
        url = f"http://{name}:{bound_port}/" + (f"week/{week}" if week else "") + (f"?token={token}" if token else "")
        echo(f"Desk: {url} (press Ctrl-C to stop)")
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        with suppress(KeyboardInterrupt):
            create_server(create_desk_app(desk, token=token)).run(sockets=[listener])


def create_desk_app(
    desk: Desk,
    *,
    long_poll_seconds: float = 2.0,
    token: str = "",
    public_url: str = "",
    log_in: LogInPages | None = None,
) -> Starlette:
    """Return the application of the desk's pages.

    A request for updates waits up to ``long_poll_seconds``. With ``log_in`` it needs a session. The other options are
    those of ``AccessMiddleware``.
    """
    folder = _templates_folder()
    cache = EditionCache(desk)
    templates = _page_templates(cache, folder)
    editions = EditionPages(cache, templates, long_poll_seconds)
    handlers: list[DeskPages] = [editions, PicturePages(desk.editor, templates.csrf_token)]
    handlers += [pages(cache, templates) for pages in _PAGES]
    handlers += [SessionPages(log_in.access, templates)] if log_in else []
    gate = None
    if log_in:
        gate = DeskGate(access=log_in.access, show_log_in=log_in.show_refusal, refuse=editions.refuse)
    return Starlette(
        routes=[
            *(route for pages in handlers for route in pages.routes()),
            Mount("/static", StaticFiles(directory=folder / "static")),
        ],
        middleware=[Middleware(AccessMiddleware, token=token, public_url=public_url, gate=gate)],
        exception_handlers={HTTPException: editions.error, PipelineError: editions.error},
    )


def _page_templates(cache: EditionCache, folder: Path) -> PageTemplates:
    return PageTemplates.from_folder(
        folder,
        lambda request: cache.navigation(request.url.path),
        entry_anchor=entry_anchor,
        check_title=check_title,
        check_summaries=summarize_checks,
        fix_link=fix_link,
        variant_name=variant_name,
        left_out=left_out,
        failure_reason=failure_reason,
        form_refusal=form_refusal,
        page_refusal=page_refusal,
    )


def _templates_folder() -> Path:
    return resources_folder() / "templates" / "web"
