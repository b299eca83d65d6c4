"""The dates of a feed decide its week; a date that cannot be used is reported as such, not as missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        yield CliRunner(tmp_path, server, capsys)


def test_an_instant_is_read_whole_and_decides_the_week(program: CliRunner):
    """Entries of the last hours of Sunday belong to the week of their instant, however they are dated."""
    dates = {
        "Inland": "2026-02-10 21:05:00 +0000 UTC",
        "Westward": "2026-02-08 20:15:00 -0800 PST",  # Monday 04:15 UTC
        "Eastward": "20260209T020000+0900",  # Sunday 17:00 UTC, so the week before
        "In Spanish": "martes, 10 de febrero de 2026, 21:05",
        "In Korean": "2026년 2월 10일 21:05",
        "By week": "2026-W07-2",
    }
    program.serve("/blog", rss(*(item(title, date=date) for title, date in dates.items())))
    program.run_ok("fetch")
    program.run_ok("digest", "--week", "2026-W07", "--offline")
    published = {
        entry["title"]: entry["published_at"] for story in program.manifest()["stories"] for entry in story["entries"]
    }
    assert published.keys() == dates.keys() - {"Eastward"}
    assert published["Westward"].startswith("2026-02-09T04:15")


def test_a_date_that_cannot_be_used_is_not_called_missing(program: CliRunner):
    """`feeds check`, `doctor` and `--explain` quote it; an entry without any date is undated."""
    program.serve("/blog", rss(item("Salt", date="the day after the storm"), item("Rope", date=""), item("Tar")))
    out = program.run_ok("feeds", "check", program.server.url("/blog"))
    assert "1 of 3 entries have a date that cannot be used, such as “the day after the storm”" in out
    assert "1 of 3 entries have no date" in out
    program.run_ok("fetch")
    explained = program.run_ok("digest", "--week", "2026-W07", "--offline", "--explain")
    assert "it says “the day after the storm”" in explained
    assert "undated and already there" in explained
    out = program.run("doctor", "--offline")[1]
    assert "1 recent entries with a date that cannot be used, such as “the day after the storm”" in out
