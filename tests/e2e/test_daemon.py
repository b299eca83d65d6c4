"""The daemon as a process: it ticks, logs results, survives errors, and stops on a signal."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from threading import Timer

import pytest

# A daemon in a process of its own, with a tick that each test writes.
PROGRAM = """
import logging, signal, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pipeline import daemon
from pipeline.scheduler.engine import TaskResult
from pipeline.model.errors import PipelineError, StoreError

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
count = 0
second = Path("started").exists()

def tick(now):
    global count
    count += 1
{body}

def reload():
    print("reloaded", flush=True)

def stuck():
    return {stuck}

daemon.run(tick, on_sighup=reload, stuck_task=stuck, tick_seconds={tick_seconds}, shutdown_timeout_seconds={shutdown})
print("returned after", count, "ticks", flush=True)
"""

STOP_SECONDS = 40.0
"""How long a daemon may take to stop. Its tasks would take a minute."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start daemons whose tick has the given body; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start_daemon(
        body: str, tick_seconds: float = 0.05, stuck: str = "''", shutdown: float = STOP_SECONDS
    ) -> subprocess.Popen[str]:
        program = tmp_path / f"daemon{len(started)}.py"
        indented = "\n".join(f"    {line}" for line in body.splitlines())
        program.write_text(PROGRAM.format(body=indented, tick_seconds=tick_seconds, stuck=stuck, shutdown=shutdown))
        process = subprocess.Popen(
            [sys.executable, program], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield start_daemon
    for process in started:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Return the first line with a word; kill the daemon if it takes more than a minute."""
    assert process.stdout is not None
    timeout = Timer(60, process.kill)
    timeout.start()
    try:
        return next(line for line in process.stdout if word in line)
    except StopIteration:
        raise AssertionError(f"the daemon did not print {word!r}") from None
    finally:
        timeout.cancel()


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
    """Send a signal; return what the daemon still printed before it ended."""
    process.send_signal(number)
    output, _ = process.communicate(timeout=STOP_SECONDS)
    return output


def test_each_result_is_one_log_line(start: Start) -> None:
    """Every result is logged at once, one line a task, errors too."""
    daemon = start(
        "yield TaskResult(task_id='fetch', period=str(count), message=f'tick {count}')\n"
        "yield TaskResult(task_id='draft', period='', message='no entries', error=PipelineError('no entries'))"
    )
    assert read_until(daemon, "tick 3") == "fetch: tick 3\n"
    assert read_until(daemon, "draft") == "draft: no entries\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_between_ticks_stops_it_cleanly(start: Start, number: int) -> None:
    """It returns with exit code 0 and no traceback."""
    daemon = start("yield TaskResult(task_id='fetch', period='', message='once')")
    read_until(daemon, "once")
    output = stop(daemon, number)
    assert "returned after" in output
    assert "Traceback" not in output
    assert daemon.returncode == 0


def test_a_signal_in_the_middle_of_a_task_interrupts_it(start: Start) -> None:
    """A fetch that would take a minute does not keep the daemon from stopping, and its clean-up runs."""
    daemon = start(
        "try:\n    print('fetching', flush=True)\n    time.sleep(60)\n"
        "finally:\n    print('rolled back', flush=True)\n"
        "yield"
    )
    read_until(daemon, "fetching")
    output = stop(daemon)
    assert output.splitlines()[:2] == ["rolled back", "interrupted in the middle of a task"]
    assert "Traceback" not in output
    assert daemon.returncode == 0


def test_a_task_that_cannot_be_interrupted_does_not_keep_the_daemon(start: Start) -> None:
    """A task that swallows KeyboardInterrupt is ended with its process."""
    daemon = start(
        "while True:\n    try:\n        print('stuck', flush=True)\n        time.sleep(60)\n"
        "    except KeyboardInterrupt:\n        pass\nyield",
        shutdown=0.1,
    )
    read_until(daemon, "stuck")
    output = stop(daemon)
    assert "a task could not be interrupted; the process ends" in output
    assert daemon.returncode == 0


def test_a_daemon_with_a_stuck_task_starts_again(start: Start) -> None:
    """The new process has the same id, and neither the old one's timers nor its blocked signals."""
    daemon = start(
        "if second:\n    yield TaskResult(task_id='fetch', period='', message=f'came back {count}')\n    return\n"
        "signal.signal(signal.SIGALRM, lambda *_: None)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)\n"
        "Path('started').touch()\n"
        "while True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        pass",
        stuck="'fetch' if Path('started').exists() and not second else ''",
    )
    read_until(daemon, "the task fetch hangs and cannot be interrupted; the daemon starts again")
    read_until(daemon, "came back 10\n")
    output = stop(daemon)
    assert "returned after" in output
    assert daemon.returncode == 0


def test_sighup_reloads_and_ticks_at_once(start: Start) -> None:
    """SIGHUP calls the callback and ticks without waiting for the interval; the daemon goes on."""
    daemon = start("yield TaskResult(task_id='fetch', period='', message=f'tick {count}')", tick_seconds=60)
    read_until(daemon, "tick 1")
    daemon.send_signal(signal.SIGHUP)
    read_until(daemon, "reloaded")
    read_until(daemon, "tick 2")
    output = stop(daemon)
    assert "returned after 2 ticks" in output


def test_a_second_signal_changes_nothing(start: Start) -> None:
    """A second Ctrl+C does not turn a clean stop into a traceback."""
    daemon = start("print('fetching', flush=True)\ntime.sleep(60)\nyield")
    read_until(daemon, "fetching")
    daemon.send_signal(signal.SIGINT)
    output = stop(daemon, signal.SIGTERM)
    assert "Traceback" not in output


@pytest.mark.parametrize("error", ["StoreError('the disk is full: make room')", "ZeroDivisionError()"])
def test_a_failed_tick_is_not_the_last(start: Start, error: str) -> None:
    """Neither a StoreError nor a bug ends the daemon: the next tick comes."""
    daemon = start(
        f"if count == 1:\n    raise {error}\nyield TaskResult(task_id='fetch', period='', message='came back')"
    )
    read_until(daemon, "came back")


def test_ticks_do_not_overlap(start: Start) -> None:
    """A tick that takes longer than the interval delays the next one."""
    daemon = start(
        "time.sleep(0.4)\nyield TaskResult(task_id='fetch', period='', message=f'tick {count} at {time.monotonic()}')"
    )
    times = [float(read_until(daemon, f"tick {number} ").split()[-1]) for number in (1, 2, 3)]
    assert all(later - earlier >= 0.4 for earlier, later in pairwise(times))


@pytest.mark.parametrize("hours", [-1, 24 * 365 * 50])
def test_setting_the_wall_clock_does_not_stop_the_ticks(start: Start, hours: int) -> None:
    """A tick that seems an hour away, or fifty years overdue, comes within a few intervals, once.

    A test cannot set the machine's clock, so the trigger returns a wrong time once, during the first tick.
    """
    daemon = start(
        "if count == 1:\n"
        "    correct = daemon.TickTrigger.get_next_fire_time\n"
        "    def wrong(self, previous, now):\n"
        "        daemon.TickTrigger.get_next_fire_time = correct\n"
        f"        return now - timedelta(hours={hours})\n"
        "    daemon.TickTrigger.get_next_fire_time = wrong\n"
        "yield TaskResult(task_id='fetch', period='', message=f'tick {count}')"
    )
    read_until(daemon, "tick 3")
