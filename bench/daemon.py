"""Measure what the daemon costs over months: memory after many rounds of fetching, CPU while nothing is due.

In: how many rounds of how many feeds (default: 1,000 of 20). Out: a table on stdout, and exit code 1 when a limit is
passed. The feeds are served on loopback by another process, mostly unchanged, and with a new post now and then; the
clock is passed in, so a month takes minutes. Touches a temporary folder only. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.app.reload import ReloadingApp
from pipeline.daemon import TICK_INTERVAL_SECONDS
from tests.http_server import CannedResponse, HttpServer, ReceivedRequest

ROOT = Path(__file__).parents[1]
START = datetime(2026, 2, 8, tzinfo=UTC)
"""A Sunday: the first draft, which loads all that drafts need, is made on the Monday."""
ROUND = timedelta(minutes=30)
WARM_ROUNDS = 80
IDLE_BEATS = 200
NEWS_EVERY = 48
"""A feed has a new post so many rounds after the last."""
MOST_GROWTH_MB = 5.0
MOST_IDLE_PERCENT = 0.1
CONFIG = """
[publication]
name = "Harbour & Hearth"
url = "https://harbourandhearth.example/"
sender = "Harbour & Hearth <letter@harbourandhearth.example>"
[fetch]
allow_private_networks = true
host_gap_seconds = 0
[web]
listen = ""
[schedule]
fetch = "every 30 minutes"
"""


class Feed:
    """One feed of the server's: a document with a new post now and then, and 304s in between."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked = number  # so that not all of them have news at once

    def __call__(self, seen: ReceivedRequest) -> CannedResponse:
        """Answer one request."""
        self.asked += 1
        newest = self.asked // NEWS_EVERY
        items = "".join(self._item(number) for number in range(newest, max(newest - 10, -1), -1))
        body = f"<rss version='2.0'><channel><title>Feed {self.number}</title>{items}</channel></rss>"
        return CannedResponse(body=body.encode(), headers={"ETag": f'"{newest}"'})

    def _item(self, number: int) -> str:
        at = START + number * NEWS_EVERY * ROUND
        return (
            f"<item><guid>{self.number}-{number}</guid><title>Post {number} of feed {self.number}</title>"
            f"<link>https://f{self.number}.example/{number}</link><pubDate>{at:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
            f"<description>{'A few words about the harbour. ' * 40}</description></item>"
        )


def serve(rounds: int, feeds: int) -> dict[str, float]:
    """Serve feeds to a daemon in a process of its own, and give what it measured."""
    with HttpServer() as server, tempfile.TemporaryDirectory() as folder:
        tables = []
        for number in range(feeds):
            server.respond(f"/{number}", Feed(number))
            tables.append(f'[[feeds]]\nid = "f{number}"\nurl = "{server.url(f"/{number}")}"\nkind = "blog"\n')
        (Path(folder) / "config.toml").write_text(CONFIG + "".join(tables))
        command = [sys.executable, "-m", "bench.daemon", "--in", folder, "--rounds", str(rounds)]
        told = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return found | {"requests": float(len(server.requests))}


def live(folder: Path, rounds: int) -> dict[str, float]:
    """Be the daemon, faster than time; measure."""
    with ReloadingApp(folder / "config.toml") as living:
        now, warm_mb = START, 0.0
        for nth in range(WARM_ROUNDS + rounds):
            now += ROUND
            list(living.run_due_tasks(now))
            living.release_memory()
            if nth == WARM_ROUNDS:
                warm_mb = memory_mb()
        grown_mb = memory_mb() - warm_mb
        before = time.process_time()
        for beat in range(IDLE_BEATS):
            list(living.run_due_tasks(now + timedelta(seconds=beat)))
            living.release_memory()
        idle = (time.process_time() - before) / IDLE_BEATS
    return {
        "memory_mb": warm_mb,
        "grown_mb": grown_mb,
        "beat_ms": idle * 1000,
        "idle_percent": idle / TICK_INTERVAL_SECONDS * 100,
    }


def memory_mb() -> float:
    """Give the memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=1_000)
    options.add_argument("--feeds", type=int, default=20)
    options.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    said = options.parse_args()
    if said.folder:
        print(json.dumps(live(said.folder, said.rounds)))
        return 0
    found = serve(said.rounds, said.feeds)
    print(f"{said.rounds:,} rounds of {said.feeds} feeds, {found['requests']:,.0f} requests")
    print(f"memory         {found['memory_mb']:7.1f} MB, then {found['grown_mb']:+.1f} MB   (limit +{MOST_GROWTH_MB})")
    print(f"an idle beat   {found['beat_ms']:7.2f} ms of CPU")
    print(f"idle           {found['idle_percent']:7.3f} % of a CPU             (limit {MOST_IDLE_PERCENT})")
    return int(found["grown_mb"] > MOST_GROWTH_MB or found["idle_percent"] > MOST_IDLE_PERCENT)


if __name__ == "__main__":
    sys.exit(main())
