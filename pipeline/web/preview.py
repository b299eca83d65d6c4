"""The preview: the desk's application, served on this machine until Ctrl-C."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from secrets import token_urlsafe

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from pipeline.app import resources_folder
from pipeline.model.errors import PipelineError
from pipeline.web.desk.actions import ActionPages
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.editions import EditionPages
from pipeline.web.desk.editor import EditorPages
from pipeline.web.desk.feeds import FeedPages
from pipeline.web.desk.fix_links import check_title, entry_anchor, fix_link
from pipeline.web.desk.ports import Desk
from pipeline.web.security import LOOPBACK_HOSTS, AccessMiddleware
from pipeline.web.server import DEFAULT_HOST, bind_socket, create_server
from pipeline.web.templating import PageTemplates


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
    templates = PageTemplates.from_folder(folder, entry_anchor=entry_anchor, check_title=check_title, fix_link=fix_link)
    editions = EditionPages(cache, templates, long_poll_seconds)
    handlers = (editions, EditorPages(cache, templates), ActionPages(cache, templates), FeedPages(cache, templates))
    return Starlette(
        routes=[
            *(route for pages in handlers for route in pages.routes()),
            Mount("/static", StaticFiles(directory=folder / "static")),
        ],
        middleware=[Middleware(AccessMiddleware, token=token, public_url=public_url, session_valid=session_valid)],
        exception_handlers={HTTPException: editions.error, PipelineError: editions.error},
    )


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
        echo(f"Preview: {url} (press Ctrl-C to stop)")
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        with suppress(KeyboardInterrupt):
            create_server(create_desk_app(desk, token=token)).run(sockets=[listener])
