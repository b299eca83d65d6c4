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

from pipeline.app import resources
from pipeline.model.errors import PipelineError, UsageError
from pipeline.web.desk import Desk, Memory
from pipeline.web.guard import Guard
from pipeline.web.moves import Moves
from pipeline.web.pages import Pages
from pipeline.web.reading import Reading
from pipeline.web.sheets import Sheets
from pipeline.web.writing import Writing

ADDRESS = "127.0.0.1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PORTS_TO_TRY = 20


def make_app(
    desk: Desk,
    *,
    patience_seconds: float = 2.0,
    token: str = "",
    home: str = "",
    lets_in: Callable[[str], bool] | None = None,
) -> Starlette:
    """Make the application around a desk. A request for news waits ``patience_seconds`` at most.

    ``token``, ``home`` and ``lets_in`` are the guard's.
    """
    folder = resources() / "templates" / "web"
    memory, sheets = Memory(desk), Sheets.of(folder)
    pages = Pages(memory, sheets, patience_seconds)
    rooms = (pages, Writing(memory, sheets), Moves(memory, sheets), Reading(memory, sheets))
    return Starlette(
        routes=[
            *(route for room in rooms for route in room.routes()),
            Mount("/static", StaticFiles(directory=folder / "static")),
        ],
        middleware=[Middleware(Guard, token=token, home=home, lets_in=lets_in)],
        exception_handlers={HTTPException: pages.refused, PipelineError: pages.refused},
    )


def serve(
    desk: Desk,
    *,
    week: str | None,
    port: int,
    open_browser: bool,
    host: str = ADDRESS,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the preview until it is stopped; a port that is taken gives way to the next free one, and that is said.

    Other machines are listened to when ``host`` is not this one; then the address that is said carries a token.
    """
    token = "" if host in LOOPBACK else token_urlsafe(24)
    with listen(port, host) as listener:
        found = listener.getsockname()[1]
        if port not in (0, found):
            say(f"Port {port} is taken, so this is port {found}.")
        name = f"[{host}]" if ":" in host else host
        url = f"http://{name}:{found}/" + (f"week/{week}" if week else "") + (f"?token={token}" if token else "")
        say(f"Preview: {url} (Ctrl-C stops it)")
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        with suppress(KeyboardInterrupt):
            server_for(make_app(desk, token=token)).run(sockets=[listener])


def listen(port: int, host: str = ADDRESS) -> socket.socket:
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
