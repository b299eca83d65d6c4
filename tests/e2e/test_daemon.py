"""The daemon as a process: it beats, says what it did, survives trouble, and stops when told to."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from threading import Timer

import pytest

# A daemon around a beat that each test writes, in a process of its own.
PROGRAM = """
import logging, sys, time
from datetime import UTC, datetime, timedelta
from pipeline import schedule
from pipeline.jobs.tick import Beat
from pipeline.model.errors import PipelineError, StoreError

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
count = 0

def beat(now):
    global count
    count += 1
{body}

def hang_up():
    print("hung up", flush=True)

schedule.run(beat, on_hangup=hang_up, beat_seconds={beat_seconds}, patience_seconds=0.5)
print("returned after", count, "beats", flush=True)
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start daemons whose beat is the given body; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start_daemon(body: str, beat_seconds: float = 0.05) -> subprocess.Popen[str]:
        program = tmp_path / f"daemon{len(started)}.py"
        indented = "\n".join(f"    {line}" for line in body.splitlines())
        program.write_text(PROGRAM.format(body=indented, beat_seconds=beat_seconds))
        process = subprocess.Popen(
            [sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield start_daemon
    for process in started:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Read lines up to the one with the word; a daemon that stays silent for long is ended."""
    assert process.stdout is not None
    patience = Timer(20, process.kill)
    patience.start()
    try:
        return next(line for line in process.stdout if word in line)
    except StopIteration:
        raise AssertionError(f"the daemon did not say {word!r}") from None
    finally:
        patience.cancel()


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[str, float]:
    """Send a signal; return what the daemon still said, and how many seconds it took to end."""
    sent = time.monotonic()
    process.send_signal(number)
    said, _ = process.communicate(timeout=10)
    return said, time.monotonic() - sent


def test_each_thing_done_is_one_line(start: Start) -> None:
    """What a beat reports is logged at once, one line a task, trouble too."""
    daemon = start(
        "yield Beat(task_id='fetch', period=str(count), line=f'beat {count}')\n"
        "yield Beat(task_id='draft', period='', line='no entries', trouble=PipelineError('no entries'))"
    )
    assert read_until(daemon, "beat 3") == "fetch: beat 3\n"
    assert read_until(daemon, "draft") == "draft: no entries\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_between_beats_stops_it_cleanly(start: Start, number: int) -> None:
    """It returns, exit code 0, without a traceback, in well under ten seconds."""
    daemon = start("yield Beat(task_id='fetch', period='', line='once')")
    read_until(daemon, "once")
    said, seconds = stop(daemon, number)
    assert "returned after" in said
    assert "Traceback" not in said
    assert (daemon.returncode, seconds < 5) == (0, True)


def test_a_signal_in_the_middle_of_a_task_interrupts_it(start: Start) -> None:
    """A fetch that would take a minute does not keep the daemon from stopping, and its clean-up runs."""
    daemon = start(
        "try:\n    print('fetching', flush=True)\n    time.sleep(60)\n"
        "finally:\n    print('rolled back', flush=True)\n"
        "yield"
    )
    read_until(daemon, "fetching")
    said, seconds = stop(daemon)
    assert said.splitlines()[:2] == ["rolled back", "interrupted in the middle of a task"]
    assert "Traceback" not in said
    assert (daemon.returncode, seconds < 5) == (0, True)


def test_what_cannot_be_interrupted_does_not_keep_it(start: Start) -> None:
    """Work that swallows the interruption, or a name server that does not answer: it is ended all the same."""
    daemon = start(
        "while True:\n    try:\n        print('deaf', flush=True)\n        time.sleep(60)\n"
        "    except KeyboardInterrupt:\n        pass\nyield"
    )
    read_until(daemon, "deaf")
    said, seconds = stop(daemon)
    assert "ended in the middle of something that could not be interrupted" in said
    assert (daemon.returncode, seconds < 5) == (0, True)


def test_a_hangup_is_passed_on_and_brings_a_beat_at_once(start: Start) -> None:
    """Nobody waits for the next beat to see new settings at work; the daemon goes on."""
    daemon = start("yield Beat(task_id='fetch', period='', line=f'beat {count}')", beat_seconds=60)
    read_until(daemon, "beat 1")
    daemon.send_signal(signal.SIGHUP)
    read_until(daemon, "hung up")
    read_until(daemon, "beat 2")
    said, _ = stop(daemon)
    assert "returned after 2 beats" in said


def test_two_signals_are_no_worse_than_one(start: Start) -> None:
    """An impatient second Ctrl+C does not turn a clean stop into a traceback."""
    daemon = start("print('fetching', flush=True)\ntime.sleep(60)\nyield")
    read_until(daemon, "fetching")
    daemon.send_signal(signal.SIGINT)
    said, _ = stop(daemon, signal.SIGTERM)
    assert "Traceback" not in said


@pytest.mark.parametrize("trouble", ["StoreError('the disk is full: make room')", "ZeroDivisionError()"])
def test_a_beat_that_fails_is_not_the_last(start: Start, trouble: str) -> None:
    """Neither a store that is away for a moment nor a bug ends the daemon: the next beat comes."""
    daemon = start(f"if count == 1:\n    raise {trouble}\nyield Beat(task_id='fetch', period='', line='came back')")
    read_until(daemon, "came back")


def test_a_beat_that_takes_long_is_not_joined_by_another(start: Start) -> None:
    """Beats never overlap, and those missed meanwhile are one."""
    daemon = start(
        "time.sleep(0.4)\nyield Beat(task_id='fetch', period='', line=f'beat {count} at {time.monotonic()}')"
    )
    moments = [float(read_until(daemon, f"beat {number} ").split()[-1]) for number in (1, 2, 3)]
    assert all(later - earlier >= 0.4 for earlier, later in pairwise(moments))


@pytest.mark.parametrize("hours", [-1, 24 * 365 * 50])
def test_a_wall_clock_that_is_set_does_not_stop_the_beats(start: Start, hours: int) -> None:
    """The next beat seems an hour away, or fifty years overdue: it comes all the same, once.

    A test cannot set the machine's clock, so the trigger lies about the next time, once, during the first beat.
    """
    daemon = start(
        "if count == 1:\n"
        "    from apscheduler.triggers.interval import IntervalTrigger\n"
        "    honest = IntervalTrigger.get_next_fire_time\n"
        "    def lie(self, previous, now):\n"
        "        IntervalTrigger.get_next_fire_time = honest\n"
        f"        return now - timedelta(hours={hours})\n"
        "    IntervalTrigger.get_next_fire_time = lie\n"
        "yield Beat(task_id='fetch', period='', line=f'beat {count}')"
    )
    read_until(daemon, "beat 3")
