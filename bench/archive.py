"""Measure what an archive costs a run: a fetch and a digest with few and with very many stored entries.

The demo publication is created in a temporary folder and its store filled. The median CPU seconds of both and their
ratio are printed; the exit code is 1 if the archive adds more than a tenth. It takes a minute or two and, with
a million entries, 2 GB of disk. Run it on an idle machine: ``python bench/archive.py``.
"""

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
from startup import cpu_seconds, pipeline

LIMIT = 1.1
COMMANDS = {
    "fetch": ("fetch", "--quiet"),
    "digest": ("digest", "--week", "2026-W07", "--offline", "--quiet"),
}
FEEDS = ("blog", "podcast", "links")
OLDEST = datetime(1996, 1, 1)  # noqa: DTZ001 - SQLite keeps UTC without saying so


def make_publication(folder: Path) -> None:
    """Create the demo publication and fetch its feeds twice: the second time nothing is new."""
    folder.mkdir()
    for words in (
        ("init", "--demo", "."),
        ("fetch", "--quiet"),
        ("fetch", "--quiet"),
        ("digest", "--week", "2026-W07"),
    ):
        subprocess.run(pipeline(*words), cwd=folder, check=True, stdout=subprocess.DEVNULL)


def fill(database: Path, entries: int) -> None:
    """Copy the stored entries until there are ``entries``: older, no longer in their feeds, in no digest."""
    with closing(sqlite3.connect(database)) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(entry)")]
        (pattern,) = connection.execute("SELECT * FROM entry WHERE feed_id = 'blog' ORDER BY entry_id LIMIT 1")
        row = dict(zip(names, pattern, strict=True)) | {"vanished_at": "2020-01-01 00:00:00.000000", "archived": 1}
        places = ", ".join(f":{name}" for name in names)
        connection.executemany(f"INSERT INTO entry VALUES ({places})", _older(row, entries))
        connection.execute(
            "INSERT INTO content SELECT entry_id, '{\"excerpt_text\": \"Rare words ' || entry_id || '\"}', '<p>Old</p>'"
            " FROM entry WHERE guid LIKE 'old-%'"
        )


def _older(row: dict[str, object], entries: int) -> Iterator[dict[str, object]]:
    step = timedelta(days=365 * 28) / entries
    for number in range(entries):
        yield row | {
            "entry_id": 1_000_000 + number,
            "feed_id": FEEDS[number % len(FEEDS)],
            "guid": f"old-{number}",
            "guid_sha256": f"{number:064}",
            "url_key": f"harbourandhearth.example/old/{number}",
            "enclosure_key": f"audio.example/{number}.mp3" if number % 3 == 1 else "",
            "fingerprint": f"{number:x}",
            "title": f"Old piece {number}",
            "published_at": f"{OLDEST + number * step:%Y-%m-%d %H:%M:%S.%f}",
            "mark": f"{number:032x}",
            "assigned_week": None,
        }


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--entries", type=int, default=1_000_000, help="so many old entries (default: 1,000,000)")
    options.add_argument("--runs", type=int, default=7, help="rounds (default: 7)")
    asked = options.parse_args()
    found: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folders = {size: Path(temporary) / size for size in ("small", "large")}
        for folder in folders.values():
            make_publication(folder)
        fill(folders["large"] / "pipeline.db", asked.entries)
        for _ in range(asked.runs):
            for command, words in COMMANDS.items():
                for size, folder in folders.items():
                    found.setdefault((command, size), []).append(cpu_seconds(pipeline(*words), folder))
    ratios = {name: median(found[name, "large"]) / median(found[name, "small"]) for name in COMMANDS}
    for name, ratio in ratios.items():
        small, large = (median(found[name, size]) for size in ("small", "large"))
        print(f"{name:<8} {small:6.3f} s   with {asked.entries:,} old entries {large:6.3f} s   {ratio:5.2f}x")
    return int(any(ratio > LIMIT for ratio in ratios.values()))


if __name__ == "__main__":
    sys.exit(main())
