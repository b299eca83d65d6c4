"""The preview as a program: joins desk, pages and guard, and serves them, on this machine alone unless told otherwise.

In: a Desk, a port, the week to open. Out: pages at http://127.0.0.1:PORT/ until Ctrl-C. Touches the network (a
loopback socket) and starts the browser.
"""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from secrets import token_urlsafe

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from pipeline.app import resources_folder
from pipeline.model.errors import PipelineError, UsageError
from pipeline.web.desk.actions import ActionPages
from pipeline.web.desk.editions import EditionPages
from pipeline.web.desk.editor import EditorPages
from pipeline.web.desk.feeds import FeedPages
from pipeline.web.desk.ports import Desk, EditionCache
from pipeline.web.security import AccessMiddleware
from pipeline.web.templating import PageTemplates

DEFAULT_HOST = "127.0.0.1"
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
_PORTS_TO_TRY = 20


def create_desk_app(
    desk: Desk,
    *,
    long_poll_seconds: float = 2.0,
    token: str = "",
    public_url: str = "",
    session_valid: Callable[[str], bool] | None = None,
) -> Starlette:
    """Make the application around a desk. A request for news waits ``long_poll_seconds`` at most.

    ``token``, ``home`` and ``lets_in`` are the guard's.
    """
    folder = resources_folder() / "templates" / "web"
    memory, sheets = EditionCache(desk), PageTemplates.from_folder(folder)
    pages = EditionPages(memory, sheets, long_poll_seconds)
    rooms = (pages, EditorPages(memory, sheets), ActionPages(memory, sheets), FeedPages(memory, sheets))
    return Starlette(
        routes=[
            *(route for room in rooms for route in room.routes()),
            Mount("/static", StaticFiles(directory=folder / "static")),
        ],
        middleware=[Middleware(AccessMiddleware, token=token, home=public_url, lets_in=session_valid)],
        exception_handlers={HTTPException: pages.error, PipelineError: pages.error},
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
    """Serve the preview until it is stopped; a port that is taken gives way to the next free one, and that is said.

    Other machines are listened to when ``host`` is not this one; then the address that is said carries a token.
    """
    token = "" if host in LOOPBACK_NAMES else token_urlsafe(24)
    with bind_socket(port, host) as listener:
        found = listener.getsockname()[1]
        if port not in (0, found):
            echo(f"Port {port} is taken, so this is port {found}.")
        name = f"[{host}]" if ":" in host else host
        url = f"http://{name}:{found}/" + (f"week/{week}" if week else "") + (f"?token={token}" if token else "")
        echo(f"Preview: {url} (Ctrl-C stops it)")
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        with suppress(KeyboardInterrupt):
            create_server(create_desk_app(desk, token=token)).run(sockets=[listener])


def bind_socket(port: int, host: str = DEFAULT_HOST) -> socket.socket:
    """Listen at a port, or at the next one that is free; 0 takes any.

    UsageError when ``host`` is no address of this machine.
    """
    try:
        family = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, 0), family=family).close()
    except OSError as trouble:
        raise UsageError(f"{host!r} is no address of this machine: give --host 127.0.0.1, or 0.0.0.0.") from trouble
    for candidate in (*range(port, min(port + _PORTS_TO_TRY, 65536)), 0):
        with suppress(OSError):
            listener = socket.create_server((host, candidate), family=family)
            # Inherited by every connection. asyncio asks for it itself, but not of sockets that others have opened:
            # without it each answer waits 40 ms for the browser to acknowledge its first half.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return listener
    raise AssertionError("port 0 is always free")


def create_server(app: Starlette) -> uvicorn.Server:
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
