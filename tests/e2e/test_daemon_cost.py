"""Memory of the daemon over time, and its CPU time while nothing is due."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.daemon import CONFIG, MAX_GROWTH_MB, MAX_IDLE_PERCENT, serve

SECONDS = 45
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
    """`pipeline run` with its pages is measured in real time."""
    config = CONFIG.replace('listen = ""', 'listen = "127.0.0.1:0"').replace("every 30 minutes", "every 24 hours")
    (tmp_path / "config.toml").write_text(config + FEED)
    daemon = subprocess.Popen([sys.executable, "-m", "pipeline", "run"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        time.sleep(15)  # the first tick runs all tasks that are due
        before = cpu_seconds(daemon.pid)
        time.sleep(SECONDS)
        used_seconds = cpu_seconds(daemon.pid) - before
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(15)
    assert used_seconds / SECONDS * 100 < MAX_IDLE_PERCENT


def cpu_seconds(process: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
