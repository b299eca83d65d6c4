"""Telling a notice: once in every way, again where it failed, the program of [notify] and the mail."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.notify_command import CommandNotifier
from pipeline.delivery.notify_mail import alert_message
from pipeline.jobs.monitoring.notifier import MAX_RETRY_DELAY, Notifier, retry_delay
from pipeline.model.alert import Alert
from pipeline.model.errors import DeliveryFailedError
from pipeline.store import Store
from tests.empty_store import empty_store

NOW = datetime(2026, 2, 11, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SILENT = Alert(
    key="feed/blog/unread", subject="The feed “blog” cannot be read", text="Since Monday.\n\nMend it.", raised_at=NOW
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"} | {
    "Content-Type",
    "Content-Transfer-Encoding",
}
WELL = Alert(key="feed/blog/well", subject="The feed “blog” is well again", text="It is.", raised_at=NOW, level="info")


class Way:
    """A way to tell: remembers what it was told, and fails so many times before that."""

    def __init__(self, failures: int = 0) -> None:
        self.told: list[Alert] = []
        self.tries = 0
        self.failures = failures

    def __call__(self, notice: Alert) -> str:
        self.tries += 1
        if self.tries <= self.failures:
            raise DeliveryFailedError("nobody answers")
        self.told.append(notice)
        return ""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(empty_store(tmp_path)) as opened:
        yield opened


def hook(folder: Path, program: str, timeout_seconds: float = 30) -> CommandNotifier:
    """A hook that runs a few lines of Python."""
    (folder / "hook.py").write_text(program)
    return CommandNotifier(
        command=[sys.executable, "hook.py"], folder=folder, environment={}, timeout_seconds=timeout_seconds
    )


def test_a_notice_is_told_once_in_every_way(store: Store) -> None:
    """However often it is found to be true."""
    mail, command = Way(), Way()
    notifier = Notifier(alerts=store.alerts, channels={"mail": mail, "command": command})
    for minutes in range(5):
        notifier.notify(replace(SILENT, raised_at=NOW + minutes * MINUTE))
    assert (mail.told, command.told) == ([SILENT], [SILENT])


def test_one_way_that_fails_does_not_stop_the_other(store: Store) -> None:
    """And is tried again, after growing pauses, until it succeeds; the other is not bothered again."""
    mail, command = Way(failures=3), Way()
    notifier = Notifier(alerts=store.alerts, channels={"mail": mail, "command": command})
    notifier.notify(SILENT)
    tries = []
    for minutes in range(1, 60):
        notifier.deliver_due(NOW + minutes * MINUTE)
        tries.append(mail.tries)
    assert [tries.index(number) + 1 for number in (2, 3, 4)] == [1, 5, 21]
    assert (mail.told, command.told) == ([SILENT], [SILENT])
    assert (mail.tries, command.tries) == (4, 1)


def test_what_failed_is_not_lost_when_the_program_ends(store: Store) -> None:
    """Another process, with ways of its own, tells it."""
    Notifier(alerts=store.alerts, channels={"mail": Way(failures=9)}).notify(SILENT)
    mail = Way()
    Notifier(alerts=store.alerts, channels={"mail": mail}).deliver_due(NOW + MINUTE)
    assert mail.told == [SILENT]


def test_pauses_grow_up_to_a_day() -> None:
    """Years of failing change nothing."""
    pauses = [retry_delay(attempts) for attempts in range(1, 1000)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == MAX_RETRY_DELAY == timedelta(days=1)


def test_what_is_true_no_longer_is_closed_and_may_come_again(store: Store) -> None:
    """With a word at its end, once; coming again it is told again."""
    mail = Way()
    notifier = Notifier(alerts=store.alerts, channels={"mail": mail})
    again = replace(SILENT, raised_at=NOW + 4 * MINUTE)
    for minutes, true in enumerate([[SILENT], [SILENT], [], [], [again], [again]]):
        notifier.reconcile("feed/", true, at=NOW + minutes * MINUTE, resolutions=[(SILENT.key, WELL)])
    assert mail.told == [SILENT, WELL, again]
    assert store.alerts.list_open() == [again]


def test_settling_one_matter_leaves_others_open(store: Store) -> None:
    """Only keys that start with what it is about."""
    notifier = Notifier(alerts=store.alerts)
    notifier.notify(replace(SILENT, key="quiet/blog"))
    notifier.reconcile("feed/", [], at=NOW)
    assert [each.key for each in store.alerts.list_open()] == ["quiet/blog"]


def test_there_is_always_a_line_in_the_log(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Without any way at all, and on one line."""
    with caplog.at_level(logging.INFO):
        Notifier(alerts=store.alerts).notify(SILENT)
        Notifier(alerts=store.alerts).notify(SILENT)
    assert [each.getMessage() for each in caplog.records] == [f"{SILENT.subject}: Since Monday. Mend it."]
    assert caplog.records[0].levelno == logging.WARNING


def test_a_store_that_fails_is_said_and_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The notice is in the log all the same."""
    with Store.open(empty_store(tmp_path)) as store:
        pass
    (tmp_path / "pipeline.db").write_bytes(b"no database at all, sixteen bytes and more of it")
    Notifier(alerts=store.alerts, channels={"mail": Way()}).reconcile("feed/", [SILENT], at=NOW)
    store.close()
    assert any(SILENT.subject in each.getMessage() for each in caplog.records)


def test_a_program_gets_the_notice_on_its_input_and_in_its_environment(tmp_path: Path) -> None:
    """As one JSON object, and in PIPELINE_ALERT_ variables; what it writes is given back on one line."""
    said = hook(
        tmp_path,
        "import json, os, sys; found = json.load(sys.stdin)\n"
        "found['variables'] = {k: v for k, v in os.environ.items() if k.startswith('PIPELINE_ALERT_')}\n"
        "open('got.json', 'w', encoding='utf-8').write(json.dumps(found)); print('done,\\nthank you')",
    ).send(SILENT)
    got = json.loads((tmp_path / "got.json").read_text("utf-8"))
    variables = got.pop("variables")
    assert got == {
        "key": SILENT.key,
        "level": "warning",
        "at": "2026-02-11T09:00:00Z",
        "subject": SILENT.subject,
        "text": SILENT.text,
    }
    assert variables == {f"PIPELINE_ALERT_{name.upper()}": value for name, value in got.items()}
    assert said == "done, thank you"


def test_no_shell_reads_what_a_feed_says(tmp_path: Path) -> None:
    """A title that is a command stays a title."""
    evil = replace(SILENT, subject="$(touch pwned); `touch pwned` | touch pwned\0\ud800")
    hook(tmp_path, "import sys; sys.stdin.read()").send(evil)
    assert [each.name for each in tmp_path.iterdir()] == ["hook.py"]


def test_a_program_that_fails_is_told_of_with_its_words(tmp_path: Path) -> None:
    """Exit code and the end of what it wrote."""
    with pytest.raises(DeliveryFailedError, match=r"exit code 3: the line is busy$"):
        hook(tmp_path, "import sys; print('the line is busy'); sys.exit(3)").send(SILENT)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the reason the system gives."""
    missing = CommandNotifier(command=["./no-such-program"], folder=tmp_path, environment={})
    with pytest.raises(DeliveryFailedError, match=r"'./no-such-program' cannot be started: No such file"):
        missing.send(SILENT)


def test_a_program_that_never_ends_is_stopped_with_its_children(tmp_path: Path) -> None:
    """Though a child of its own holds its output open."""
    child = "import time; time.sleep(60); open('lived', 'w').close()"
    slow = hook(
        tmp_path,
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)",
        timeout_seconds=0.4,
    )
    began = time.monotonic()
    with pytest.raises(DeliveryFailedError, match=r"took more than 0\.4 seconds"):
        slow.send(SILENT)
    assert time.monotonic() - began < 10


def test_a_program_that_reads_nothing_and_writes_a_lot_ends_well(tmp_path: Path) -> None:
    """No pipe is there to break or to fill; the end of what it wrote is kept."""
    long = replace(SILENT, text="word " * 20_000)
    said = hook(tmp_path, "print('x' * 1_000_000, 'the end')").send(long)
    assert said.endswith("x the end")
    assert len(said) < 5_000


def test_the_mail_is_plain_text_that_any_server_takes() -> None:
    """CRLF, 7 bit, short lines, one text part; From, To, Date and a Message-ID that says nothing changes."""
    address = "https://a.example/" + "x" * 90
    told = replace(SILENT, text=f"A café: {'word ' * 40}\n\n    pipeline feeds accept blog\n\n{address}")
    sender, recipient = "Harbour & Hearth <letter@h.example>", "Ann <ann@h.example>"
    message = alert_message(told, sender=sender, recipient=recipient, name="Harbour & Hearth")
    assert message == alert_message(told, sender=sender, recipient=recipient, name="Harbour & Hearth")
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert max(map(len, message.split(b"\r\n"))) <= 78
    read = message_from_bytes(message, policy=default)
    assert read.get_content_type() == "text/plain"
    assert read["Subject"] == "[Harbour & Hearth] The feed “blog” cannot be read"
    assert (read["To"], read["Auto-Submitted"]) == (recipient, "auto-generated")
    assert read["Date"].datetime == NOW
    lines = read.get_content().splitlines()
    assert "    pipeline feeds accept blog" in lines
    assert address in lines
    assert lines[-1] == "This alert is sent once. `pipeline status` shows all current problems."


@given(TEXTS, TEXTS, TEXTS)
def test_whatever_a_feed_says_gives_a_mail(title: str, text: str, name: str) -> None:
    """Its words arrive; no header is begun or broken by them, and no line ends otherwise than in CRLF."""
    told = replace(SILENT, subject=title, text=text)
    message = alert_message(told, sender="H <letter@h.example>", recipient="ann@h.example", name=name)
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert b"\r" not in message.replace(b"\r\n", b"")
    read = message_from_bytes(message, policy=default)
    assert set(read.keys()) == HEADERS
    assert read["To"] == "ann@h.example"
    assert read.get_content().split()[: len(text.split())] == text.split()


def test_each_occurrence_has_a_message_id_of_its_own() -> None:
    """Or a mailbox would hide the second one."""
    ids = {
        message_from_bytes(alert_message(each, sender="a@h.example", recipient="b@h.example", name="H"))["Message-ID"]
        for each in (SILENT, replace(SILENT, raised_at=NOW + MINUTE), replace(SILENT, key="other"))
    }
    assert len(ids) == 3
