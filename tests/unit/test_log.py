"""The log: one line a record, for a person or for a machine, and no secret in it."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
import warnings
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.log import MAX_REPEATS, LogFormatter, RepeatFilter, configured_logging, is_systemd_journal
from pipeline.jobs.feeds.refresh import FeedReport
from pipeline.jobs.run_log import log_feed, log_result
from pipeline.model.errors import FeedsFailedError, PipelineError
from pipeline.model.update import UpdateCounts
from pipeline.scheduler.engine import TaskResult

log = logging.getLogger("pipeline.somewhere")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def options(*, verbose: bool = False, quiet: bool = False, form: str = "auto") -> Namespace:
    return Namespace(verbose=verbose, quiet=quiet, log=form)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a journal nor a wish for no colours."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_record_is_a_json_object_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """When, how grave, what, by whom, and then the fields; moments in UTC."""
    with configured_logging(options()):
        log.info("%s was read", "blog", extra={"feed": "blog", "seconds": 0.5, "at": datetime(2026, 2, 9, tzinfo=UTC)})
    (one,) = lines(capsys)
    assert list(one) == ["ts", "level", "event", "logger", "feed", "seconds", "at"]
    assert (one["level"], one["event"], one["logger"]) == ("info", "blog was read", "pipeline.somewhere")
    assert (one["feed"], one["seconds"], one["at"]) == ("blog", 0.5, "2026-02-09T00:00:00Z")
    assert datetime.fromisoformat(str(one["ts"])).utcoffset() == UTC.utcoffset(None)


def test_a_bug_comes_with_type_and_traceback_in_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    """One line all the same, so that no reader of the log loses its place."""
    with configured_logging(options()):
        try:
            raise ValueError("two\nlines with https://ann:hunter2@a.example/")
        except ValueError:
            log.exception("a beat failed")
    (one,) = lines(capsys)
    logged = one["exception"]
    assert isinstance(logged, dict)
    assert (logged["type"], "hunter2" in json.dumps(logged)) == ("ValueError", False)
    assert "test_log.py" in logged["traceback"]


def test_a_thread_that_ends_by_a_bug_and_a_warning_are_logged_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but the log writes to stderr, so all of it can be read by a machine."""

    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    before = threading.excepthook
    with configured_logging(options()), warnings.catch_warnings():
        warnings.simplefilter("always")
        thread = threading.Thread(target=broken, name="pages")
        thread.start()
        thread.join()
        warnings.warn("this library grows old", UserWarning, stacklevel=1)
    bug, warning = lines(capsys)
    assert (bug["level"], bug["event"], bug["exception"]["type"]) == (
        "error",
        "pages ended by a bug",
        "ZeroDivisionError",
    )
    assert (warning["level"], "grows old" in warning["event"]) == ("warning", True)
    assert threading.excepthook is before


@pytest.mark.parametrize(
    ("verbose", "quiet", "heard"),
    [(False, False, ["info", "warning"]), (True, False, ["debug", "info", "warning"]), (False, True, ["warning"])],
)
def test_verbose_and_quiet_set_the_level(
    capsys: pytest.CaptureFixture[str], verbose: bool, quiet: bool, heard: list[str]
) -> None:
    """Of what we say ourselves; of libraries only warnings are heard, since httpx tells every address."""
    with configured_logging(options(verbose=verbose, quiet=quiet)):
        log.debug("a")
        log.info("b")
        log.warning("c")
        logging.getLogger("httpx").info("HTTP Request: GET https://a.example/?token=abc")
    assert [one["level"] for one in lines(capsys)] == heard


def test_calm_words_go_to_stdout_and_grave_ones_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """So that a crontab line with >/dev/null mails trouble alone."""
    with configured_logging(options(form="human"), info_stream=sys.stdout):
        log.info("fetch: all well")
        log.warning("draft: no room")
    out, err = capsys.readouterr()
    assert ("fetch" in out, "draft" in out, "fetch" in err, "draft" in err) == (True, False, False, True)


def test_afterwards_the_log_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that ends leaves no handler behind, and no level."""
    before = list(logging.getLogger().handlers), logging.getLogger().level, logging.getLogger("pipeline").level
    with configured_logging(options(verbose=True)):
        pass
    assert before == (
        list(logging.getLogger().handlers),
        logging.getLogger().level,
        logging.getLogger("pipeline").level,
    )


def test_a_person_on_a_terminal_reads_time_level_and_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """In colour where it is grave, unless $NO_COLOR says no; never as JSON."""
    record = logging.LogRecord("pipeline.x", logging.WARNING, __file__, 1, "fetch: blog answered 404", None, None)
    coloured = LogFormatter.for_stream(Terminal(), "auto", frozenset).format(record)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = LogFormatter.for_stream(Terminal(), "auto", frozenset).format(record)
    assert coloured == f"\x1b[33m{plain}\x1b[0m"
    time, level, words = plain.split(maxsplit=2)
    assert (len(time), level, words) == (8, "warning", "fetch: blog answered 404")
    assert json.loads(LogFormatter.for_stream(Terminal(), "json", frozenset).format(record))["level"] == "warning"


def test_what_a_feed_says_cannot_paint_over_the_log() -> None:
    """Line breaks, escapes and marks that turn the direction of writing become blanks."""
    hostile = 'title\x1b[2J\r\n{"level": "info"}\u202egnp'
    record = logging.LogRecord("pipeline.x", logging.INFO, __file__, 1, "%s", (hostile,), None)
    assert LogFormatter(human=True).format(record).isprintable()
    assert json.loads(LogFormatter(human=False).format(record))["event"].isprintable()


def test_a_known_secret_is_in_no_field() -> None:
    """Wherever a library puts it: in the words, in a field, in a list."""
    record = logging.makeLogRecord({"msg": "no s3same-open", "levelname": "INFO", "urls": ["a?x=s3same-open"]})
    assert "s3same" not in LogFormatter(human=False, secrets=lambda: {"s3same-open"}).format(record)


def test_the_journal_gets_the_priority_before_each_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where systemd itself reads the stream: it takes the number off again (sd-daemon(3))."""
    with (tmp_path / "journal").open("w") as stream:
        found = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        record = logging.LogRecord("pipeline.x", logging.ERROR, __file__, 1, "no", None, None)
        assert LogFormatter.for_stream(stream, "auto", frozenset).format(record).startswith('<3>{"ts"')
        assert not is_systemd_journal(io.StringIO(), os.environ)
        monkeypatch.setenv("JOURNAL_STREAM", "1:2")
        assert not is_systemd_journal(stream, os.environ)


def test_with_verbose_each_feed_that_was_asked_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line holds the outcome and the counts; a feed that was not due has no line."""
    with configured_logging(options(verbose=True)):
        log_feed(
            FeedReport(feed_id="blog", outcome="ok", message="answered 200 OK", ok=True, applied=UpdateCounts(new=2))
        )
        log_feed(FeedReport(feed_id="podcast", outcome="waiting", message="not due", ok=True))
    (one,) = lines(capsys)
    assert (one["level"], one["event"]) == ("debug", "blog answered 200 OK")
    assert (one["feed"], one["outcome"], one["new"], one["changed"]) == ("blog", "ok", 2, 0)


def test_a_result_is_one_line_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """An error is a warning that names the failed feeds and the retry time."""
    trouble = FeedsFailedError("2 of 2 feeds fetched; blog answered 404", retry=False, feeds=["blog"])
    again = datetime(2026, 2, 9, 8, tzinfo=UTC)
    with configured_logging(options()):
        log_result(
            TaskResult(
                task_id="draft",
                period="2026-02-16",
                message="2026-W07: “Bread”",
                week="2026-W07",
                duration_seconds=0.25,
            )
        )
        log_result(
            TaskResult(
                task_id="fetch", period="p", message=str(trouble), error=trouble, retry_at=again, status="retrying"
            )
        )
        log_result(TaskResult(task_id="send", period="p", message="no", error=PipelineError("no"), status="failed"))
    draft, fetch, send = lines(capsys)
    assert (draft["level"], draft["task"], draft["period"], draft["seconds"]) == ("info", "draft", "2026-02-16", 0.25)
    assert (draft["week"], "week" in fetch) == ("2026-W07", False)
    assert (fetch["level"], fetch["feeds"], fetch["retry_at"]) == ("warning", ["blog"], "2026-02-09T08:00:00Z")
    assert (send["status"], "feeds" in send, "retry_at" in send) == ("failed", False, False)


def test_a_warning_that_comes_again_and_again_is_written_a_few_times(capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand errors of one kind are ten lines, of which the last says that more are left out."""
    with configured_logging(options()):
        for number in range(1_000):
            logging.getLogger("asyncio").error("out of files: socket %d", number)
            log.warning("the disk is full")
        log.warning("something else")
    events = [line["event"] for line in lines(capsys)]
    assert len(events) == 2 * MAX_REPEATS + 1
    assert events[-3:] == [
        "out of files: socket 9 (more like this are left out for a minute)",
        "the disk is full (more like this are left out for a minute)",
        "something else",
    ]


def warning(message: str, seconds: float, level: int = logging.WARNING) -> logging.LogRecord:
    record = logging.LogRecord("pipeline.somewhere", level, __file__, 1, message, (), None)
    record.created = seconds
    return record


def test_what_was_left_out_is_counted_a_minute_later() -> None:
    """The next one says how many there were; then ten are written again."""
    repeats = RepeatFilter()
    written = [repeats.filter(warning("no answer", 100 + number / 10)) for number in range(500)]
    assert written == [True] * MAX_REPEATS + [False] * (500 - MAX_REPEATS)
    later = warning("no answer", 161)
    assert repeats.filter(later)
    assert later.getMessage() == f"no answer ({500 - MAX_REPEATS} more like this were left out)"
    assert [repeats.filter(warning("no answer", 162)) for _ in range(MAX_REPEATS)] == [True] * (MAX_REPEATS - 1) + [
        False
    ]


def test_different_warnings_and_all_information_are_written() -> None:
    """A hundred feeds that fail are a hundred lines, and so are a hundred that are well."""
    repeats = RepeatFilter()
    assert all(repeats.filter(warning(f"feed {number} failed", 100)) for number in range(100))
    assert all(repeats.filter(warning("fetched", 100, logging.INFO)) for _ in range(100))


def test_counting_warnings_takes_bounded_memory() -> None:
    """However many different ones there are, and also if the clock is set back."""
    repeats = RepeatFilter()
    for number in range(5_000):
        repeats.filter(warning(f"warning {number}", 100 - number))
    assert len(repeats._repeats) <= 1_000
