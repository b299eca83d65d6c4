"""The demo publication with its feeds read: they are read once a process, and the store is copied from then on.

In: a publication's folder, the moment. Out: ``pipeline.db`` in it, as ``pipeline fetch`` would leave it then. Reading
costs a quarter of a second, a copy next to nothing; the reading itself is the subject of other tests.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from functools import cache
from pathlib import Path

from pipeline.app import App
from pipeline.app.feeds import build_refresher
from tests.conftest import copy_demo


def write_fetched_store(publication: Path, now: datetime) -> None:
    """Put the store into the demo's folder, all its feeds read at a moment."""
    (publication / "pipeline.db").write_bytes(_as_it_is_read(now))


@cache
def _as_it_is_read(now: datetime) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = copy_demo(Path(name))
        with App.load(folder / "config.toml") as app:
            build_refresher(app).refresh(app.feeds, now=now)
        return (folder / "pipeline.db").read_bytes()
