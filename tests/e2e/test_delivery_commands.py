"""``pipeline send`` and ``pipeline deliveries``: an edition reaches subscribers through a real mail server."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from getpass import getuser
from pathlib import Path
from threading import Event

import pytest

from pipeline.app import App
from pipeline.app.deliveries import deliver_running
from pipeline.app.delivery_thread import DeliveryThread
from tests.cli_runner import CliRunner
from tests.http_server import HttpServer
from tests.mail_server import Behaviour, MailServer

pytestmark = pytest.mark.loopback
ROOT = Path(__file__).parents[2]
CLOSED = datetime(2026, 2, 16, 9, tzinfo=UTC)
CONFIG = """
[public]
url = "https://news.example"

[signup]
check_mx = false

[delivery]
backend = "smtp"
smtp_host = "127.0.0.1"
smtp_port = {port}
smtp_security = "none"
connections = 2
{more}
"""


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server that accepts everything it is not told to refuse."""
    with MailServer() as server:
        yield server


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str], server: MailServer) -> Iterator[CliRunner]:
    """A publication with an approved edition and two subscribers."""
    with HttpServer() as web:
        runner = CliRunner(tmp_path, web, capsys)
        configure(runner, server)
        for name in ("ada", "ben"):
            runner.run_ok("subscribers", "add", f"{name}@quay.example", "--basis", "consent")
        runner.run("fetch")
        runner.now = CLOSED
        runner.run_ok("digest", "2026-W07", "--offline")
        runner.run_ok("approve", "2026-W07", "--offline")
        yield runner


def configure(program: CliRunner, server: MailServer, more: str = "") -> None:
    """Write config.toml, with more settings of [delivery]."""
    program.write_config(more=CONFIG.format(port=server.port, more=more))


def recipients(server: MailServer) -> list[str]:
    """Return who was sent something, in the header of the messages."""
    return sorted(message_from_bytes(mail, policy=policy.default)["To"] for mail in server.messages)


def listed(program: CliRunner, *options: str) -> dict[str, str]:
    """Return the states of deliveries by address, as JSON says."""
    return {
        row["address"]: row["state"] for row in json.loads(program.run_ok("deliveries", "2026-W07", "--json", *options))
    }


def test_an_edition_goes_to_everybody_once(program: CliRunner, server: MailServer) -> None:
    """A dry run says so before; what happened is listed after; a second send is refused."""
    plan = program.run_ok("send", "2026-W07", "--dry-run")
    assert plan == "2026-W07 would go to 2 subscribers; nothing is sent now.\n  2  whole\n"
    assert json.loads(program.run_ok("send", "2026-W07", "--dry-run", "--json"))[0] == {
        "address": "ada@quay.example",
        "variant": "whole",
        "reason": "",
    }
    assert server.messages == []
    out = program.run_ok("send", "2026-W07")
    assert out == "2026-W07: 2 deliveries to send through smtp\n2026-W07 is sent: 2 of 2 deliveries sent\n"
    assert recipients(server) == ["ada@quay.example", "ben@quay.example"]
    assert listed(program) == {"ada@quay.example": "sent", "ben@quay.example": "sent"}
    assert "ada@quay.example  sent  Mon 16 Feb 2026 09:00  250" in program.run_ok("deliveries", "2026-W07")
    code, _, err = program.run("send", "2026-W07")
    assert (code, "has been sent" in err) == (4, True)
    assert len(server.messages) == 2
    assert "sent by" in program.run("status")[1]


def test_those_who_join_later_get_it_when_asked_for(program: CliRunner, server: MailServer) -> None:
    """Nobody else gets it again."""
    program.run_ok("send", "2026-W07")
    assert program.run("send", "2026-W07", "--joined-since")[0] == 4
    program.run_ok("subscribers", "add", "eve@quay.example", "--basis", "consent")
    assert "1 delivery to send" in program.run_ok("send", "2026-W07", "--joined-since")
    assert recipients(server) == ["ada@quay.example", "ben@quay.example", "eve@quay.example"]


def test_some_failures_are_exit_code_three_with_what_to_do(program: CliRunner, server: MailServer) -> None:
    """Refused for good, and for now; both can be sent again."""
    replies = {"ada@quay.example": "550 5.1.1 no such mailbox", "ben@quay.example": "450 4.2.1 later"}
    server.manners = Behaviour(decides=lambda step, recipient: replies.get(recipient) if step == "RCPT" else None)
    code, out, err = program.run("send", "2026-W07")
    assert code == 3
    assert "2026-W07 is being sent: 0 of 2 deliveries sent, 1 failed, 1 waiting" in out
    assert "1 delivery failed: `pipeline deliveries 2026-W07 --failed` says why." in err
    assert "It goes on Mon 16 Feb 2026 09:05: the daemon does that by itself" in err
    assert listed(program, "--failed") == {"ada@quay.example": "failed"}
    assert "  refused: 550" in program.run_ok("deliveries", "2026-W07", "--failed")
    code, _, err = program.run("deliveries", "2026-W07", "--correction", "1")
    assert (code, "No correction 1 of 2026-W07 was sent" in err) == (4, True)
    server.manners = Behaviour()
    assert program.run("deliveries", "2026-W07", "--retry")[0] == 2
    out = program.run_ok("deliveries", "2026-W07", "--failed", "--retry", "--address", "ada@quay.example")
    assert out == "2026-W07: 1 delivery queued again\nNext: pipeline send 2026-W07\n"
    program.now = CLOSED.replace(hour=10)
    assert program.run_ok("send", "2026-W07").endswith("2026-W07 is sent: 2 of 2 deliveries sent\n")


def test_a_forbidden_sender_pauses_and_fails_nobody(program: CliRunner, server: MailServer) -> None:
    """The reason is said where the editor looks."""
    server.manners = Behaviour(answers={"MAIL": "550 5.7.1 you may not send from here"})
    code, out, err = program.run("send", "2026-W07")
    assert code == 3
    assert "2026-W07 is paused (smtp:" in out
    assert "pipeline deliveries 2026-W07 --resume" in err
    server.manners = Behaviour()
    assert "is being sent" in program.run_ok("deliveries", "2026-W07", "--resume")
    assert "is paused (paused by hand)" in program.run_ok("deliveries", "2026-W07", "--pause")
    assert program.run("send", "2026-W07")[0] == 3
    program.run_ok("deliveries", "2026-W07", "--resume")
    assert "2 of 2 deliveries sent" in program.run_ok("send", "2026-W07")


def test_a_cancelled_send_is_over(program: CliRunner, server: MailServer) -> None:
    """Who has nothing yet gets nothing."""
    configure(program, server, "first_batch = 1")
    code, _, err = program.run("send", "2026-W07")
    assert (code, "The first batch of 1 is sent" in err) == (3, True)
    program.now = CLOSED.replace(minute=10)
    assert "nothing sends it now" not in program.run("status")[1].lower()
    out = program.run_ok("deliveries", "2026-W07", "--cancel")
    assert out == "2026-W07 was cancelled: 1 of 2 deliveries sent, 1 cancelled\n"
    assert program.run("send", "2026-W07")[0] == 4
    assert len(server.messages) == 1


def test_the_outbox_delivers_to_nobody(program: CliRunner, server: MailServer) -> None:
    """Commands about deliveries say what to do."""
    program.write_config()
    code, _, err = program.run("deliveries", "2026-W07")
    assert (code, "name another backend" in err) == (4, True)
    assert program.run("send", "2026-W07", "--joined-since")[0] == 4
    assert program.run("send", "2026-W07")[0] == 0
    assert server.messages == []


def test_the_schedule_starts_and_a_thread_sends(program: CliRunner, server: MailServer) -> None:
    """As the daemon does; `pipeline tick` does both by itself."""
    configure(program, server, '[schedule]\nsend = "mon 08:00"')
    for minute in (0, 1):  # the clock of a tick moves on from its beginning
        program.now = CLOSED.replace(minute=minute)
        program.run_ok("tick", "--log", "human")
    assert recipients(server) == ["ada@quay.example", "ben@quay.example"]
    program.run_ok("subscribers", "add", "eve@quay.example", "--basis", "consent")
    with App.load(program.config) as app:
        assert deliver_running(app, lambda: program.now) == ()
    program.run_ok("tick", "--log", "human")
    assert len(server.messages) == 2


def test_the_thread_of_the_daemon_sends_what_is_running(
    program: CliRunner, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is stopped; an edition that cannot be sent does not end it."""
    from pipeline.app import delivery_thread
    from pipeline.app.deliveries import build_dispatcher
    from pipeline.model.week import Week

    monkeypatch.setattr(delivery_thread, "INTERVAL_SECONDS", 0.01)
    with App.load(program.config) as app:
        build_dispatcher(app, "ann").start(Week(2026, 7), program.now)
    with DeliveryThread(program.config, lambda: program.now):
        while len(server.messages) < 2:
            time.sleep(0.01)
    assert recipients(server) == ["ada@quay.example", "ben@quay.example"]


def test_a_correction_goes_to_those_who_got_the_edition(program: CliRunner, server: MailServer) -> None:
    """It is made, tested, planned and sent by commands, which say what comes next; the edition's files stay."""
    folder = program.config.parent / "editions" / "2026-W07"
    code, _, err = program.run("correct", "2026-W07", "--message", "Wrong.", "--offline")
    assert (code, "change it before you send it" in err) == (4, True)
    program.run_ok("send", "2026-W07")
    files = {path.name: path.read_bytes() for path in folder.glob("digest.*")}
    program.run_ok("subscribers", "add", "eve@quay.example", "--basis", "consent")
    note = program.config.parent / "note.md"
    note.write_text("It is on *Friday*.\n")
    out = program.run_ok("correct", "2026-W07", "--file", str(note), "--offline", "--by", "ann")
    assert "2026-W07: correction 1 is sealed, with hash " in out
    assert "Next: pipeline send 2026-W07 --correction --test ADDRESS" in out
    assert "correction 1 waits to be sent: `pipeline send 2026-W07 --correction`" in program.run("status")[1]
    for options in (["--correction", "--joined-since"], ["--correction", "--handed-over"]):
        assert program.run("send", "2026-W07", *options)[0] == 2
    plan = program.run_ok("send", "2026-W07", "--correction", "--dry-run")
    assert plan == (
        "The correction of 2026-W07 would go to 2 subscribers; nothing is sent now.\n"
        "  2  whole\n  1  nothing: did not get the edition\n"
    )
    server.messages.clear()
    program.run_ok("send", "2026-W07", "--correction", "--test", "ann@quay.example")
    (test,) = [message_from_bytes(mail, policy=policy.default) for mail in server.messages]
    assert test["Subject"].startswith("[Test] Correction: ")
    server.messages.clear()
    out = program.run_ok("send", "2026-W07", "--correction")
    assert out == (
        "2026-W07, correction 1: 2 deliveries to send through smtp\n"
        "2026-W07, correction 1 is sent: 2 of 2 deliveries sent\n"
    )
    assert recipients(server) == ["ada@quay.example", "ben@quay.example"]
    assert {path.name: path.read_bytes() for path in folder.glob("digest.*")} == files
    state = json.loads((folder / "corrections" / "1" / "state.json").read_text())
    assert (state["state"], state["changed_by"]) == ("sent", getuser())
    code, _, err = program.run("send", "2026-W07", "--correction")
    assert (code, "Nobody who got 2026-W07 is left" in err) == (4, True)
    out = program.run_ok("deliveries", "2026-W07")
    assert out.startswith("2026-W07 is sent: 2 of 2 deliveries sent\n2026-W07, correction 1 is sent: 2 of 2")
    assert "ben@quay.example  sent, correction 1  Mon 16 Feb 2026 09:00" in out
    rows = json.loads(program.run_ok("deliveries", "2026-W07", "--json", "--correction", "1"))
    assert [row["correction"] for row in rows] == [1, 1]


def test_a_correction_is_discarded_and_written_to_the_outbox(program: CliRunner, server: MailServer) -> None:
    """Without a mail server it is a second file; what cannot be read is a clear error."""
    program.write_config()
    program.run_ok("send", "2026-W07")
    code, _, err = program.run("correct", "2026-W07", "--file", "no.md")
    assert (code, "cannot be read as a UTF-8 text file" in err) == (2, True)
    for words in ((), ("--message", " ")):
        code, _, err = program.run("correct", "2026-W07", *words)
        assert (code, "Say in a sentence or two what was wrong" in err) == (2, True)
    program.run_ok("correct", "2026-W07", "--message", "Wrong.", "--offline")
    folder = program.config.parent / "editions" / "2026-W07" / "corrections"
    assert (folder / "1" / "digest.txt").read_text().count("Wrong.") == 1
    assert "correction 1 was discarded" in program.run_ok("correct", "2026-W07", "--discard")
    assert not folder.exists()
    program.run_ok("correct", "2026-W07", "--message", "Wrong.", "--offline")
    assert "correction 1 written to the outbox" in program.run_ok("send", "2026-W07", "--correction")
    sent = list((program.config.parent / "outbox").glob("2026-W07*.eml"))
    assert len(sent) == 2
    assert (folder / "1" / "digest.eml").read_bytes() in [path.read_bytes() for path in sent]
    assert server.messages == []


def test_a_sender_killed_in_the_middle_of_a_correction_repeats_nothing(program: CliRunner, server: MailServer) -> None:
    """The server has ben's message when the process dies: it is uncertain, and the next process sends the others."""
    program.run_ok("subscribers", "add", "eve@quay.example", "--basis", "consent")
    one_connection = CONFIG.replace("connections = 2", "connections = 1")
    program.write_config(more=one_connection.format(port=server.port, more=""))
    program.run_ok("send", "2026-W07")
    program.run_ok("correct", "2026-W07", "--message", "It is on Friday.", "--offline")
    server.accepted.clear()
    words = ["--config", str(program.config), "send", "2026-W07", "--correction"]
    clock = "datetime.fromisoformat('2026-02-16T09:00Z')"
    script = f"from datetime import datetime; from pipeline.cli import main; main({words!r}, clock=lambda: {clock})"
    started = Event()

    def decide(step: str, recipient: str) -> str | None:
        if (step, recipient) == (".", "ben@quay.example"):
            started.wait()
            process.kill()
            process.wait()
        return None

    server.manners = replace(server.manners, decides=decide)
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        started.set()
        process.wait()
    server.manners = replace(server.manners, decides=lambda step, recipient: None)
    program.now = CLOSED.replace(minute=5)  # the lease of the dead process has ended
    assert program.run("send", "2026-W07", "--correction")[0] == 3
    assert server.accepted == {f"{name}@quay.example": 1 for name in ("ada", "ben", "eve")}
    states = listed(program, "--correction", "1")
    assert states.keys() == server.accepted.keys()
    assert states["ben@quay.example"] == "uncertain"
    assert states["eve@quay.example"] == "sent"
    assert "1 delivery counted as sent" in program.run_ok(
        "deliveries", "2026-W07", "--uncertain", "--accept", "--address", "ben@quay.example", "--correction", "1"
    )
    assert set(listed(program, "--correction", "0").values()) == {"sent"}
