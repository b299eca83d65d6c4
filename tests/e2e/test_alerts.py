"""Alerts by command and by mail, over days of ticks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from pipeline.model.feed import FeedState
from pipeline.store import Store
from tests.cli_runner import NOW, CliRunner, item, rss
from tests.http_server import CannedResponse, HttpServer
from tests.mail_server import MailServer

pytestmark = pytest.mark.loopback
HOURS = timedelta(hours=1)
DAY = timedelta(days=1)
COMMAND = """\
import json, pathlib, sys
if pathlib.Path("broken").exists():
    sys.exit("the line is dead")
with open("alerts.jsonl", "a", encoding="utf-8") as file:
    file.write(json.dumps(json.load(sys.stdin)) + "\\n")
"""
NOTIFY = f"""
[notify]
command = ['{sys.executable}', "notify.py"]
mail = "ann@h.example"

[web]
listen = ""
"""


class Publication:
    """A publication whose notification command writes the alerts into a file."""

    def __init__(self, program: CliRunner) -> None:
        self.program, self.folder = program, program.config.parent
        (self.folder / "notify.py").write_text(COMMAND)
        program.write_config(more=NOTIFY)

    def store_gone_feed(self) -> None:
        """Store that the feed's server answered 410 Gone yesterday."""
        state = FeedState(feed_id="blog", url=self.program.server.url("/blog"), outcome="gone", failures=2)
        with Store.open(f"sqlite:///{self.folder / 'pipeline.db'}") as store:
            store.feeds.save(replace(state, gone_at=NOW - DAY, checked_at=NOW - DAY))

    def tick(self, *, hours: int, every: int = 12) -> None:
        """Tick every few hours for some time."""
        for _ in range(0, hours, every):
            self.program.now += every * HOURS
            self.program.run("tick", "--quiet")

    @property
    def by_command(self) -> list[dict[str, Any]]:
        file = self.folder / "alerts.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    @property
    def by_mail(self) -> list[str]:
        """The subjects of the mails in the outbox."""
        mails = sorted((self.folder / "outbox").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes(), policy=default)["Subject"] for path in mails]


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as found:
        yield found


@pytest.fixture
def publication(tmp_path: Path, server: HttpServer, capsys: pytest.CaptureFixture[str]) -> Publication:
    """A publication whose feed was fetched once."""
    publication = Publication(CliRunner(tmp_path, server, capsys))
    publication.program.run_ok("fetch")
    return publication


def test_a_failure_and_a_recovery_are_each_sent_once(publication: Publication, server: HttpServer) -> None:
    """Through each channel; `pipeline status` shows the failure meanwhile."""
    server.respond("/blog", CannedResponse(status=404, body=b""))
    publication.tick(hours=48)
    assert [(alert["key"], alert["level"]) for alert in publication.by_command] == [("feed/blog/unread", "warning")]
    assert publication.by_mail == ["[Harbour & Hearth] Harbour & Hearth (feed blog) cannot be read"]
    _, status, _ = publication.program.run("status")
    assert "blog" in status
    assert "404" in status
    publication.program.serve("/blog", rss(item("Bread on a stone")))
    publication.tick(hours=36)
    assert [alert["key"] for alert in publication.by_command] == ["feed/blog/unread", "feed/blog/recovered"]
    assert publication.by_mail[1:] == ["[Harbour & Hearth] Harbour & Hearth (feed blog) has recovered"]


def test_a_failed_command_is_retried_without_a_second_mail(publication: Publication, server: HttpServer) -> None:
    """The tick logs the error and goes on; `pipeline status` shows it."""
    (publication.folder / "broken").touch()
    server.respond("/blog", CannedResponse(status=410, body=b""))
    publication.tick(hours=48)
    assert (publication.by_command, len(publication.by_mail)) == ([], 1)
    publication.program.now += DAY
    _, _, log = publication.program.run("tick")
    assert "could not be sent by command" in log
    assert "exit code 1: the line is dead" in log
    _, status, _ = publication.program.run("status")
    assert "one alert could not be sent by command: [notify] command ended with exit code 1" in status
    (publication.folder / "broken").unlink()
    publication.tick(hours=48)
    assert [alert["key"] for alert in publication.by_command] == ["feed/blog/gone"]
    assert len(publication.by_mail) == 1


def test_simultaneous_ticks_send_an_alert_once(publication: Publication) -> None:
    """Three processes tick at the same time."""
    publication.store_gone_feed()
    command = [sys.executable, "-m", "pipeline", "tick", "--quiet"]
    processes = [
        subprocess.Popen(command, cwd=publication.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]
    output = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], output
    assert [alert["key"] for alert in publication.by_command] == ["feed/blog/gone"]
    assert len(publication.by_mail) == 1


def test_the_daemon_stops_while_a_command_hangs(publication: Publication) -> None:
    """The command is ended too; the alert is still due."""
    pid = publication.folder / "pid"
    (publication.folder / "notify.py").write_text(
        "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(3600)"
    )
    publication.store_gone_feed()
    command = [sys.executable, "-m", "pipeline", "run", "--quiet"]
    daemon = subprocess.Popen(
        command, cwd=publication.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    daemon.send_signal(signal.SIGTERM)
    output, _ = daemon.communicate(timeout=60)
    assert (daemon.returncode, "Traceback" in output) == (0, False), output
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    with Store.open(f"sqlite:///{publication.folder / 'pipeline.db'}") as store:
        later = datetime.now(UTC) + DAY
        assert [delivery.alert.key for delivery in store.alerts.due(later, ["command"])] == ["feed/blog/gone"]


def test_a_late_feed_is_reported_a_day_before_the_draft(publication: Publication) -> None:
    """A blog has an entry every Tuesday, but none in the week before Monday's draft."""
    tuesdays = [datetime(2026, 2, 10, 9, tzinfo=UTC) - number * 7 * DAY for number in range(10)]
    posts = [item(f"Post {number}", date=f"{day:%a, %d %b %Y %H:%M:%S} GMT") for number, day in enumerate(tuesdays)]
    publication.program.serve("/blog", rss(*posts))
    publication.tick(hours=4 * 24, every=24)  # to Monday 16 February, noon: all is well
    assert publication.by_command == []
    publication.tick(hours=7 * 24, every=24)
    assert [alert["key"] for alert in publication.by_command] == ["late/blog"]
    assert publication.by_command[0]["at"].startswith("2026-02-22")
    assert (
        "expected on Tuesday 17 February. The next draft is written on Monday 23 February, 06:00"
        in (publication.by_command[0]["text"])
    )
    assert "nothing has been published" in publication.by_command[0]["text"]


def test_a_story_that_changes_after_the_send_raises_an_alert(publication: Publication) -> None:
    """The alert shows the difference."""
    program = publication.program
    program.now += 5 * DAY
    program.run_ok("digest", "--week", "2026-W07", "--offline")
    for command in ("approve", "send"):
        assert program.run(command, "2026-W07")[0] == 0
    program.serve("/blog", rss(item("Bread on two stones").replace("bread-on-two-stones", "bread-on-a-stone")))
    publication.tick(hours=24)
    (alert,) = publication.by_command
    assert alert["subject"] == "“Bread on two stones” was changed after it was sent"
    assert "    title: “Bread on a stone” is now “Bread on two stones”" in alert["text"].split("\n\n")


def test_with_a_mail_server_the_editor_gets_alerts_by_default(publication: Publication, server: HttpServer) -> None:
    """Without [notify] an alert goes to the editor through the mail server of [delivery]."""
    with MailServer() as mail_server:
        delivery = f'\n[delivery]\nsmtp_host = "127.0.0.1"\nsmtp_port = {mail_server.port}\nsmtp_security = "none"\n'
        publication.program.write_config(more=delivery)
        server.respond("/blog", CannedResponse(status=410, body=b""))
        publication.tick(hours=24)
        subjects = [message_from_bytes(message, policy=default)["Subject"] for message in mail_server.messages]
    assert [subject for subject in subjects if "is gone for good" in subject] == [
        "[Harbour & Hearth] Harbour & Hearth (feed blog) is gone for good"
    ]
    assert "RCPT TO:<letter@blog.example>" in mail_server.commands


def test_a_test_notification_reports_each_channel(publication: Publication) -> None:
    """Exit code 3 if a channel fails, 2 without a channel; nothing is stored."""
    out = publication.program.run_ok("notify", "--test")
    assert out.splitlines()[0] == "command: sent"
    assert out.splitlines()[1].startswith("mail: written to the outbox; not delivered to anyone: ")
    assert publication.by_command[0]["subject"] == "This is a test"
    (publication.folder / "broken").touch()
    code, _, err = publication.program.run("notify", "--test", "--quiet")
    assert (code, err) == (3, "command: [notify] command ended with exit code 1: the line is dead\n")
    publication.program.write_config()
    assert publication.program.run("notify", "--test")[0] == 2
    with Store.open(f"sqlite:///{publication.folder / 'pipeline.db'}") as store:
        assert store.alerts.list_open() == []
