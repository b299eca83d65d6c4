"""A file that appears whole or not at all.

In: a path. Out: a path beside it to write to, renamed into place at the end. Touches nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.jobs.files import unwritable
from pipeline.model.errors import Refused, UsageError


@contextmanager
def whole_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a name to write to; after the block it is ``path``, on the disk for good, or gone when the block failed.

    Refused when ``path`` is there and may not be overwritten, UsageError when its folder is not, Unwritable when
    the disk says no.
    """
    if path.exists() and not overwrite:
        raise Refused(f"{path} is there already and was left alone: name another file, or add --force.")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for {path.name}: make it, or name another.")
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        yield fresh
        _sync(fresh)
        os.replace(fresh, path)
        _sync(path.absolute().parent)
    except OSError as trouble:
        raise unwritable(path, trouble) from trouble
    finally:
        for left in (fresh, fresh.with_name(f"{fresh.name}-journal")):
            if left.exists():
                left.unlink()


def _sync(path: Path) -> None:
    """See a file, or the names in a folder, onto the disk."""
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
