"""Measure the cost of parsing, in a process of its own: ``python -m tests.measure_cost FILE…``.

Prints a line of JSON for each file: its name, CPU seconds, MB of memory beyond the program's own, and the exit status.
Everything is imported before the first file; each is then parsed in a fork. The seconds are those of a machine that
takes ``REFERENCE_SECONDS`` for an ordinary document, which is parsed before and after each file: a limit then means the
same on a slow or busy machine.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.ingest.discover import find_feeds
from tests.invariants import FEED, read_entries

MAX_SECONDS = 20
MAX_BYTES = 2 << 30
"""Limits at which the system stops the fork, so that the test fails and not the machine."""
REFERENCE_SECONDS = 0.055


def ordinary_document() -> bytes:
    """Return a feed as publishers serve it, of 150 items."""
    paragraph = "&lt;p&gt;The tide turns at noon, and &lt;a href='/tides'&gt;the table&lt;/a&gt; says so.&lt;/p&gt;"
    items = (
        f"<item><guid>{number}</guid><title>Letter {number}</title><link>https://harbourandhearth.example/{number}</link>"
        f"<description>{paragraph * 12}</description></item>"
        for number in range(150)
    )
    return f"<rss version='2.0'><channel><title>Letters</title>{''.join(items)}</channel></rss>".encode()


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


def scaled_seconds(work: Callable[[], object]) -> float:
    """Run a function in this process and return its CPU seconds, scaled to the reference machine as in ``main``."""

    def seconds(run: Callable[[], object]) -> float:
        started = time.process_time()
        run()
        return time.process_time() - started

    ordinary = ordinary_document()
    before, taken, after = (
        seconds(run) for run in (lambda: read_entries(ordinary), work, lambda: read_entries(ordinary))
    )
    return taken * 2 * REFERENCE_SECONDS / (before + after)


def process_document(path: Path) -> None:
    """Process a document as the program does: as a page with links to feeds, and as a feed."""
    body = path.read_bytes()
    find_feeds(body, FEED.url)
    read_entries(body)


def main(paths: list[str]) -> None:
    """Measure every file."""
    ordinary = ordinary_document()
    read_entries(ordinary)
    before, idle, _ = measure(lambda: read_entries(ordinary))
    for path in map(Path, paths):
        seconds, megabytes, status = measure(lambda path=path: process_document(path))
        after, _, _ = measure(lambda: read_entries(ordinary))
        seconds, before = seconds * 2 * REFERENCE_SECONDS / (before + after), after
        line = {
            "file": path.name,
            "seconds": round(seconds, 2),
            "megabytes": round(megabytes - idle, 1),
            "ended": status,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
