"""Tell a notice by running a program.

In: a command, a Notice. Out: what the program wrote, or DeliveryFailed. Runs that program and nothing else: no shell,
so nothing in a notice, which may quote what a feed says, is ever read as a command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from pipeline.model.alert import Alert
from pipeline.model.errors import DeliveryFailedError

MAX_OUTPUT_BYTES = 4_000
"""So much of what the program wrote is kept, from its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNotifier:
    """A program that is run for each notice."""

    command: Sequence[str]
    folder: Path
    """Where it runs."""
    environment: Mapping[str, str]
    timeout_seconds: float = 30.0

    def send(self, alert: Alert) -> str:
        """Run the program and wait for its end; gives what it wrote.

        DeliveryFailed when it cannot be started, takes too long (then it is stopped, with all it started) or ends with
        another exit code than 0.
        """
        with TemporaryFile() as said, TemporaryFile() as asked:
            asked.write(to_json(alert))
            asked.seek(0)
            code = self._run(alert, asked, said)
            words = _end_of(said)
        if code:
            raise DeliveryFailedError(f"[notify] command ended with exit code {code}{words and ': ' + words}")
        return words

    def _run(self, notice: Alert, asked: IO[bytes], said: IO[bytes]) -> int:
        # Files instead of pipes: a program that reads nothing, writes much or leaves a child behind blocks nobody.
        try:
            process = subprocess.Popen(  # noqa: S603 - the installer's own command, without a shell
                list(self.command),
                cwd=self.folder,
                env={**self.environment, **environment_variables(notice)},
                stdin=asked,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as trouble:
            reason = getattr(trouble, "strerror", None) or str(trouble)
            raise DeliveryFailedError(f"[notify] command {self.command[0]!r} cannot be started: {reason}") from trouble
        try:
            return process.wait(self.timeout_seconds)
        except subprocess.TimeoutExpired as late:
            raise DeliveryFailedError(
                f"[notify] command was stopped: it took more than {self.timeout_seconds:g} seconds"
            ) from late
        finally:
            if process.returncode is None:  # too late, or the whole house is told to stop
                _stop(process)


def to_json(alert: Alert) -> bytes:
    """Write a notice as one JSON object, UTF-8, on one line."""
    return json.dumps(_facts(alert), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def environment_variables(alert: Alert) -> dict[str, str]:
    """Give the variables a program finds a notice in: ``PIPELINE_NOTICE_SUBJECT`` and so on."""
    # An environment holds no NUL, and nothing that is no UTF-8.
    return {
        f"PIPELINE_NOTICE_{name.upper()}": value.replace("\0", "").encode("utf-8", "replace").decode()
        for name, value in _facts(alert).items()
    }


def _facts(notice: Alert) -> dict[str, str]:
    at = notice.raised_at.isoformat().replace("+00:00", "Z")
    return {"key": notice.key, "level": notice.level, "at": at, "subject": notice.subject, "text": notice.text}


def _end_of(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - MAX_OUTPUT_BYTES))
    return " ".join(said.read().decode("utf-8", "replace").split())


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the program, and what it has started; where there are no process groups, the program alone."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
