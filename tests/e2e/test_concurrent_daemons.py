"""Daemons and cron on one publication, as real processes: each period once, new settings, a stop at any time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import create_engine

from tests.http_server import CannedResponse, HttpServer

PIPELINE = (sys.executable, "-m", "pipeline")
CONFIG = """
[publication]
name = "Harbour & Hearth"
url = "https://harbourandhearth.example/"
sender = "Harbour & Hearth <letter@harbourandhearth.example>"
{feeds}
[fetch]
allow_private_networks = true
host_gap_seconds = 0

[web]
listen = ""

[store]
url = "{store}"

[schedule]
fetch = "{fetch}"
draft = "mon 06:00"
"""
FEED = """
[[feeds]]
id = "{name}"
url = "{url}"
kind = "blog"
"""


FETCHES = "SELECT period_key, attempts, status FROM run WHERE task_id = 'fetch'"
GIVE_UP_SECONDS = 120.0
"""When a test fails instead of waiting any longer; nothing is measured by it."""


class Daemon:
    """`pipeline run` in a folder, and the lines it logs."""

    def __init__(self, folder: Path) -> None:
        command = [*PIPELINE, "run", "--log", "json"]
        self.process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
        self.records: list[dict[str, Any]] = []
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._lines.put(line)

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def read_until(
        self, matches: Callable[[dict[str, Any]], bool] = lambda record: False, seconds: float = GIVE_UP_SECONDS
    ) -> bool:
        """Read log records until one matches; return False after some seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self.records.append(json.loads(self._lines.get(timeout=0.1)))
            except Empty:
                continue
            if matches(self.records[-1]):
                return True
        return False

    def logs(self, text: str, seconds: float = GIVE_UP_SECONDS) -> bool:
        """Wait for a record whose event contains a text."""
        return self.read_until(lambda record: text in record["event"], seconds)

    def runs(self, task: str) -> bool:
        """Wait for the result of a task."""
        return self.read_until(lambda record: record.get("task") == task)

    def stop(self) -> None:
        """Send SIGTERM, wait for the end and read the last records."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=GIVE_UP_SECONDS)
        self._reader.join()
        while not self._lines.empty():
            self.records.append(json.loads(self._lines.get()))


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """A web server on loopback."""
    with HttpServer() as loopback:
        yield loopback


class Publication:
    """A publication's folder and its daemons."""

    def __init__(self, folder: Path, server: HttpServer) -> None:
        self.folder = folder
        self.store = "sqlite:///pipeline.db"
        self.server = server
        self.daemons: list[Daemon] = []

    def write(self, *feeds: str, fetch: str = "every 24 hours", more: str = "") -> None:
        """Write config.toml as text editors do: into another file that is then renamed."""
        tables = "".join(FEED.format(name=name, url=self.server.url(f"/{name}")) for name in feeds)
        fresh = self.folder / "config.toml.new"
        fresh.write_text(CONFIG.format(feeds=tables, fetch=fetch, store=self.store) + more)
        os.replace(fresh, self.folder / "config.toml")

    def start(self) -> Daemon:
        """Start a daemon."""
        self.daemons.append(Daemon(self.folder))
        return self.daemons[-1]

    def tick(self) -> subprocess.Popen[str]:
        """Start `pipeline tick`."""
        return subprocess.Popen([*PIPELINE, "tick"], cwd=self.folder, stdout=subprocess.DEVNULL, text=True)

    def wait_until_nothing_runs(self, *tasks: str) -> None:
        """Wait until each of some tasks has begun, and none is running."""
        end = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < end:
            statuses = dict(
                self.rows(
                    "SELECT task_id, max(CASE WHEN status = 'running' THEN 1 ELSE 0 END) FROM run GROUP BY task_id"
                )
            )
            if all(statuses.get(task) == 0 for task in tasks):
                return
            time.sleep(0.05)
        pytest.fail(f"{tasks} are not done after {GIVE_UP_SECONDS} seconds")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Query the database directly."""
        engine = create_engine(
            self.store.replace("///", f"///{self.folder}/") if "sqlite" in self.store else self.store
        )
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.exec_driver_sql(query)]
        engine.dispose()
        return rows


@pytest.fixture
def publication(tmp_path: Path, server: HttpServer) -> Iterator[Publication]:
    """A publication with one feed."""
    publication = Publication(tmp_path, server)
    server.respond("/blog", CannedResponse())
    server.respond("/talks", CannedResponse())
    publication.write("blog")
    yield publication
    for daemon in publication.daemons:
        daemon.kill()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.slow])])
@pytest.mark.loopback
def test_two_daemons_and_cron_do_each_task_once(
    publication: Publication, server: HttpServer, kind: str, request: pytest.FixtureRequest
) -> None:
    """All five start at once on an empty store: one fetches the feed, one writes the draft."""
    if kind == "postgresql":
        publication.store = request.getfixturevalue("postgres_url")
        publication.write("blog")
    server.respond("/blog", CannedResponse(delay_seconds=0.5))
    publication.start(), publication.start()
    assert [tick.wait(GIVE_UP_SECONDS) for tick in [publication.tick() for _ in range(3)]] == [0, 0, 0]
    for daemon in publication.daemons:
        assert daemon.logs("next runs:")
    publication.wait_until_nothing_runs("draft", "fetch")
    for daemon in publication.daemons:
        daemon.stop()
    assert len(server.requests_for("/blog")) == 1
    assert publication.rows("SELECT task_id, attempts, status FROM run WHERE task_id IN ('draft', 'fetch')") == [
        ("draft", 1, "deferred"),  # for entries of its week
        ("fetch", 1, "succeeded"),
    ]


@pytest.mark.slow(minutes=1)
@pytest.mark.loopback
def test_two_daemons_and_cron_do_each_period_once(publication: Publication, server: HttpServer) -> None:
    """One of them runs the fetch task each minute, and the feed is fetched once a minute."""
    publication.write("blog", fetch="every minute")
    publication.start(), publication.start()
    for daemon in publication.daemons:
        assert daemon.logs("next runs:")  # the store has its tables
    end = time.monotonic() + 600
    while len(publication.rows(FETCHES)) < 2 and time.monotonic() < end:
        assert publication.tick().wait(GIVE_UP_SECONDS) == 0
        time.sleep(2)
    publication.wait_until_nothing_runs("fetch")
    for daemon in publication.daemons:
        daemon.stop()
    runs = publication.rows(FETCHES)
    assert len(runs) >= 2
    assert {run[1:] for run in runs} == {(1, "succeeded")}
    assert len(server.requests_for("/blog")) <= len(runs)


@pytest.mark.loopback
def test_the_daemon_logs_the_next_runs_at_its_start(publication: Publication) -> None:
    """Due tasks run now; after that, the next start names day and time."""
    daemon = publication.start()
    assert daemon.logs("started with 1 feed; next runs: fetch now, ")
    assert "draft now" in daemon.records[-1]["event"]
    assert daemon.runs("draft")
    daemon.stop()
    again = publication.start()
    assert again.logs("next runs: fetch ")
    assert "draft mon 06:00" in again.records[-1]["event"] or "draft in" in again.records[-1]["event"]


@pytest.mark.loopback
def test_a_stop_in_a_slow_fetch_releases_the_claim(publication: Publication, server: HttpServer) -> None:
    """SIGTERM during a slow response ends it with an intact store; the next daemon fetches at once."""
    server.respond(
        "/blog", CannedResponse(body=b"<rss>" + b" " * 60_000, drip_bytes=1, drip_seconds=0.05), CannedResponse()
    )
    daemon = publication.start()
    assert daemon.logs("next runs:")
    while not server.requests_for("/blog"):
        time.sleep(0.05)
    daemon.stop()
    assert daemon.process.returncode == 0
    assert [record["event"] for record in daemon.records][-2:] == ["interrupted in the middle of a task", "stopped"]
    assert publication.rows("SELECT status FROM run WHERE task_id = 'fetch'") == [("interrupted",)]
    assert publication.rows("PRAGMA integrity_check") == [("ok",)]
    again = publication.start()
    assert again.runs("fetch")
    assert publication.rows("SELECT status, attempts FROM run WHERE task_id = 'fetch'") == [("succeeded", 2)]


@pytest.mark.slow
@pytest.mark.loopback
def test_a_stopped_tick_releases_its_claim_too(publication: Publication, server: HttpServer) -> None:
    """After SIGTERM the next tick does the work."""
    server.respond("/blog", CannedResponse(delay_seconds=30), CannedResponse())
    tick = publication.tick()
    while not server.requests_for("/blog"):
        time.sleep(0.05)
    tick.send_signal(signal.SIGTERM)
    assert tick.wait(GIVE_UP_SECONDS) == 130
    assert publication.rows("SELECT status FROM run WHERE task_id = 'fetch'") == [("interrupted",)]
    assert publication.tick().wait(GIVE_UP_SECONDS) == 0
    assert len(server.requests_for("/blog")) == 2


@pytest.mark.loopback
def test_a_new_feed_is_fetched_at_once(publication: Publication, server: HttpServer) -> None:
    """After SIGHUP the new feed is fetched, and the old one is not."""
    daemon = publication.start()
    assert daemon.runs("draft")
    publication.write("blog", "talks")
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.logs("reloaded ")
    assert daemon.runs("first-fetch")
    assert (len(server.requests_for("/blog")), len(server.requests_for("/talks"))) == (1, 1)
    for _ in range(2):  # what the first one leads to is done before the second
        daemon.process.send_signal(signal.SIGHUP)
        assert daemon.logs("reloaded ")
    assert len(server.requests_for("/talks")) == 1


INVALID = {
    '[digest]\ntheme = "gone"\n': "gone",
    '[schedul]\nsend = "fri 07:00"\n': "schedul is not a section: did you mean schedule?",
    '[delivery]\noutbox = ""\n': "outbox",
    "[digest\n": "is not valid TOML",
}


@pytest.mark.loopback
def test_an_invalid_config_is_refused_and_the_old_one_stays(publication: Publication) -> None:
    """The error is logged, work goes on with the old settings, and a corrected file is loaded."""
    daemon = publication.start()
    assert daemon.runs("draft")
    for more, sentence in INVALID.items():
        publication.write("blog", "talks", more=more)
        daemon.process.send_signal(signal.SIGHUP)
        assert daemon.logs("the new settings are refused and the old ones stay in use")
        assert sentence in daemon.records[-1]["event"]
    publication.store = "sqlite:///no/such/folder/pipeline.db"
    publication.write("blog", "talks")
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.logs("cannot be opened")
    publication.store = "sqlite:///pipeline.db"
    publication.write("blog", "talks")
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.logs("reloaded ")
    assert daemon.runs("first-fetch")


@pytest.mark.slow
@pytest.mark.loopback
def test_a_changed_config_is_noticed_without_a_signal(publication: Publication, server: HttpServer) -> None:
    """Within the interval of a tick."""
    daemon = publication.start()
    assert daemon.runs("draft")
    publication.write("blog", "talks")
    assert daemon.logs("reloaded ")
    assert daemon.runs("first-fetch")


@pytest.mark.slow
@pytest.mark.loopback
def test_the_run_of_a_killed_daemon_is_left_alone_until_its_lease_expires(
    publication: Publication, server: HttpServer
) -> None:
    """Another process cannot know that the first is dead, so it waits for two minutes."""
    server.respond("/blog", CannedResponse(delay_seconds=30))
    daemon = publication.start()
    assert daemon.logs("next runs:")
    while not server.requests_for("/blog"):
        time.sleep(0.05)
    daemon.kill()
    assert publication.tick().wait(GIVE_UP_SECONDS) == 0
    assert len(server.requests_for("/blog")) == 1
    assert publication.rows("SELECT status, attempts FROM run WHERE task_id = 'fetch'") == [("running", 1)]
