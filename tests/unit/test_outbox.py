"""The outbox: one mail of a name, whatever is killed, read or in the way."""

from __future__ import annotations

import mailbox
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from pipeline.delivery.mime import make_test_copy
from pipeline.delivery.outbox import Outbox
from pipeline.model.errors import AlreadyDeliveredError, DeliveryFailedError, DeliveryUncertainError, UsageError

MAIL = (
    b"From: Harbour & Hearth <letter@h.example>\r\nTo: A very long name of an editor\r\n <editor@h.example>\r\n"
    b"Subject: Bread\r\nMessage-ID: <2026-W07.1.proof@h.example>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\n\r\nTo: be left alone\r\n"
)
TRIED_AT = datetime(2026, 2, 21, 9, 30, tzinfo=UTC)
NAME = "2026-W07.1.proof@h.example"


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def deliver(outbox: Outbox, mail: bytes = MAIL) -> Path:
    with outbox.lock():
        return outbox.deliver(mail)


def kept(outbox: Outbox) -> list[bytes]:
    """What a mail program finds."""
    maildir = mailbox.Maildir(outbox.folder / "Maildir", create=False)
    return [maildir.get_bytes(key) for key in maildir.keys()]  # noqa: SIM118  # it is no dict


def test_a_mail_is_a_file_and_a_message_of_a_maildir(outbox: Outbox) -> None:
    """The same bytes twice, under the name of the Message-ID, and nothing half done beside them."""
    path = deliver(outbox)
    assert path == outbox.folder / f"{NAME}.eml"
    assert path.read_bytes() == MAIL
    assert [each.replace(b"\n", b"\r\n").replace(b"\r\r", b"\r") for each in kept(outbox)] == [MAIL]
    assert list((outbox.folder / "Maildir" / "tmp").iterdir()) == []


@pytest.mark.parametrize("moment", ["before", "half written", "out", "read", "done"])
def test_delivered_again_after_a_crash_it_is_still_one_mail(outbox: Outbox, moment: str) -> None:
    """Whatever a killed process left behind, the next delivery ends with one mail and its receipt."""
    maildir = outbox.folder / "Maildir"
    with outbox.lock():
        if moment == "half written":
            (maildir / "tmp" / NAME).write_bytes(MAIL[:20])
            (outbox.folder / f".{NAME}.new").write_bytes(MAIL[:20])
        if moment == "out":
            (maildir / "new" / NAME).write_bytes(MAIL)
        if moment == "read":
            (maildir / "cur" / f"{NAME}:2,S").write_bytes(MAIL)
    if moment == "done":
        deliver(outbox)
    assert deliver(outbox).read_bytes() == MAIL
    # A Maildir's keys would not do: a copy in ``new`` has the key of the one in ``cur``.
    assert len([*(maildir / "new").iterdir(), *(maildir / "cur").iterdir()]) == 1


def test_another_mail_of_the_same_name_is_never_overwritten(outbox: Outbox) -> None:
    """It is refused, with the file that is in the way."""
    path = deliver(outbox)
    with pytest.raises(AlreadyDeliveredError, match="move it away"):
        deliver(outbox, MAIL + b"More")
    assert path.read_bytes() == MAIL


def test_a_folder_that_cannot_be_written_has_sent_nothing(tmp_path: Path) -> None:
    """A file where the folder should be: DeliveryFailed, so the edition may be let go."""
    (tmp_path / "outbox").write_text("in the way")
    with pytest.raises(DeliveryFailedError, match="fix this, then send again"):
        deliver(Outbox(tmp_path / "outbox"))


@pytest.mark.parametrize(("blocked", "error"), [("tmp", DeliveryFailedError), ("receipt", DeliveryUncertainError)])
def test_trouble_before_the_mail_is_out_is_told_from_trouble_after(
    outbox: Outbox, blocked: str, error: type[Exception]
) -> None:
    """Only where nothing has left may the entries go; a folder in the place of a file stands for a broken disk."""
    with outbox.lock():
        if blocked == "tmp":
            (outbox.folder / "Maildir" / "tmp" / NAME).mkdir()
        else:
            (outbox.folder / "Maildir" / "new" / NAME).write_bytes(MAIL)
            (outbox.folder / f".{NAME}.new").mkdir()
    with pytest.raises(error):
        deliver(outbox)


def test_a_mail_without_a_message_id_is_not_delivered(outbox: Outbox) -> None:
    """Nobody could tell whether it was sent."""
    with pytest.raises(DeliveryFailedError):
        deliver(outbox, b"Subject: Bread\r\n\r\nHello\r\n")


def test_a_test_copy_is_the_same_but_for_its_recipient(outbox: Outbox) -> None:
    """To, folded or not, Subject, Date and Message-ID are others; not another byte is, and the body's own To stays."""
    mail = MAIL.replace(b"Subject:", b"Date: Mon, 16 Feb 2026 00:00:00 +0000\r\nSubject:")
    copy = make_test_copy(mail, "You <you@example.org>", now=TRIED_AT)
    lines, copied = mail.replace(b"\r\n ", b" ").split(b"\r\n"), copy.split(b"\r\n")
    different = [new for old, new in zip(lines, copied, strict=True) if old != new]
    assert different[:3] == [
        b"To: you@example.org",
        b"Date: Sat, 21 Feb 2026 09:30:00 +0000",
        b"Subject: [Test] Bread",
    ]
    assert different[3].startswith(b"Message-ID: <2026-W07.1.proof.test.")
    assert len(different) == 4


@pytest.mark.parametrize("words", ["Bread", "Bröd och salt, " * 8, "=?utf-8?q?Br=C3=B6d?=", "A" * 66])
def test_a_marked_subject_is_as_long_as_it_may_be_and_reads_as_before(words: str) -> None:
    """However it is encoded and folded."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = words
    copy = make_test_copy(message.as_bytes(), "you@example.org", now=TRIED_AT)
    assert max(map(len, copy.splitlines())) <= 78
    assert message_from_bytes(copy, policy=SMTP)["Subject"].split() == ["[Test]", *message["Subject"].split()]


@pytest.mark.parametrize(
    "address", ["", "you", "you@", "you@localhost", "a@b.example\r\nBcc: c@d.example", "ä@b.example"]
)
def test_a_test_goes_to_an_address(address: str) -> None:
    """What is none is refused, and no second header gets in."""
    with pytest.raises(UsageError):
        make_test_copy(MAIL, address, now=TRIED_AT)
