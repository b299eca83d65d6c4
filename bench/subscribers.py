"""Measure importing, listing and exporting many subscribers: CPU seconds, and the memory that grows with them.

A CSV file is written to a temporary folder and imported into a new SQLite store there, as `pipeline subscribers import`
does. A table is printed; the exit code is 1 if the peak of the memory grows by more than ``MAX_GROWTH_MB``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

MAX_GROWTH_MB = 40
"""From a hundredth of the rows to all of them."""
PIPELINE = str(Path(sys.executable).parent / "pipeline")


def write_rows(path: Path, count: int) -> None:
    """Write an export of a mail service; one row in fifty has unsubscribed."""
    with path.open("w", encoding="utf-8") as file:
        file.write("email,name,status,created_at\n")
        for number in range(count):
            status = "unsubscribed" if number % 50 == 0 else "subscribed"
            file.write(f"person{number}@mail{number % 300}.example,Person {number},{status},2024-05-01 10:00:00\n")


def run(folder: Path, *words: str) -> tuple[float, float]:
    """Run a command and return its CPU seconds and the peak of its memory in MB."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, PIPELINE, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    seconds, kilobytes = done.stdout.split()
    return float(seconds), int(kilobytes) / 1024


def measure(rows: int) -> dict[str, tuple[float, float]]:
    """Return seconds and megabytes of each command for this many rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([PIPELINE, "init"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        write_rows(folder / "list.csv", rows)
        load = ("subscribers", "import", "list.csv", "--basis", "consent", "--quiet")
        return {
            "import --dry-run": run(folder, *load, "--dry-run"),
            "import": run(folder, *load),
            "import again": run(folder, *load),
            "list --json": run(folder, "subscribers", "list", "--json"),
            "export": run(folder, "subscribers", "export", "all.csv"),
        }


def main() -> int:
    """Print the table; return 1 if memory grows too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    few, many = measure(max(1_000, rows // 100)), measure(rows)
    print(f"{rows:,} rows{'CPU seconds':>22}{'rows a second':>16}{'MB':>8}{'MB for 1 %':>12}")
    for command, (seconds, megabytes) in many.items():
        print(f"{command:<18}{seconds:>14.1f}{rows / seconds:>16,.0f}{megabytes:>8.0f}{few[command][1]:>12.0f}")
    growth = max(many[command][1] - few[command][1] for command in many)
    return int(growth > MAX_GROWTH_MB)


if __name__ == "__main__":
    sys.exit(main())
