"""`pipeline status` shows first whether all is well, then what is not and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli_runner import PUBLICATION, CliRunner, item, rss
from tests.http_server import CannedResponse, HttpServer

pytestmark = pytest.mark.loopback
MONDAY = datetime(2026, 2, 16, 9, tzinfo=UTC)
"""2026-W07 has closed."""


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    """A publication with a story in 2026-W07, and a tick on the Monday after."""
    with HttpServer() as server:
        found = CliRunner(tmp_path, server, capsys)
        found.now = MONDAY
        yield found


def status(program: CliRunner) -> dict:
    return json.loads(program.run_ok("status", "--json"))


def test_before_the_first_fetch_it_says_how_to_start(program: CliRunner) -> None:
    """The unfetched feed is a warning; that no task runs is none, since nothing is scheduled to be sent."""
    out = program.run_ok("status")
    assert out.startswith("1 warning.\n  ! blog: has not been fetched yet\n    → run `pipeline fetch`\n")
    assert "no task has run yet" not in out, "who uses only the desk would read it for ever"


def test_without_feeds_nothing_is_well(program: CliRunner) -> None:
    """The error names the command that adds one."""
    program.config.write_text(PUBLICATION)
    out = program.run_ok("status")
    assert out.startswith("1 error.\n  ✗ config.toml: names no feed")
    assert "→ `pipeline feeds add URL`" in out
    assert status(program)["healthy"] is False


def test_all_is_well_is_the_first_line(program: CliRunner) -> None:
    """Then come the feeds with their next fetch, the weeks, the next runs and the last ones."""
    program.run("tick")
    program.run_ok("approve", "2026-W07")
    first, *rest = program.run_ok("status").splitlines()
    assert first == "All is well."
    text = "\n".join(rest)
    assert "read Mon 16 Feb 2026 09:00, next Mon 16 Feb 2026 09:30" in text
    assert "    waits to be sent: `pipeline send 2026-W07`" in text
    assert "Next\n  fetch" in text
    assert "in 30 min" in text
    assert "1 of 1 feeds fetched, 1 new entries" in text
    assert program.run_ok("status", "--quiet") == ""


def test_a_draft_names_its_blockers(program: CliRunner) -> None:
    """First that there is no draft, then that it waits for approval."""
    program.run_ok("fetch")
    assert status(program)["editions"][0]["blockers"][-1]["message"] == "the draft is not written"
    program.run("tick")
    (edition,) = status(program)["editions"]
    assert (edition["week"], edition["state"], edition["blockers"][-1]) == (
        "2026-W07",
        "draft",
        {"message": "waits for approval", "fix": "`pipeline approve 2026-W07`"},
    )


def test_an_older_draft_is_not_forgotten(program: CliRunner) -> None:
    """A week later it still waits for approval, below the newest week."""
    program.run("tick")
    program.now += timedelta(days=7)
    soup = item("Soup", date="Tue, 17 Feb 2026 09:00:00 GMT")
    program.serve("/blog", rss(item("Bread on a stone"), soup))
    program.run("tick")
    editions = {edition["week"]: edition["blockers"][-1]["message"] for edition in status(program)["editions"]}
    assert list(editions) == ["2026-W08", "2026-W07"]
    assert editions["2026-W07"] == "waits for approval"


def test_a_feed_that_fails_three_times_is_an_error(program: CliRunner) -> None:
    """One failure is a warning; three in a row are an error, with since when and what to do."""
    program.server.respond("/blog", CannedResponse(status=404, body=b"no"))
    program.run("fetch")
    listed = program.run_ok("feeds", "list")
    assert "\n  ! blog: fails since Mon 16 Feb 2026 09:00 (once), " in listed
    assert "404" in listed
    found = status(program)
    assert (found["healthy"], found["summary"]) == (True, "1 warning.")
    for _ in range(2):
        program.now += timedelta(hours=2)
        program.run("fetch")
    found = status(program)
    assert (found["healthy"], found["problems"][0]["name"]) == (False, "blog")
    assert "fails since Mon 16 Feb 2026 09:00 (3 times in a row), answered 404" in found["problems"][0]["message"]
    assert found["problems"][0]["fix"] == "check the address"
    assert "✗ blog: fails since" in program.run_ok("status", "--quiet")


def test_overdue_tasks_are_an_error(program: CliRunner) -> None:
    """After the daemon died or the crontab line was lost, the message says since when."""
    program.run("tick")
    program.now += timedelta(days=10)
    found = status(program)
    (result,) = [result for result in found["problems"] if result["category"] == "runs"]
    assert (found["healthy"], result["level"]) == (False, "error")
    assert "fetch" in result["message"]
    assert "draft" in result["message"]
    assert "nothing has run since Mon 16 Feb 2026 09:00" in result["message"]


def test_held_and_changed_editions_are_warnings(program: CliRunner) -> None:
    """The message names who holds the edition, or what has changed at the source since its approval."""
    program.run("tick")
    program.run_ok("hold", "2026-W07", "--by", "ann")
    held = [result for result in status(program)["problems"] if result["category"] == "editions"]
    assert [result["level"] for result in held] == ["warning"]
    assert "held by ann since Mon 16 Feb 2026 09:00" in held[0]["message"]
    program.run_ok("resume", "2026-W07")
    program.run_ok("approve", "2026-W07")
    program.now += timedelta(hours=3)
    program.serve(
        "/blog", rss(item("Bread on two stones").replace("bread-on-two-stones</guid>", "bread-on-a-stone</guid>"))
    )
    program.run_ok("fetch", "--force")
    (changed,) = [result for result in status(program)["problems"] if result["category"] == "editions"]
    assert changed["message"].startswith("changed since approval: the subject, “Bread on a stone”")


def test_the_json_has_all_keys(program: CliRunner) -> None:
    """Scripts rely on its keys; times are RFC 3339."""
    program.run("tick")
    found = status(program)
    assert {"feeds", "weeks", "drafted_at", "records", "changes"} <= set(found)
    assert {"healthy", "summary", "editions", "next_runs", "last_runs", "problems"} <= set(found)
    fetch = next(run for run in found["last_runs"] if run["task"] == "fetch")
    assert (fetch["status"], fetch["started_at"][:15], fetch["attempts"]) == ("succeeded", "2026-02-16T09:0", 1)
    assert fetch["duration_seconds"] >= 0
    next_fetch = next(run for run in found["next_runs"] if run["task"] == "fetch")
    assert (next_fetch["at"], next_fetch["in_seconds"]) == ("2026-02-16T09:30:00Z", 1800)
    assert found["feeds"][0]["health"][0]["level"] == "ok"
