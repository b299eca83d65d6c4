"""Empty stores for tests, created once a process and then copied: migrating takes fifty milliseconds, a copy one."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from pipeline.store import Store


def empty_store(folder: Path, name: str = "pipeline.db") -> str:
    """Put an empty store into a folder, unless it has one; return its URL."""
    file = folder / name
    if not file.exists():
        file.write_bytes(_new_database())
    return f"sqlite:///{file}"


@cache
def _new_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.db"
        Store.open(f"sqlite:///{file}").close()
        return file.read_bytes()
