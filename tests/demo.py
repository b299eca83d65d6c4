"""The demo publication with its feeds fetched, once for each test process; then the store is copied.

Fetching takes a quarter of a second.
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
    """Write the store of the demo with all feeds fetched at ``now``."""
    (publication / "pipeline.db").write_bytes(_as_it_is_read(now))


@cache
def _as_it_is_read(now: datetime) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = copy_demo(Path(name))
        with App.load(folder / "config.toml") as app:
            build_refresher(app).refresh(app.feeds, now=now)
        return (folder / "pipeline.db").read_bytes()
