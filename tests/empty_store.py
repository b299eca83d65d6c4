"""Stores for tests: an empty one, made once a process and copied from then on.

In: a folder, or the file to be. Out: the address of an empty database that has today's tables. Taking the steps to
them costs fifty milliseconds, a copy one; the steps themselves are the subject of ``tests/unit/test_migrations.py``.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from pipeline.store import Store


def empty_store(folder: Path, name: str = "pipeline.db") -> str:
    """Put an empty store into a folder, where there is none; gives its address."""
    file = folder / name
    if not file.exists():
        file.write_bytes(_as_it_is_made())
    return f"sqlite:///{file}"


@cache
def _as_it_is_made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.db"
        Store.open(f"sqlite:///{file}").close()
        return file.read_bytes()
