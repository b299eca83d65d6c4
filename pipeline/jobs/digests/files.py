"""An edition as files in a folder, each whole or not at all.

In: an edition, a folder. Out: paths, or what was written there. What is sealed has, beside the sealed bytes, a
``state.json`` that says where it stands by now: the manifest is sealed too and cannot.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pipeline.jobs.maintenance.atomic_file import as_write_error
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord


def write_edition(edition: Edition, folder: Path, record: EditionRecord | None = None) -> tuple[Path, ...]:
    """Write an edition's files: four, the manifest last, and with a ``standing`` its state.

    Unwritable when the disk says no; then all are as they were.
    """
    parts = {
        "digest.html": edition.html,
        "digest.txt": edition.text,
        "digest.eml": edition.eml,
        "manifest.json": edition.manifest,
    }
    if record:
        parts["state.json"] = _state(edition, record)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_all(folder, parts)
        if not record:
            (folder / "state.json").unlink(missing_ok=True)
    except OSError as trouble:
        raise as_write_error(folder, trouble) from trouble
    return tuple(folder / name for name in parts)


def read_draft_manifest(folder: Path) -> bytes:
    """Give the manifest of the draft whose files lie in a folder; nothing where there is none, or what is sealed."""
    if (folder / "state.json").exists():
        return b""
    try:
        return (folder / "manifest.json").read_bytes()
    except OSError:
        return b""


def _write_all(folder: Path, parts: Mapping[str, bytes]) -> None:
    """Write all parts beside their places before the first takes its place."""
    fresh = {name: folder / f".{name}.new" for name in parts}
    try:
        for name, part in parts.items():
            fresh[name].write_bytes(part)
        for name in parts:
            os.replace(fresh[name], folder / name)
    finally:
        for path in fresh.values():
            path.unlink(missing_ok=True)


def _state(edition: Edition, standing: EditionRecord) -> bytes:
    said = {
        "edition": standing.week,
        "number": standing.number,
        "state": standing.state,
        "content_hash": standing.content_hash,
        "approved_at": _instant(standing.sealed_at),
        "approved_by": standing.sealed_by,
        "moved_at": _instant(standing.changed_at),
        "moved_by": standing.changed_by,
        "remark": standing.note,
        "changed_since_approval": edition.changes,
    }
    return json.dumps(said, ensure_ascii=False, indent=2).encode() + b"\n"


def _instant(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
