"""Files that appear complete or not at all, readable by their owner only."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.model.errors import RefusedError, UsageError, WriteError

LOG_SUFFIXES = ("-wal", "-shm", "-journal")
"""Ends of the names of files that SQLite keeps beside a database."""


@contextmanager
def atomic_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield an empty file to write to; it becomes ``path`` after the block, or is removed if the block fails.

    RefusedError if ``path`` exists, or was created meanwhile, and may not be overwritten; otherwise like
    ``temporary_file_beside``.
    """
    refusal = RefusedError(f"{path} already exists: name another file, or add --force.")
    if path.exists() and not overwrite:
        raise refusal
    with temporary_file_beside(path) as temporary:
        yield temporary
        fsync_path(temporary)
        if overwrite:
            os.replace(temporary, path)
        elif not add_name(temporary, path):
            raise refusal
        fsync_path(path.absolute().parent)


@contextmanager
def temporary_file_beside(path: Path) -> Iterator[Path]:
    """Yield an empty file of its own in the same folder, which is removed after the block unless it was renamed.

    What killed processes left behind is removed, too. UsageError if there is no such folder, WriteError if it is not
    writable.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"there is no folder {path.parent} for {path.name}: create it, or name another.")
    try:
        for leftover in folder.glob(f".{glob.escape(path.name)}.*.new"):
            _remove_unused(leftover)
        handle, temporary = _create_locked(path)
    except OSError as error:
        raise as_write_error(path, error) from error
    try:
        yield temporary
    except OSError as error:
        raise as_write_error(path, error) from error
    finally:
        _remove(temporary)
        os.close(handle)


def add_name(file: Path, name: Path) -> bool:
    """Add a second name to a file; return False if something of that name exists."""
    try:
        os.link(file, name)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if name.exists():
            return False
        shutil.copy2(file, name)
    return True


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


def _create_locked(path: Path) -> tuple[int, Path]:
    """Create a temporary file beside ``path``, and lock it until its handle is closed."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.absolute().parent)
        _lock(handle, wait=True)
        if os.path.exists(name):  # another process may have taken it for a leftover before it was locked
            return handle, path.with_name(Path(name).name)
        os.close(handle)


def _lock(handle: int, *, wait: bool) -> bool:
    """Lock an open file; return False if another process has it, or if there are no such locks."""
    if os.name != "posix":
        return False
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_unused(file: Path) -> None:
    """Remove a temporary file unless another process is writing it."""
    with suppress(FileNotFoundError), file.open("rb") as opened:
        if _lock(opened.fileno(), wait=False):
            _remove(file)


def _remove(file: Path) -> None:
    for end in ("", *LOG_SUFFIXES):
        file.with_name(f"{file.name}{end}").unlink(missing_ok=True)


def as_write_error(path: Path, error: OSError) -> WriteError:
    """Return the error for a file or folder that cannot be written, with what to do.

    >>> str(as_write_error(Path("editions"), OSError(errno.ENOSPC, "No space left on device")))
    'editions cannot be written (No space left on device): free some disk space, then try again.'
    """
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = "free some disk space" if is_full else "let this user write there"
    return WriteError(f"{path} cannot be written ({error.strerror}): {advice}, then try again.")
