"""Measure how many sign-ups the pages for subscribers take: 200 a second for a minute, none lost, while others idle.

`pipeline run --only public` serves a new publication on loopback. The sign-ups are sent at a fixed rate, each from a
network of its own, while a thousand connections are open and idle; then the rows in the database are counted. After
that a thousand sign-ups alternate between a known and an unknown address, to compare how long the answers take. The
exit code is 1 if an answer is not 200, a row is missing, or the times can be told apart. `--store` names a PostgreSQL
database that is empty; without it SQLite is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, sleep
from urllib.parse import urlencode

from pipeline.store import Store

CONNECTIONS = 40
IDLE = 1_000
TRIES = 1_000
MAX_DIFFERENCE = 0.1
"""Of the medians of known and unknown addresses, as a share of them."""
CONFIG = """
[publication]
name = "Kelp & Co"
url = "https://kelp.example/"
sender = "post@kelp.example"

[[feeds]]
id = "blog"
url = "https://kelp.example/feed/"
kind = "blog"

[public]
url = "http://127.0.0.1:{port}"
listen = "127.0.0.1:{port}"

[signup]
check_mx = false
max_per_form = 1000000

[store]
url = "{store}"
"""


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def served(folder: Path, port: int, store: str) -> Iterator[None]:
    """Serve the pages of a new publication in a process of its own."""
    (folder / "config.toml").write_text(CONFIG.format(port=port, store=store))
    command = [sys.executable, "-m", "pipeline", "run", "--only", "public", "--config", str(folder / "config.toml")]
    process = subprocess.Popen(command)
    try:
        for _ in range(300):
            with ExitStack() as opened:
                try:
                    opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=1))
                    break
                except OSError:
                    sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def request(number: int, address: str) -> bytes:
    """Return a sign-up from a network of its own."""
    body = urlencode({"address": address, "consent": "yes", "name": "Ada", "topics": "posts"}).encode()
    network = f"{11 + number // 62_500 % 100}.{number // 250 % 250}.{number % 250}.7"
    head = (
        "POST /subscribe HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Forwarded-For: {network}\r\nUser-Agent: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Client:
    """A connection that is opened again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, data: bytes) -> int:
        """Send a request and return the status of its answer."""
        for _ in range(2):
            if self._streams is None or self._streams[0].at_eof():
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            try:
                writer.write(data)
                head = await reader.readuntil(b"\r\n\r\n")
            except (OSError, asyncio.IncompleteReadError):  # idle for too long, before the request was read
                self._streams = None
                continue
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            return int(head[9:12])
        return 0


async def load(port: int, rate: int, seconds: int) -> tuple[list[int], list[float]]:
    """Send sign-ups at a fixed rate; return the statuses, and the seconds each took with the wait for a connection."""
    free: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(Client(port))
    statuses: list[int] = []
    times: list[float] = []

    async def one(number: int) -> None:
        began = perf_counter()
        client = await free.get()
        try:
            statuses.append(await client.send(request(number, f"person{number}@byron.example")))
        finally:
            free.put_nowait(client)
        times.append(perf_counter() - began)

    began = perf_counter()
    tasks = []
    for number in range(rate * seconds):
        await asyncio.sleep(max(0.0, began + number / rate - perf_counter()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    return statuses, times


async def compare(port: int, first: int) -> tuple[list[float], list[float]]:
    """Return how long the answers for an address that is known and for new ones take."""
    client, known, unknown = Client(port), [], []
    for number in range(TRIES):
        for times, address in ((known, "person1@byron.example"), (unknown, f"new{number}@byron.example")):
            data = request(first + 2 * number + (times is unknown), address)
            began = perf_counter()
            await client.send(data)
            times.append(perf_counter() - began)
    return known, unknown


def main() -> int:
    """Run, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--store", default="sqlite:///pipeline.db")
    options = parser.parse_args()
    port, count = free_port(), options.rate * options.seconds
    with tempfile.TemporaryDirectory() as name, served(Path(name), port, options.store), ExitStack() as idle:
        for _ in range(IDLE):
            idle.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
        statuses, times = asyncio.run(load(port, options.rate, options.seconds))
        failed = len(statuses) - statuses.count(200)
        url = f"sqlite:///{name}/pipeline.db" if options.store.startswith("sqlite") else options.store
        with Store.open(url) as store:
            rows = sum(store.subscribers.counts(datetime.now(UTC)).values())
        tenths = quantiles(times, n=100)
        print(f"{count} sign-ups at {options.rate} a second: {failed} failed, {count - rows} lost")
        print(f"seconds to the answer: median {median(times):.3f}, 99 of 100 within {tenths[98]:.3f}")
        known, unknown = asyncio.run(compare(port, count))
        difference = abs(median(known) - median(unknown)) / median(unknown)
        print(f"ms: known {1e3 * median(known):.2f}, unknown {1e3 * median(unknown):.2f}: {difference:.1%} apart")
    return int(failed > 0 or rows != count or difference > MAX_DIFFERENCE)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(main())
