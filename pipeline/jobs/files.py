"""An edition as files in a folder, each whole or not at all.

In: an edition, a folder. Out: paths. What is sealed has, beside the sealed bytes, a ``state.json`` that says where it
stands by now: the manifest is sealed too and cannot.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from pipeline.model.digest import Edition
from pipeline.model.edition import Standing


def write_edition(edition: Edition, folder: Path, standing: Standing | None = None) -> tuple[Path, ...]:
    """Write an edition's files: four, the manifest last, and with a ``standing`` its state."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "digest.html": edition.html,
        "digest.txt": edition.text,
        "digest.eml": edition.eml,
        "manifest.json": edition.manifest,
    }
    if standing:
        parts["state.json"] = _state(edition, standing)
    else:
        (folder / "state.json").unlink(missing_ok=True)
    for name, part in parts.items():
        fresh = folder / f".{name}.new"
        fresh.write_bytes(part)
        os.replace(fresh, folder / name)
    return tuple(folder / name for name in parts)


def _state(edition: Edition, standing: Standing) -> bytes:
    said = {
        "edition": standing.week,
        "number": standing.number,
        "state": standing.state,
        "content_hash": standing.content_hash,
        "approved_at": _instant(standing.sealed_at),
        "approved_by": standing.sealed_by,
        "moved_at": _instant(standing.moved_at),
        "moved_by": standing.moved_by,
        "remark": standing.remark,
        "changed_since_approval": edition.changes,
    }
    return json.dumps(said, ensure_ascii=False, indent=2).encode() + b"\n"


def _instant(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
