"""Two editors in two processes save at the same moment: one succeeds, the other gets a conflict."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO

import pytest

from tests.demo import write_fetched_store

SCRIPT = Path(__file__).with_name("editor_process.py")
ROUNDS = 6


class EditorProcess:
    """An editor in a separate process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self._input: IO[str] = process.stdin
        self._output: IO[str] = process.stdout

    def save(self, version: str, subject: str) -> None:
        """Let the editor save, without waiting for the result."""
        self._input.write(f"{version}={subject}\n")
        self._input.flush()

    def result(self) -> str:
        """Return the editor's next result."""
        return self._output.readline().strip()


@contextmanager
def start_editor(folder: Path) -> Iterator[EditorProcess]:
    """Start an editor, which ends when its input is closed."""
    command = [sys.executable, str(SCRIPT), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield EditorProcess(process)
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def editors(publication: Path) -> Iterator[list[EditorProcess]]:
    """Two editors of one publication whose feeds have been fetched."""
    write_fetched_store(publication, datetime(2026, 2, 17, 9, tzinfo=UTC))
    with ExitStack() as stack:
        both = [stack.enter_context(start_editor(publication)) for _ in range(2)]
        assert [each.result() for each in both] == ["ready", "ready"]
        yield both


@pytest.mark.slow
def test_of_two_simultaneous_saves_one_is_a_conflict(editors: list[EditorProcess], publication: Path) -> None:
    """Both name the version they read; one subject is in the file, and the other editor knows."""
    file = publication / "editions" / "2026-W07.md"
    for number in range(ROUNDS):
        version = sha256(file.read_bytes()).hexdigest()[:16] if file.exists() else ""
        for name, each in zip("ab", editors, strict=True):
            each.save(version, f"{name} {number}")
        results = [each.result() for each in editors]
        assert sorted(results) == ["conflict", "saved"]
        assert f'subject = "{"ab"[results.index("saved")]} {number}"' in file.read_text(encoding="utf-8")
