"""The log: for people on a terminal, JSON Lines everywhere else.

A JSON line has ``ts``, ``level``, ``event``, ``logger`` and the record's ``extra`` (feed, week, task, period and so
on). Secrets are redacted in both formats. A warning that comes again and again is written a few times a minute.
$NO_COLOR and $JOURNAL_STREAM are read.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import traceback
from argparse import Namespace
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from pipeline.text.redact import redact

MAX_REPEATS = 10
"""How often the same warning or error is written in ``REPEAT_SECONDS``."""
REPEAT_SECONDS = 60.0
_MAX_KINDS = 1_000
"""How many different warnings are counted at the same time."""
MAX_MESSAGE_CHARS = 8_000
"""Longer messages are shortened: they may quote a server's reply."""

Secrets = Callable[[], Collection[str]]
_NOT_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_COLOURS = {"debug": "2", "warning": "33", "error": "31", "critical": "1;31"}
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
# Characters that end a line or change its direction; a feed's title may contain them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


@contextmanager
def configured_logging(
    options: Namespace, *, info_stream: TextIO | None = None, secrets: Secrets = frozenset
) -> Iterator[None]:
    """Configure logging in the block: warnings and errors go to stderr, the rest to ``info_stream`` (default: stderr).

    ``secrets`` returns the secrets known at that moment and is called for each line. Python's own warnings, and errors
    that end a thread, are logged as well. ``--verbose`` and ``--quiet`` set the level of our loggers; other libraries
    log warnings.
    """
    level = logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO
    log_format = getattr(options, "log", "auto")
    with ExitStack() as stack:
        for name, minimum in ((None, logging.WARNING), ("pipeline", level)):
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(minimum)
        logging.captureWarnings(True)
        stack.callback(logging.captureWarnings, False)
        stack.callback(setattr, threading, "excepthook", threading.excepthook)
        threading.excepthook = lambda error: logging.getLogger(__name__).error(
            "%s ended by a bug", error.thread.name if error.thread else "a thread", exc_info=error.exc_value
        )
        for handler in _handlers(log_format, info_stream, secrets):
            handler.addFilter(RepeatFilter())
            logging.getLogger().addHandler(handler)
            stack.callback(logging.getLogger().removeHandler, handler)
        yield


def _handlers(log_format: str, info_stream: TextIO | None, secrets: Secrets) -> Iterator[logging.Handler]:
    errors = logging.StreamHandler(sys.stderr)
    errors.setFormatter(LogFormatter.for_stream(sys.stderr, log_format, secrets))
    yield errors
    if info_stream:
        errors.setLevel(logging.WARNING)
        handler = logging.StreamHandler(info_stream)
        handler.setFormatter(LogFormatter.for_stream(info_stream, log_format, secrets))
        handler.addFilter(lambda record: record.levelno < logging.WARNING)
        yield handler


@dataclass(slots=True)
class _Repeats:
    """How often a record was logged since a time (seconds since the epoch)."""

    since: float
    count: int = 0


class RepeatFilter(logging.Filter):
    """Leaves out warnings and errors beyond ``MAX_REPEATS`` in ``REPEAT_SECONDS``, and says so.

    The same means the same message, or of other libraries the same line of code, whose messages may name a socket.
    """

    def __init__(self) -> None:
        super().__init__()
        self._repeats: dict[tuple[str, object], _Repeats] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write a record; add how many like it were or will be left out."""
        if record.levelno < logging.WARNING:
            return True
        ours = record.name.partition(".")[0] == "pipeline"
        key = (record.name, record.getMessage() if ours else (record.pathname, record.lineno))
        with self._lock:
            left_out, count = self._count(key, record.created)
        if left_out:
            _append(record, f"({left_out} more like this were left out)")
        elif count == MAX_REPEATS:
            _append(record, "(more like this are left out for a minute)")
        return count <= MAX_REPEATS

    def _count(self, key: tuple[str, object], now: float) -> tuple[int, int]:
        """Count a record; return how many were left out before it, if any, and its number since then."""
        repeats, left_out = self._repeats.get(key), 0
        if repeats is None or not 0 <= now - repeats.since < REPEAT_SECONDS:
            left_out = max(0, repeats.count - MAX_REPEATS) if repeats else 0
            if len(self._repeats) >= _MAX_KINDS:
                self._repeats.clear()
            repeats = self._repeats[key] = _Repeats(now)
        repeats.count += 1
        return left_out, repeats.count


def _append(record: logging.LogRecord, note: str) -> None:
    record.msg, record.args = f"{record.getMessage()} {note}", ()


class LogFormatter(logging.Formatter):
    """Formats a record for people or as JSON; for systemd's journal with its priority as prefix (sd-daemon)."""

    def __init__(
        self, *, human: bool, colour: bool = False, journal: bool = False, secrets: Secrets = frozenset
    ) -> None:
        super().__init__()
        self._human, self._colour, self._journal, self._secrets = human, colour, journal, secrets

    @classmethod
    def for_stream(cls, stream: TextIO, log_format: str, secrets: Secrets) -> LogFormatter:
        """Return the formatter for a stream; ``log_format`` is ``human``, ``json``, or ``auto`` to ask the stream."""
        terminal = stream.isatty()
        human = log_format == "human" or (log_format == "auto" and terminal)
        colour = terminal and not os.environ.get("NO_COLOR")
        return cls(human=human, colour=colour, journal=is_systemd_journal(stream, os.environ), secrets=secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as a line, and for people with the traceback below."""
        fields = _fields(record, self._secrets())
        line = human_line(fields, colour=self._colour) if self._human else json.dumps(fields, ensure_ascii=False)
        return f"<{_PRIORITIES.get(fields['level'], 6)}>{line}" if self._journal else line


def is_systemd_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Return whether a stream leads directly to systemd's journal, which $JOURNAL_STREAM names (systemd.exec)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM", "") == f"{status.st_dev}:{status.st_ino}"


def human_line(fields: Mapping[str, Any], *, colour: bool = False) -> str:
    """Return a record for people: local time, level and message, and the traceback of a bug below.

    >>> fields = {"ts": "2026-02-09T07:00:00Z", "level": "warning", "event": "fetch: blog answered 404"}
    >>> human_line(fields)[9:]
    'warning  fetch: blog answered 404'
    """
    at = datetime.fromisoformat(fields["ts"]).astimezone()
    line = f"{at:%H:%M:%S} {fields['level']:<8} {fields['event']}"
    if colour and fields["level"] in _COLOURS:
        line = f"\x1b[{_COLOURS[fields['level']]}m{line}\x1b[0m"
    return "\n".join([line, *fields.get("exception", {}).get("traceback", "").splitlines()])


def _fields(record: logging.LogRecord, secrets: Collection[str]) -> dict[str, Any]:
    """Return the fields of a record as JSON values, redacted."""
    timestamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    fields: dict[str, Any] = {"ts": timestamp.replace("+00:00", "Z"), "level": record.levelname.lower()}
    fields |= {"event": _CONTROL.sub(" ", _redact(record.getMessage(), secrets)), "logger": record.name}
    for name, value in vars(record).items():
        if name not in _NOT_FIELDS and name not in fields and value is not None:
            fields[name] = _plain(value, secrets)
    if record.exc_info and (error := record.exc_info[1]):
        fields["exception"] = {
            "type": type(error).__name__,
            "message": _redact(str(error), secrets),
            "traceback": _redact("".join(traceback.format_exception(error)), secrets),
        }
    return fields


def _plain(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(part, secrets) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part, secrets) for part in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return _redact(str(value), secrets)


def _redact(text: str, secrets: Collection[str]) -> str:
    # Shortened in the middle: the end of a traceback matters most.
    if len(text) > MAX_MESSAGE_CHARS:
        text = f"{text[: MAX_MESSAGE_CHARS // 2]} … {text[-MAX_MESSAGE_CHARS // 2 :]}"
    return redact(text, secrets)
