"""Measure what a start costs: CPU seconds of whole processes, as a person or cron starts them.

The demo publication is created in a temporary folder. A table is printed; the exit code is 1 if a limit is exceeded.
Nothing else is written, and no network is used. Run it on an idle machine: `make bench`.
"""

from __future__ import annotations

import argparse
import compileall
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pipeline as pipeline_package

RUNS = 9
# CPU seconds; the limits of the command line's contract.
LIMITS = {"pipeline --help": 0.2, "pipeline digest --week 2026-W07 --offline": 0.6}

# The interpreter alone, with the start-up of this environment.
FLOOR = ("python -c pass", (sys.executable, "-c", "pass"))


def cpu_seconds(command: Sequence[str], cwd: Path) -> float:
    """Run a process to its end and return the user and system time of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def pipeline(*words: str) -> tuple[str, ...]:
    """Return the command that runs ``pipeline`` of this environment."""
    return (str(Path(sys.executable).parent / "pipeline"), *words)


def prepare(folder: Path) -> None:
    """Compile the program, as pip does with what it installs, create the demo publication and fetch its feeds."""
    compileall.compile_dir(Path(pipeline_package.__file__).parent, quiet=1)
    for words in (("init", "--demo", "."), ("fetch",), ("digest", "--week", "2026-W07")):
        subprocess.run(pipeline(*words), cwd=folder, check=True, stdout=subprocess.DEVNULL)


def measure(folder: Path, runs: int) -> dict[str, list[float]]:
    """Return the CPU seconds of each command; they are run in turn, so that load affects all alike."""
    commands = {FLOOR[0]: FLOOR[1]} | {name: pipeline(*name.split()[1:]) for name in LIMITS}
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            found[name].append(cpu_seconds(command, folder))
    return found


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=RUNS, help=f"rounds (default: {RUNS})")
    runs = options.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        found = measure(Path(folder), runs)
    floor = median(found[FLOOR[0]])
    print(f"CPU seconds of whole processes, median and spread of {runs}, load {os.getloadavg()[0]:.1f}")
    print(f"{'command':<42} {'median':>7} {'least':>7} {'most':>7} {'to floor':>9} {'limit':>6}")
    for name, seconds in found.items():
        limit = f"{LIMITS[name]:.1f}" if name in LIMITS else ""
        row = (
            f"{name:<42} {median(seconds):7.3f} {min(seconds):7.3f} {max(seconds):7.3f} {median(seconds) / floor:8.1f}x"
        )
        print(f"{row} {limit:>6}")
    return int(any(median(found[name]) > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
