"""The daemon's own pages: a small server in a thread, beside the work.

In: where to listen, routes. Out: pages, as long as a ``with`` block lasts. Touches the network, one listening socket. A
port that is taken is said in one sentence, and the daemon goes on without pages.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from pipeline.app import resources
from pipeline.jobs.passes import opens_desk
from pipeline.web.guard import Guard
from pipeline.web.preview import make_app
from pipeline.web.proofs import ProofPages
from pipeline.web.publication import PublicationDesk

STOPS_WITHIN_SECONDS = 5
_LOOKS_EVERY_SECONDS = 1.0

log = logging.getLogger(__name__)


@contextmanager
def pages(path: Path, clock: Callable[[], datetime], more: Sequence[BaseRoute] = ()) -> Iterator[str]:
    """Serve all that a publication has to show, until the block ends; gives the address, or nothing.

    What proofs lead to, the desk for whom a proof lets in, and ``more``. ``path`` is that of config.toml; where to
    listen is read once.
    """
    with PublicationDesk(path, clock) as desk:
        said, home, key = desk.app.config.web, desk.app.pages, desk.app.proof_key
        within = make_app(desk, home=home, lets_in=lambda token: opens_desk(token, key, now=clock()))
        with serve(said.listen, [*ProofPages(path, clock).routes(), *more, Mount("/", within)], home=home) as address:
            if address:
                log.info("pages at %s", said.url or address)
            yield address


@contextmanager
def serve(listen: str, routes: Sequence[BaseRoute], *, home: str = "") -> Iterator[str]:
    """Serve routes at ``listen``, a host and a port, until the block ends; gives their address, or nothing.

    ``home`` is the address that others know them by. Nothing is served, and nothing given, where ``listen`` is empty or
    taken.
    """
    listener = _listener(listen) if listen else None
    if listener is None:
        yield ""
        return
    server = _Server(_config(make_house(routes, home=home)))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="pages", daemon=True)
    thread.start()
    try:
        yield f"http://{listen.rpartition(':')[0]}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(STOPS_WITHIN_SECONDS + 2 * _LOOKS_EVERY_SECONDS)
        listener.close()


def make_house(routes: Sequence[BaseRoute], *, home: str = "") -> Starlette:
    """Put routes behind the guard, with the desk's own style beside them."""
    static = Mount("/static", StaticFiles(directory=resources() / "templates" / "web" / "static"))
    return Starlette(routes=[static, *routes], middleware=[Middleware(Guard, home=home)])


def _listener(listen: str) -> socket.socket | None:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, int(port)), family=family)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as in web.preview
        return listener
    except OSError as trouble:
        log.warning(
            "no pages: %s cannot be listened at (%s); name another port in [web] listen, and proofs will lead there",
            listen,
            trouble.strerror,
        )
        return None


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=STOPS_WITHIN_SECONDS,
    )


class _Server(uvicorn.Server):
    """A server that looks whether to stop once a second, not ten times: the daemon is idle most of its life."""

    async def main_loop(self) -> None:
        """Wait until told to stop; the zero brings the Date header up to date."""
        while not await self.on_tick(0):
            await asyncio.sleep(_LOOKS_EVERY_SECONDS)
