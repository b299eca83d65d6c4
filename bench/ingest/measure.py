"""Run one process after the other and measure each: CPU seconds, peak memory, what it stored.

In: contenders, modes, numbers. Out: one Weight for each run of each. All traffic stays on the loopback interface, and
every process ends by itself or is ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ingest.contenders import Contender
from bench.ingest.documents import size
from bench.ingest.server import address, readable

MODES = ("cold", "304", "unchanged", "build date", "one new", "faulty")
"""In this order: each starts with the store that the one before left."""
SERVED_AS = {"304": "304", "faulty": "faulty"}
LONGEST_SECONDS = 1_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """The cost of one process."""

    cpu_seconds: float
    """User and system time of it and its children."""
    wall_seconds: float
    peak_bytes: int
    stored: int | None
    expected: int
    ended: str
    """The error it ended with; empty if none."""


@dataclass(slots=True)
class Server:
    """The address of the server of the feeds, and its mode."""

    port: int
    published: int = 0
    built: int = 0

    def urls(self, feeds: int) -> list[str]:
        """Return the addresses of the feeds."""
        return [f"http://{address(number)}:{self.port}/feed/{number}" for number in range(feeds)]

    def turn_to(self, mode: str) -> None:
        """Respond in a mode from now on; what is new in it is new to every program once."""
        self.published += mode in ("one new", "faulty")
        self.built += mode in ("build date", "one new", "faulty")
        path = f"mode/{SERVED_AS.get(mode, 'cold')}/{self.published}/{self.built}"
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=30).read()


@contextmanager
def serving() -> Iterator[Server]:
    """Run the server in a process of its own."""
    command = [sys.executable, "-m", "bench.ingest.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield Server(int(process.stdout.readline()))
        finally:
            process.stdin.close()


def expected_entries(feeds: int, mode: str, published: int) -> int:
    """Return how many entries a program has that missed none.

    The last new item came in the mode itself, and not to the feeds that cannot be read in it.
    """
    missed = sum(not readable(number) for number in range(feeds)) if mode == "faulty" else 0
    return sum(size(number) for number in range(feeds)) + published * feeds - missed


def round_of(
    server: Server, everybody: Sequence[Contender], feeds: int, modes: Sequence[str], folder: Path
) -> Iterator[tuple[str, str, Weight]]:
    """Run every program in all modes, starting with an empty store; yield mode, name and cost."""
    server.published = server.built = 0
    for contender in everybody:
        (folder / contender.name).mkdir(parents=True)
        contender.prepare(folder / contender.name, server.urls(feeds))
    for mode in modes:
        server.turn_to(mode)
        for contender in everybody:
            own = folder / contender.name
            cost = run(contender.command(own), own)
            expected = expected_entries(feeds, mode, server.published)
            yield mode, contender.name, Weight(**cost, stored=contender.stored(own), expected=expected)


def run(command: list[str], folder: Path) -> dict[str, float | int | str]:
    """Run one process to its end and return its cost."""
    started = time.monotonic()
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    watch = threading.Timer(LONGEST_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    watch.start()
    _, status, usage = os.wait4(process.pid, 0)
    watch.cancel()
    process.returncode = code = os.waitstatus_to_exitcode(status)
    return {
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "wall_seconds": time.monotonic() - started,
        "peak_bytes": usage.ru_maxrss * 1024,
        "ended": "" if code in (0, 3) else f"exit {code}",
    }
