"""Notices: whether the program that tells them can be run.

In: the command of [notify], the folder it is run in. Out: Signs. Runs nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.model.health import Sign


def hook(command: Sequence[str], folder: Path) -> Iterator[Sign]:
    """Look for the program, where one is named: by its path from ``folder``, or by its name in $PATH."""
    if not command:
        return
    program = command[0]
    place = str(folder / program) if "/" in program else program
    if shutil.which(place):
        yield Sign(group="notices", name=program, level="well", finding="can be run")
        return
    finding = "is not there, or may not be run, so notices that it should tell are not told"
    mend = f"give its whole path in [notify] command, and make it executable: chmod +x {program}"
    yield Sign(group="notices", name=program, level="trouble", finding=finding, mend=mend)
