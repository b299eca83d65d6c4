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
MAX_WINDOWS = 3
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
def test_an_idle_daemon_uses_hardly_any_cpu(tmp_path: Path) -> None:
    """`pipeline run` with its pages wakes up about once a second, and does little then.

    On a busy machine the same work takes more CPU time, so the least of a few windows counts.
    """
    config = CONFIG.replace('listen = ""', 'listen = "127.0.0.1:0"').replace("every 30 minutes", "every 24 hours")
    (tmp_path / "config.toml").write_text(config + FEED)
    daemon = subprocess.Popen([sys.executable, "-m", "pipeline", "run"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        time.sleep(15)  # the first tick runs all tasks that are due
        windows: list[tuple[int, float]] = []
        while len(windows) < MAX_WINDOWS and all(percent >= MAX_IDLE_PERCENT for _, percent in windows):
            woken_up, used_seconds = wake_ups(daemon.pid), cpu_seconds(daemon.pid)
            time.sleep(SECONDS)
            percent = (cpu_seconds(daemon.pid) - used_seconds) / SECONDS * 100
            windows.append((wake_ups(daemon.pid) - woken_up, percent))
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(15)
    assert all(0 < woken_up < MAX_WAKE_UPS * SECONDS for woken_up, _ in windows)
    assert 0 < min(percent for _, percent in windows) < MAX_IDLE_PERCENT


def wake_ups(process: int) -> int:
    """Return how often the threads of a process have begun to wait for something."""
    statuses = [status.read_text() for status in Path(f"/proc/{process}/task").glob("*/status")]
    return sum(int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for status in statuses)


def cpu_seconds(process: int) -> float:
    """Return the CPU time that the threads of a process have used, which the scheduler counts in nanoseconds."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{process}/task").glob("*/schedstat")) / 1e9
