"""A file that appears whole or not at all, and that its owner alone may read.

In: a path. Out: a path beside it to write to, renamed into place at the end. Touches nothing else.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.model.errors import RefusedError, UsageError, WriteError

OWNER_ONLY_MODE = 0o600
"""The mode of what holds the key that signs a proof's buttons."""


@contextmanager
def atomic_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give an empty file to write to; after the block it is ``path``, or gone when the block failed.

    Refused when ``path`` is there and may not be overwritten; for the rest as ``temporary_file_beside``.
    """
    if path.exists() and not overwrite:
        raise RefusedError(f"{path} is there already and was left alone: name another file, or add --force.")
    with temporary_file_beside(path) as fresh:
        yield fresh
        fsync_path(fresh)
        replace_file(fresh, path)


@contextmanager
def temporary_file_beside(path: Path) -> Iterator[Path]:
    """Give an empty file in the same folder, which is gone after the block unless it was put in its place.

    UsageError when there is no such folder, Unwritable when the disk says no.
    """
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for {path.name}: make it, or name another.")
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=OWNER_ONLY_MODE, exist_ok=False)
        yield fresh
    except OSError as trouble:
        raise as_write_error(path, trouble) from trouble
    finally:
        for left in (fresh, fresh.with_name(f"{fresh.name}-journal")):
            if left.exists():
                left.unlink()


def replace_file(fresh: Path, path: Path) -> None:
    """Give a file that is on the disk its name, for good."""
    os.replace(fresh, path)
    fsync_path(path.absolute().parent)


def fsync_path(path: Path) -> None:
    """See a file, or the names in a folder, onto the disk."""
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def as_write_error(path: Path, trouble: OSError) -> WriteError:
    """Say what keeps a file or folder from being written, and what to do.

    >>> str(unwritable(Path("editions"), OSError(errno.ENOSPC, "No space left on device")))
    'editions cannot be written (No space left on device): free some disk space, then try again.'
    """
    full = trouble.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = "free some disk space" if full else "let this user write there"
    return WriteError(f"{path} cannot be written ({trouble.strerror}): {advice}, then try again.")
