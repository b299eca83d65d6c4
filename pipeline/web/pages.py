"""All web pages: served by the daemon along with the pages of proofs, or as a preview until Ctrl-C."""

from __future__ import annotations

import logging
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_urlsafe

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from pipeline.app import resources_folder
from pipeline.app.delivery import proof_signing_key, web_url
from pipeline.jobs.proof.tokens import session_is_valid
from pipeline.model.errors import PipelineError
from pipeline.model.schedule import Clock
from pipeline.web.desk.audience.mails import MailPages
from pipeline.web.desk.audience.pages import SubscriberPages
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.deliveries.correction_pages import CorrectionPages
from pipeline.web.desk.deliveries.pages import DeliveryPages, failure_reason, left_out, variant_name
from pipeline.web.desk.editions import ActionPages, EditionPages
from pipeline.web.desk.editor import EditorPages
from pipeline.web.desk.feeds.pages import FeedPages
from pipeline.web.desk.fix_links import check_title, entry_anchor, fix_link, summarize_checks
from pipeline.web.desk.overview.pages import StatusPages
from pipeline.web.desk.ports import Desk
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk
from pipeline.web.proof import ProofPages
from pipeline.web.security import LOOPBACK_HOSTS, AccessMiddleware
from pipeline.web.server import DEFAULT_HOST, bind_socket, create_server, serve_routes
from pipeline.web.templating import PageTemplates

log = logging.getLogger(__name__)


@contextmanager
def serve_pages(path: Path, clock: Clock, extra_routes: Sequence[BaseRoute] = ()) -> Iterator[str]:
    """Serve a publication's pages in a thread until the block ends. Yield their base URL; empty if they are off.

    ``path`` is that of config.toml; ``[web] listen`` and ``[web] url`` are read once. The desk needs a session, which a
    proof's button starts.
    """
    with LivePublication(path, clock) as publication:
        app = publication.current_app()
        public_url, key = web_url(app), proof_signing_key(app)
        desk_app = create_desk_app(
            create_desk(publication),
            public_url=public_url,
            session_valid=lambda token: session_is_valid(token, key, now=clock()),
        )
        routes = [*ProofPages(path, clock).routes(), *extra_routes, Mount("/", desk_app)]
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
    session_valid: Callable[[str], bool] | None = None,
) -> Starlette:
    """Return the application of the desk's pages.

    A request for updates waits up to ``long_poll_seconds``. The other options are those of ``AccessMiddleware``.
    """
    folder = resources_folder() / "templates" / "web"
    cache = EditionCache(desk)
    templates = _page_templates(cache, folder)
    editions = EditionPages(cache, templates, long_poll_seconds)
    handlers = (
        editions,
        EditorPages(cache, templates),
        ActionPages(cache, templates),
        FeedPages(cache, templates),
        SubscriberPages(cache, templates),
        DeliveryPages(cache, templates),
        CorrectionPages(cache, templates),
        MailPages(cache, templates),
        StatusPages(cache, templates),
    )
    return Starlette(
        routes=[
            *(route for pages in handlers for route in pages.routes()),
            Mount("/static", StaticFiles(directory=folder / "static")),
        ],
        middleware=[Middleware(AccessMiddleware, token=token, public_url=public_url, session_valid=session_valid)],
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
    )
