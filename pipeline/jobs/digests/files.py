"""Write an edition to a folder, all files or none.

A sealed edition also has a ``state.json`` with its current state, since its manifest is sealed and cannot change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pipeline.digest.edition.variants import FILES, FOLDER, files_of
from pipeline.jobs.maintenance.atomic_file import as_write_error
from pipeline.model.correction import Correction, CorrectionState
from pipeline.model.digest import Edition, EditionState
from pipeline.model.edition import EditionRecord

CORRECTIONS = "corrections"
"""In the folder of an edition; it has a folder for each correction."""


def write_edition(edition: Edition, folder: Path, record: EditionRecord | None = None) -> tuple[Path, ...]:
    """Write an edition's files, ``manifest.json`` and with ``record`` ``state.json`` last; return their paths.

    Raise WriteError if a file cannot be written; then all files are as they were.
    """
    parts = {
        "digest.html": edition.html,
        "digest.txt": edition.text,
        "digest.eml": edition.eml,
    }
    for variant in edition.variants:
        parts |= files_of(variant)
    parts["manifest.json"] = edition.manifest
    if record:
        parts["state.json"] = _state(edition, record)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_all(folder, parts)
        _remove_other_variants(folder, {variant.name for variant in edition.variants})
        if not record:
            (folder / "state.json").unlink(missing_ok=True)
    except OSError as error:
        raise as_write_error(folder, error) from error
    return tuple(folder / name for name in parts)


def correction_folder(out: Path, week: str, number: int) -> Path:
    """Return the folder of a correction, which is in that of its edition."""
    return out / week / CORRECTIONS / str(number)


def correction_record(correction: Correction, edition_number: int | None) -> EditionRecord:
    """Return the record that is written beside the files of a correction, in the form of an edition's."""
    states: Mapping[CorrectionState, EditionState] = {"draft": "approved", "sending": "sending", "sent": "sent"}
    names = ("week", "content_hash", "sealed_at", "sealed_by", "changed_at", "changed_by", "note")
    values = {name: getattr(correction, name) for name in names}
    return EditionRecord(state=states.get(correction.state, "skipped"), number=edition_number, **values)


def remove_correction(out: Path, week: str, number: int) -> None:
    """Remove the files of a correction that was discarded, and its folder if nothing else is in it."""
    folder = correction_folder(out, week, number)
    _remove_other_variants(folder, ())
    for name in (*FILES, "manifest.json", "state.json"):
        (folder / name).unlink(missing_ok=True)
    for empty in (folder, folder.parent):
        with suppress(OSError):
            empty.rmdir()


def read_draft_manifest(folder: Path) -> bytes:
    """Return the manifest of the draft in a folder; empty if there is none or the edition there is sealed."""
    if (folder / "state.json").exists():
        return b""
    try:
        return (folder / "manifest.json").read_bytes()
    except OSError:
        return b""


def _write_all(folder: Path, parts: Mapping[str, bytes]) -> None:
    """Write all files under temporary names before replacing the first one."""
    temporary = {name: (folder / name).with_name(f".{Path(name).name}.new") for name in parts}
    try:
        for name, content in parts.items():
            temporary[name].parent.mkdir(parents=True, exist_ok=True)
            temporary[name].write_bytes(content)
        for name in parts:
            os.replace(temporary[name], folder / name)
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)


def _remove_other_variants(folder: Path, names: Collection[str]) -> None:
    """Remove the files of variants that an earlier draft had, and their folders if nothing else is in them."""
    for path in (folder / FOLDER).glob("*"):
        if path.name not in names:
            for name in FILES:
                (path / name).unlink(missing_ok=True)
            with suppress(OSError):
                path.rmdir()
    with suppress(OSError):
        (folder / FOLDER).rmdir()


def _state(edition: Edition, record: EditionRecord) -> bytes:
    state = {
        "edition": record.week,
        "number": record.number,
        "state": record.state,
        "content_hash": record.content_hash,
        "approved_at": _timestamp(record.sealed_at),
        "approved_by": record.sealed_by,
        "changed_at": _timestamp(record.changed_at),
        "changed_by": record.changed_by,
        "note": record.note,
        "changed_since_approval": edition.changes,
    }
    return json.dumps(state, ensure_ascii=False, indent=2).encode() + b"\n"


def _timestamp(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
