"""The pages that the daemon serves: the answers to proofs, the desk, and routes of others such as health."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from starlette.routing import BaseRoute, Mount

from pipeline.app.delivery import proof_signing_key, web_url
from pipeline.jobs.proof.tokens import session_is_valid
from pipeline.model.schedule import Clock
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk
from pipeline.web.preview import create_desk_app
from pipeline.web.proof import ProofPages
from pipeline.web.server import serve_routes

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
