"""The log, health and metrics of the daemon, in a real process with its log in a pipe."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.background_server import free_port
from tests.http_server import CannedResponse, HttpServer

pytestmark = pytest.mark.loopback
GIVE_UP_SECONDS = 120
"""When a test fails instead of waiting any longer; nothing is measured by it."""
CONFIG = """
[publication]
name = "Harbour & Hearth"
url = "https://harbourandhearth.example/"
sender = "Harbour & Hearth <letter@harbourandhearth.example>"

[[feeds]]
id = "blog"
url = "{blog}"
kind = "blog"
token_env = "BLOG_TOKEN"

[[feeds]]
id = "podcast"
url = "{podcast}?token=s3same-street"
kind = "podcast"

[fetch]
allow_private_networks = true

[web]
listen = "127.0.0.1:{port}"
"""


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """One feed that works, and one that answers 404 and repeats the request."""
    with HttpServer() as loopback:
        loopback.respond("/blog", CannedResponse())
        loopback.respond("/podcast", CannedResponse(status=404, body=b"no"))
        yield loopback


class Daemon:
    """`pipeline run` in a process of its own."""

    def __init__(self, folder: Path, server: HttpServer) -> None:
        self.folder, self.port = folder, free_port()
        blog, podcast = server.url("/blog"), server.url("/podcast", "localhost")
        (folder / "config.toml").write_text(CONFIG.format(blog=blog, podcast=podcast, port=self.port))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run"],
            cwd=folder,
            env={**os.environ, "BLOG_TOKEN": "open-s3same"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=GIVE_UP_SECONDS)

    def ask_until_drafted(self) -> dict[str, float]:
        """Read the metrics once the first round of work is over; names with their labels."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            try:
                found = measured(self.ask("/metrics").text)
            except httpx.TransportError:
                found = {}
            if {"pipeline_task_runs_total succeeded draft", "pipeline_task_runs_total deferred draft"} & set(found):
                return found
            time.sleep(0.1)
        raise AssertionError("the daemon made no draft")

    def stop(self) -> tuple[str, str]:
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=GIVE_UP_SECONDS)


def measured(text: str) -> dict[str, float]:
    families = text_string_to_metric_families(text)
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value for each in families for sample in each.samples
    }


@pytest.fixture
def daemon(tmp_path: Path, server: HttpServer) -> Iterator[Daemon]:
    """A daemon at work; none outlives the test."""
    found = Daemon(tmp_path, server)
    yield found
    found.process.kill()
    found.process.communicate()


def test_health_metrics_and_log_of_a_daemon(daemon: Daemon) -> None:
    """Well and counted while it works, 503 with the reason when its store is gone, and all of its log JSON Lines."""
    found = daemon.ask_until_drafted()
    assert (found["pipeline_healthy"], found["pipeline_store_up"]) == (1, 1)
    assert (found["pipeline_feeds ok"], found["pipeline_feeds not_found"]) == (1, 1)
    assert found["pipeline_task_runs_total failed fetch"] == 1
    assert found["pipeline_heartbeat_age_seconds"] < 60
    assert (daemon.ask("/healthz").status_code, daemon.ask("/healthz").json()["status"]) == (200, "healthy")
    for file in daemon.folder.glob("pipeline.db*"):
        file.write_bytes(b"no database " * 1000)
    broken = daemon.ask("/healthz")
    assert (broken.status_code, "database" in broken.json()["problems"][0]) == (503, True), broken.text
    assert measured(daemon.ask("/metrics").text)["pipeline_store_up"] == 0
    out, err = daemon.stop()
    assert out == ""
    records = [json.loads(line) for line in err.splitlines()]
    assert all({"ts", "level", "event", "logger"} <= set(record) for record in records)
    (fetch,) = [record for record in records if record.get("task") == "fetch"]
    assert (fetch["level"], fetch["feeds"]) == ("warning", ["podcast"])
    assert "podcast answered 404" in fetch["event"]
    assert "s3same" not in err


def at_a_terminal(folder: Path, environment: dict[str, str], command: str) -> tuple[int, str]:
    """Type a command where both its streams are a terminal; give its exit code and what it said."""
    master, terminal = os.openpty()
    words = [sys.executable, "-m", "pipeline", command]
    process = subprocess.Popen(words, cwd=folder, env=environment, stdout=terminal, stderr=terminal)
    os.close(terminal)
    said = b""
    with os.fdopen(master, "rb", buffering=0) as shown, suppress(OSError):  # EIO: nobody writes any more
        while piece := shown.read(4096):
            said += piece
    return process.wait(timeout=GIVE_UP_SECONDS), said.decode()


def test_on_a_terminal_the_log_is_for_a_person(tmp_path: Path, server: HttpServer) -> None:
    """`pipeline tick` at a prompt: time, level and words, trouble in colour, and no JSON."""
    blog, podcast = server.url("/blog"), server.url("/podcast", "localhost")
    (tmp_path / "config.toml").write_text(CONFIG.format(blog=blog, podcast=podcast, port=0))
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    code, said = at_a_terminal(tmp_path, environment | {"BLOG_TOKEN": "open-s3same"}, "tick")
    assert code == 3
    (fetch,) = [line for line in said.splitlines() if "fetch:" in line]
    assert re.match(r"\x1b\[33m\d\d:\d\d:\d\d warning  fetch: 2 of 2 feeds fetched", fetch)
    assert re.search(r"^\d\d:\d\d:\d\d info     draft: ", said, re.MULTILINE)
    assert "{" not in said
