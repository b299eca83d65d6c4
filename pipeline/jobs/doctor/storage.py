"""Disk: whether there is room, and whether we may write where we must.

In: folders by name. Out: Signs. Asks the file system, and leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from stat import S_IWGRP, S_IWOTH

from pipeline.model.health import HealthResult
from pipeline.store import Store

MIN_FREE_BYTES = 100_000_000
"""Below this an edition with its pictures, a backup or the write-ahead log may not fit."""
LOW_FREE_BYTES = 1_000_000_000
MIN_FREE_FILES = 1_000


def check_disk(folders: Mapping[str, Path]) -> Iterator[HealthResult]:
    """Look at each folder: the file system it is on once, and whether it can be written."""
    seen: set[int] = set()
    for name, folder in folders.items():
        there = _existing(folder)
        device = there.stat().st_dev
        if device not in seen:
            yield check_free_space(name, there, shutil.disk_usage(there).free, _files_left(there))
        seen.add(device)
        yield _writable(name, folder, there)


def check_free_space(name: str, folder: Path, free_bytes: int, files: int | None) -> HealthResult:
    """Judge the room on a disk; ``files``: how many may still be made, None where nobody counts them.

    >>> room("store", Path("/srv"), 50_000_000, None).finding
    'has only 0.05 GB free'
    """
    words = f"{free_bytes / 1e9:,.{1 if free_bytes > 1e9 else 2}f} GB free"
    words += "" if files is None else f", room for {files:,} files"
    if free_bytes < MIN_FREE_BYTES or (files is not None and files < MIN_FREE_FILES):
        mend = f"free some space on the disk that holds {folder}"
        return HealthResult(category="disk", name=name, level="trouble", message=f"has only {words}", fix=mend)
    if free_bytes < LOW_FREE_BYTES:
        mend = f"make some room on the disk that holds {folder} before it is full"
        return HealthResult(category="disk", name=name, level="warning", message=f"has {words}", fix=mend)
    return HealthResult(category="disk", name=name, level="well", message=f"has {words}")


def _files_left(folder: Path) -> int | None:
    """Count the files that may still be made (inodes); None where nobody counts them."""
    found = os.statvfs(folder) if hasattr(os, "statvfs") else None
    return found.f_favail if found and found.f_files else None


def _writable(name: str, folder: Path, there: Path) -> HealthResult:
    # Trying is the only answer that counts: rights, quotas and read-only mounts are none of os.access's business.
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".pipeline-doctor-") as file:
            file.write(b"1")
            file.flush()
    except OSError as trouble:
        mend = f"let the user who runs the program write {there}"
        finding = f"{folder} cannot be written: {trouble.strerror or trouble}"
        return HealthResult(category="disk", name=name, level="trouble", message=finding, fix=mend)
    made = "" if there == folder else ", and is made when it is needed"
    return HealthResult(category="disk", name=name, level="well", message=f"{folder} can be written{made}")


def _existing(folder: Path) -> Path:
    """Give the folder, or the nearest above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())


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
_MOST_FAULTS = 5


def check_database(open_store: Callable[[], Store], file: Path | None, mounts: str) -> Iterator[HealthResult]:
    """Look at the database; ``file``: where SQLite keeps it, ``mounts``: /proc/self/mountinfo where there is one."""
    if file is not None and not file.exists():
        yield HealthResult(
            category="store", name=file.name, level="well", message="is not there yet: the first command makes it"
        )
        return
    if file is not None:
        yield from _place(file, mounts)
    store = open_store()
    found = store.metrics.database_info()
    name = file.name if file else found.dialect
    faults = store.maintenance.integrity_errors()
    for fault in faults[:_MOST_FAULTS]:
        mend = "stop the program, put a backup back with `pipeline restore FILE`, and look at the disk"
        yield HealthResult(category="store", name=name, level="trouble", message=f"is damaged: {fault}", fix=mend)
    if not faults:
        yield HealthResult(
            category="store", name=name, level="well", message=f"is whole, schema {found.schema_version}"
        )
    if found.journal_mode not in ("wal", ""):
        mend = "move it to a local disk: the program chooses the log by itself, and this place does not allow it"
        finding = f"keeps its journal as {found.journal_mode}, so readers and writers wait for each other"
        yield HealthResult(category="store", name=name, level="warning", message=finding, fix=mend)


def _place(file: Path, mounts: str) -> Iterator[HealthResult]:
    kind = file_system_type(str(file.resolve()), mounts)
    if kind.startswith(NETWORK_FILE_SYSTEMS):
        mend = "move it to a local disk, or use PostgreSQL ([store] url): locks on network disks do not hold"
        yield HealthResult(
            category="store", name=file.name, level="trouble", message=f"lies on a network disk ({kind})", fix=mend
        )
    found = file.stat()
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        mend = f"run the program as that user, or give the file away: chown {os.geteuid()} {file}"
        finding = f"belongs to another user (number {found.st_uid})"
        yield HealthResult(category="store", name=file.name, level="warning", message=finding, fix=mend)
    if found.st_mode & (S_IWGRP | S_IWOTH):
        mend = f"take that right away: chmod go-w {file}"
        yield HealthResult(
            category="store", name=file.name, level="warning", message="can be written by others", fix=mend
        )


def file_system_type(path: str, mounts: str) -> str:
    """Name the kind of file system a path lies on, from /proc/self/mountinfo (proc(5)); empty where that is unknown.

    >>> mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\\n31 22 0:28 / /srv/news rw shared:1 - nfs4 nas:/news rw"
    >>> file_system("/srv/news/pipeline.db", mounts), file_system("/srv/newspaper.db", mounts)
    ('nfs4', 'ext4')
    """
    kinds = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) > 4 and after:
            kinds[fields[4].replace("\\040", " ").rstrip("/") + "/"] = after.split()[0]
    inside = [place for place in kinds if path.startswith(place)]
    return kinds[max(inside, key=len)] if inside else ""
