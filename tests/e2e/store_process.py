"""Forks processes that write feeds until they are killed, as if the machine lost power.

Reads a line for each writer from stdin: a database URL and a report file. Prints the writer's process id; the writer
appends the id of each feed whose ``apply`` has returned to the report. Forking a process that has everything imported
takes milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from itertools import count

from pipeline.model.entry import Entry
from pipeline.model.feed import FeedState
from pipeline.model.update import EntryChange, FeedChanges, FeedUpdate
from pipeline.store import Store

NOW = datetime(2026, 2, 16, 6, 0, tzinfo=UTC)
POSTS = 20


def changes(feed_id: str) -> list[EntryChange]:
    """Return the new entries of a feed."""
    return [
        EntryChange(
            kind="new",
            fingerprint="first",
            entry=Entry(
                feed_id=feed_id,
                guid=str(number),
                url="",
                title=f"Post {number}",
                published_at=NOW,
                body_html=f"<p>{number}</p>" * 500,
            ),
        )
        for number in range(POSTS)
    ]


def write(url: str, report: int) -> None:
    """Write feeds for ever, reporting each once ``apply`` has returned."""
    with Store.open(url) as store:
        for number in count():
            feed_id = f"{os.getpid()}-{number}"
            store.entries.apply(
                [FeedUpdate(state=FeedState(feed_id=feed_id), changes=FeedChanges(entries=changes(feed_id)))], now=NOW
            )
            os.write(report, f"{feed_id}\n".encode())


def main() -> None:
    """Fork a writer for each line, until stdin ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # killed writers are not waited for
    for line in sys.stdin:
        url, file = line.split()
        writer = os.fork()
        if writer == 0:
            write(url, os.open(file, os.O_WRONLY | os.O_APPEND))
        print(writer, flush=True)


if __name__ == "__main__":
    main()
