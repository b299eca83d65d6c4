"""``pipeline bounces`` and the task of the daemon: what came back is read from a Maildir, files or IMAP, and listed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.app import App
from pipeline.app.audience import build_audience_context
from pipeline.app.mailbox_watch import MailboxWatch
from pipeline.audience.tokens import delivery_token
from pipeline.model.subscriber import Subscriber
from tests.cli_runner import CliRunner
from tests.http_server import HttpServer
from tests.imap_server import PASSWORD, USER, ImapServer
from tests.returned_mails import NO_USER, TOKEN, dsn, plain

pytestmark = pytest.mark.loopback
ADA, BO = "ada@bakery.example", "bo@bakery.example"
REPLY = plain(f"From: {ADA}\nSubject: Re: Bread", "Lovely bread!")
AWAY = plain(f"From: {ADA}\nAuto-Submitted: auto-replied\nSubject: Away", "Back on Monday")


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    """A publication with two subscribers, who got an edition, and a Maildir for bounces."""
    with HttpServer() as server:
        runner = CliRunner(tmp_path, server, capsys)
        configure(runner, 'maildir = "bounced"')
        for part in ("new", "cur", "tmp"):
            (tmp_path / "bounced" / part).mkdir(parents=True)
        with App.load(runner.config) as app:
            now = runner.now
            person = Subscriber(id=0, address="", state="active", created_at=now, changed_at=now, confirmed_at=now)
            for address in (ADA, BO):
                app.store().subscribers.add_or_lock(replace(person, address=address), address)
            app.store().dispatches.start(("2026-W07", 0), now=now, actor="ann")
            app.store().dispatches.freeze(("2026-W07", 0), {"whole": [("posts episodes links", "every")]}, now)
        yield runner


def configure(program: CliRunner, bounces: str) -> None:
    program.write_config(more=f"[bounces]\n{bounces}\n")


def bounce(program: CliRunner, address: str = ADA) -> bytes:
    """Return the report that an address does not exist."""
    with App.load(program.config) as app:
        key = build_audience_context(app).keys["delivery"]
        sent = next(one for one in app.store().deliveries.iterate("2026-W07") if one.address == address)
    report = dsn(NO_USER).replace(TOKEN.encode(), delivery_token(sent.id, key).encode())
    return report.replace(ADA.encode(), address.encode())


def states(program: CliRunner) -> dict[str, str]:
    return {row["address"]: row["state"] for row in json.loads(program.run_ok("subscribers", "list", "--json"))}


def deliver(program: CliRunner, *messages: bytes) -> Path:
    folder = program.config.parent / "bounced"
    for number, message in enumerate(messages):
        (folder / "new" / f"m{number}").write_bytes(message)
    return folder


def test_the_mailbox_is_read_once(program: CliRunner):
    """Messages are kept in it as seen; what came back is listed with its week and reason."""
    folder = deliver(program, bounce(program), REPLY, AWAY)
    assert program.run_ok("bounces") == "nothing has come back\n"
    assert program.run_ok("bounces", "read") == "1 report, 1 suppressed, 1 reply, 1 automatic\n"
    assert program.run_ok("bounces", "read") == "nothing to read\n"
    assert sorted(path.name for path in (folder / "cur").iterdir()) == ["m0:2,S", "m1:2,S", "m2:2,S"]
    assert states(program) == {ADA: "suppressed", BO: "active"}
    line = program.run_ok("bounces")
    assert all(words in line for words in ("hard bounced", "2026-W07", ADA, "User unknown"))
    (event,) = json.loads(program.run_ok("bounces", "list", "--json", "--week", "2026-W07"))
    assert (event["kind"], event["severity"], event["address"], event["week"]) == ("bounced", "hard", ADA, "2026-W07")
    assert json.loads(program.run_ok("bounces", "list", "--json", "--kind", "complained")) == []
    assert "bounces" in program.run_ok("subscribers", "show", ADA)
    (returned,) = json.loads(program.run_ok("subscribers", "export", ADA))["returned"]
    assert (returned["kind"], returned["week"]) == ("bounced", "2026-W07")
    replies = [path for path in (program.config.parent / "outbox").rglob("*") if path.is_file()]
    assert any(b"Lovely bread!" in path.read_bytes() for path in replies)


def test_files_are_read_and_left_as_they_are(program: CliRunner, tmp_path: Path):
    """A report of another way than the mailbox; one that is read twice counts once."""
    file = tmp_path / "bounce.eml"
    file.write_bytes(bounce(program, BO))
    assert program.run_ok("bounces", "read", str(file)) == "1 report, 1 suppressed\n"
    assert program.run_ok("bounces", "read", str(file), str(file)) == "2 reports\n"
    assert states(program) == {ADA: "active", BO: "suppressed"}
    deliver(program, bounce(program))
    assert program.run_ok("bounces", "read", str(tmp_path / "bounced")) == "1 report, 1 suppressed\n"


@pytest.mark.parametrize(
    ("settings", "arguments", "code", "words"),
    [
        ("", (), 2, "set [bounces] maildir or imap_host, or name a file"),
        ('maildir = "nowhere"', (), 3, "nowhere is not a Maildir"),
        ("", ("missing.eml",), 2, "missing.eml cannot be read (no such file)"),
        ('imap_host = "h.example"\nimap_username = "b"\nimap_password_env = "NOT_SET"', (), 2, "NOT_SET is not set"),
    ],
)
def test_what_cannot_be_read_is_said(
    program: CliRunner, settings: str, arguments: tuple[str, ...], code: int, words: str
):
    """With what to do."""
    configure(program, settings)
    exit_code, _, error = program.run("bounces", "read", *arguments)
    assert (exit_code, words in error) == (code, True)


def use_imap(program: CliRunner, server: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAP_PASSWORD", PASSWORD)
    configure(
        program,
        f'imap_host = "localhost"\nimap_security = "none"\nimap_port = {server.port}\n'
        f'imap_username = "{USER}"\nimap_password_env = "IMAP_PASSWORD"',
    )


def test_a_message_is_read_when_it_arrives(program: CliRunner, monkeypatch: pytest.MonkeyPatch):
    """Where the server reports that; the thread of the daemon ends with it, though it waits for the server."""
    report = bounce(program)
    with ImapServer() as server:
        server.idle_seconds = 60.0
        use_imap(program, server, monkeypatch)
        with App.load(program.config) as app, MailboxWatch(app, lambda: program.now):
            assert server.idling.wait(60)
            server.deliver(report)
            assert server.was_seen.wait(60)
        assert states(program)[ADA] == "suppressed"
        server.idling.clear()
        with App.load(program.config) as app, MailboxWatch(app, lambda: program.now):
            assert server.idling.wait(60)


def test_without_an_imap_server_nothing_waits(program: CliRunner):
    """The schedule reads a Maildir."""
    with App.load(program.config) as app, MailboxWatch(app, lambda: program.now):
        assert "mailbox" not in {thread.name for thread in threading.enumerate()}


def test_the_tick_reads_the_mailbox(program: CliRunner, monkeypatch: pytest.MonkeyPatch):
    """Also over IMAP, where messages become seen."""
    with ImapServer(bounce(program), AWAY) as server:
        use_imap(program, server, monkeypatch)
        assert "1 report, 1 suppressed, 1 automatic" in program.run_ok("tick")
        assert server.seen == {1, 2}
    assert states(program)[ADA] == "suppressed"
