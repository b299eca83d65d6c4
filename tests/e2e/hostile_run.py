"""Run commands of the program at a fixed time and measure them: ``python hostile_run.py TIME REPORT WORDS…``.

Writes the peak memory in MB to the file REPORT. The system stops a process that takes more than a minute of CPU time.
"""

from __future__ import annotations

import resource
import sys
from datetime import datetime
from pathlib import Path

from pipeline.cli import main

MAX_CPU_SECONDS = 60


def run(now: datetime, report: Path, words: list[str]) -> int:
    """Run a command, write its peak memory and return its exit code."""
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    code = main(words, clock=lambda: now)
    report.write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
    return code


if __name__ == "__main__":
    sys.exit(run(datetime.fromisoformat(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
