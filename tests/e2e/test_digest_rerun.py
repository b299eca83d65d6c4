"""A second digest of the same week does not load what only the first one needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.conftest import copy_demo

# Run one command; at exit, print the loaded modules and the number of objects frozen by the garbage collector.
WATCHED = """
import atexit, gc, json, sys
values = {}
atexit.register(lambda: print(json.dumps(values | {"modules": sorted(sys.modules), "frozen": gc.get_freeze_count()})))
from pipeline.cli import main
values["code"] = main(sys.argv[1:])
"""
DIGEST = ("--quiet", "digest", "--week", "2026-W07", "--offline")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("digest.*")}


def test_a_second_digest_converts_no_html(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the same bytes, loads no HTML converter and ends without a final garbage collection."""
    publication = copy_demo(tmp_path)
    monkeypatch.chdir(publication)
    assert [main(["--quiet", "fetch"]), main(DIGEST)] == [0, 0]
    before = files(publication / "editions" / "2026-W07")
    command = [sys.executable, "-c", WATCHED, *DIGEST]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    values = json.loads(printed.splitlines()[-1])
    assert (values["code"], files(publication / "editions" / "2026-W07")) == (0, before)
    assert {"markdownify", "bs4", "soupsieve", "feedparser", "httpx"}.isdisjoint(values["modules"])
    assert {"pipeline.cli.log", "pipeline.jobs.doctor"}.isdisjoint(values["modules"]), "modules of other commands"
    assert values["frozen"] > 0
