"""The preview as a program: joins desk, pages and guard, and serves them on this machine alone.

In: a Desk, a port, the week to open. Out: pages at http://127.0.0.1:PORT/ until Ctrl-C. Touches the network (a
loopback socket) and starts the browser.
"""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from pipeline.app import resources
from pipeline.model.errors import PipelineError
from pipeline.web.desk import Desk, Memory
from pipeline.web.guard import Guard
from pipeline.web.pages import Pages

ADDRESS = "127.0.0.1"
_PORTS_TO_TRY = 20


def make_app(desk: Desk, *, patience_seconds: float = 2.0) -> Starlette:
    """Make the application around a desk. A request for news waits ``patience_seconds`` at most."""
    folder = resources() / "templates" / "web"
    pages = Pages.of(Memory(desk), folder, patience_seconds=patience_seconds)
    return Starlette(
        routes=pages.routes(folder / "static"),
        middleware=[Middleware(Guard)],
        exception_handlers={HTTPException: pages.refused, PipelineError: pages.refused},
    )


def serve(
    desk: Desk,
    *,
    week: str | None,
    port: int,
    open_browser: bool,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the preview until it is stopped; a port that is taken gives way to the next free one, and that is said."""
    with listen(port) as listener:
        found = listener.getsockname()[1]
        if port not in (0, found):
            say(f"Port {port} is taken, so this is port {found}.")
        url = f"http://{ADDRESS}:{found}/" + (f"week/{week}" if week else "")
        say(f"Preview: {url} (Ctrl-C stops it)")
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        with suppress(KeyboardInterrupt):
            server_for(make_app(desk)).run(sockets=[listener])


def listen(port: int) -> socket.socket:
    """Listen on 127.0.0.1 at a port, or at the next one that is free; 0 takes any."""
    for candidate in (*range(port, min(port + _PORTS_TO_TRY, 65536)), 0):
        with suppress(OSError):
            return socket.create_server((ADDRESS, candidate))
    raise AssertionError("port 0 is always free")


def server_for(app: Starlette) -> uvicorn.Server:
    """Make the server of an application; asked to stop, it waits until those who ask for news have lost patience."""
    # Pages that ask for news are answered before the end: cutting them off would print an error for each.
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
