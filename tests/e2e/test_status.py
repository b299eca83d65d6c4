"""`pipeline status` as an operator reads it: first whether all is well, then what is not and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
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


def test_before_anything_ran_it_says_how_to_begin(program: CliRunner) -> None:
    """Nothing is broken; whether anything runs by itself is only asked once something is meant to."""
    said = program.run_ok("status")
    assert said.startswith("1 thing wants a look.\n  ! blog: has not been read yet\n    → run `pipeline fetch`\n")
    assert "nothing has run by itself yet" not in said, "who uses only the desk would read it for ever"


def test_all_is_well_is_the_first_line(program: CliRunner) -> None:
    """Then the feeds and when each is asked next, the weeks, what comes next and what ran last."""
    program.run("tick")
    program.run_ok("approve", "2026-W07")
    first, *rest = program.run_ok("status").splitlines()
    assert first == "All is well."
    text = "\n".join(rest)
    assert "read Mon 16 Feb 2026 09:00, next Mon 16 Feb 2026 09:30" in text
    assert "    waits to be sent: `pipeline send 2026-W07` sends it" in text
    assert "Next\n  fetch" in text
    assert "in 30 min" in text
    assert "1 of 1 feeds fetched, 1 new entries" in text
    assert program.run_ok("status", "--quiet") == ""


def test_a_draft_says_what_it_waits_for(program: CliRunner) -> None:
    """For its maker, then for approval; an error of the checks is in the way, and that is trouble."""
    program.run_ok("fetch")
    assert status(program)["editions"][0]["blocks"][-1] == "not made yet"
    program.run("tick")
    (edition,) = status(program)["editions"]
    assert (edition["week"], edition["state"], edition["blocks"][-1]) == (
        "2026-W07",
        "draft",
        "waits for approval: `pipeline approve 2026-W07`",
    )


def test_an_older_draft_is_not_forgotten(program: CliRunner) -> None:
    """A week later it still waits for approval, below the newest week."""
    program.run("tick")
    program.now += timedelta(days=7)
    soup = item("Soup", date="Tue, 17 Feb 2026 09:00:00 GMT")
    program.serve("/blog", rss(item("Bread on a stone"), soup))
    program.run("tick")
    editions = {each["week"]: each["blocks"][-1] for each in status(program)["editions"]}
    assert list(editions) == ["2026-W08", "2026-W07"]
    assert editions["2026-W07"] == "waits for approval: `pipeline approve 2026-W07`"


def test_a_feed_that_fails_is_trouble_once_it_lasts(program: CliRunner) -> None:
    """Once is a warning; three times in a row is trouble, with since when and what to do."""
    program.server.respond("/blog", CannedResponse(status=404, body=b"no"))
    program.run("fetch")
    listed = program.run_ok("feeds", "list")
    assert "\n  ! blog: fails since Mon 16 Feb 2026 09:00 (once), " in listed
    assert "404" in listed
    found = status(program)
    assert (found["well"], found["sentence"]) == (True, "1 thing wants a look.")
    for _ in range(2):
        program.now += timedelta(hours=2)
        program.run("fetch")
    found = status(program)
    assert (found["well"], found["trouble"][0]["name"]) == (False, "blog")
    assert "fails since Mon 16 Feb 2026 09:00 (3 times in a row), answered 404" in found["trouble"][0]["finding"]
    assert found["trouble"][0]["mend"] == "check the address"
    assert "✗ blog: fails since" in program.run_ok("status", "--quiet")


def test_when_nobody_does_what_is_due_that_is_trouble(program: CliRunner) -> None:
    """The daemon died, or the cron line was lost: whoever looks is told, with since when."""
    program.run("tick")
    program.now += timedelta(days=10)
    found = status(program)
    (sign,) = [each for each in found["trouble"] if each["group"] == "runs"]
    assert (found["well"], sign["level"]) == (False, "trouble")
    assert "fetch" in sign["finding"]
    assert "draft" in sign["finding"]
    assert "nothing has since Mon 16 Feb 2026 09:00" in sign["finding"]


def test_a_held_edition_and_a_changed_one_want_a_look(program: CliRunner) -> None:
    """By whom it is held; what has changed at the source since it was approved."""
    program.run("tick")
    program.run_ok("hold", "2026-W07", "--by", "ann")
    held = [each for each in status(program)["trouble"] if each["group"] == "editions"]
    assert [each["level"] for each in held] == ["warning"]
    assert "held by ann since Mon 16 Feb 2026 09:00" in held[0]["finding"]
    program.run_ok("resume", "2026-W07")
    program.run_ok("approve", "2026-W07")
    program.now += timedelta(hours=3)
    program.serve(
        "/blog", rss(item("Bread on two stones").replace("bread-on-two-stones</guid>", "bread-on-a-stone</guid>"))
    )
    program.run_ok("fetch", "--force")
    (changed,) = [each for each in status(program)["trouble"] if each["group"] == "editions"]
    assert changed["finding"].startswith("changed since approval: the subject, “Bread on a stone”")


def test_the_json_keeps_its_keys_and_tells_all(program: CliRunner) -> None:
    """Scripts rely on it: the keys that were there stay, moments are RFC 3339."""
    program.run("tick")
    found = status(program)
    assert {"feeds", "weeks", "made", "standings", "changes"} <= set(found)
    assert {"well", "sentence", "editions", "next_jobs", "last_runs", "trouble"} <= set(found)
    fetch = next(each for each in found["last_runs"] if each["task"] == "fetch")
    assert (fetch["outcome"], fetch["at"][:15], fetch["attempts"]) == ("done", "2026-02-16T09:0", 1)
    assert fetch["seconds"] >= 0
    coming = next(each for each in found["next_jobs"] if each["task"] == "fetch")
    assert (coming["at"], coming["in_seconds"]) == ("2026-02-16T09:30:00Z", 1800)
    assert found["feeds"][0]["signs"][0]["level"] == "well"
