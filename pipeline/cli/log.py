"""The log: for a person on a terminal, JSON Lines everywhere else.

In: log records, with fields in ``extra`` (feed, week, task, period, seconds …), and the secrets that are known. Out: a
line a record: time, level and words, or an object with ``ts``, ``level``, ``event``, ``logger`` and the fields. Secrets
leave in neither. Reads $NO_COLOR and $JOURNAL_STREAM; what time it is, the records say themselves.
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
from datetime import UTC, datetime
from typing import Any, TextIO

from pipeline.text.redact import redact

MAX_MESSAGE_CHARS = 8_000
"""Longer words are cut: what a server answers may have no end."""

Secrets = Callable[[], Collection[str]]
_NOT_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_COLOURS = {"debug": "2", "warning": "33", "error": "31", "critical": "1;31"}
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
# What could end a line or paint over it: a feed's title may hold anything.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


@contextmanager
def configured_logging(
    options: Namespace, *, info_stream: TextIO | None = None, secrets: Secrets = frozenset
) -> Iterator[None]:
    """Log as long as the block lasts: warnings and worse to stderr, the rest to ``calm`` or there as well.

    ``secrets`` gives those that are known at that moment; it is asked for each line. What Python would write to stderr
    by itself, warnings and the ends of threads, goes into the log as well.

    ``--verbose`` and ``--quiet`` set the level of what we say ourselves; of other libraries warnings are heard.
    """
    level = logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO
    form = getattr(options, "log", "auto")
    with ExitStack() as afterwards:
        for name, heard in ((None, logging.WARNING), ("pipeline", level)):
            logger = logging.getLogger(name)
            afterwards.callback(logger.setLevel, logger.level)
            logger.setLevel(heard)
        logging.captureWarnings(True)
        afterwards.callback(logging.captureWarnings, False)
        afterwards.callback(setattr, threading, "excepthook", threading.excepthook)
        threading.excepthook = _thread_ended
        for handler in _handlers(form, info_stream, secrets):
            logging.getLogger().addHandler(handler)
            afterwards.callback(logging.getLogger().removeHandler, handler)
        yield


def _thread_ended(how: threading.ExceptHookArgs) -> None:
    name = how.thread.name if how.thread else "a thread"
    logging.getLogger(__name__).error("%s ended by a bug", name, exc_info=how.exc_value)


def _handlers(form: str, calm: TextIO | None, secrets: Secrets) -> Iterator[logging.Handler]:
    grave = logging.StreamHandler(sys.stderr)
    grave.setFormatter(LogFormatter.for_stream(sys.stderr, form, secrets))
    yield grave
    if calm:
        grave.setLevel(logging.WARNING)
        handler = logging.StreamHandler(calm)
        handler.setFormatter(LogFormatter.for_stream(calm, form, secrets))
        handler.addFilter(lambda record: record.levelno < logging.WARNING)
        yield handler


class LogFormatter(logging.Formatter):
    """Writes a record as a line: for a person, or as JSON; for the journal with its priority before it (sd-daemon)."""

    def __init__(
        self, *, human: bool, colour: bool = False, journal: bool = False, secrets: Secrets = frozenset
    ) -> None:
        super().__init__()
        self._human, self._colour, self._journal, self._secrets = human, colour, journal, secrets

    @classmethod
    def for_stream(cls, stream: TextIO, form: str, secrets: Secrets) -> LogFormatter:
        """Choose by what the stream is, unless ``form`` says ``human`` or ``json``."""
        terminal = stream.isatty()
        human = form == "human" or (form == "auto" and terminal)
        colour = terminal and not os.environ.get("NO_COLOR")
        return cls(human=human, colour=colour, journal=is_systemd_journal(stream, os.environ), secrets=secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        told = _told(record, self._secrets())
        line = human_line(told, colour=self._colour) if self._human else json.dumps(told, ensure_ascii=False)
        return f"<{_PRIORITIES.get(told['level'], 6)}>{line}" if self._journal else line


def is_systemd_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether a stream leads straight into systemd's journal, which names it in $JOURNAL_STREAM (systemd.exec)."""
    named = environment.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{found.st_dev}:{found.st_ino}"


def human_line(fields: Mapping[str, Any], *, colour: bool = False) -> str:
    """Write what a record tells as a person reads it: local time, level, words, and the traceback of a bug below.

    >>> told = {"ts": "2026-02-09T07:00:00Z", "level": "warning", "event": "fetch: blog answered 404"}
    >>> human_line(told)[9:]
    'warning  fetch: blog answered 404'
    """
    at = datetime.fromisoformat(fields["ts"]).astimezone()
    line = f"{at:%H:%M:%S} {fields['level']:<8} {fields['event']}"
    if colour and fields["level"] in _COLOURS:
        line = f"\x1b[{_COLOURS[fields['level']]}m{line}\x1b[0m"
    return "\n".join([line, *fields.get("exception", {}).get("traceback", "").splitlines()])


def _told(record: logging.LogRecord, secrets: Collection[str]) -> dict[str, Any]:
    """Say what a record tells, in plain values without secrets."""
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    told: dict[str, Any] = {"ts": at.replace("+00:00", "Z"), "level": record.levelname.lower()}
    told |= {"event": _on_one_line(_safe(record.getMessage(), secrets)), "logger": record.name}
    fields = {name: value for name, value in vars(record).items() if name not in _NOT_FIELDS and value is not None}
    told |= {name: _plain(value, secrets) for name, value in fields.items() if name not in told}
    if record.exc_info and (error := record.exc_info[1]):
        shown = "".join(traceback.format_exception(error))
        told["exception"] = {
            "type": type(error).__name__,
            "message": _safe(str(error), secrets),
            "traceback": _safe(shown, secrets),
        }
    return told


def _plain(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each, secrets) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, secrets) for each in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return _safe(str(value), secrets)


def _safe(words: str, secrets: Collection[str]) -> str:
    # Cut from the middle: of a traceback the end says most.
    if len(words) > MAX_MESSAGE_CHARS:
        words = f"{words[: MAX_MESSAGE_CHARS // 2]} … {words[-MAX_MESSAGE_CHARS // 2 :]}"
    return redact(words, secrets)


def _on_one_line(words: str) -> str:
    return _CONTROL.sub(" ", words)
