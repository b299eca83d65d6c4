"""Notices as an editor gets them: by a program of the installer's and by mail, through ticks over days."""

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
HOOK = """\
import json, pathlib, sys
if pathlib.Path("broken").exists():
    sys.exit("the line is dead")
with open("told.jsonl", "a", encoding="utf-8") as file:
    file.write(json.dumps(json.load(sys.stdin)) + "\\n")
"""
NOTIFY = f"""
[notify]
command = ['{sys.executable}', "hook.py"]
mail = "ann@h.example"

[web]
listen = ""
"""


class Told:
    """A publication whose program of [notify] writes down what it is told."""

    def __init__(self, program: CliRunner) -> None:
        self.program, self.folder = program, program.config.parent
        (self.folder / "hook.py").write_text(HOOK)
        program.write_config(more=NOTIFY)

    def has_a_feed_that_is_gone(self) -> None:
        """Write into the store that the feed's server said so yesterday."""
        state = FeedState(feed_id="blog", url=self.program.server.url("/blog"), outcome="gone", failures=2)
        with Store.open(f"sqlite:///{self.folder / 'pipeline.db'}") as store:
            store.feeds.save(replace(state, gone_at=NOW - DAY, checked_at=NOW - DAY))

    def ticks(self, *, hours: int, every: int = 12) -> None:
        """Let cron run for so long."""
        for _ in range(0, hours, every):
            self.program.now += every * HOURS
            self.program.run("tick", "--quiet")

    @property
    def by_command(self) -> list[dict[str, Any]]:
        told = self.folder / "told.jsonl"
        return [json.loads(line) for line in told.read_text("utf-8").splitlines()] if told.exists() else []

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
def told(tmp_path: Path, server: HttpServer, capsys: pytest.CaptureFixture[str]) -> Told:
    """A feed that was read once."""
    found = Told(CliRunner(tmp_path, server, capsys))
    found.program.run_ok("fetch")
    return found


def test_a_feed_that_fails_for_days_and_comes_back_is_told_twice(told: Told, server: HttpServer) -> None:
    """Once that it fails, once that it is well, in each way; `pipeline status` knows meanwhile."""
    server.respond("/blog", CannedResponse(status=404, body=b""))
    told.ticks(hours=48)
    assert [(each["key"], each["level"]) for each in told.by_command] == [("feed/blog/unread", "warning")]
    assert told.by_mail == ["[Harbour & Hearth] Harbour & Hearth (feed blog) cannot be read"]
    _, status, _ = told.program.run("status")
    assert "blog" in status
    assert "404" in status
    told.program.serve("/blog", rss(item("Bread on a stone")))
    told.ticks(hours=36)
    assert [each["key"] for each in told.by_command] == ["feed/blog/unread", "feed/blog/well"]
    assert told.by_mail[1:] == ["[Harbour & Hearth] Harbour & Hearth (feed blog) is well again"]


def test_a_program_that_fails_is_tried_again_and_the_mail_is_not(told: Told, server: HttpServer) -> None:
    """The tick says in its log what went wrong, and goes on; `pipeline status` knows of it."""
    (told.folder / "broken").touch()
    server.respond("/blog", CannedResponse(status=410, body=b""))
    told.ticks(hours=48)
    assert (told.by_command, len(told.by_mail)) == ([], 1)
    told.program.now += DAY
    _, _, log = told.program.run("tick")
    assert "could not be told by command" in log
    assert "exit code 1: the line is dead" in log
    _, status, _ = told.program.run("status")
    assert "one notice could not be told by command: [notify] command ended with exit code 1" in status
    (told.folder / "broken").unlink()
    told.ticks(hours=48)
    assert [each["key"] for each in told.by_command] == ["feed/blog/gone"]
    assert len(told.by_mail) == 1


def test_ticks_at_once_tell_a_notice_once(told: Told) -> None:
    """Real processes by a real clock: a daemon and crontab lines by mistake."""
    told.has_a_feed_that_is_gone()
    command = [sys.executable, "-m", "pipeline", "tick", "--quiet"]
    processes = [
        subprocess.Popen(command, cwd=told.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert [each["key"] for each in told.by_command] == ["feed/blog/gone"]
    assert len(told.by_mail) == 1


def test_the_daemon_stops_in_the_middle_of_telling(told: Told) -> None:
    """A program that hangs is ended with it; the notice is told by whoever comes next."""
    pid = told.folder / "pid"
    (told.folder / "hook.py").write_text("import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)")
    told.has_a_feed_that_is_gone()
    command = [sys.executable, "-m", "pipeline", "run", "--quiet"]
    daemon = subprocess.Popen(command, cwd=told.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    sent = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    said, _ = daemon.communicate(timeout=60)
    assert time.monotonic() - sent < 10
    assert (daemon.returncode, "Traceback" in said) == (0, False), said
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    with Store.open(f"sqlite:///{told.folder / 'pipeline.db'}") as store:
        later = datetime.now(UTC) + DAY
        assert [each.alert.key for each in store.alerts.due(later, ["command"])] == ["feed/blog/gone"]


def test_a_quiet_week_is_told_a_day_before_the_draft(told: Told) -> None:
    """A blog of every Tuesday; the Tuesday before the draft of Monday morning had nothing."""
    tuesdays = [datetime(2026, 2, 10, 9, tzinfo=UTC) - number * 7 * DAY for number in range(10)]
    posts = [item(f"Post {number}", date=f"{day:%a, %d %b %Y %H:%M:%S} GMT") for number, day in enumerate(tuesdays)]
    told.program.serve("/blog", rss(*posts))
    told.ticks(hours=4 * 24, every=24)  # to Monday 16 February, noon: all is well
    assert told.by_command == []
    told.ticks(hours=7 * 24, every=24)
    assert [each["key"] for each in told.by_command] == ["late/blog"]
    assert told.by_command[0]["at"].startswith("2026-02-22")
    assert (
        "to be expected on Tuesday 17 February. The next newsletter is made on Monday 23 February, 06:00"
        in (told.by_command[0]["text"])
    )
    assert "nobody has published anything" in told.by_command[0]["text"]


def test_a_story_that_changes_after_the_send_is_told_with_the_difference(told: Told) -> None:
    """Approved and sent by hand, then edited on the site."""
    program = told.program
    program.now += 5 * DAY
    program.run_ok("digest", "--week", "2026-W07", "--offline")
    for move in ("approve", "send"):
        assert program.run(move, "2026-W07")[0] == 0
    program.serve("/blog", rss(item("Bread on two stones").replace("bread-on-two-stones", "bread-on-a-stone")))
    told.ticks(hours=24)
    (notice,) = told.by_command
    assert notice["subject"] == "“Bread on two stones” was changed after it was sent"
    assert "    title: “Bread on a stone” is now “Bread on two stones”" in notice["text"].split("\n\n")


def test_with_a_mail_server_the_editor_is_told_without_asking(told: Told, server: HttpServer) -> None:
    """[notify] need not be there; the notice goes through the mail server of [delivery]."""
    with MailServer() as post:
        delivery = f'\n[delivery]\nsmtp_host = "127.0.0.1"\nsmtp_port = {post.port}\nsmtp_security = "none"\n'
        told.program.write_config(more=delivery)
        server.respond("/blog", CannedResponse(status=410, body=b""))
        told.ticks(hours=24)
        subjects = [message_from_bytes(each, policy=default)["Subject"] for each in post.messages]
    assert [each for each in subjects if "is gone for good" in each] == [
        "[Harbour & Hearth] Harbour & Hearth (feed blog) is gone for good"
    ]
    assert "rcpt TO:<letter@blog.example>" in post.commands


def test_a_trial_says_of_each_way_whether_it_works(told: Told) -> None:
    """Exit code 3 where one fails, 2 where nobody would be told; nothing is remembered of it."""
    out = told.program.run_ok("notify", "--test")
    assert out.splitlines()[0] == "command: sent"
    assert out.splitlines()[1].startswith("mail: sent: to ann@h.example, in ")
    assert told.by_command[0]["subject"] == "This is a test"
    (told.folder / "broken").touch()
    code, _, err = told.program.run("notify", "--test", "--quiet")
    assert (code, err) == (3, "command: [notify] command ended with exit code 1: the line is dead\n")
    told.program.write_config()
    assert told.program.run("notify", "--test")[0] == 2
    with Store.open(f"sqlite:///{told.folder / 'pipeline.db'}") as store:
        assert store.alerts.list_open() == []
