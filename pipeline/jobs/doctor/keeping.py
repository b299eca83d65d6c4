"""The store: whether it is whole, ours, of today's schema, and on a disk that keeps its promises.

In: a store and its file. Out: Signs. Reads all of the database once; changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_IWGRP, S_IWOTH

from pipeline.model.health import Sign
from pipeline.store import Store

NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs", "fuse.rclone")
_MOST_FAULTS = 5


def keeping(open_store: Callable[[], Store], file: Path | None, mounts: str) -> Iterator[Sign]:
    """Look at the database; ``file``: where SQLite keeps it, ``mounts``: /proc/self/mountinfo where there is one."""
    if file is not None and not file.exists():
        yield Sign(group="store", name=file.name, level="well", finding="is not there yet: the first command makes it")
        return
    if file is not None:
        yield from _place(file, mounts)
    store = open_store()
    found = store.gauges.foundation()
    name = file.name if file else found.dialect
    faults = store.integrity()
    for fault in faults[:_MOST_FAULTS]:
        mend = "stop the program, put a backup back with `pipeline restore FILE`, and look at the disk"
        yield Sign(group="store", name=name, level="trouble", finding=f"is damaged: {fault}", mend=mend)
    if not faults:
        yield Sign(group="store", name=name, level="well", finding=f"is whole, schema {found.schema}")
    if found.journal not in ("wal", ""):
        mend = "move it to a local disk: the program chooses the log by itself, and this place does not allow it"
        finding = f"keeps its journal as {found.journal}, so readers and writers wait for each other"
        yield Sign(group="store", name=name, level="warning", finding=finding, mend=mend)


def _place(file: Path, mounts: str) -> Iterator[Sign]:
    kind = file_system(str(file.resolve()), mounts)
    if kind.startswith(NETWORK):
        mend = "move it to a local disk, or use PostgreSQL ([store] url): locks on network disks do not hold"
        yield Sign(
            group="store", name=file.name, level="trouble", finding=f"lies on a network disk ({kind})", mend=mend
        )
    found = file.stat()
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        mend = f"run the program as that user, or give the file away: chown {os.geteuid()} {file}"
        finding = f"belongs to another user (number {found.st_uid})"
        yield Sign(group="store", name=file.name, level="warning", finding=finding, mend=mend)
    if found.st_mode & (S_IWGRP | S_IWOTH):
        mend = f"take that right away: chmod go-w {file}"
        yield Sign(group="store", name=file.name, level="warning", finding="can be written by others", mend=mend)


def file_system(path: str, mounts: str) -> str:
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
