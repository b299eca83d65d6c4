"""A publication whose store is a PostgreSQL server, everything as on SQLite, and several processes at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli import main

ROOT = Path(__file__).parents[2]
WEEK = "2026-W07"

pytestmark = pytest.mark.postgres


class Demo:
    """The demo publication in a folder of its own, on a store."""

    def __init__(self, folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        folder.mkdir()
        demo = (ROOT / "config.toml").read_text().replace('"sqlite:///pipeline.db"', f'"{url}"')
        demo = demo.replace("host_gap_seconds = 1", "host_gap_seconds = 0")
        (folder / "config.toml").write_text(demo.replace('fixtures = "fixtures"', f'fixtures = "{ROOT / "fixtures"}"'))

    def at_once(self, *commands: str) -> list[tuple[int, str]]:
        """Start processes together; gives each one's exit code and what it said."""
        started = [
            subprocess.Popen(
                (sys.executable, "-m", "pipeline", *words.split()),
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
            )
            for words in commands
        ]
        said = [process.communicate()[0] for process in started]
        return [(process.returncode, words) for process, words in zip(started, said, strict=True)]

    def run(self, *words: str) -> tuple[int, str, str]:
        """Type a command; gives its exit code and what it said."""
        self._capsys.readouterr()
        code = main(["--config", str(self.folder / "config.toml"), *words])
        return code, *self._capsys.readouterr()

    def ok(self, *words: str) -> str:
        """Type a command that must do without a complaint."""
        code, out, err = self.run(*words)
        assert (code, err) == (0, ""), f"{words}: {out}{err}"
        return out

    def part(self, name: str) -> bytes:
        """A file of the week's edition."""
        return (self.folder / "editions" / WEEK / name).read_bytes()


@pytest.fixture
def demo(tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]) -> Demo:
    """On a server."""
    return Demo(tmp_path / "server", postgres_url, capsys)


@pytest.fixture
def at_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Demo:
    """The same publication on SQLite."""
    return Demo(tmp_path / "home", "sqlite:///pipeline.db", capsys)


def test_a_newsletter_is_made_and_sent_as_on_sqlite(demo: Demo, at_home: Demo) -> None:
    """From the feeds to the outbox, with older pieces that are looked back to: the very same mail."""
    for each in (demo, at_home):
        assert "70 new entries" in each.ok("fetch")
        each.ok("digest", "--week", WEEK, "--offline")
    for name in ("digest.html", "digest.txt", "digest.eml"):
        assert demo.part(name) == at_home.part(name)
    demo.ok("approve", WEEK)
    assert "No. 1 sent" in demo.ok("send", WEEK)
    assert "the bytes are the same" in demo.ok("digest", "--rebuild", "--week", WEEK)
    assert "is whole" in demo.run("doctor", "--offline")[1]


def test_ticks_at_once_do_everything_once(demo: Demo) -> None:
    """Of two processes one does each task; no error, no deadlock, also where the database is new."""
    ticks = demo.at_once("tick", "tick")
    assert [code for code, _ in ticks] == [0, 0], ticks
    lines = [json.loads(line) for _, said in ticks for line in said.splitlines()]
    done = Counter(line["task"] for line in lines if line.get("status") in ("succeeded", "deferred"))
    assert done["fetch"] == done["draft"] == 1
    assert set(done.values()) == {1}
    counts = json.loads(demo.ok("export").splitlines()[-1])["end"]
    assert counts["entry"] == counts["content"] == 70


def test_approvals_at_once_make_one_edition(demo: Demo) -> None:
    """Both have seen the same draft: one seals it, the other is told so, and the number is given once."""
    demo.ok("fetch")
    demo.ok("digest", "--week", WEEK, "--offline")
    approvals = demo.at_once(*(f"approve {WEEK} --by {name}" for name in ("ann", "ben")))
    assert Counter(code for code, _ in approvals)[0] >= 1, approvals
    assert {code for code, _ in approvals} <= {0, 4}, approvals
    rows = [json.loads(line) for line in demo.ok("export").splitlines()]
    assert len([row for row in rows if "sealed" in row]) == 1
    assert [row["edition"]["number"] for row in rows if "edition" in row] == [1]


def test_a_publication_moves_to_a_server(demo: Demo, at_home: Demo, tmp_path: Path) -> None:
    """Export, import, export: equal files; the sealed edition is the same bytes, and the next week goes on from it."""
    at_home.ok("fetch")
    at_home.ok("digest", "--week", WEEK, "--offline")
    at_home.ok("approve", WEEK)
    at_home.ok("export", str(tmp_path / "moved.jsonl"))
    demo.ok("import", str(tmp_path / "moved.jsonl"))
    assert demo.ok("export") == (tmp_path / "moved.jsonl").read_text(encoding="utf-8")
    assert "the bytes are the same" in demo.ok("digest", "--rebuild", "--week", WEEK)
    assert "0 new entries" in demo.ok("fetch", "--force")
    demo.ok("digest", "--week", "2026-W08", "--offline")
    demo.ok("approve", "2026-W08", "--override", "dead-link")
    assert "No. 2" in demo.ok("status")
    again = demo.run("import", str(tmp_path / "moved.jsonl"))
    assert again[0] == 4
    assert "the store is not empty" in again[2]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda url: re.sub("/test_", "/nowhere_", url), "does not exist on its server; make it with createdb"),
        (lambda url: url.replace("//postgres@", "//nobody_here@"), "does not know this user; make it with createuser"),
        (lambda url: re.sub("host=[^&]+", "host=/nowhere", url), "cannot be reached; start its server"),
        (lambda url: url.replace("//postgres@", "//postgres:hush@"), "take the password out of it"),
    ],
    ids=["database", "user", "server", "password"],
)
def test_what_is_wrong_with_the_address_is_said(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str], change: Callable[[str], str], sentence: str
) -> None:
    """One sentence that says what to do, exit code 2, and never the password."""
    code, out, err = Demo(tmp_path / "wrong", change(postgres_url), capsys).run("status")
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert "hush" not in err
