"""What the daemon costs in the long run: no memory that grows, hardly any CPU while nothing is due."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.daemon import CONFIG, MOST_GROWTH_MB, MOST_IDLE_PERCENT, serve

SECONDS = 45
FEED = '[[feeds]]\nid = "blog"\nurl = "http://127.0.0.1:9/feed"\nkind = "blog"\n'


@pytest.mark.loopback
def test_a_day_of_rounds_leaves_nothing_behind() -> None:
    """Three feeds, every half hour: the short form of the next one."""
    found = serve(rounds=20, feeds=3)
    assert found["grown_mb"] < MOST_GROWTH_MB
    assert found["requests"] > 50


@pytest.mark.slow(minutes=2)
@pytest.mark.loopback
def test_a_thousand_rounds_of_twenty_feeds_leave_nothing_behind() -> None:
    """Three weeks of half hours, most of them 304s and now and then a new post."""
    found = serve(rounds=1_000, feeds=20)
    assert found["grown_mb"] < MOST_GROWTH_MB
    assert found["idle_percent"] < MOST_IDLE_PERCENT
    assert found["requests"] > 10_000


@pytest.mark.slow(minutes=2)
def test_an_idle_daemon_takes_hardly_any_cpu(tmp_path: Path) -> None:
    """`pipeline run`, its pages included, over real seconds: scheduler, beats and all."""
    more = CONFIG.replace('listen = ""', 'listen = "127.0.0.1:0"').replace("every 30 minutes", "every 24 hours")
    (tmp_path / "config.toml").write_text(more + FEED)
    daemon = subprocess.Popen([sys.executable, "-m", "pipeline", "run"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        time.sleep(15)  # the first beat does all that is due
        before = cpu_seconds(daemon.pid)
        time.sleep(SECONDS)
        used = cpu_seconds(daemon.pid) - before
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(15)
    assert used / SECONDS * 100 < MOST_IDLE_PERCENT


def cpu_seconds(process: int) -> float:
    """Say how much CPU a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
