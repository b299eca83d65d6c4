"""Commands on a full disk end with an error, damage nothing, and succeed once there is space."""

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
        """Run a command and return its exit code, stdout and stderr."""
        code = main(["--config", str(self.folder / "config.toml"), *words])
        return code, *self._capsys.readouterr()

    def run_ok(self, *words: str) -> str:
        """Run a command that must succeed and return stdout."""
        code, out, err = self.run(*words)
        assert (code, err) == (0, ""), f"{words}: {err}"
        return out

    def fill(self, *, leaving_kb: int = 0) -> None:
        """Fill the disk except for ``leaving_kb``."""
        free_kb = os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize // 1024
        (self.folder / "filler").write_bytes(b"x" * 1024 * (free_kb - leaving_kb))

    def free_space(self) -> None:
        """Remove the file that fills the disk."""
        (self.folder / "filler").unlink()

    def run_failing(self, *words: str, message: str) -> None:
        """Run a command that must fail with this message and leave the database intact."""
        code, out, err = self.run(*words)
        assert re.search(message, err), f"{words}: {out}{err}"
        assert "this is a bug" not in err
        assert code in (2, 3)
        with closing(sqlite3.connect(f"file:{self.folder / 'pipeline.db'}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def files(self, folder: str) -> dict[str, bytes]:
        """Return the content of each file below a folder, by its name."""
        return {each.name: each.read_bytes() for each in (self.folder / folder).rglob("*") if each.is_file()}


@pytest.fixture
def disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Disk]:
    """A disk of 3 MB. Only root may mount one."""
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


def test_a_fetch_on_a_full_disk_stores_nothing_twice(disk: Disk) -> None:
    """The fetch fails with an error; once there is space, the next one stores every entry once."""
    disk.run_ok("status")
    disk.fill(leaving_kb=40)
    disk.run_failing(
        "fetch", message=r"pipeline\.db (has no room left; free|cannot be read or written; check whether its disk)"
    )
    disk.free_space()
    disk.run_ok("fetch", "--force")
    assert json.loads(disk.run_ok("export").splitlines()[-1])["end"]["entry"] == 70


def test_an_edition_is_written_completely_or_not_at_all(disk: Disk) -> None:
    """The existing files stay unchanged, and no partial file is left."""
    disk.run_ok("fetch")
    disk.run_ok("digest", "--week", "2026-W07", "--offline")
    before = disk.files("editions")
    (disk.folder / "editions" / "2026-W07.md").write_text('+++\nsubject = "Another subject"\n+++\n')
    disk.fill(leaving_kb=80)
    disk.run_failing(
        "digest", "--week", "2026-W07", "--offline", message="cannot be written .No space left on device.: free some"
    )
    assert {name: part for name, part in disk.files("editions").items() if name != "2026-W07.md"} == {
        name: part for name, part in before.items() if name != "2026-W07.md"
    }
    disk.free_space()
    assert "Another subject" in disk.run_ok("digest", "--week", "2026-W07", "--offline")


def test_a_message_is_sent_once_when_there_is_space(disk: Disk) -> None:
    """A send to a full outbox fails with an error; the next one delivers one message."""
    disk.run_ok("fetch")
    disk.run_ok("digest", "--week", "2026-W07", "--offline")
    disk.run_ok("approve", "2026-W07")
    disk.fill(leaving_kb=60)
    disk.run_failing("send", "2026-W07", message="No space left on device|has no room left|disk is full or failing")
    disk.free_space()
    disk.run_ok("send", "2026-W07")
    assert len(mailbox.Maildir(disk.folder / "outbox" / "Maildir", create=False)) == 1
    assert [name for name in disk.files("outbox") if name.startswith(".2026")] == []


def test_a_failed_backup_leaves_no_file(disk: Disk) -> None:
    """Neither a partial copy nor an empty file is left."""
    disk.run_ok("fetch")
    disk.fill(leaving_kb=100)
    disk.run_failing("backup", str(disk.folder / "b.db"), message="the disk has no room for the copy: free some space")
    disk.run_failing("export", str(disk.folder / "e.jsonl"), message="e.jsonl cannot be written .No space left")
    assert [each.name for each in disk.folder.iterdir() if re.search(r"b\.db|jsonl", each.name)] == []
