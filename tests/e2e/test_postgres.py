"""A publication with its store on a PostgreSQL server: everything as on SQLite, and with several processes at once."""

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
    """The demo publication in a folder of its own, with its store at a URL."""

    def __init__(self, folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        folder.mkdir()
        demo = (ROOT / "config.toml").read_text().replace('"sqlite:///pipeline.db"', f'"{url}"')
        demo = demo.replace("host_gap_seconds = 1", "host_gap_seconds = 0")
        (folder / "config.toml").write_text(demo.replace('fixtures = "fixtures"', f'fixtures = "{ROOT / "fixtures"}"'))

    def run_concurrently(self, *commands: str) -> list[tuple[int, str]]:
        """Start processes together; return the exit code and output of each."""
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
        outputs = [process.communicate()[0] for process in started]
        return [(process.returncode, output) for process, output in zip(started, outputs, strict=True)]

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command; return its exit code, stdout and stderr."""
        self._capsys.readouterr()
        code = main(["--config", str(self.folder / "config.toml"), *words])
        return code, *self._capsys.readouterr()

    def run_ok(self, *words: str) -> str:
        """Run a command that must succeed without a warning; return its output."""
        code, out, err = self.run(*words)
        assert (code, err) == (0, ""), f"{words}: {out}{err}"
        return out

    def read_part(self, name: str) -> bytes:
        """Return a file of the week's edition."""
        return (self.folder / "editions" / WEEK / name).read_bytes()


@pytest.fixture
def demo(tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]) -> Demo:
    """The demo on PostgreSQL."""
    return Demo(tmp_path / "server", postgres_url, capsys)


@pytest.fixture
def on_sqlite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Demo:
    """The demo on SQLite."""
    return Demo(tmp_path / "sqlite", "sqlite:///pipeline.db", capsys)


def test_an_edition_is_the_same_as_on_sqlite(demo: Demo, on_sqlite: Demo) -> None:
    """From the feeds to the outbox, with related older entries: the same mail."""
    for publication in (demo, on_sqlite):
        assert "70 new entries" in publication.run_ok("fetch")
        publication.run_ok("digest", "--week", WEEK, "--offline")
    for name in ("digest.html", "digest.txt", "digest.eml"):
        assert demo.read_part(name) == on_sqlite.read_part(name)
    demo.run_ok("approve", WEEK)
    assert "Issue 1 written to the outbox" in demo.run_ok("send", WEEK)
    assert "the bytes are the same" in demo.run_ok("digest", "--rebuild", "--week", WEEK)
    assert "is intact" in demo.run("doctor", "--offline")[1]


@pytest.mark.slow
def test_concurrent_ticks_run_each_task_once(demo: Demo) -> None:
    """Each task is run by one process; no error, no deadlock, even in a new database."""
    ticks = demo.run_concurrently("tick", "tick")
    assert [code for code, _ in ticks] == [0, 0], ticks
    lines = [json.loads(line) for _, output in ticks for line in output.splitlines()]
    done = Counter(line["task"] for line in lines if line.get("status") in ("succeeded", "deferred"))
    assert done["fetch"] == done["draft"] == 1
    assert set(done.values()) == {1}
    counts = json.loads(demo.run_ok("export").splitlines()[-1])["end"]
    assert counts["entry"] == counts["content"] == 70


@pytest.mark.slow
def test_concurrent_approvals_make_one_edition(demo: Demo) -> None:
    """Both have seen the same draft: one seals it, the other is refused, and the number is given once."""
    demo.run_ok("fetch")
    demo.run_ok("digest", "--week", WEEK, "--offline")
    approvals = demo.run_concurrently(*(f"approve {WEEK} --by {name}" for name in ("ann", "ben")))
    assert Counter(code for code, _ in approvals)[0] >= 1, approvals
    assert {code for code, _ in approvals} <= {0, 4}, approvals
    rows = [json.loads(line) for line in demo.run_ok("export").splitlines()]
    assert len([row for row in rows if "sealed_edition" in row]) == 1
    assert [row["edition"]["number"] for row in rows if "edition" in row] == [1]


def test_a_publication_moves_from_sqlite_to_a_server(demo: Demo, on_sqlite: Demo, tmp_path: Path) -> None:
    """Export, import, export: equal files; the sealed edition has the same bytes, and the next week follows.

    The new place has no outbox that shows what was sent, so the editor answers for the weeks that are held.
    """
    on_sqlite.run_ok("fetch")
    on_sqlite.run_ok("digest", "--week", WEEK, "--offline")
    on_sqlite.run_ok("approve", WEEK)
    on_sqlite.run_ok("export", str(tmp_path / "moved.jsonl"))
    code, _, held = demo.run("import", str(tmp_path / "moved.jsonl"))
    assert (code, f"{WEEK} is held" in held) == (3, True)
    for week in re.findall(r"(\S+) is held", held):
        demo.run_ok("resume", week)

    def rows(exported: str) -> list[str]:
        return [line for line in exported.splitlines() if not line.startswith(('{"edition":', '{"end":'))]

    assert rows(demo.run_ok("export")) == rows((tmp_path / "moved.jsonl").read_text(encoding="utf-8"))
    assert "the bytes are the same" in demo.run_ok("digest", "--rebuild", "--week", WEEK)
    assert "0 new entries" in demo.run_ok("fetch", "--force")
    demo.run_ok("digest", "--week", "2026-W08", "--offline")
    demo.run_ok("approve", "2026-W08", "--override", "dead-link")
    assert "Issue 2" in demo.run_ok("status")
    again = demo.run("import", str(tmp_path / "moved.jsonl"))
    assert again[0] == 4
    assert "the store is not empty" in again[2]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda url: re.sub("/test_", "/nowhere_", url), "does not exist on its server; create it with createdb"),
        (
            lambda url: url.replace("//postgres@", "//nobody_here@"),
            "does not know this user; create it with createuser",
        ),
        (lambda url: re.sub("host=[^&]+", "host=/nowhere", url), "cannot be reached; start its server"),
        (lambda url: url.replace("//postgres@", "//postgres:hush@"), "remove the password"),
    ],
    ids=["database", "user", "server", "password"],
)
def test_a_wrong_url_is_explained(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str], change: Callable[[str], str], sentence: str
) -> None:
    """One sentence that says what to do, exit code 2, and never the password."""
    code, out, err = Demo(tmp_path / "wrong", change(postgres_url), capsys).run("status")
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert "hush" not in err
