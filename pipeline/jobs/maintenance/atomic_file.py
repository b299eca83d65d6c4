"""Files that appear complete or not at all, readable by their owner only."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.model.errors import RefusedError, UsageError, WriteError

OWNER_ONLY_MODE = 0o600
"""The mode of files that contain the key that signs proof tokens."""


@contextmanager
def atomic_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield an empty file to write to; it becomes ``path`` after the block, or is removed if the block fails.

    RefusedError if ``path`` exists and may not be overwritten; otherwise like ``temporary_file_beside``.
    """
    if path.exists() and not overwrite:
        raise RefusedError(f"{path} already exists: name another file, or add --force.")
    with temporary_file_beside(path) as temporary:
        yield temporary
        fsync_path(temporary)
        replace_file(temporary, path)


@contextmanager
def temporary_file_beside(path: Path) -> Iterator[Path]:
    """Yield an empty file in the same folder, which is removed after the block unless it was renamed.

    UsageError if there is no such folder, WriteError if it is not writable.
    """
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for {path.name}: create it, or name another.")
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=OWNER_ONLY_MODE, exist_ok=False)
        yield temporary
    except OSError as error:
        raise as_write_error(path, error) from error
    finally:
        for file in (temporary, temporary.with_name(f"{temporary.name}-journal")):
            file.unlink(missing_ok=True)


def replace_file(temporary: Path, path: Path) -> None:
    """Rename a file that was synced and sync its folder."""
    os.replace(temporary, path)
    fsync_path(path.absolute().parent)


def fsync_path(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk (fsync)."""
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def as_write_error(path: Path, error: OSError) -> WriteError:
    """Return the error for a file or folder that cannot be written, with what to do.

    >>> str(as_write_error(Path("editions"), OSError(errno.ENOSPC, "No space left on device")))
    'editions cannot be written (No space left on device): free some disk space, then try again.'
    """
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = "free some disk space" if is_full else "let this user write there"
    return WriteError(f"{path} cannot be written ({error.strerror}): {advice}, then try again.")
