"""Servers for ASGI applications: in the foreground for the preview, in a thread for the daemon."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from pipeline.app import resources_folder
from pipeline.model.errors import UsageError
from pipeline.web.connections import ConnectionLimits, LimitedConnection
from pipeline.web.security import AccessMiddleware

DEFAULT_HOST = "127.0.0.1"
SHUTDOWN_TIMEOUT_SECONDS = 5
_MAX_PORTS = 20
_MAX_QUEUED = 1_024
"""How many connections the system keeps until they are accepted; a client beyond them tries again after a second."""
_STOP_CHECK_SECONDS = 1.0

log = logging.getLogger(__name__)


def bind_socket(port: int, host: str = DEFAULT_HOST) -> socket.socket:
    """Return a listening socket at ``port`` or the next free one; 0 takes any.

    Raise UsageError if ``host`` is not an address of this machine.
    """
    try:
        family = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, 0), family=family).close()
    except OSError as error:
        raise UsageError(f"{host!r} is not an address of this machine: use --host 127.0.0.1, or 0.0.0.0.") from error
    for candidate in (*range(port, min(port + _MAX_PORTS, 65536)), 0):
        with suppress(OSError):
            return _listen((host, candidate), family)
    raise AssertionError("port 0 is always free")


def create_server(app: Starlette) -> uvicorn.Server:
    """Return a server for ``app``. When it stops it waits for pending requests for updates to be answered."""
    return _Server(_server_config(app, ConnectionLimits.for_this_process()))


@contextmanager
def serve_routes(
    listen: str, routes: Sequence[BaseRoute], *, public_url: str = "", limits: ConnectionLimits | None = None
) -> Iterator[str]:
    """Serve routes at ``listen`` (host:port) in a thread until the block ends. Yield their base URL.

    Yield an empty string, and serve nothing, if ``listen`` is empty or taken. ``public_url`` is the URL of a proxy;
    without ``limits`` those that suit this process apply.
    """
    with serve_app(listen, create_guarded_app(routes, public_url=public_url), section="web", limits=limits) as url:
        yield url


@contextmanager
def serve_app(listen: str, app: Starlette, *, section: str, limits: ConnectionLimits | None = None) -> Iterator[str]:
    """Serve an application as ``serve_routes`` does; ``section`` is the one of config.toml that has ``listen``."""
    listener = _bind_or_warn(listen, section) if listen else None
    if listener is None:
        yield ""
        return
    server = _IdleServer(_server_config(app, limits or ConnectionLimits.for_this_process()))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name=f"{section} pages", daemon=True)
    thread.start()
    try:
        yield f"http://{listen.rpartition(':')[0]}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(SHUTDOWN_TIMEOUT_SECONDS + 2 * _STOP_CHECK_SECONDS)
        listener.close()


def create_guarded_app(routes: Sequence[BaseRoute], *, public_url: str = "") -> Starlette:
    """Return an application of routes and the desk's static files behind ``AccessMiddleware``."""
    static = Mount("/static", StaticFiles(directory=resources_folder() / "templates" / "web" / "static"))
    return Starlette(routes=[static, *routes], middleware=[Middleware(AccessMiddleware, public_url=public_url)])


def _bind_or_warn(listen: str, section: str) -> socket.socket | None:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        return _listen((host, int(port)), socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        log.warning(
            "pages are off: cannot listen on %s (%s); set another port in [%s] listen%s",
            listen,
            error.strerror,
            section,
            ", the links in proofs follow it" if section == "web" else "",
        )
        return None


def _listen(address: tuple[str, int], family: int) -> socket.socket:
    listener = socket.create_server(address, family=family)
    # Connections inherit it. asyncio sets it only on sockets that it opened; without it each response waits 40 ms for
    # the browser to acknowledge its first half.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _server_config(app: Starlette, limits: ConnectionLimits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=partial(LimitedConnection, limits=limits),  # type: ignore[arg-type]  # it is only called
        timeout_keep_alive=limits.idle_seconds,
        backlog=limits.max_accepted_at_once,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_SECONDS,
    )


class _Server(uvicorn.Server):
    """A server at whose sockets many clients may wait, although few of them are accepted at once."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start serving. asyncio has set the length of the queue to the number that it accepts at once."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_MAX_QUEUED)


class _IdleServer(_Server):
    """A server that checks once a second whether to stop, not ten times: the daemon is idle most of the time."""

    async def main_loop(self) -> None:
        """Wait until the server is stopped. The zero makes each tick update the Date header."""
        while not await self.on_tick(0):
            await asyncio.sleep(_STOP_CHECK_SECONDS)
