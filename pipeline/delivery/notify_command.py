"""Send an alert by running a command, without a shell: an alert may quote a feed and is never read as a command."""

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

COMMAND_PREFIX = "PIPELINE_NOTIFY_"
"""Beginning of the names of variables that are meant for the command."""
_INHERITED = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "SYSTEMROOT"),
        *("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
    )
)
MAX_OUTPUT_BYTES = 4_000
"""How much of the command's output is kept, from its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNotifier:
    """A command that is run once for each alert."""

    command: Sequence[str]
    folder: Path
    """Its working directory."""
    environment: Mapping[str, str]
    """The program's own; only the variables of ``inherited_variables`` are passed on."""
    timeout_seconds: float = 30.0

    def send(self, alert: Alert) -> str:
        """Run the command with an alert on stdin and in its environment, and return its output.

        DeliveryFailedError if it cannot be started, exits with another code than 0, or exceeds the timeout; then it is
        killed with all its children.
        """
        # Files instead of pipes: a command that reads nothing, writes much or leaves a child behind blocks nothing.
        with TemporaryFile() as output_file, TemporaryFile() as input_file:
            input_file.write(to_json(alert))
            input_file.seek(0)
            code = self._run(alert, input_file, output_file)
            output = _read_end(output_file)
        if code:
            raise DeliveryFailedError(f"[notify] command ended with exit code {code}{output and ': ' + output}")
        return output

    def _run(self, alert: Alert, input_file: IO[bytes], output_file: IO[bytes]) -> int:
        try:
            process = subprocess.Popen(  # noqa: S603 - the installer's own command, without a shell
                list(self.command),
                cwd=self.folder,
                env=inherited_variables(self.environment) | environment_variables(alert),
                stdin=input_file,
                stdout=output_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DeliveryFailedError(f"[notify] command {self.command[0]!r} cannot be started: {reason}") from error
        try:
            return process.wait(self.timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise DeliveryFailedError(
                f"[notify] command was stopped: it took more than {self.timeout_seconds:g} seconds"
            ) from error
        finally:
            if process.returncode is None:  # timeout, or the program itself is being stopped
                _kill(process)


def to_json(alert: Alert) -> bytes:
    """Return an alert as one JSON object on one line, in UTF-8."""
    return json.dumps(_fields(alert), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def inherited_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a command needs to run, and those meant for it; never the program's own secrets.

    >>> inherited_variables({"PATH": "/bin", "LC_TIME": "C", "SMTP_PASSWORD": "s", "PIPELINE_NOTIFY_HOOK": "https://h"})
    {'PATH': '/bin', 'LC_TIME': 'C', 'PIPELINE_NOTIFY_HOOK': 'https://h'}
    """
    return {
        name: value
        for name, value in environment.items()
        if name in _INHERITED or name.startswith(("LC_", COMMAND_PREFIX))
    }


def environment_variables(alert: Alert) -> dict[str, str]:
    """Return the variables that describe an alert: ``PIPELINE_ALERT_SUBJECT`` and so on."""
    # An environment cannot hold NUL or invalid UTF-8.
    return {
        f"PIPELINE_ALERT_{name.upper()}": value.replace("\0", "").encode("utf-8", "replace").decode()
        for name, value in _fields(alert).items()
    }


def _fields(alert: Alert) -> dict[str, str]:
    raised_at = alert.raised_at.isoformat().replace("+00:00", "Z")
    return {"key": alert.key, "level": alert.level, "at": raised_at, "subject": alert.subject, "text": alert.text}


def _read_end(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_OUTPUT_BYTES))
    return " ".join(file.read().decode("utf-8", "replace").split())


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children; without process groups (Windows), the process alone."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
