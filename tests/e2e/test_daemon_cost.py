"""Memory of the daemon over time, and what it does while nothing is due."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.daemon import CONFIG, MAX_GROWTH_MB, MAX_IDLE_PERCENT, serve

SECONDS = 45
MAX_WAKE_UPS = 4
"""A second, of all threads together."""
FEED = '[[feeds]]\nid = "blog"\nurl = "http://127.0.0.1:9/feed"\nkind = "blog"\n'


@pytest.mark.slow
@pytest.mark.loopback
def test_memory_does_not_grow_over_a_day_of_fetches() -> None:
    """Twenty fetches of three feeds: the short form of the next test."""
    measured = serve(rounds=20, feeds=3)
    assert measured["grown_mb"] < MAX_GROWTH_MB
    assert measured["requests"] > 50


@pytest.mark.slow(minutes=2)
@pytest.mark.loopback
def test_memory_does_not_grow_over_a_thousand_fetches_of_twenty_feeds() -> None:
    """Three weeks of a fetch every half hour, with an occasional new post."""
    measured = serve(rounds=1_000, feeds=20)
    assert measured["grown_mb"] < MAX_GROWTH_MB
    assert measured["idle_percent"] < MAX_IDLE_PERCENT
    assert measured["requests"] > 10_000


@pytest.mark.slow(minutes=2)
def test_an_idle_daemon_sleeps(tmp_path: Path) -> None:
    """`pipeline run` with its pages wakes up about once a second, whatever else the machine does meanwhile.

    Its CPU time depends on that; `python bench/daemon.py` measures it.
    """
    config = CONFIG.replace('listen = ""', 'listen = "127.0.0.1:0"').replace("every 30 minutes", "every 24 hours")
    (tmp_path / "config.toml").write_text(config + FEED)
    daemon = subprocess.Popen([sys.executable, "-m", "pipeline", "run"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        time.sleep(15)  # the first tick runs all tasks that are due
        before = wake_ups(daemon.pid)
        time.sleep(SECONDS)
        woken_up = wake_ups(daemon.pid) - before
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(15)
    assert 0 < woken_up < MAX_WAKE_UPS * SECONDS


def wake_ups(process: int) -> int:
    """Return how often the threads of a process have begun to wait for something."""
    statuses = [status.read_text() for status in Path(f"/proc/{process}/task").glob("*/status")]
    return sum(int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for status in statuses)
