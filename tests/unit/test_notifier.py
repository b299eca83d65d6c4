"""Alerts: sent once through every channel, retried where that failed, by command and by mail."""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
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
from pipeline.jobs.monitoring.notifier import MAX_RETRY_DELAY, Notifier
from pipeline.model.alert import Alert
from pipeline.model.errors import DeliveryFailedError, DeliveryInterrupted, DeliveryKind, DeliveryUncertainError
from pipeline.model.run import retry_delay
from pipeline.store import Store
from tests.empty_store import empty_store

NOW = datetime(2026, 2, 11, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
UNREAD = Alert(
    key="feed/blog/unread", subject="The feed “blog” cannot be read", text="Since Monday.\n\nFix it.", raised_at=NOW
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"} | {
    "Content-Type",
    "Content-Transfer-Encoding",
}
RECOVERED = Alert(
    key="feed/blog/recovered", subject="The feed “blog” has recovered", text="It is.", raised_at=NOW, level="info"
)


class Channel:
    """A channel that records alerts, after a number of failures."""

    def __init__(self, failures: int = 0, kind: DeliveryKind = "failed") -> None:
        self.sent: list[Alert] = []
        self.tries = 0
        self.failures = failures
        self.kind = kind

    def __call__(self, alert: Alert) -> str:
        self.tries += 1
        if self.tries <= self.failures:
            raise DeliveryFailedError("no answer", kind=self.kind)
        self.sent.append(alert)
        return ""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(empty_store(tmp_path)) as store:
        yield store


def command(folder: Path, program: str, timeout_seconds: float = 30) -> CommandNotifier:
    """Return a notifier whose command runs a few lines of Python."""
    (folder / "notify.py").write_text(program)
    return CommandNotifier(
        command=[sys.executable, "notify.py"], folder=folder, environment={}, timeout_seconds=timeout_seconds
    )


def test_an_alert_is_sent_once_through_every_channel(store: Store) -> None:
    """However often it is raised."""
    mail, chat = Channel(), Channel()
    notifier = Notifier(alerts=store.alerts, channels={"mail": mail, "chat": chat})
    for minutes in range(5):
        notifier.notify(replace(UNREAD, raised_at=NOW + minutes * MINUTE))
    assert (mail.sent, chat.sent) == ([UNREAD], [UNREAD])


def test_a_failed_channel_does_not_stop_another(store: Store) -> None:
    """It is retried with growing delays until it succeeds; the other sends nothing twice."""
    mail, chat = Channel(failures=3), Channel()
    notifier = Notifier(alerts=store.alerts, channels={"mail": mail, "chat": chat})
    notifier.notify(UNREAD)
    tries = []
    for minutes in range(1, 60):
        notifier.deliver_due(NOW + minutes * MINUTE)
        tries.append(mail.tries)
    assert [tries.index(number) + 1 for number in (2, 3, 4)] == [1, 5, 21]
    assert (mail.sent, chat.sent) == ([UNREAD], [UNREAD])
    assert (mail.tries, chat.tries) == (4, 1)


def test_a_channel_that_fails_is_tried_once_for_all_alerts(store: Store) -> None:
    """A mail server that takes three minutes to fail takes them once, not for each of ten alerts; none is lost."""
    mail = Channel(failures=1)
    notifier = Notifier(alerts=store.alerts, channels={"mail": mail})
    alerts = [replace(UNREAD, key=f"feed/{number}") for number in range(10)]
    notifier.reconcile("feed/", alerts, at=NOW)
    assert (mail.tries, mail.sent) == (1, [])
    notifier.deliver_due(NOW + MINUTE)
    assert sorted(alert.key for alert in mail.sent) == sorted(alert.key for alert in alerts)


def test_an_error_of_one_alert_does_not_keep_the_others(store: Store) -> None:
    """The server refuses this message, not all."""
    mail = Channel(failures=1, kind="message")
    alerts = [replace(UNREAD, key=f"feed/{number}") for number in range(3)]
    Notifier(alerts=store.alerts, channels={"mail": mail}).reconcile("feed/", alerts, at=NOW)
    assert (mail.tries, len(mail.sent)) == (3, 2)


def test_an_alert_that_may_have_arrived_is_not_sent_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """The mail server had the whole message and did not confirm it."""
    tries = []

    def uncertain(alert: Alert) -> str:
        tries.append(alert)
        raise DeliveryUncertainError("the server did not confirm it")

    notifier = Notifier(alerts=store.alerts, channels={"mail": uncertain})
    with caplog.at_level(logging.INFO):
        notifier.notify(UNREAD)
    notifier.deliver_due(NOW + timedelta(days=2))
    assert tries == [UNREAD]
    assert "perhaps; it is not sent again" in caplog.text


def test_an_alert_that_was_interrupted_when_complete_is_not_sent_again(store: Store) -> None:
    """A stop, or the end of the task's time, while the program waits for the server's last reply."""
    tries = []

    def interrupted(alert: Alert) -> str:
        tries.append(alert)
        if len(tries) == 1:
            raise DeliveryInterrupted
        return ""

    notifier = Notifier(alerts=store.alerts, channels={"mail": interrupted})
    with pytest.raises(KeyboardInterrupt):
        notifier.notify(UNREAD)
    notifier.deliver_due(NOW + timedelta(days=2))
    assert tries == [UNREAD]


def test_a_failed_alert_survives_the_process(store: Store) -> None:
    """Another process sends it."""
    Notifier(alerts=store.alerts, channels={"mail": Channel(failures=9)}).notify(UNREAD)
    mail = Channel()
    Notifier(alerts=store.alerts, channels={"mail": mail}).deliver_due(NOW + MINUTE)
    assert mail.sent == [UNREAD]


def test_retry_delays_grow_up_to_a_day() -> None:
    """They stay there after any number of attempts."""
    delays = [retry_delay(attempts, factor=4, maximum=MAX_RETRY_DELAY) for attempts in range(1, 1000)]
    assert delays == sorted(delays)
    assert delays[-1] == MAX_RETRY_DELAY == timedelta(days=1)


def test_an_alert_that_no_longer_applies_is_closed_and_may_be_raised_again(store: Store) -> None:
    """Its resolution is sent once; raised again it is sent again."""
    mail = Channel()
    notifier = Notifier(alerts=store.alerts, channels={"mail": mail})
    again = replace(UNREAD, raised_at=NOW + 4 * MINUTE)
    for minutes, current in enumerate([[UNREAD], [UNREAD], [], [], [again], [again]]):
        notifier.reconcile("feed/", current, at=NOW + minutes * MINUTE, resolutions=[(UNREAD.key, RECOVERED)])
    assert mail.sent == [UNREAD, RECOVERED, again]
    assert store.alerts.list_open() == [again]


def test_reconciling_one_prefix_leaves_other_alerts_open(store: Store) -> None:
    """Only keys with the prefix are closed."""
    notifier = Notifier(alerts=store.alerts)
    notifier.notify(replace(UNREAD, key="quiet/blog"))
    notifier.reconcile("feed/", [], at=NOW)
    assert [alert.key for alert in store.alerts.list_open()] == ["quiet/blog"]


def test_an_alert_is_always_logged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Even without a channel, and on one line."""
    with caplog.at_level(logging.INFO):
        Notifier(alerts=store.alerts).notify(UNREAD)
        Notifier(alerts=store.alerts).notify(UNREAD)
    assert [record.getMessage() for record in caplog.records] == [f"{UNREAD.subject}: Since Monday. Fix it."]
    assert caplog.records[0].levelno == logging.WARNING


def test_a_store_error_is_logged_with_the_alert(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The notifier does not raise."""
    with Store.open(empty_store(tmp_path)) as store:
        pass
    (tmp_path / "pipeline.db").write_bytes(b"no database at all, sixteen bytes and more of it")
    Notifier(alerts=store.alerts, channels={"mail": Channel()}).reconcile("feed/", [UNREAD], at=NOW)
    store.close()
    assert any(UNREAD.subject in record.getMessage() for record in caplog.records)


def test_a_command_gets_the_alert_as_json_and_in_its_environment(tmp_path: Path) -> None:
    """One JSON object on stdin, and PIPELINE_ALERT_ variables; its output is returned on one line."""
    output = command(
        tmp_path,
        "import json, os, sys; found = json.load(sys.stdin)\n"
        "found['variables'] = {k: v for k, v in os.environ.items() if k.startswith('PIPELINE_ALERT_')}\n"
        "open('got.json', 'w', encoding='utf-8').write(json.dumps(found)); print('done,\\nthank you')",
    ).send(UNREAD)
    got = json.loads((tmp_path / "got.json").read_text("utf-8"))
    variables = got.pop("variables")
    assert got == {
        "key": UNREAD.key,
        "level": "warning",
        "at": "2026-02-11T09:00:00Z",
        "subject": UNREAD.subject,
        "text": UNREAD.text,
    }
    assert variables == {f"PIPELINE_ALERT_{name.upper()}": value for name, value in got.items()}
    assert output == "done, thank you"


def test_the_command_inherits_no_secret(tmp_path: Path) -> None:
    """It gets what every program needs and what is meant for it, and no password of the publication."""
    own = {"PATH": "/bin", "LC_ALL": "C.UTF-8", "PIPELINE_NOTIFY_HOOK": "https://chat.example/"}
    secrets = {"SMTP_PASSWORD": "hush", "BLOG_KEY_FILE": "/run/key", "PGPASSWORD": "hush", "PIPELINE_ALERT_KEY": "old"}
    program = "import json, os; json.dump(dict(os.environ), open('got.json', 'w'))"
    replace(command(tmp_path, program), environment=own | secrets).send(UNREAD)
    got = json.loads((tmp_path / "got.json").read_text("utf-8"))
    assert {name: got.get(name) for name in own} == own
    assert got["PIPELINE_ALERT_KEY"] == UNREAD.key
    assert not set(got) & (set(secrets) - {"PIPELINE_ALERT_KEY"})


def test_no_shell_reads_the_alert(tmp_path: Path) -> None:
    """A title that looks like a command stays a title."""
    evil = replace(UNREAD, subject="$(touch pwned); `touch pwned` | touch pwned\0\ud800")
    command(tmp_path, "import sys; sys.stdin.read()").send(evil)
    assert [path.name for path in tmp_path.iterdir()] == ["notify.py"]


def test_the_error_of_a_failed_command_contains_its_output(tmp_path: Path) -> None:
    """It contains the exit code and the end of the output."""
    with pytest.raises(DeliveryFailedError, match=r"exit code 3: the line is busy$"):
        command(tmp_path, "import sys; print('the line is busy'); sys.exit(3)").send(UNREAD)


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    """The error contains the reason of the system."""
    missing = CommandNotifier(command=["./no-such-program"], folder=tmp_path, environment={})
    with pytest.raises(DeliveryFailedError, match=r"'./no-such-program' cannot be started: No such file"):
        missing.send(UNREAD)


def test_a_command_that_hangs_is_stopped_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its time is up, both are killed: the pipe that only the child has open is closed."""
    child = "import sys, time; pipe = open('pipe', 'w'); print('up', file=pipe, flush=True); time.sleep(600)"
    slow = command(
        tmp_path,
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(600)",
        timeout_seconds=0.4,
    )
    os.mkfifo(tmp_path / "pipe")
    reader = os.fdopen(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK))
    wait = subprocess.Popen.wait

    def time_is_up_once_the_child_runs(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if timeout is None:
            return wait(process)
        assert select.select([reader], [], [], 60)[0], "the child did not start"
        raise subprocess.TimeoutExpired(slow.command, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", time_is_up_once_the_child_runs)
    with reader:
        with pytest.raises(DeliveryFailedError, match=r"took more than 0\.4 seconds"):
            slow.send(UNREAD)
        assert reader.readline() == "up\n"
        assert select.select([reader], [], [], 60)[0], "the child lives on"
        assert reader.readline() == ""


def test_a_command_may_read_nothing_and_write_a_lot(tmp_path: Path) -> None:
    """No pipe breaks or fills up; the end of the output is returned."""
    long = replace(UNREAD, text="word " * 20_000)
    output = command(tmp_path, "print('x' * 1_000_000, 'the end')").send(long)
    assert output.endswith("x the end")
    assert len(output) < 5_000


def test_the_mail_is_plain_text_in_7_bit() -> None:
    """It has CRLF, short lines, one text part, and always the same Message-ID."""
    address = "https://a.example/" + "x" * 90
    alert = replace(UNREAD, text=f"A café: {'word ' * 40}\n\n    pipeline feeds accept blog\n\n{address}")
    sender, recipient = "Harbour & Hearth <letter@h.example>", "Ann <ann@h.example>"
    message = alert_message(alert, sender=sender, recipient=recipient, name="Harbour & Hearth")
    assert message == alert_message(alert, sender=sender, recipient=recipient, name="Harbour & Hearth")
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
def test_any_text_gives_a_valid_mail(title: str, text: str, name: str) -> None:
    """The text arrives; it adds and breaks no header, and every line ends in CRLF."""
    alert = replace(UNREAD, subject=title, text=text)
    message = alert_message(alert, sender="H <letter@h.example>", recipient="ann@h.example", name=name)
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert b"\r" not in message.replace(b"\r\n", b"")
    read = message_from_bytes(message, policy=default)
    assert set(read.keys()) == HEADERS
    assert read["To"] == "ann@h.example"
    assert read.get_content().split()[: len(text.split())] == text.split()


def test_each_alert_has_its_own_message_id() -> None:
    """A mailbox would hide the second of two equal ones."""
    ids = {
        message_from_bytes(alert_message(alert, sender="a@h.example", recipient="b@h.example", name="H"))["Message-ID"]
        for alert in (UNREAD, replace(UNREAD, raised_at=NOW + MINUTE), replace(UNREAD, key="other"))
    }
    assert len(ids) == 3
