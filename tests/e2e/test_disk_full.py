"""A disk that is really full: a sentence, no damage, and on as soon as there is room."""

from __future__ import annotations

import json
import mailbox
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.cli import main

ROOT = Path(__file__).parents[2]
SIZE_KB = 3_000


class Disk:
    """A small disk with the demo publication on it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        demo = (ROOT / "config.toml").read_text()
        (folder / "config.toml").write_text(re.sub('fixtures = "[^"]+"', f'fixtures = "{ROOT / "fixtures"}"', demo))

    def run(self, *words: str) -> tuple[int, str, str]:
        """Type a command; gives its exit code and what it said."""
        code = main(["--config", str(self.folder / "config.toml"), *words])
        return code, *self._capsys.readouterr()

    def ok(self, *words: str) -> str:
        """Type a command that must do."""
        code, out, err = self.run(*words)
        assert (code, err) == (0, ""), f"{words}: {err}"
        return out

    def fill(self, *, leaving_kb: int = 0) -> None:
        """Leave so much room."""
        room_kb = os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize // 1024
        (self.folder / "filler").write_bytes(b"x" * 1024 * (room_kb - leaving_kb))

    def make_room(self) -> None:
        """Take away what fills it."""
        (self.folder / "filler").unlink()

    def refused(self, *words: str, sentence: str) -> None:
        """Type a command that must say this, and leave no damage."""
        code, out, err = self.run(*words)
        assert re.search(sentence, err), f"{words}: {out}{err}"
        assert "this is a bug" not in err
        assert code in (2, 3)
        with closing(sqlite3.connect(f"file:{self.folder / 'pipeline.db'}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def files(self, folder: str) -> dict[str, bytes]:
        """What lies in a folder."""
        return {each.name: each.read_bytes() for each in (self.folder / folder).rglob("*") if each.is_file()}


@pytest.fixture
def disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Disk]:
    """A disk of 3 MB; only root may mount one."""
    mount = ("mount", "-t", "tmpfs", "-o", f"size={SIZE_KB}k", "tmpfs", tmp_path)
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("this system has no mount")
    if mounted.returncode and not os.environ.get("CI"):
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    assert mounted.returncode == 0, mounted.stderr
    yield Disk(tmp_path, capsys)
    subprocess.run(("umount", "--lazy", tmp_path), check=True)


def test_feeds_are_read_whole_or_not_at_all(disk: Disk) -> None:
    """Fetching stops with a sentence; with room again it reads all, and nothing twice."""
    disk.ok("status")
    disk.fill(leaving_kb=40)
    disk.refused(
        "fetch", sentence=r"pipeline\.db (has no room left; free|cannot be read or written; look whether its disk)"
    )
    disk.make_room()
    disk.ok("fetch", "--force")
    assert json.loads(disk.ok("export").splitlines()[-1])["end"]["entry"] == 70


def test_an_edition_is_written_whole_or_not_at_all(disk: Disk) -> None:
    """The files of before stay as they were, with nothing half-written beside them."""
    disk.ok("fetch")
    disk.ok("digest", "--week", "2026-W07", "--offline")
    before = disk.files("editions")
    (disk.folder / "editions" / "2026-W07.md").write_text('+++\nsubject = "Another subject"\n+++\n')
    disk.fill(leaving_kb=80)
    disk.refused(
        "digest", "--week", "2026-W07", "--offline", sentence="cannot be written .No space left on device.: free some"
    )
    assert {name: part for name, part in disk.files("editions").items() if name != "2026-W07.md"} == {
        name: part for name, part in before.items() if name != "2026-W07.md"
    }
    disk.make_room()
    assert "Another subject" in disk.ok("digest", "--week", "2026-W07", "--offline")


def test_a_mail_goes_out_once_when_there_is_room(disk: Disk) -> None:
    """Sending into a full outbox fails with a sentence; sending again finishes it, with one mail."""
    disk.ok("fetch")
    disk.ok("digest", "--week", "2026-W07", "--offline")
    disk.ok("approve", "2026-W07")
    disk.fill(leaving_kb=60)
    disk.refused("send", "2026-W07", sentence="No space left on device|has no room left|disk is full or failing")
    disk.make_room()
    disk.ok("send", "2026-W07")
    assert len(mailbox.Maildir(disk.folder / "outbox" / "Maildir", create=False)) == 1
    assert [name for name in disk.files("outbox") if name.startswith(".2026")] == []


def test_a_backup_without_room_leaves_nothing(disk: Disk) -> None:
    """Neither the name nor the half of a copy."""
    disk.ok("fetch")
    disk.fill(leaving_kb=100)
    disk.refused("backup", str(disk.folder / "b.db"), sentence="the disk has no room for the copy: free some space")
    disk.refused("export", str(disk.folder / "e.jsonl"), sentence="e.jsonl cannot be written .No space left")
    assert [each.name for each in disk.folder.iterdir() if re.search(r"b\.db|jsonl", each.name)] == []
