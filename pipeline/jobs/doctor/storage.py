"""Doctor checks of folders and of the database."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from stat import S_IWGRP, S_IWOTH

from pipeline.model.health import HealthLevel, HealthResult, Owner
from pipeline.store import Store

MIN_FREE_BYTES = 100_000_000
"""With less an edition with its images, a backup or the write-ahead log may not fit."""
LOW_FREE_BYTES = 1_000_000_000
MIN_FREE_FILES = 1_000
NETWORK_FILE_SYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.rclone",
)
_MAX_ERRORS = 5


def check_owners(owners: Mapping[str, Owner | None], own: Owner) -> Iterator[HealthResult]:
    """Check that neither the database nor the outbox belongs to another publication. ``owners`` is by setting."""
    for setting, owner in owners.items():
        if owner and not owner.is_same(own):
            message = f"is the one of another publication, {owner.publication}, set in {owner.config}"
            fix = "give each publication its own, or entries and editions of both are mixed up"
            yield _result("store", setting, "error", message, fix)


def check_disk(folders: Mapping[str, Path]) -> Iterator[HealthResult]:
    """Check the free space of each file system once, and whether each folder is writable. Leaves no file behind."""
    devices: set[int] = set()
    for name, folder in folders.items():
        existing = next(path for path in (folder, *folder.parents) if path.is_dir())
        device = existing.stat().st_dev
        if device not in devices:
            yield check_free_space(name, existing, shutil.disk_usage(existing).free, _free_files(existing))
        devices.add(device)
        yield _check_writable(name, folder, existing)


def check_free_space(name: str, folder: Path, free_bytes: int, free_files: int | None) -> HealthResult:
    """Judge the free space of a file system; ``free_files`` is None if it does not limit them.

    >>> check_free_space("store", Path("/srv"), 50_000_000, None).message
    'has only 0.05 GB free'
    """
    space = f"{free_bytes / 1e9:,.{1 if free_bytes > 1e9 else 2}f} GB free"
    space += "" if free_files is None else f", room for {free_files:,} files"
    if free_bytes < MIN_FREE_BYTES or (free_files is not None and free_files < MIN_FREE_FILES):
        fix = f"free some space on the disk that holds {folder}"
        return _result("disk", name, "error", f"has only {space}", fix)
    if free_bytes < LOW_FREE_BYTES:
        fix = f"free some space on the disk that holds {folder} before it is full"
        return _result("disk", name, "warning", f"has {space}", fix)
    return _result("disk", name, "ok", f"has {space}")


def _free_files(folder: Path) -> int | None:
    """Return how many files (inodes) may still be created; None if there is no limit."""
    status = os.statvfs(folder) if hasattr(os, "statvfs") else None
    return status.f_favail if status and status.f_files else None


def _check_writable(name: str, folder: Path, existing: Path) -> HealthResult:
    # Only writing a file proves it: os.access ignores quotas and read-only mounts.
    try:
        with tempfile.NamedTemporaryFile(dir=existing, prefix=".pipeline-doctor-") as file:
            file.write(b"1")
            file.flush()
    except OSError as error:
        message = f"{folder} is not writable: {error.strerror or error}"
        return _result("disk", name, "error", message, f"let the user who runs the program write to {existing}")
    missing = "" if existing == folder else " and is created when it is needed"
    return _result("disk", name, "ok", f"{folder} is writable{missing}")


def check_database(open_store: Callable[[], Store], file: Path | None, mounts: str) -> Iterator[HealthResult]:
    """Check that the database is intact, and on a suitable disk. Reads all of it once and changes nothing.

    ``file`` is that of an SQLite database, ``mounts`` the text of /proc/self/mountinfo if there is one.
    """
    if file is not None and not file.exists():
        yield _result("store", file.name, "ok", "does not exist yet and is created by the first command")
        return
    if file is not None:
        yield from _check_database_file(file, mounts)
    store = open_store()
    info = store.metrics.database_info()
    name = file.name if file else info.dialect
    errors = store.maintenance.integrity_errors()
    for error in errors[:_MAX_ERRORS]:
        fix = "stop the program, restore a backup with `pipeline restore FILE`, and check the disk"
        yield _result("store", name, "error", f"is damaged: {error}", fix)
    if not errors:
        yield _result("store", name, "ok", f"is intact, schema {info.schema_version}")
    if info.journal_mode not in ("wal", ""):
        message = f"keeps its journal in mode {info.journal_mode}, so readers and writers wait for each other"
        fix = "move it to a local disk: where it is, the write-ahead log is not possible"
        yield _result("store", name, "warning", message, fix)


def _check_database_file(file: Path, mounts: str) -> Iterator[HealthResult]:
    kind = file_system_type(str(file.resolve()), mounts)
    if kind.startswith(NETWORK_FILE_SYSTEMS):
        fix = "move it to a local disk, or use PostgreSQL ([store] url): locks on network disks are not reliable"
        yield _result("store", file.name, "error", f"is on a network disk ({kind})", fix)
    status = file.stat()
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        fix = f"run the program as that user, or change the owner: chown {os.geteuid()} {file}"
        yield _result("store", file.name, "warning", f"belongs to another user (number {status.st_uid})", fix)
    if status.st_mode & (S_IWGRP | S_IWOTH):
        yield _result("store", file.name, "warning", "is writable for others", f"restrict it: chmod go-w {file}")


def file_system_type(path: str, mounts: str) -> str:
    """Return the file system type of a path from /proc/self/mountinfo (proc(5)); empty if it is unknown.

    >>> mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\\n31 22 0:28 / /srv/news rw shared:1 - nfs4 nas:/news rw"
    >>> file_system_type("/srv/news/pipeline.db", mounts), file_system_type("/srv/newspaper.db", mounts)
    ('nfs4', 'ext4')
    """
    types = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) > 4 and after:
            types[fields[4].replace("\\040", " ").rstrip("/") + "/"] = after.split()[0]
    matching = [mount_point for mount_point in types if path.startswith(mount_point)]
    return types[max(matching, key=len)] if matching else ""


def _result(category: str, name: str, level: HealthLevel, message: str, fix: str = "") -> HealthResult:
    return HealthResult(category=category, name=name, level=level, message=message, fix=fix)
