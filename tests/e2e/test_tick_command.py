"""`pipeline tick` as cron starts it: on a publication, with a web server on loopback. More of it in test_daemons.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http_server import CannedResponse, HttpServer

PIPELINE = (sys.executable, "-m", "pipeline")

CONFIG = """
[publication]
name = "Harbour & Hearth"
url = "https://harbourandhearth.example/"
sender = "Harbour & Hearth <letter@harbourandhearth.example>"

[[feeds]]
id = "blog"
url = "{url}"
kind = "blog"

[fetch]
allow_private_networks = true

[schedule]
fetch = "every 24 hours"
draft = "mon 06:00"
"""


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """A web server on loopback."""
    with HttpServer() as loopback:
        yield loopback


@pytest.fixture
def folder(tmp_path: Path, server: HttpServer) -> Path:
    """A publication whose one feed that server answers."""
    (tmp_path / "config.toml").write_text(CONFIG.format(url=server.url("/feed/")))
    return tmp_path


def tick(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PIPELINE, "tick"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def tasks(said: str) -> list[str]:
    """Which tasks the log tells of, in a pipe: one JSON object a line."""
    return [json.loads(line)["task"] for line in said.splitlines()]


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.loopback
def test_a_tick_does_what_is_due_and_the_next_one_nothing(folder: Path, server: HttpServer) -> None:
    """The first asks the feed and says so; the second, in the same day and week, asks nobody and says nothing."""
    server.respond("/feed/", CannedResponse())
    code, said = ended(tick(folder))
    assert code == 0
    assert tasks(said) == ["fetch", "draft"]
    assert ended(tick(folder)) == (0, "")
    assert len(server.requests_for("/feed/")) == 1


@pytest.mark.loopback
def test_a_feed_that_fails_is_named_and_the_exit_code_says_so(folder: Path, server: HttpServer) -> None:
    """Exit code 3: done, but a feed failed; the draft is made all the same."""
    server.respond("/feed/", CannedResponse(status=404, body=b""))
    code, said = ended(tick(folder))
    assert code == 3
    assert "blog" in said
    assert "404" in said
    assert "draft:" in said
