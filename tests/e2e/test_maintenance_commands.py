"""The commands backup, restore, prune, export and import: their output and exit codes."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CliRunner:
    """A publication whose feed was read once."""
    with HttpServer() as server:
        program = CliRunner(tmp_path, server, capsys)
        program.run("fetch", "--quiet")
    return program


def test_a_backup_is_made_and_put_back(program: CliRunner, tmp_path: Path) -> None:
    """Refusals say what to do, and name the existing file."""
    backup = str(tmp_path / "b.db")
    assert re.fullmatch(r"\S*b\.db: \d+ kB, verified\n", program.run_ok("backup", backup))
    assert program.run("backup", backup)[::2] == (
        4,
        f"pipeline: {backup} already exists: name another file, or add --force.\n",
    )
    assert program.run_ok("--quiet", "backup", backup, "--force") == ""
    code, _, err = program.run("restore", backup)
    assert (code, "contains a publication: --force" in err) == (4, True)
    said = program.run_ok("restore", backup, "--force")
    assert "pipeline.db: restored, with 1 entry\n" in said
    assert re.search(r"^The old store: \S*pipeline\.db\.20260212T120000Z\.old$", said, re.MULTILINE)
    assert program.run("restore", str(tmp_path / "none"))[0] == 2


def test_an_edition_sent_after_the_backup_is_not_sent_again(program: CliRunner, tmp_path: Path) -> None:
    """Restored onto its store it is carried over; where nothing tells what was sent, the weeks since are held."""
    backup, export, database = tmp_path / "b.db", tmp_path / "all.jsonl", tmp_path / "pipeline.db"
    program.run_ok("backup", str(backup))
    program.run_ok("export", str(export))
    program.now += timedelta(days=5)
    for words in (["digest", "--week", "2026-W07", "--offline"], ["approve", "2026-W07", "--offline"]):
        program.run_ok(*words)
    program.run_ok("send", "2026-W07")
    said = program.run_ok("restore", str(backup), "--force")
    assert "Recorded as sent, since they left after the copy was made: 2026-W07\n" in said
    assert program.run("send", "2026-W07")[0] == 4
    program.write_config(more='\n[store]\nurl = "sqlite:///moved.db"\n')
    assert "Recorded as sent" in program.run_ok("import", str(export))
    program.write_config()
    database.unlink()
    for folder in ("outbox", "editions"):
        shutil.rmtree(tmp_path / folder)
    code, out, err = program.run("restore", str(backup))
    assert (code, "restored, with 1 entry" in out) == (3, True)
    assert "2026-W07 is held, as it may have been sent after the copy was made" in err
    assert "may have been sent already" in program.run("status")[1]
    code, _, err = program.run("approve", "2026-W07", "--offline")
    assert (code, "run `pipeline send 2026-W07 --handed-over`, if not" in err) == (4, True)
    assert "2026-W06 may have been sent already" in program.run("send", "2026-W07", "--handed-over")[2]
    program.run_ok("resume", "2026-W06")
    assert "marked as sent by another service" in program.run_ok("send", "2026-W07", "--handed-over")


def test_old_texts_go_only_when_the_config_says_so(program: CliRunner) -> None:
    """Without keep_bodies it is refused; with it the daemon has a task for it, too."""
    code, _, err = program.run("prune")
    assert (code, "[store] keep_bodies is not set" in err) == (4, True)
    program.write_config(more='\n[store]\nkeep_bodies = "2 years"\n')
    assert program.run_ok("prune") == "0 texts from before 2024-02-11 deleted, 0 kB\n"
    program.run_ok("prune", "--compact", "--quiet")


@pytest.mark.parametrize("words", ["7", "10 days", "2 yards", "200 years"])
def test_a_span_that_is_none_is_refused(program: CliRunner, words: str) -> None:
    """The error has an example; less than the minimum would delete texts that are still read."""
    program.write_config(more=f'\n[store]\nkeep_bodies = "{words}"\n')
    code, _, err = program.run("status")
    assert code == 2
    assert 'give at least 30 days, such as "2 years"' in err


def test_everything_goes_out_and_into_an_empty_store(program: CliRunner, tmp_path: Path) -> None:
    """To a file or through a pipe; an import into a store that is not empty is refused."""
    file = tmp_path / "all.jsonl"
    lines = program.run_ok("export")
    assert re.fullmatch(r"\S*all\.jsonl: \d+ rows\n", program.run_ok("export", str(file)))
    assert file.read_text(encoding="utf-8") == lines
    assert program.run("export", str(file))[0] == 4
    assert json.loads(lines.splitlines()[0])["format"] == "pipeline-export"
    code, _, err = program.run("import", str(file))
    assert (code, "the store is not empty" in err) == (4, True)
    program.write_config(more='\n[store]\nurl = "sqlite:///moved.db"\n')
    assert re.search(r"^entry +1$", program.run_ok("import", str(file)), re.MULTILINE)
    assert program.run_ok("export") == lines
    assert program.run("import", str(tmp_path / "none"))[0] == 2
    program.write_config(more='\n[store]\nurl = "sqlite:///other.db"\n')
    file.write_bytes(b"\xff\xfe")
    assert program.run("import", str(file))[0] == 2


def test_what_was_told_stays_told_after_a_prune(program: CliRunner) -> None:
    """Years later the feed still has the post: it is not new again."""
    program.write_config(more='\n[store]\nkeep_bodies = "30 days"\n')
    program.now = program.now.replace(year=2028)
    assert program.run_ok("prune") == "1 text from before 2028-01-13 deleted, 0 kB\n"
    with HttpServer() as program.server:
        program.serve("/blog", rss(item("Bread on a stone")))
        program.write_config(more='\n[store]\nkeep_bodies = "30 days"\n')
        assert "1 feed: 0 new entries, 0 changed.\n" in program.run_ok("fetch", "--force")
