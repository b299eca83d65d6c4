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


class Daemon:
    """`pipeline run` in a folder, and what it says."""

    def __init__(self, folder: Path) -> None:
        command = [*PIPELINE, "run", "--log", "json"]
        self.process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
        self.said: list[dict[str, Any]] = []
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

    def hears(self, wanted: Callable[[dict[str, Any]], bool] = lambda told: False, seconds: float = 20) -> bool:
        """Read what it says until something is as wanted, or it has been silent for so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self.said.append(json.loads(self._lines.get(timeout=0.1)))
            except Empty:
                continue
            if wanted(self.said[-1]):
                return True
        return False

    def says(self, words: str, seconds: float = 20) -> bool:
        """Wait for words."""
        return self.hears(lambda told: words in told["event"], seconds)

    def does(self, task: str) -> bool:
        """Wait for a task to be done."""
        return self.hears(lambda told: told.get("task") == task)

    def stop(self) -> float:
        """Send SIGTERM; say how many seconds it took."""
        sent = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=15)
        seconds = time.monotonic() - sent
        self.hears(seconds=0.3)
        return seconds


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """A web server on loopback."""
    with HttpServer() as loopback:
        yield loopback


class House:
    """A publication's folder, and who works in it."""

    def __init__(self, folder: Path, server: HttpServer) -> None:
        self.folder = folder
        self.store = "sqlite:///pipeline.db"
        self.server = server
        self.daemons: list[Daemon] = []

    def write(self, *feeds: str, fetch: str = "every 24 hours", more: str = "") -> None:
        """Write config.toml as an editor does: whole, beside it, and renamed."""
        tables = "".join(FEED.format(name=name, url=self.server.url(f"/{name}")) for name in feeds)
        fresh = self.folder / "config.toml.new"
        fresh.write_text(CONFIG.format(feeds=tables, fetch=fetch, store=self.store) + more)
        os.replace(fresh, self.folder / "config.toml")

    def start(self) -> Daemon:
        """Start a daemon."""
        self.daemons.append(Daemon(self.folder))
        return self.daemons[-1]

    def tick(self) -> subprocess.Popen[str]:
        """Let cron's line run."""
        return subprocess.Popen([*PIPELINE, "tick"], cwd=self.folder, stdout=subprocess.DEVNULL, text=True)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Ask the database, behind the store's back."""
        engine = create_engine(
            self.store.replace("///", f"///{self.folder}/") if "sqlite" in self.store else self.store
        )
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.exec_driver_sql(question)]
        engine.dispose()
        return found


@pytest.fixture
def house(tmp_path: Path, server: HttpServer) -> Iterator[House]:
    """A publication with one feed."""
    house = House(tmp_path, server)
    server.respond("/blog", CannedResponse())
    server.respond("/talks", CannedResponse())
    house.write("blog")
    yield house
    for daemon in house.daemons:
        daemon.kill()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.slow])])
@pytest.mark.loopback
def test_two_daemons_and_cron_do_each_task_once(
    house: House, server: HttpServer, kind: str, request: pytest.FixtureRequest
) -> None:
    """All five start at once on an empty store: one asks the feed, one makes the draft."""
    if kind == "postgresql":
        house.store = request.getfixturevalue("postgres_url")
        house.write("blog")
    server.respond("/blog", CannedResponse(delay_seconds=0.5))
    house.start(), house.start()
    assert [tick.wait(30) for tick in [house.tick() for _ in range(3)]] == [0, 0, 0]
    for daemon in house.daemons:
        assert daemon.says("next runs:")
        daemon.hears(seconds=1)
        daemon.stop()
    assert len(server.requests_for("/blog")) == 1
    assert house.rows("SELECT task_id, attempts, status FROM run WHERE task_id IN ('draft', 'fetch')") == [
        ("draft", 1, "deferred"),  # for entries of its week
        ("fetch", 1, "succeeded"),
    ]


@pytest.mark.slow(minutes=2)
@pytest.mark.loopback
def test_two_daemons_and_cron_do_each_period_once(house: House, server: HttpServer) -> None:
    """For two minutes: every minute the feed's task is done by one of them, and a feed is asked once a minute."""
    house.write("blog", fetch="every minute")
    house.start(), house.start()
    end = time.monotonic() + 125
    while time.monotonic() < end:
        assert house.tick().wait(30) == 0
        time.sleep(5)
    for daemon in house.daemons:
        daemon.stop()
    runs = house.rows("SELECT period_key, attempts, status FROM run WHERE task_id = 'fetch'")
    assert 2 <= len(runs) <= 4
    assert {run[1:] for run in runs} == {(1, "succeeded")}
    assert len(server.requests_for("/blog")) <= len(runs)


@pytest.mark.loopback
def test_the_daemon_says_at_the_start_what_comes_when(house: House) -> None:
    """What is due comes now; once it is done, the next start knows the day and the time."""
    daemon = house.start()
    assert daemon.says("started with 1 feed; next runs: fetch now, ")
    assert "draft now" in daemon.said[-1]["event"]
    assert daemon.does("draft")
    daemon.stop()
    again = house.start()
    assert again.says("next runs: fetch ")
    assert "draft mon 06:00" in again.said[-1]["event"] or "draft in" in again.said[-1]["event"]


@pytest.mark.loopback
def test_a_stop_in_a_slow_fetch_frees_the_claim_for_the_next_start(house: House, server: HttpServer) -> None:
    """SIGTERM while the server drips: ended in seconds, the store whole; the next daemon asks at once."""
    server.respond(
        "/blog", CannedResponse(body=b"<rss>" + b" " * 60_000, drip_bytes=1, drip_seconds=0.05), CannedResponse()
    )
    daemon = house.start()
    assert daemon.says("next runs:")
    while not server.requests_for("/blog"):
        time.sleep(0.05)
    assert daemon.stop() < 8
    assert daemon.process.returncode == 0
    assert [told["event"] for told in daemon.said][-2:] == ["interrupted in the middle of a task", "stopped"]
    assert house.rows("SELECT status FROM run WHERE task_id = 'fetch'") == [("interrupted",)]
    assert house.rows("PRAGMA integrity_check") == [("ok",)]
    again = house.start()
    assert again.does("fetch")
    assert house.rows("SELECT status, attempts FROM run WHERE task_id = 'fetch'") == [("succeeded", 2)]


@pytest.mark.slow
@pytest.mark.loopback
def test_a_tick_that_is_told_to_stop_frees_its_claim_too(house: House, server: HttpServer) -> None:
    """SIGTERM from systemd, or from who is impatient with cron's line: the next one does the work."""
    server.respond("/blog", CannedResponse(delay_seconds=30), CannedResponse())
    tick = house.tick()
    while not server.requests_for("/blog"):
        time.sleep(0.05)
    tick.send_signal(signal.SIGTERM)
    assert tick.wait(8) == 130
    assert house.rows("SELECT status FROM run WHERE task_id = 'fetch'") == [("interrupted",)]
    assert house.tick().wait(30) == 0
    assert len(server.requests_for("/blog")) == 2


@pytest.mark.loopback
def test_a_feed_that_is_added_is_read_at_once(house: House, server: HttpServer) -> None:
    """SIGHUP after config.toml was written: the new feed is asked, the old one is not asked again."""
    daemon = house.start()
    assert daemon.does("draft")
    house.write("blog", "talks")
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.says("reloaded ")
    assert daemon.does("first-fetch")
    assert (len(server.requests_for("/blog")), len(server.requests_for("/talks"))) == (1, 1)
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.says("reloaded ")
    daemon.hears(seconds=0.5)
    assert len(server.requests_for("/talks")) == 1


BROKEN = {
    '[digest]\ntheme = "gone"\n': "gone",
    '[schedul]\nsend = "fri 07:00"\n': "schedul is not a section: did you mean schedule?",
    '[delivery]\noutbox = ""\n': "outbox",
    "[digest\n": "is not valid TOML",
}


@pytest.mark.loopback
def test_a_broken_config_is_refused_and_the_old_one_stays(house: House) -> None:
    """Its sentence is in the log, the work goes on by the old settings, and a mended file is taken."""
    daemon = house.start()
    assert daemon.does("draft")
    for more, sentence in BROKEN.items():
        house.write("blog", "talks", more=more)
        daemon.process.send_signal(signal.SIGHUP)
        assert daemon.says("the new settings are refused and the old ones stay in use")
        assert sentence in daemon.said[-1]["event"]
    house.store = "sqlite:///no/such/folder/pipeline.db"
    house.write("blog", "talks")
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.says("cannot be opened")
    house.store = "sqlite:///pipeline.db"
    house.write("blog", "talks")
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.says("reloaded ")
    assert daemon.does("first-fetch")


@pytest.mark.slow
@pytest.mark.loopback
def test_a_changed_config_is_noticed_without_a_signal(house: House, server: HttpServer) -> None:
    """Within a beat."""
    daemon = house.start()
    assert daemon.does("draft")
    house.write("blog", "talks")
    assert daemon.says("reloaded ", seconds=17)
    assert daemon.does("first-fetch")


@pytest.mark.slow
@pytest.mark.loopback
def test_killed_in_a_fetch_it_is_not_repeated_before_its_lease_is_over(house: House, server: HttpServer) -> None:
    """Another process cannot know that the first is dead: for two minutes it leaves the task alone."""
    server.respond("/blog", CannedResponse(delay_seconds=30))
    daemon = house.start()
    assert daemon.says("next runs:")
    while not server.requests_for("/blog"):
        time.sleep(0.05)
    daemon.kill()
    assert house.tick().wait(30) == 0
    assert len(server.requests_for("/blog")) == 1
    assert house.rows("SELECT status, attempts FROM run WHERE task_id = 'fetch'") == [("running", 1)]
