"""Messages are read from a Maildir and from an IMAP server on loopback, each once, whatever the server does."""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pipeline.delivery.incoming.imap import ImapMailbox
from pipeline.delivery.incoming.mailbox import MAX_MESSAGE_BYTES, MaildirMailbox
from pipeline.model.errors import MailboxError
from tests.imap_server import PASSWORD, USER, ImapServer
from tests.mail_server import DRIP, FLOOD, HANG_UP, SILENCE, certificates, server_context

FIRST, SECOND = b"Subject: 1\r\n\r\nOne\r\n", b"Subject: 2\r\n\r\n" + bytes(range(256))
pytestmark = pytest.mark.loopback  # also those of a Maildir, which share their tests


def maildir(folder: Path, **messages: bytes) -> MaildirMailbox:
    """Return a Maildir with new messages by name."""
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    for name, content in messages.items():
        (folder / "new" / name).write_bytes(content)
    return MaildirMailbox(path=folder)


def imap(server: ImapServer, **changes: Any) -> ImapMailbox:
    """Return the mailbox of a server, with short time limits."""
    values = {"host": "localhost", "port": server.port, "security": "none", "username": USER, "password": PASSWORD}
    return ImapMailbox(**values | {"step_seconds": 5.0, "total_seconds": 20.0} | changes)


def read(mailbox: MaildirMailbox | ImapMailbox, *, sees: bool = True) -> list[bytes | None]:
    """Return the unseen messages, and set them as seen if they can be read."""
    contents = []
    with mailbox.open() as opened:
        for name, content in opened.unseen():
            contents.append(content)
            if sees and content is not None:
                opened.set_seen(name)
    return contents


@pytest.mark.parametrize("kind", ["maildir", "imap"])
def test_a_message_is_read_until_it_was_seen(kind: str, tmp_path: Path) -> None:
    """The oldest first, byte for byte."""
    with ImapServer(FIRST, SECOND) as server:
        mailbox = maildir(tmp_path / "box", a=FIRST, b=SECOND) if kind == "maildir" else imap(server)
        assert read(mailbox, sees=False) == [FIRST, SECOND]
        assert read(mailbox) == [FIRST, SECOND]
        assert read(mailbox) == []


@pytest.mark.parametrize("kind", ["maildir", "imap"])
def test_only_the_beginning_of_a_large_message_is_read(kind: str, tmp_path: Path) -> None:
    """A report is there, and the rest may be as long as its sender likes."""
    large = FIRST + b"x" * (2 * MAX_MESSAGE_BYTES)
    with ImapServer(large) as server:
        mailbox = maildir(tmp_path / "box", a=large) if kind == "maildir" else imap(server)
        assert read(mailbox) == [large[:MAX_MESSAGE_BYTES]]


def test_a_maildir_keeps_the_flags_of_a_message_and_messages_that_are_no_files(tmp_path: Path) -> None:
    """What somebody has read is left alone, and so is what cannot be read."""
    mailbox = maildir(tmp_path / "box", a=FIRST)
    folder = tmp_path / "box"
    (folder / "cur" / "b:2,RT").write_bytes(SECOND)
    (folder / "cur" / "c:2,S").write_bytes(b"seen")
    (folder / "new" / ".hidden").write_bytes(b"hidden")
    (folder / "new" / "d").mkdir()
    assert read(mailbox) == [FIRST, SECOND]
    assert sorted(path.name for path in (folder / "cur").iterdir()) == ["a:2,S", "b:2,RST", "c:2,S"]
    assert sorted(path.name for path in (folder / "new").iterdir()) == [".hidden", "d"]


def test_a_maildir_message_that_cannot_be_read_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is yielded without content, and the others are read."""
    mailbox = maildir(tmp_path / "box", a=FIRST, b=SECOND)
    is_file = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: _refuse(path) if path.name == "a" else is_file(path))
    assert read(mailbox) == [None, SECOND]
    assert (tmp_path / "box" / "new" / "a").exists()


def _refuse(path: Path) -> bool:
    raise PermissionError(13, "Permission denied")


def test_a_message_that_somebody_moved_meanwhile_is_none(tmp_path: Path) -> None:
    """As another process handles it."""
    mailbox = maildir(tmp_path / "box", a=FIRST)
    with mailbox.open() as opened:
        (name, _), *_ = opened.unseen()
        (tmp_path / "box" / "new" / "a").unlink()
        opened.set_seen(name)
    assert list((tmp_path / "box" / "cur").iterdir()) == []


def test_a_folder_that_is_no_maildir_is_refused(tmp_path: Path) -> None:
    """With its path, and what to correct."""
    with pytest.raises(MailboxError, match=r"is not a Maildir.*check \[bounces\] maildir"):
        read(MaildirMailbox(path=tmp_path))


def test_login_is_plain_where_it_is_offered_and_else_login() -> None:
    """With LOGIN only ASCII is possible."""
    with ImapServer(FIRST) as server:
        assert read(imap(server, folder="Bounced mail")) == [FIRST]
        assert not any(PASSWORD in command for command in server.commands)
    with ImapServer(FIRST, capabilities="IMAP4rev1") as server:
        assert read(imap(server, password="ascii")) == [FIRST]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_nothing_is_sent_to_a_server_that_cannot_prove_its_name(security: str, tmp_path: Path) -> None:
    """By a certificate that is trusted."""
    tls = server_context(certificates(tmp_path))
    trust = partial(ssl.create_default_context, cafile=str(tmp_path / "ca.pem"))
    capabilities = "IMAP4rev1 AUTH=PLAIN STARTTLS"
    options: dict[str, Any] = {"tls": tls} if security == "tls" else {"starttls": tls}
    with ImapServer(FIRST, capabilities=capabilities, **options) as server:
        mailbox = imap(server, security=security, create_ssl_context=trust)
        assert read(mailbox) == [FIRST]
        server.commands.clear()
        with pytest.raises(MailboxError, match="could not prove its name"):
            read(imap(server, security=security))
        assert not any(command.startswith(("LOGIN", "AUTH")) for command in server.commands)


def test_a_server_without_starttls_gets_no_password() -> None:
    """The connection may be intercepted."""
    with ImapServer(FIRST) as server:
        with pytest.raises(MailboxError, match="does not offer STARTTLS"):
            read(imap(server, security="starttls"))
        assert not any(command.startswith("AUTH") for command in server.commands)


@pytest.mark.parametrize("password", ["wr0ng", 'wr\\0ng"\u00fc'])
def test_a_refused_login_does_not_show_the_password(password: str) -> None:
    """Though the server repeats it."""
    for capabilities in ("IMAP4rev1", "IMAP4rev1 AUTH=PLAIN"):
        with ImapServer(capabilities=capabilities) as server, pytest.raises(MailboxError) as refused:
            read(imap(server, password=password))
        assert "does not accept the login of bounces" in str(refused.value)
        assert "wr" not in str(refused.value)
        assert refused.value.__cause__ is None


def test_a_missing_folder_is_named() -> None:
    """So that somebody can correct it."""
    with (
        ImapServer() as server,
        pytest.raises(MailboxError, match=r"has no folder 'Spam': check \[bounces\] imap_folder"),
    ):
        read(imap(server, folder="Spam"))


STEPS = ("GREETING", "CAPABILITY", "AUTHENTICATE", "SELECT", "SEARCH", "FETCH", "STORE")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("behaviour", [HANG_UP, "nonsense", "TAG NO no", "TAG BAD \udcff\udc80", "* BYE shutting down"])
def test_a_server_that_fails_at_any_step_loses_nothing(step: str, behaviour: str) -> None:
    """What was not seen is read the next time."""
    with ImapServer(FIRST, replies={step: behaviour}) as server:
        with suppress(MailboxError):
            assert read(imap(server, step_seconds=0.5)) in ([], [None])
        assert server.seen == set()
        server.replies.clear()
        assert read(imap(server)) == [FIRST]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("behaviour", [DRIP, SILENCE, FLOOD])
def test_the_whole_conversation_has_a_time_limit(step: str, behaviour: str) -> None:
    """However often the server sends a byte."""
    with ImapServer(FIRST, replies={step: behaviour}) as server, pytest.raises(MailboxError):
        read(imap(server, total_seconds=0.3))


def test_waiting_ends_when_a_message_arrives() -> None:
    """With IDLE; the new message is read over the same connection."""
    with ImapServer(FIRST) as server:
        server.idle_seconds = 30.0
        with imap(server).open() as opened:
            assert len(list(opened.unseen())) == 1
            postman = Thread(target=lambda: server.idling.wait(30) and server.deliver(SECOND))
            postman.start()
            assert opened.wait(20.0)
            postman.join()
            assert [content for _, content in opened.unseen()] == [FIRST, SECOND]


def test_waiting_ends_in_time_and_needs_idle() -> None:
    """Without it, the caller reads again after a while."""
    with ImapServer(FIRST) as server, imap(server).open() as opened:
        assert not opened.wait(0.05)
        assert len(list(opened.unseen())) == 1
    with ImapServer(FIRST, capabilities="IMAP4rev1 AUTH=PLAIN") as server, imap(server).open() as opened:
        assert not opened.can_wait


@pytest.mark.parametrize("behaviour", ["TAG BAD no", HANG_UP, "+ x\r\n* BYE"])
def test_a_server_that_cannot_wait_is_an_error(behaviour: str) -> None:
    """As after a restart of the server."""
    server = ImapServer(FIRST, replies={"IDLE": behaviour})
    with server, imap(server).open() as opened, pytest.raises(MailboxError):
        opened.wait(5.0)
