"""Name lookups with a time limit, against a system that hangs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from queue import Queue
from threading import Event

import pytest

from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.lookup import Lookups, system_addresses
from pipeline.model.fetch import FetchOutcome
from tests.contract.loopback_fetch import NOW, limits, request

GIVE_UP_SECONDS = 30.0


class HangingSystem:
    """A system that answers for ``good.example`` only, until it is released."""

    def __init__(self) -> None:
        self.released = Event()
        self.asked: Queue[str] = Queue()

    def next_asked(self) -> str:
        """Return the next name that it is asked for."""
        return self.asked.get(timeout=GIVE_UP_SECONDS)

    def addresses(self, host: str, port: int) -> Sequence[str]:
        self.asked.put(host)
        if host == "gone.example":
            raise OSError("no such host")
        if host != "good.example":
            self.released.wait(GIVE_UP_SECONDS)
        return ["192.0.2.1"]


@pytest.fixture
def system() -> Iterator[HangingSystem]:
    hanging = HangingSystem()
    yield hanging
    hanging.released.set()


def test_a_lookup_that_hangs_is_given_up(system: HangingSystem) -> None:
    """Others get their addresses meanwhile, and errors of the system are raised."""
    lookups = Lookups(system.addresses)
    with pytest.raises(TimeoutError):
        lookups.resolve_within("hangs.example", 25, 0.05)
    assert lookups.resolve_within("good.example", 25, GIVE_UP_SECONDS) == ["192.0.2.1"]
    with pytest.raises(OSError, match="no such host"):
        lookups.resolve_within("gone.example", 25, GIVE_UP_SECONDS)


def test_a_name_that_hangs_takes_one_thread(system: HangingSystem) -> None:
    """However often it is asked for; with two threads, one is left for the others."""
    lookups = Lookups(system.addresses, max_threads=2)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            lookups.resolve_within("hangs.example", 25, 0.01)
    assert system.next_asked() == "hangs.example"
    assert lookups.resolve_within("good.example", 25, GIVE_UP_SECONDS) == ["192.0.2.1"]
    assert system.next_asked() == "good.example"
    assert system.asked.empty()


def test_the_number_of_threads_is_bounded(system: HangingSystem) -> None:
    """With all threads busy a lookup waits for its turn, and gets it once one is free."""
    lookups = Lookups(system.addresses, max_threads=2)
    for host in ("one.example", "two.example", "good.example"):
        with pytest.raises(TimeoutError):
            lookups.resolve_within(host, 25, 0.05)
    assert {system.next_asked(), system.next_asked()} == {"one.example", "two.example"}
    assert system.asked.empty()
    system.released.set()
    assert lookups.resolve_within("good.example", 25, GIVE_UP_SECONDS) == ["192.0.2.1"]


def test_a_fetch_does_not_wait_for_a_lookup_that_hangs(system: HangingSystem) -> None:
    """Its outcome is a timeout, and neither closing the fetcher nor ending the loop waits for the thread."""

    async def run() -> FetchOutcome:
        async with HttpFetcher(limits(timeout_seconds=0.05), resolve=Lookups(system.addresses).resolve) as fetcher:
            return await fetcher.fetch(request("http://hangs.example/feed"), now=NOW)

    outcome = asyncio.run(run())
    assert (outcome.kind, outcome.detail) == ("timeout", "no name server answered for hangs.example in time")
    assert not system.released.is_set()


def test_a_process_ends_while_a_lookup_hangs() -> None:
    """Python waits at its end for the threads of executors; this one is not such a thread."""
    program = (
        "import time\n"
        "from pipeline.lookup import Lookups\n"
        "try:\n    Lookups(lambda host, port: time.sleep(600)).resolve_within('hangs.example', 25, 0.01)\n"
        "except TimeoutError:\n    print('gave up')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "gave up\n"), ended.stderr


@pytest.mark.loopback
def test_addresses_of_the_system() -> None:
    """A literal address needs no name server."""
    assert list(system_addresses("127.0.0.1", 25)) == ["127.0.0.1"]
    assert list(system_addresses("::1", 25)) == ["::1"]
