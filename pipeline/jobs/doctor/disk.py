"""Disk: whether there is room, and whether we may write where we must.

In: folders by name. Out: Signs. Asks the file system, and leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.model.health import Sign

LEAST_BYTES = 100_000_000
"""Below this an edition with its pictures, a backup or the write-ahead log may not fit."""
WISHED_BYTES = 1_000_000_000
LEAST_FILES = 1_000


def disk(folders: Mapping[str, Path]) -> Iterator[Sign]:
    """Look at each folder: the file system it is on once, and whether it can be written."""
    seen: set[int] = set()
    for name, folder in folders.items():
        there = _existing(folder)
        device = there.stat().st_dev
        if device not in seen:
            yield room(name, there, shutil.disk_usage(there).free, _files_left(there))
        seen.add(device)
        yield _writable(name, folder, there)


def room(name: str, folder: Path, free_bytes: int, files: int | None) -> Sign:
    """Judge the room on a disk; ``files``: how many may still be made, None where nobody counts them.

    >>> room("store", Path("/srv"), 50_000_000, None).finding
    'has only 0.05 GB free'
    """
    words = f"{free_bytes / 1e9:,.{1 if free_bytes > 1e9 else 2}f} GB free"
    words += "" if files is None else f", room for {files:,} files"
    if free_bytes < LEAST_BYTES or (files is not None and files < LEAST_FILES):
        mend = f"free some space on the disk that holds {folder}"
        return Sign(group="disk", name=name, level="trouble", finding=f"has only {words}", mend=mend)
    if free_bytes < WISHED_BYTES:
        mend = f"make some room on the disk that holds {folder} before it is full"
        return Sign(group="disk", name=name, level="warning", finding=f"has {words}", mend=mend)
    return Sign(group="disk", name=name, level="well", finding=f"has {words}")


def _files_left(folder: Path) -> int | None:
    """Count the files that may still be made (inodes); None where nobody counts them."""
    found = os.statvfs(folder) if hasattr(os, "statvfs") else None
    return found.f_favail if found and found.f_files else None


def _writable(name: str, folder: Path, there: Path) -> Sign:
    # Trying is the only answer that counts: rights, quotas and read-only mounts are none of os.access's business.
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".pipeline-doctor-") as file:
            file.write(b"1")
            file.flush()
    except OSError as trouble:
        mend = f"let the user who runs the program write {there}"
        finding = f"{folder} cannot be written: {trouble.strerror or trouble}"
        return Sign(group="disk", name=name, level="trouble", finding=finding, mend=mend)
    made = "" if there == folder else ", and is made when it is needed"
    return Sign(group="disk", name=name, level="well", finding=f"{folder} can be written{made}")


def _existing(folder: Path) -> Path:
    """Give the folder, or the nearest above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())
