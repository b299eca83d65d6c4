"""Senders are killed at any moment, before a faulty mail server: everyone gets one copy, or is listed as uncertain.

What the server knows is compared with the deliveries in the store.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from delivery_process import CONNECTIONS, LEASE_HOURS
from test_store_crash import is_alive, wait_until

from pipeline.model.delivery import Delivery
from tests.deliveries import DeliveryHarness
from tests.faulty_mail_server import FaultyMailServer, Transaction, is_refusal
from tests.publication import W07, PublicationHarness, shared_theme

ROOT = Path(__file__).parents[2]
EVENTS_PER_SUBSCRIBER = 5
"""About as many commands and messages a server sees for each."""
_CRASHED = "the process that sent it ended"


class Senders:
    """Starts processes that send the edition of a publication, or a correction, and kills them."""

    def __init__(
        self, forker: subprocess.Popen[str], folder: Path, url: str, server: FaultyMailServer, correction: int
    ) -> None:
        self.forker, self.server = forker, server
        self.line = f"{folder} {url} {server.port} {correction}"
        self.started = 0
        self.running: list[int] = []

    def start(self) -> None:
        """Start a process for which the lease of any other has expired."""
        assert self.forker.stdin is not None
        assert self.forker.stdout is not None
        self.started += 1
        print(self.line, self.started * LEASE_HOURS, file=self.forker.stdin, flush=True)
        self.running.append(int(self.forker.stdout.readline()))

    def kill(self, sender: int) -> None:
        """Kill one of them, if it is alive."""
        self.running.remove(sender)
        try:
            os.kill(sender, signal.SIGKILL)
        except ProcessLookupError:
            return
        wait_until(lambda: not is_alive(sender))

    def kill_at_random(self, rng: random.Random, *, kills: int, events: int) -> None:
        """Let one or two at a time send, and kill one after about some events each time."""
        for _ in range(kills):
            self.running = [sender for sender in self.running if is_alive(sender)]
            while len(self.running) < rng.choice((1, 1, 2)):
                self.start()
            self.server.wait_for(rng.randint(0, 2 * events), seconds=1)
            self.kill(rng.choice(self.running))

    def finish(self, folder: Path) -> None:
        """Let one send what is left."""
        self.kill_all()
        self.start()
        while is_alive(self.running[0]):
            self.server.wait_for(1_000, seconds=0.1)
        assert not (folder / "errors.txt").exists(), (folder / "errors.txt").read_text()

    def kill_all(self) -> None:
        """Kill those that are left."""
        while self.running:
            self.kill(self.running[0])


@pytest.fixture
def forker(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    script = Path(__file__).with_name("delivery_process.py")
    (tmp_path / "themes").mkdir()
    with subprocess.Popen(
        [sys.executable, script, tmp_path / "themes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        yield process


def start_edition(folder: Path, url: str, subscribers: int, correction: int) -> DeliveryHarness:
    """Freeze an edition for some subscribers, or send it and freeze its correction."""
    harness = DeliveryHarness(PublicationHarness(folder, shared_theme(), url), subscribers=0)
    with harness.store.audience_transaction():
        for number in range(subscribers):
            harness.subscribe(f"p{number}")
    harness.dispatcher.start(W07, harness.clock())
    if correction:
        harness.run()
        harness.correct()
        harness.dispatcher.start_correction(W07, harness.clock())
    return harness


def check(delivery: Delivery, transactions: list[Transaction]) -> str:
    """Return what is wrong with a delivery, by what the server saw of it; empty if nothing is."""
    accepted = [one for one in transactions if one.is_accepted]
    last = transactions[-1] if transactions else Transaction()
    if len(accepted) > 1 or (accepted and not last.is_accepted):
        return "was sent again after it was accepted"
    if delivery.state == "sent":
        return "" if accepted else "counts as sent"
    if delivery.state == "failed":
        reason = "refused" if last.step == "rcpt" else "message"
        return "" if delivery.reason == reason and is_refusal(last.reply) and not accepted else "counts as failed"
    if delivery.state != "uncertain":
        return "has no outcome"
    if delivery.reply.startswith(_CRASHED):
        return "" if last.step in ("data", "dot") else "is uncertain though its message was not begun"
    return "" if last.step == "data" or not last.reply or last.is_accepted else "is uncertain though it was answered"


def unconfirmed(transactions: list[Transaction]) -> bool:
    """Check whether a message was complete, and its sender was told nothing."""
    return bool(transactions) and transactions[-1].step == "dot" and not transactions[-1].reply


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("store", "subscribers", "kills", "correction"),
    [
        pytest.param("sqlite", 5_000, 200, 0, marks=pytest.mark.slow(minutes=4)),
        pytest.param("sqlite", 500, 25, 1, marks=pytest.mark.slow(minutes=1)),
        pytest.param("postgresql", 5_000, 200, 0, marks=[pytest.mark.postgres, pytest.mark.slow(minutes=4)]),
    ],
)
def test_killed_senders_send_each_copy_once(
    store: str,
    subscribers: int,
    kills: int,
    correction: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    forker: subprocess.Popen[str],
) -> None:
    """Nobody gets two or is forgotten, and uncertain are those whose answer was lost, with it the process or not."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    sqlite = f"sqlite:///{tmp_path / 'pipeline.db'}"
    url = sqlite if store == "sqlite" else str(request.getfixturevalue("postgres_url"))
    harness, key = start_edition(tmp_path, url, subscribers, correction), (str(W07), correction)
    sent_before = sum(harness.store.deliveries.sent_by_day().values())
    with harness.store, FaultyMailServer(seed) as server:
        senders = Senders(forker, tmp_path, url, server, correction)
        events = subscribers * EVENTS_PER_SUBSCRIBER * 9 // 10 // kills
        try:
            senders.kill_at_random(random.Random(seed), kills=kills, events=events)
            senders.finish(tmp_path)
        finally:
            senders.kill_all()
        server.wait_until_idle()
        deliveries = harness.deliveries(correction)
        assert len(deliveries) == subscribers
        seen = {name: server.transactions.get(f"{name}@quay.example", []) for name in deliveries}
        wrong = {name: check(one, seen[name]) for name, one in deliveries.items()}
        assert not {name: (why, deliveries[name], seen[name]) for name, why in wrong.items() if why}
        uncertain = {name for name, one in deliveries.items() if one.state == "uncertain"}
        assert uncertain >= {name for name, transactions in seen.items() if unconfirmed(transactions)}
        crashed = [name for name in uncertain if deliveries[name].reply.startswith(_CRASHED)]
        assert len(crashed) <= kills * CONNECTIONS
        states = Counter(one.state for one in deliveries.values())
        assert states["sent"] > subscribers / 2
        assert sum(harness.store.deliveries.sent_by_day().values()) - sent_before == states["sent"]
        assert harness.store.dispatches.state(key) == "finished"
        assert harness.store.editions.get(str(W07)).state == "sent"
