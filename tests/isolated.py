"""Run programs without access to the repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def run_isolated(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program without environment variables that could lead back to the repository."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIPELINE"))}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)
