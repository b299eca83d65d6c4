"""Back up an SQLite store into one file, and restore such a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from pipeline.jobs.maintenance.atomic_file import (
    LOG_SUFFIXES,
    add_name,
    atomic_file,
    fsync_path,
    replace_file,
    temporary_file_beside,
)
from pipeline.model.errors import RefusedError, StoreError, UsageError
from pipeline.store import Store
from pipeline.store.backup import copy_file, exclusive_access, has_data

Settle = Callable[[Store, Store | None], object]
"""Carries over into a restored store what must not be forgotten of the one it replaces, if that can be read."""


def back_up(store: Store, file: Path, *, overwrite: bool = False) -> int:
    """Write a checked copy of everything committed so far and return its size in bytes.

    RefusedError if the file exists or a server keeps the store, CorruptBackupError if the store is damaged.
    """
    with atomic_file(file, overwrite=overwrite) as restored:
        store.maintenance.back_up(restored)
    return file.stat().st_size


def restore(
    file: Path,
    target: Path,
    *,
    now: datetime,
    overwrite: bool = False,
    settle: Settle = lambda restored, previous: None,
) -> Path | None:
    """Replace the store at ``target`` by a backup; return the path of the old store, None if there was none.

    ``settle`` is called with the restored store, before anybody else can open it, and with a copy of the old one, None
    if that cannot be read. At every moment there is a complete store at ``target``, the old one or the new one.
    RefusedError if it has data and may not be overwritten, or if another process uses it; CorruptBackupError if the
    backup is incomplete or another program's.
    """
    if not file.is_file():
        raise UsageError(f"there is no file {file}: name one that `pipeline backup` wrote.")
    if not overwrite and has_data(target):
        raise RefusedError(f"{target} contains a publication: --force replaces it and keeps a copy.")
    with temporary_file_beside(target) as restored, temporary_file_beside(target) as previous:
        copy_file(file, restored)
        _copy_owner(restored, target)
        fsync_path(restored)
        old_copy = previous if _copy_old(target, previous) else None
        with exclusive_access(target, unchanged_since=old_copy):
            # A process that waits for the old file then notices that it was replaced.
            _settle(restored, old_copy, settle)
            old = _keep_old(target, now)
            replace_file(restored, target)
    return old


def _copy_old(target: Path, copy: Path) -> bool:
    """Copy the store to be replaced; return False if there is none, or not a whole one of this program."""
    try:
        copy_file(target, copy)
    except StoreError:
        return False
    return True


def _settle(restored: Path, previous: Path | None, settle: Settle) -> None:
    with Store.open(f"sqlite:///{restored}") as store, ExitStack() as stack:
        before = None
        if previous:
            with suppress(StoreError):  # written by a newer version
                before = stack.enter_context(Store.open(f"sqlite:///{previous}"))
        settle(store, before)


def _copy_owner(restored: Path, target: Path) -> None:
    """Copy mode and owner of the old store, so that a service can use what root restored."""
    if target.exists():
        shutil.copymode(target, restored)
        with suppress(OSError, AttributeError):  # only root may change owners, and some systems have none
            os.chown(restored, target.stat().st_uid, target.stat().st_gid)


def _keep_old(target: Path, now: datetime) -> Path | None:
    """Save the old store under a second name, which no other file has, before it is replaced; return that name.

    Its logs are renamed too: under the first name they would be taken for those of the new store.
    """
    for number in count(1):
        old = target.with_name(f"{target.name}.{now:%Y%m%dT%H%M%SZ}{f'-{number}' if number > 1 else ''}.old")
        if not any(old.with_name(old.name + log).exists() for log in LOG_SUFFIXES) and (
            add_name(target, old) if target.exists() else not old.exists()
        ):
            break
    for log in LOG_SUFFIXES:  # left behind by a damaged or removed store; an intact one has none
        if (beside := target.with_name(target.name + log)).exists():
            os.replace(beside, old.with_name(old.name + log))
    return old if old.exists() else None
