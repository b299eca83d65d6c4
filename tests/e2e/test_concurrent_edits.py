"""Two editors in two processes save at the same moment: one writes, the other one is told."""

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

WRITER = Path(__file__).with_name("editor_process.py")
ROUNDS = 6


class Writer:
    """An editor in a process of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self._said: IO[str] = process.stdin
        self._heard: IO[str] = process.stdout

    def say(self, version: str, subject: str) -> None:
        """Let them save, without waiting for them."""
        self._said.write(f"{version}={subject}\n")
        self._said.flush()

    def hear(self) -> str:
        """Wait for what they say."""
        return self._heard.readline().strip()


@contextmanager
def writer(folder: Path) -> Iterator[Writer]:
    """Start an editor; they stop when there is nothing more to save."""
    command = [sys.executable, str(WRITER), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Writer(process)
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def writers(publication: Path) -> Iterator[list[Writer]]:
    """Two editors at work on one publication that has read its feeds."""
    write_fetched_store(publication, datetime(2026, 2, 17, 9, tzinfo=UTC))
    with ExitStack() as stack:
        both = [stack.enter_context(writer(publication)) for _ in range(2)]
        assert [each.hear() for each in both] == ["ready", "ready"]
        yield both


def test_of_two_who_save_at_once_one_is_told(writers: list[Writer], publication: Path) -> None:
    """Both name the version they saw; one subject is in the file, and whoever wrote the other one knows it is not."""
    file = publication / "editions" / "2026-W07.md"
    for number in range(ROUNDS):
        version = sha256(file.read_bytes()).hexdigest()[:16] if file.exists() else ""
        for name, each in zip("ab", writers, strict=True):
            each.say(version, f"{name} {number}")
        heard = [each.hear() for each in writers]
        assert sorted(heard) == ["conflict", "saved"]
        assert f'subject = "{"ab"[heard.index("saved")]} {number}"' in file.read_text(encoding="utf-8")
