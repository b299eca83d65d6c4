"""The daemon's own pages: a small server in a thread, beside the work.

In: where to listen, routes. Out: pages, as long as a ``with`` block lasts. Touches the network, one listening socket. A
port that is taken is said in one sentence, and the daemon goes on without pages.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from pipeline.app import resources_folder
from pipeline.app.delivery import proof_signing_key, web_url
from pipeline.jobs.proof.tokens import session_is_valid
from pipeline.model.schedule import Clock
from pipeline.web.desk.services import PublicationDesk
from pipeline.web.preview import create_desk_app
from pipeline.web.proof import ProofPages
from pipeline.web.security import AccessMiddleware

SHUTDOWN_TIMEOUT_SECONDS = 5
_LOOKS_EVERY_SECONDS = 1.0

log = logging.getLogger(__name__)


@contextmanager
def serve_pages(path: Path, clock: Clock, extra_routes: Sequence[BaseRoute] = ()) -> Iterator[str]:
    """Serve all that a publication has to show, until the block ends; gives the address, or nothing.

    What proofs lead to, the desk for whom a proof lets in, and ``more``. ``path`` is that of config.toml; where to
    listen is read once.
    """
    with PublicationDesk(path, clock) as desk:
        said, home, key = desk.app.config.web, web_url(desk.app), proof_signing_key(desk.app)
        within = create_desk_app(
            desk, public_url=home, session_valid=lambda token: session_is_valid(token, key, now=clock())
        )
        with serve_routes(
            said.listen, [*ProofPages(path, clock).routes(), *extra_routes, Mount("/", within)], public_url=home
        ) as address:
            if address:
                log.info("pages at %s", said.url or address)
            yield address


@contextmanager
def serve_routes(listen: str, routes: Sequence[BaseRoute], *, public_url: str = "") -> Iterator[str]:
    """Serve routes at ``listen``, a host and a port, until the block ends; gives their address, or nothing.

    ``home`` is the address that others know them by. Nothing is served, and nothing given, where ``listen`` is empty or
    taken.
    """
    listener = _listener(listen) if listen else None
    if listener is None:
        yield ""
        return
    server = _Server(_config(create_guarded_app(routes, public_url=public_url)))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="pages", daemon=True)
    thread.start()
    try:
        yield f"http://{listen.rpartition(':')[0]}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(SHUTDOWN_TIMEOUT_SECONDS + 2 * _LOOKS_EVERY_SECONDS)
        listener.close()


def create_guarded_app(routes: Sequence[BaseRoute], *, public_url: str = "") -> Starlette:
    """Put routes behind the guard, with the desk's own style beside them."""
    static = Mount("/static", StaticFiles(directory=resources_folder() / "templates" / "web" / "static"))
    return Starlette(routes=[static, *routes], middleware=[Middleware(AccessMiddleware, home=public_url)])


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
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_SECONDS,
    )


class _Server(uvicorn.Server):
    """A server that looks whether to stop once a second, not ten times: the daemon is idle most of its life."""

    async def main_loop(self) -> None:
        """Wait until told to stop; the zero brings the Date header up to date."""
        while not await self.on_tick(0):
            await asyncio.sleep(_LOOKS_EVERY_SECONDS)
