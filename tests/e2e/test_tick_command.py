"""`pipeline tick` as cron starts it. See also test_concurrent_daemons.py."""

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
    """A publication with one feed, served by that server."""
    (tmp_path / "config.toml").write_text(CONFIG.format(url=server.url("/feed/")))
    return tmp_path


def tick(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PIPELINE, "tick"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def logged_tasks(log: str) -> list[str]:
    """Return the ids of the logged tasks. In a pipe each line of the log is a JSON object."""
    return [json.loads(line)["task"] for line in log.splitlines()]


def wait(process: subprocess.Popen[str]) -> tuple[int, str]:
    log, _ = process.communicate(timeout=60)
    return process.returncode, log


@pytest.mark.loopback
def test_a_second_tick_does_nothing(folder: Path, server: HttpServer) -> None:
    """The first tick fetches and drafts; the second, on the same day, sends no request and logs nothing."""
    server.respond("/feed/", CannedResponse())
    code, log = wait(tick(folder))
    assert code == 0
    assert logged_tasks(log) == ["fetch", "draft"]
    assert wait(tick(folder)) == (0, "")
    assert len(server.requests_for("/feed/")) == 1


@pytest.mark.loopback
def test_a_failed_feed_is_logged_and_the_exit_code_is_3(folder: Path, server: HttpServer) -> None:
    """The draft is built although a feed failed."""
    server.respond("/feed/", CannedResponse(status=404, body=b""))
    code, log = wait(tick(folder))
    assert code == 3
    assert "blog" in log
    assert "404" in log
    assert "draft:" in log
