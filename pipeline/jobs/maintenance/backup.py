"""Back the store up into one file, and put such a file in its place.

In: a store or its file, a backup. Out: the backup, checked; or the store's file replaced, the old one beside it.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pipeline.jobs.maintenance.atomic_file import atomic_file, fsync_path, replace_file, temporary_file_beside
from pipeline.model.errors import RefusedError, UsageError
from pipeline.store import Store
from pipeline.store.backup import copy_file, exclusive_access, has_data

_LOGS = ("-wal", "-shm", "-journal")


def back_up(store: Store, file: Path, *, overwrite: bool = False) -> int:
    """Write a copy that holds all that was committed when it began; gives its size in bytes.

    Refused when the file is there, or a server keeps the store; BrokenCopy when the store is damaged.
    """
    with atomic_file(file, overwrite=overwrite) as fresh:
        store.maintenance.back_up(fresh)
    return file.stat().st_size


def restore(file: Path, target: Path, *, now: datetime, overwrite: bool = False) -> Path | None:
    """Put a backup where the store lies; gives where the old store lies now, None when there was none.

    At every moment there is a whole store at ``target``, the old one or the new. Refused when it holds something and
    may not be replaced, or another process works with it; BrokenCopy when the backup is not whole or not ours.
    """
    if not file.is_file():
        raise UsageError(f"there is no file {file}: name one that `pipeline backup` wrote.")
    if not overwrite and has_data(target):
        raise RefusedError(f"{target} holds a publication: --force puts the backup in its place and keeps the old one.")
    with temporary_file_beside(target) as fresh:
        copy_file(file, fresh)
        _hand_to_owner(fresh, target)
        fsync_path(fresh)
        with exclusive_access(target):  # until it has its place: who waits meanwhile is told that the file has moved
            old = _keep(target, now)
            replace_file(fresh, target)
    return old


def _hand_to_owner(fresh: Path, target: Path) -> None:
    """Let whoever could read and write the old store do so with the new one: root restores, a service goes on."""
    if target.exists():
        shutil.copymode(target, fresh)
        with suppress(OSError, AttributeError):  # not ours to give away, or a system without owners
            os.chown(fresh, target.stat().st_uid, target.stat().st_gid)


def _keep(target: Path, now: datetime) -> Path | None:
    """Give the old store a second name, under which it stays when the first one is taken from it.

    No log of it stays beside the first name, where it would be taken for the new one's.
    """
    old = target.with_name(f"{target.name}.{now:%Y%m%dT%H%M%SZ}.old")
    for log in _LOGS:  # of a damaged one, or of one that somebody took away; a whole one has none left
        if (beside := target.with_name(target.name + log)).exists():
            os.replace(beside, old.with_name(old.name + log))
    if not target.exists():
        return None
    try:
        os.link(target, old)
    except OSError:  # a disk without links
        shutil.copy2(target, old)
    return old
