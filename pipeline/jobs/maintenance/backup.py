"""Back up an SQLite store into one file, and restore such a file."""

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
    """Write a checked copy of everything committed so far and return its size in bytes.

    RefusedError if the file exists or a server keeps the store, CorruptBackupError if the store is damaged.
    """
    with atomic_file(file, overwrite=overwrite) as restored:
        store.maintenance.back_up(restored)
    return file.stat().st_size


def restore(file: Path, target: Path, *, now: datetime, overwrite: bool = False) -> Path | None:
    """Replace the store at ``target`` by a backup; return the path of the old store, None if there was none.

    At every moment there is a complete store at ``target``, the old one or the new one. RefusedError if it has data and
    may not be overwritten, or if another process uses it; CorruptBackupError if the backup is incomplete or
    another program's.
    """
    if not file.is_file():
        raise UsageError(f"there is no file {file}: name one that `pipeline backup` wrote.")
    if not overwrite and has_data(target):
        raise RefusedError(f"{target} contains a publication: --force replaces it and keeps a copy.")
    with temporary_file_beside(target) as restored:
        copy_file(file, restored)
        _copy_owner(restored, target)
        fsync_path(restored)
        with exclusive_access(target):  # a process that waits for the old file then notices that it was replaced
            old = _keep_old(target, now)
            replace_file(restored, target)
    return old


def _copy_owner(restored: Path, target: Path) -> None:
    """Copy mode and owner of the old store, so that a service can use what root restored."""
    if target.exists():
        shutil.copymode(target, restored)
        with suppress(OSError, AttributeError):  # only root may change owners, and some systems have none
            os.chown(restored, target.stat().st_uid, target.stat().st_gid)


def _keep_old(target: Path, now: datetime) -> Path | None:
    """Keep the old store under a second name, as a hard link, before it is replaced; return that name.

    Its logs are renamed too: under the first name they would be taken for those of the new store.
    """
    old = target.with_name(f"{target.name}.{now:%Y%m%dT%H%M%SZ}.old")
    for log in _LOGS:  # left behind by a damaged or removed store; an intact one has none
        if (beside := target.with_name(target.name + log)).exists():
            os.replace(beside, old.with_name(old.name + log))
    if not target.exists():
        return None
    try:
        os.link(target, old)
    except OSError:  # a file system without hard links
        shutil.copy2(target, old)
    return old
