"""Measure the memory of the daemon over months of fetching, and its CPU time while nothing is due.

By default 20 feeds are fetched 1,000 times. A table is printed; the exit code is 1 if a limit is exceeded. Another
process serves the feeds on loopback, mostly unchanged, with an occasional new post. The clock is an argument, so a
month takes minutes. Only a temporary folder is written. Run it on an idle machine.
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
"""A Sunday. The first draft, which imports all that drafts need, is built on Monday."""
FETCH_INTERVAL = timedelta(minutes=30)
WARM_UP_FETCHES = 80
IDLE_TICKS = 200
FETCHES_PER_POST = 48
"""The number of fetches after which a feed has a new post."""
MAX_GROWTH_MB = 5.0
MAX_IDLE_PERCENT = 0.1
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
    """A served feed with an occasional new post. Other fetches return the same ETag."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.requests = number  # so that the feeds do not publish at the same time

    def __call__(self, seen: ReceivedRequest) -> CannedResponse:
        """Return the document with its ten newest posts."""
        self.requests += 1
        newest = self.requests // FETCHES_PER_POST
        items = "".join(self._item(number) for number in range(newest, max(newest - 10, -1), -1))
        body = f"<rss version='2.0'><channel><title>Feed {self.number}</title>{items}</channel></rss>"
        return CannedResponse(body=body.encode(), headers={"ETag": f'"{newest}"'})

    def _item(self, number: int) -> str:
        at = START + number * FETCHES_PER_POST * FETCH_INTERVAL
        return (
            f"<item><guid>{self.number}-{number}</guid><title>Post {number} of feed {self.number}</title>"
            f"<link>https://f{self.number}.example/{number}</link><pubDate>{at:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
            f"<description>{'A few words about the harbour. ' * 40}</description></item>"
        )


def serve(rounds: int, feeds: int) -> dict[str, float]:
    """Serve feeds to a daemon in another process and return its measurements."""
    with HttpServer() as server, tempfile.TemporaryDirectory() as folder:
        tables = []
        for number in range(feeds):
            server.respond(f"/{number}", Feed(number))
            tables.append(f'[[feeds]]\nid = "f{number}"\nurl = "{server.url(f"/{number}")}"\nkind = "blog"\n')
        (Path(folder) / "config.toml").write_text(CONFIG + "".join(tables))
        command = [sys.executable, "-m", "bench.daemon", "--in", folder, "--rounds", str(rounds)]
        output = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    measurements: dict[str, float] = json.loads(output.splitlines()[-1])
    return measurements | {"requests": float(len(server.requests))}


def run_daemon(folder: Path, rounds: int) -> dict[str, float]:
    """Run the ticks of a daemon without waiting between them and return its measurements."""
    with ReloadingApp(folder / "config.toml") as app:
        now, warm_mb = START, 0.0
        for number in range(WARM_UP_FETCHES + rounds):
            now += FETCH_INTERVAL
            list(app.run_due_tasks(now))
            app.release_memory()
            if number == WARM_UP_FETCHES:
                warm_mb = memory_mb()
        grown_mb = memory_mb() - warm_mb
        before = time.process_time()
        for tick in range(IDLE_TICKS):
            list(app.run_due_tasks(now + timedelta(seconds=tick)))
            app.release_memory()
        idle_seconds = (time.process_time() - before) / IDLE_TICKS
    return {
        "memory_mb": warm_mb,
        "grown_mb": grown_mb,
        "tick_ms": idle_seconds * 1000,
        "idle_percent": idle_seconds / TICK_INTERVAL_SECONDS * 100,
    }


def memory_mb() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    """Measure, print a table and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--feeds", type=int, default=20)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        print(json.dumps(run_daemon(options.folder, options.rounds)))
        return 0
    measured = serve(options.rounds, options.feeds)
    print(f"{options.rounds:,} rounds of {options.feeds} feeds, {measured['requests']:,.0f} requests")
    print(
        f"memory         {measured['memory_mb']:7.1f} MB, then {measured['grown_mb']:+.1f} MB (limit +{MAX_GROWTH_MB})"
    )
    print(f"an idle tick   {measured['tick_ms']:7.2f} ms of CPU")
    print(f"idle           {measured['idle_percent']:7.3f} % of a CPU             (limit {MAX_IDLE_PERCENT})")
    return int(measured["grown_mb"] > MAX_GROWTH_MB or measured["idle_percent"] > MAX_IDLE_PERCENT)


if __name__ == "__main__":
    sys.exit(main())
