"""Measure the cost of parsing, in a process of its own: ``python -m tests.measure_cost FILE…``.

Prints a line of JSON for each file: its name, CPU seconds, MB of memory beyond the program's own, and the exit status.
Everything is imported before the first file; each is then parsed in a fork.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.ingest.discover import find_feeds
from tests.invariants import FEED, read_entries

MAX_SECONDS = 20
MAX_BYTES = 2 << 30
"""Limits at which the system stops the fork, so that the test fails and not the machine."""
_WARM = (
    b"<rss version='2.0'><channel><item><title>x</title><description>&lt;p&gt;x</description></item></channel></rss>"
)


def measure(work: Callable[[], object]) -> tuple[float, float, int]:
    """Run a function in a fork; return its CPU seconds, peak memory in MB and wait status."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
        try:
            work()
        except BaseException as error:
            print(repr(error)[:200], file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, status


def process_document(path: Path) -> None:
    """Process a document as the program does: as a page with links to feeds, and as a feed."""
    body = path.read_bytes()
    find_feeds(body, FEED.url)
    read_entries(body)


def main(paths: list[str]) -> None:
    """Measure every file."""
    read_entries(_WARM)
    _, idle, _ = measure(lambda: read_entries(_WARM))
    for path in map(Path, paths):
        seconds, megabytes, status = measure(lambda path=path: process_document(path))
        line = {
            "file": path.name,
            "seconds": round(seconds, 2),
            "megabytes": round(megabytes - idle, 1),
            "ended": status,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
