"""Many sign-ups at once, over real connections: each is answered, and each is stored."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pipeline.web.connections import ConnectionLimits
from pipeline.web.public.audience import LiveAudience
from pipeline.web.public.server import serve_public
from tests.background_server import free_port
from tests.subscriber_pages import write_publication

pytestmark = [pytest.mark.loopback, pytest.mark.slow]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
THREADS, EACH, IDLE = 24, 25, 400
GIVE_UP_SECONDS = 300.0
SETTINGS = "max_per_network = 1000000\nmax_per_form = 1000000"


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_no_sign_up_is_lost(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> None:
    """Sent from many threads, while others write and more connections are idle than are served at a time."""
    store = "sqlite:///pipeline.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    port = free_port()
    config = write_publication(tmp_path, url=f"http://127.0.0.1:{port}", port=port, signup=SETTINGS, store=store)

    def sign_up(thread: int) -> list[int]:
        with httpx.Client(timeout=GIVE_UP_SECONDS) as client:
            people = [{"address": f"p{thread}-{n}@byron.example", "consent": "yes"} for n in range(EACH)]
            return [client.post(f"http://127.0.0.1:{port}/subscribe", data=each).status_code for each in people]

    limits = ConnectionLimits(max_connections=100, request_seconds=GIVE_UP_SECONDS, idle_seconds=300)
    with ExitStack() as open_connections, serve_public(config, lambda: NOW, limits=limits):
        for _ in range(IDLE):
            open_connections.enter_context(socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP_SECONDS))
        with LiveAudience(config) as live, ThreadPoolExecutor(THREADS) as threads:
            answers = [threads.submit(sign_up, thread) for thread in range(THREADS)]
            context = live.current().context
            for n in range(50):  # as the daemon does, from another connection
                context.store.suppressions.add(f"{n}", "operator", actor="operator", now=NOW)
            assert [status for answer in answers for status in answer.result()] == [200] * (THREADS * EACH)
            people = list(context.store.subscribers.iterate(NOW))
            assert len({person.address for person in people}) == len(people) == THREADS * EACH
            for person in people:
                assert len(context.store.subscription_events.of_subscriber(person.id)) == 1
                assert [mail.kind for mail in context.store.person_mails.of_subscriber(person.id)] == ["confirmation"]
