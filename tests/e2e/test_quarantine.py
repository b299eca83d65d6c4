"""A feed whose entries all turn new at once is quarantined until `pipeline feeds accept` releases it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli_runner import NOW, CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
WEEK = "2026-W07"
OLD = [item(f"Old story {n}", date=f"Sat, {n} Nov 2025 09:00:00 GMT") for n in range(10, 16)]
# Imported anew: other titles, names and addresses, dated as the old ones, but for two of this week.
ANEW = [item(f"Imported piece {n}", date=f"Sat, {n} Nov 2025 10:00:00 GMT") for n in range(10, 16)]
THIS_WEEK = [item(f"Imported today {n}", date=f"Wed, 11 Feb 2026 0{n}:00:00 GMT") for n in (1, 2)]


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    """A feed of old stories that was fetched once, and whose entries all turned new then."""
    with HttpServer() as server:
        runner = CliRunner(tmp_path, server, capsys)
        runner.serve("/blog", rss(item("Bread on a stone"), *OLD))
        runner.run_ok("fetch")
        runner.serve("/blog", rss(*THIS_WEEK, *ANEW))
        yield runner


def included_entries(program: CliRunner, week: str = WEEK) -> list[str]:
    """The entries a digest takes, by the why-ledger."""
    _, out, _ = program.run("digest", "--week", week, "--offline", "--explain")
    return [line.split("  ", 2)[-1].strip() for line in out.splitlines() if line.startswith("in ")]


def test_quarantine_is_shown_everywhere(program: CliRunner) -> None:
    """`fetch`, status and the decisions of a digest show the number, the reason and the command."""
    line = program.run_ok("fetch")
    assert "quarantined: 8 of 8 entries turned new at once although 7 were known" in line
    assert "if all is well, run `pipeline feeds accept blog`" in line
    assert (
        "blog holds 8 entries in quarantine, since they look imported or come from another feed: "
        "`pipeline feeds accept blog`" in program.run_ok("status")
    )
    _, out, _ = program.run("digest", "--week", WEEK, "--offline", "--explain")
    assert (
        "Imported today 1: quarantined: it looks imported or comes from another feed; `pipeline feeds accept blog`"
        in out
    )


def test_quarantined_entries_are_not_in_the_digest(program: CliRunner) -> None:
    """Even if they are dated in this week; known entries stay eligible."""
    program.run_ok("fetch")
    assert [line.partition(":")[0] for line in included_entries(program)] == ["Bread on a stone"]


def test_later_entries_are_not_quarantined(program: CliRunner) -> None:
    """Only the entries of that fetch are quarantined, not the feed."""
    program.run_ok("fetch")
    program.serve("/blog", rss(item("Fresh bread", date="Thu, 12 Feb 2026 08:00:00 GMT"), *THIS_WEEK, *ANEW))
    assert "1 new" in program.run_ok("fetch", "--force")
    assert [line.partition(":")[0] for line in included_entries(program)] == ["Bread on a stone", "Fresh bread"]


def test_released_entries_are_dated(program: CliRunner) -> None:
    """Those of this week are new, older ones are archive; then the quarantine is empty."""
    program.run_ok("fetch")
    assert program.run_ok("feeds", "accept", "blog") == "blog: 2 entries for the next digest, 6 older ones\n"
    assert [line.partition(":")[0] for line in included_entries(program)] == [
        "Bread on a stone",
        "Imported today 1",
        "Imported today 2",
    ]
    assert "quarantine" not in program.run_ok("status")
    assert program.run_ok("feeds", "accept", "blog") == "blog has nothing in quarantine.\n"


def test_entries_released_late_are_in_the_next_digest(program: CliRunner) -> None:
    """A week that was made in the meantime does not change, and a released entry is published once."""
    program.run_ok("fetch")
    program.now = NOW + timedelta(days=5)
    before = included_entries(program)
    program.run_ok("feeds", "accept", "blog")
    assert included_entries(program) == before
    next_week = included_entries(program, "2026-W08")
    assert [line.partition(":")[0] for line in next_week] == ["Imported today 1", "Imported today 2"]
    assert all("dated Wed 11 Feb 2026, " in line for line in next_week)


def test_changed_guids_duplicate_nothing(program: CliRunner) -> None:
    """Other guids and URLs with the same titles and dates are repaired, so there is nothing to quarantine."""
    renamed = [entry.replace("<guid>", "<guid>uuid-").replace("example/", "example/?page=") for entry in OLD]
    program.serve("/blog", rss(item("Bread on a stone"), *renamed))
    out = program.run_ok("fetch")
    assert "6 changed" in out
    assert "quarantined" not in out
    assert "7 entries" in program.run_ok("feeds", "list")


def test_an_unknown_feed_cannot_be_accepted(program: CliRunner) -> None:
    """The error lists the known feeds."""
    code, _, err = program.run("feeds", "accept", "blgo")
    assert code == 2
    assert "there is no feed 'blgo'" in err
