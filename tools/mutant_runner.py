"""A pytest plugin that runs, for each mutant, the tests that call the mutated function.

Tests are collected once. One process runs all of them and records the functions that each calls; then each mutant gets
a fork of the collecting process, where the function gets the mutant's code, and which ends at the first test that
fails. So a mutant costs no more than its tests; ``mutmut run`` starts pytest for each, and asks at each call of each
function which mutant is to be called.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

MAX_TESTS_SECONDS = 15.0
"""CPU seconds for the tests of one mutant, as recording took. Tests that call few functions go first."""
MIN_LIMIT_SECONDS, TIMES_AS_LONG = 5.0, 5.0
"""A mutant is given up after so many CPU seconds, or times as long as its tests take without one."""
MAX_WAIT_SECONDS = 300.0
"""Real seconds, for mutants that wait without using the CPU."""
KILLED = 77
"""An exit code that Python itself never has."""
STATUSES = {0: "survived", KILLED: "killed", -signal.SIGPROF: "timeout", -signal.SIGKILL: "timeout"}
"""By exit code; a crash, such as that of a recursion without end, is "killed", and anything else is "error"."""

forks = multiprocessing.get_context("fork")


class MutantRunner:
    """The plugin: ``report(name, status)`` is called for each mutant; a status is one of STATUSES or "no tests".

    ``functions`` are the names of all functions that have mutants, without ``__mutmut_1``. ``version(path)`` returns
    what changes when a test of that file must be recorded again.
    """

    def __init__(
        self,
        names: Iterable[str],
        *,
        functions: Iterable[str],
        calls_file: Path,
        version: Callable[[Path], str],
        processes: int,
        report: Callable[[str, str], None],
    ) -> None:
        self._names = list(names)
        self._functions = sorted(functions)
        self._calls_file = calls_file
        self._version = version
        self._processes = processes
        self._report = report
        self._ends_at_failure = False
        self._failed = False
        self._calls: dict[str, dict[str, Any]] = {}
        self._running: dict[int, tuple[str, BaseProcess, float]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """End the process of a mutant when a test fails, and note it in the process that records calls."""
        if report.failed and self._ends_at_failure:
            os._exit(KILLED)
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the mutants in place of the tests."""
        self._load_calls(session.items)
        tests = self._tests_by_function(session.items)
        for name in self._names:
            selected = tests.get(name.partition("__mutmut_")[0], [])
            if not selected:
                self._report(name, "no tests")
                continue
            while len(self._running) >= self._processes:
                self._wait()
            process = _start(self._run_tests, name, selected)
            self._running[process.sentinel] = name, process, time.monotonic()
        while self._running:
            self._wait()
        return True

    def _load_calls(self, items: list[pytest.Item]) -> None:
        known: dict[str, Any] = {"tests": {}, "modules": []}
        if self._calls_file.exists():
            known = json.loads(self._calls_file.read_text("utf-8"))
        versions = {path: self._version(path) for path in {item.path for item in items}}
        new = [item for item in items if known["tests"].get(item.nodeid, {}).get("version") != versions[item.path]]
        if new:
            print(f"\nRecording which functions {len(new)} tests call …", flush=True)
            items[0].config.pluginmanager.unregister(name="terminalreporter")
            _start(self._record_calls, new, versions, known).join()
            known = json.loads(self._calls_file.read_text("utf-8"))
        self._calls = known["tests"]
        if failing := [item.nodeid for item in items if self._calls[item.nodeid]["failed"]]:
            print("Left out, since they fail without any mutant:", *failing, sep="\n  ", flush=True)
        for module in known["modules"]:  # once, not in each process
            with contextlib.suppress(Exception):
                importlib.import_module(module)

    def _record_calls(self, items: list[pytest.Item], versions: dict[Path, str], known: dict[str, Any]) -> None:
        before = set(sys.modules)
        functions = {find_function(f"{name}__mutmut_1").__code__: name for name in self._functions}
        called: set[CodeType] = set()

        def record(frame: FrameType, event: str, argument: object) -> None:
            if event == "call":
                called.add(frame.f_code)

        for item, following in zip(items, [*items[1:], None], strict=True):
            called.clear()
            self._failed = False
            started = time.process_time()
            threading.setprofile(record)
            sys.setprofile(record)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            sys.setprofile(None)
            known["tests"][item.nodeid] = {
                "version": versions[item.path],
                "seconds": time.process_time() - started,
                "functions": sorted(functions[code] for code in functions.keys() & called),
                "failed": self._failed,
            }
            if not following or following.path != item.path:  # what was recorded is kept if this is interrupted
                imported = (name for name in set(sys.modules) - before if "test" not in name)
                known["modules"] = sorted({*known["modules"], *imported})
                self._calls_file.write_text(json.dumps(known), "utf-8")

    def _tests_by_function(self, items: list[pytest.Item]) -> dict[str, list[pytest.Item]]:
        tests: dict[str, list[pytest.Item]] = {}
        seconds: dict[str, float] = {}
        for item in sorted(items, key=self._cost):
            call = self._calls[item.nodeid]
            for function in () if call["failed"] else call["functions"]:
                sum_seconds = seconds.get(function, 0.0) + call["seconds"]
                if sum_seconds < MAX_TESTS_SECONDS or function not in tests:
                    seconds[function] = sum_seconds
                    tests.setdefault(function, []).append(item)
        return tests

    def _cost(self, item: pytest.Item) -> float:
        call = self._calls[item.nodeid]
        return call["seconds"] * len(call["functions"])

    def _run_tests(self, mutant: str, items: list[pytest.Item]) -> None:
        self._ends_at_failure = True
        seconds = sum(self._calls[item.nodeid]["seconds"] for item in items)
        signal.setitimer(signal.ITIMER_PROF, max(MIN_LIMIT_SECONDS, TIMES_AS_LONG * seconds))
        function, mutated = find_function(mutant), find_mutant(mutant)
        function.__code__ = mutated.__code__
        function.__defaults__, function.__kwdefaults__ = mutated.__defaults__, mutated.__kwdefaults__
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def _wait(self) -> None:
        wait(list(self._running), timeout=1)
        for sentinel, (name, process, started) in list(self._running.items()):
            if time.monotonic() - started > MAX_WAIT_SECONDS:
                process.kill()
                process.join()
            if not process.is_alive():
                del self._running[sentinel]
                code = process.exitcode or 0
                self._report(name, STATUSES.get(code, "killed" if code < 0 else "error"))


def find_function(mutant: str) -> FunctionType:
    """Return the function of which a mutant is a copy."""
    return _member(mutant, mutant.partition("__mutmut_")[0].rpartition(".")[2])


def find_mutant(mutant: str) -> FunctionType:
    """Return the mutated copy."""
    return _member(mutant, mutant.rpartition(".")[2])


def _member(mutant: str, name: str) -> FunctionType:
    owner: Any = importlib.import_module(mutant.rpartition(".")[0])
    parts = mutant.rpartition(".")[2].split("ǁ")
    if len(parts) == 3:  # xǁWeekǁparse__mutmut_1
        owner = getattr(owner, parts[1])
    if "__mutmut_" not in name:
        name = name.rpartition("ǁ")[2] if len(parts) == 3 else name.removeprefix("x_")
    member = vars(owner)[name]
    function: FunctionType = getattr(member, "__func__", member)
    return function


def _start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    def silent() -> None:
        with open(os.devnull, "r+b") as nowhere:
            for stream in range(3):
                os.dup2(nowhere.fileno(), stream)
        target(*arguments)
        os._exit(0)

    process = forks.Process(target=silent)
    process.start()
    return process
