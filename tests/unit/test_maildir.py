"""The maildir backend: every copy is one file, whatever was there before or is written meanwhile."""

from __future__ import annotations

import mailbox
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.delivery.maildir import MaildirBackend
from pipeline.model.delivery import Copy, DeliveryResult


def copy_for(number: int, text: str = "A pear.") -> Copy:
    message = f"To: p{number}@reeds.example\r\nMessage-ID: <7.{number}@orchard.example>\r\n\r\n{text}\r\n"
    address, sender = f"p{number}@reeds.example", "weekly@orchard.example"
    return Copy(delivery_id=number, attempt=1, address=address, sender=sender, message=message.encode())


def commit_all(copies: Sequence[Copy]) -> Sequence[Copy]:
    return copies


def outcomes(results: Sequence[DeliveryResult]) -> list[str]:
    return [result.outcome for result in results]


@pytest.fixture
def maildir(tmp_path: Path) -> MaildirBackend:
    return MaildirBackend(tmp_path / "people")


def test_copies_are_messages_of_a_maildir(maildir: MaildirBackend) -> None:
    """Byte for byte, named after their Message-ID, and nothing is left in ``tmp``."""
    copies = [copy_for(number) for number in range(3)]
    assert outcomes(maildir.open().send(copies, commit_all)) == ["sent"] * 3
    assert {file.name: file.read_bytes() for file in (maildir.folder / "new").iterdir()} == {
        f"7.{copy.delivery_id}@orchard.example": copy.message for copy in copies
    }
    assert [*(maildir.folder / "tmp").iterdir()] == []
    assert len(mailbox.Maildir(maildir.folder, create=False)) == 3


@pytest.mark.parametrize(
    "moved_to", ["new/7.1@orchard.example", "cur/7.1@orchard.example:2,S", "cur/7.1@orchard.example"]
)
def test_a_copy_is_never_written_twice(maildir: MaildirBackend, moved_to: str) -> None:
    """Not even when another process builds it again from an old backup, and the first one was read meanwhile."""
    maildir.open().send([copy_for(1)], commit_all)
    os.rename(maildir.folder / "new/7.1@orchard.example", maildir.folder / moved_to)
    assert outcomes(maildir.open().send([copy_for(1), copy_for(2)], commit_all)) == ["sent", "sent"]
    assert len([path for path in maildir.folder.rglob("*") if path.is_file()]) == 2
    assert outcomes(maildir.open().send([copy_for(1, "The same, with newer links.")], commit_all)) == ["sent"]
    assert (maildir.folder / moved_to).read_bytes() == copy_for(1).message


def test_copies_that_are_not_committed_are_not_delivered(maildir: MaildirBackend) -> None:
    """They are asked for once, in one group, before any of them is renamed."""
    calls: list[tuple[list[int], int]] = []

    def commit(copies: Sequence[Copy]) -> Sequence[Copy]:
        calls.append(([copy.delivery_id for copy in copies], len(os.listdir(maildir.folder / "new"))))
        return [copy for copy in copies if copy.delivery_id != 2]

    results = maildir.open().send([copy_for(number) for number in (1, 2, 3)], commit)
    assert outcomes(results) == ["sent", "lost", "sent"]
    assert calls == [([1, 2, 3], 0)]
    assert sorted(os.listdir(maildir.folder / "new")) == ["7.1@orchard.example", "7.3@orchard.example"]


def test_a_crash_before_the_end_leaves_nothing_behind_that_counts(maildir: MaildirBackend) -> None:
    """What was written half is written again."""
    (maildir.folder / "tmp").mkdir(parents=True)
    (maildir.folder / "tmp/7.1@orchard.example").write_bytes(b"To: p1")

    def fail(copies: Sequence[Copy]) -> Sequence[Copy]:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        maildir.open().send([copy_for(1)], fail)
    assert len(mailbox.Maildir(maildir.folder, create=False)) == 0
    assert outcomes(maildir.open().send([copy_for(1)], commit_all)) == ["sent"]


def test_a_folder_that_cannot_be_written_stops_the_edition(tmp_path: Path) -> None:
    """Nobody has failed, and nothing was committed."""
    (tmp_path / "people").write_text("a file")
    [result] = MaildirBackend(tmp_path / "people").open().send([copy_for(1)], commit_all)
    assert result.outcome == "stop"
    assert "cannot be written" in result.reply


@pytest.mark.parametrize("message", [b"To: x\r\n\r\n", b"Message-ID: <...>\r\n\r\n"])
def test_a_message_without_a_name_has_failed(maildir: MaildirBackend, message: bytes) -> None:
    """A second copy of it could not be recognised."""
    copy = Copy(delivery_id=1, attempt=1, address="a@b.example", sender="c@d.example", message=message)
    assert outcomes(maildir.open().send([copy, copy_for(2)], commit_all)) == ["failed", "sent"]


def test_a_message_id_cannot_leave_the_folder(maildir: MaildirBackend) -> None:
    """Whatever its characters are."""
    message = b"Message-ID: <../../a\0/b;c@orchard.example>\r\n\r\nx\r\n"
    copy = Copy(delivery_id=1, attempt=1, address="a@b.example", sender="c@d.example", message=message)
    assert outcomes(maildir.open().send([copy], commit_all)) == ["sent"]
    assert [path.parent for path in maildir.folder.parent.rglob("*") if path.is_file()] == [maildir.folder / "new"]
