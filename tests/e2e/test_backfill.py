"""`pipeline backfill` reads the archive of a feed over HTTP and survives interruptions."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import connect

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import CannedResponse, HttpServer, ReceivedRequest

pytestmark = pytest.mark.loopback
PAGES = 80
A_PAGE = 3


def page(number: int, items: int = A_PAGE) -> bytes:
    """Return a page of the archive: posts of 2025, older with each page."""
    day = datetime.fromordinal(datetime(2025, 12, 20).toordinal() - 2 * number)  # noqa: DTZ001 - a day
    dated = f"{day:%a, %d %b %Y} 09:00:00 GMT"
    return rss(*(item(f"Old {number} {nth}", date=dated) for nth in range(items)))


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        runner = CliRunner(tmp_path, server, capsys)
        runner.config.write_text(runner.config.read_text() + "host_gap_seconds = 0\n")
        runner.run_ok("fetch")
        server.requests.clear()
        yield runner


def serve_pages(program: CliRunner, pages: int = PAGES, **how: float) -> None:
    for number in range(2, pages + 1):
        program.server.respond(f"/blog?paged={number}", CannedResponse(body=page(number), **how))


def guids(program: CliRunner) -> list[str]:
    with closing(connect(program.config.parent / "pipeline.db")) as database:
        return [guid for (guid,) in database.execute("SELECT guid FROM entry WHERE archived ORDER BY guid")]


def test_all_pages_are_read_as_archive(program: CliRunner):
    """Every page is read once, in order, until a 404; the entries are archive and do not change this week's digest."""
    before = program.titles()
    serve_pages(program)
    assert program.run_ok("backfill", "blog") == "blog: complete: 79 archive pages, 237 older entries\n"
    asked = [seen.path for seen in program.server.requests]
    assert asked == ["/blog", *(f"/blog?paged={number}" for number in range(2, PAGES + 2))]
    assert len(guids(program)) == 237 + 1
    assert program.titles() == before == ["Bread on a stone"]
    assert program.titles("2025-W50")[0].startswith("Old ")


def test_archive_entries_are_never_late(program: CliRunner):
    """Weeks that were made before do not change, and archive entries are not carried over to the next."""
    program.now = datetime(2026, 2, 16, 9, tzinfo=UTC)
    program.run_ok("digest", "--week", "2026-W07")
    program.run_ok("digest", "--week", "2026-W07", "--offline")
    serve_pages(program, 3)
    program.run_ok("backfill", "blog")
    program.serve("/blog", rss(item("New", date="Tue, 17 Feb 2026 09:00:00 GMT"), item("Bread on a stone")))
    program.now = datetime(2026, 2, 23, 9, tzinfo=UTC)
    program.run_ok("fetch", "--force")
    assert program.titles("2026-W08") == ["New"]
    assert program.titles("2026-W07") == ["Bread on a stone"]


def start(program: CliRunner) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline", "--config", str(program.config), "backfill", "blog"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def interrupted(program: CliRunner, after: int, how: signal.Signals) -> int:
    """Run the command as a process, and end it after some pages were fetched."""
    with start(program) as process:
        while len(program.server.requests) < after and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(how)
        process.communicate(timeout=120)
        return process.returncode


@pytest.mark.slow
def test_an_interrupted_backfill_continues(program: CliRunner):
    """After SIGKILL and Ctrl-C all 237 entries are stored once, and hardly a page was fetched twice."""
    serve_pages(program, delay_seconds=0.01)
    assert interrupted(program, 30, signal.SIGKILL) == -signal.SIGKILL
    assert interrupted(program, 60, signal.SIGINT) == 130
    reached = len(program.server.requests)
    assert 60 <= reached < PAGES
    with start(program) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert b"79 archive pages, 237 older entries" in out
    counts = Counter(guids(program))
    assert len(counts) == 238
    assert set(counts.values()) == {1}
    asked = Counter(seen.path for seen in program.server.requests)
    assert max(asked.values()) <= 2
    assert sum(asked.values()) <= PAGES + 1 + 2


def test_a_repeated_page_is_the_end(program: CliRunner):
    """A server that ignores page numbers is asked for one page more, and never again."""
    for number in range(2, 10):
        program.serve(f"/blog?paged={number}", rss(item("Bread on a stone")))
    assert program.run_ok("backfill", "blog") == "blog: this feed has no archive\n"
    assert len(program.server.requests) == 2


def test_circular_links_are_the_end(program: CliRunner):
    """Links that lead in a circle are followed once."""
    other = program.server.url("/other", "localhost")
    link = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{}"/>'
    program.serve("/blog", rss(item("Bread on a stone"), more=link.format(other)))
    program.serve(
        "/other", rss(item("Old", date="Tue, 01 Jul 2025 09:00:00 GMT"), more=link.format(program.server.url("/blog")))
    )
    assert "1 archive page, 1 older entries" in program.run_ok("backfill", "blog")
    assert [seen.path for seen in program.server.requests] == ["/blog", "/other", "/blog"]


def test_links_to_older_documents_are_followed(program: CliRunner):
    """RFC 5005: prev-archive links are followed until a document has none; page numbers are not tried then."""
    link = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="prev-archive" href="/archive/{}"/>'
    program.serve("/blog", rss(item("Bread on a stone"), more=link.format(2025)))
    old = item("Old", date="Tue, 01 Jul 2025 09:00:00 GMT"), item("Older", date="Mon, 01 Jul 2024 09:00:00 GMT")
    program.serve("/archive/2025", rss(old[0], more=link.format(2024)))
    program.serve("/archive/2024", rss(old[1]))
    assert "2 archive pages, 2 older entries" in program.run_ok("backfill", "blog")
    assert [seen.path for seen in program.server.requests] == ["/blog", "/archive/2025", "/archive/2024"]


def test_an_error_stops_and_the_next_run_continues(program: CliRunner):
    """Exit code 3 with the page and what to do; the next run starts at that page."""
    serve_pages(program, 5)
    program.server.respond("/blog?paged=3", CannedResponse(status=500, body=b"no"), CannedResponse(body=page(3)))
    code, _, err = program.run("backfill", "blog")
    assert code == 3
    assert err.startswith("blog: page 3 answered 500")
    assert "run `pipeline backfill blog` again to continue" in err
    program.server.requests.clear()
    assert "4 archive pages, 12 older entries" in program.run_ok("backfill", "blog")
    assert [seen.path for seen in program.server.requests] == [f"/blog?paged={number}" for number in range(3, 7)]


def test_a_web_page_instead_of_a_feed_is_an_error(program: CliRunner):
    """A maintenance page with status 200 is not the end, or the entries behind it would be lost."""
    serve_pages(program, 3)
    program.server.respond("/blog?paged=3", CannedResponse(body=b"<!doctype html><html><body>Back soon</body></html>"))
    code, _, err = program.run("backfill", "blog")
    assert code == 3
    assert "a web page" in err


def test_retry_after_is_respected(program: CliRunner):
    """429 with Retry-After stops the backfill, and the ordinary fetch waits as well."""
    serve_pages(program, 3)
    program.server.respond("/blog?paged=2", CannedResponse(status=429, headers={"Retry-After": "3600"}, body=b""))
    assert program.run("backfill", "blog")[0] == 3
    program.server.requests.clear()
    assert "accepts no requests until" in program.run("fetch")[1] + program.run("backfill", "blog")[2]
    assert program.server.requests == []


def test_recent_entries_are_left_to_fetch(program: CliRunner):
    """An entry of this or the last week that only an archive page has is not stored as archive."""
    fresh = item("Fresh", date="Wed, 11 Feb 2026 09:00:00 GMT"), item("Last week", date="Tue, 03 Feb 2026 09:00:00 GMT")
    program.serve("/blog?paged=2", rss(*fresh, item("Old", date="Fri, 30 Jan 2026 09:00:00 GMT")))
    assert "1 older entries" in program.run_ok("backfill", "blog")
    assert guids(program) == ["bread-on-a-stone", "old"]


def test_undated_archive_belongs_to_no_week(program: CliRunner):
    """An undated entry of the archive is not new today."""
    undated = "<item><guid>u</guid><title>Undated</title><link>https://blog.example/u</link></item>"
    program.serve("/blog?paged=2", rss(undated))
    program.run_ok("backfill", "blog")
    assert "u" in guids(program)
    assert program.titles() == ["Bread on a stone"]


def test_a_complete_archive_is_not_read_again(program: CliRunner):
    """It reports its position without a request; --again reads everything once more and duplicates nothing."""
    serve_pages(program, 3)
    program.run_ok("backfill", "blog")
    program.server.requests.clear()
    assert "--again reads it once more" in program.run_ok("backfill", "blog")
    assert program.server.requests == []
    assert "2 archive pages, 0 older entries" in program.run_ok("backfill", "blog", "--again")
    assert len(guids(program)) == 7


def test_a_feed_that_was_never_fetched_is_refused(program: CliRunner):
    """The first fetch decides which entries are new and which are archive."""
    program.write_config(more='[[feeds]]\nid = "new"\nurl = "https://new.example/"\nkind = "blog"\n')
    code, _, err = program.run("backfill", "new")
    assert code == 4
    assert "run `pipeline fetch new` first" in err
    assert program.run("backfill", "blgo")[0] == 2


def test_headers_are_sent_to_the_host_of_the_feed_only(program: CliRunner, monkeypatch: pytest.MonkeyPatch):
    """A link to an older page on another host does not get the token of the feed."""
    monkeypatch.setenv("TOKEN", "t0ken")
    away = program.server.url("/away", "localhost")
    link = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{away}"/>'
    program.serve("/blog", rss(item("Bread on a stone"), more=link))
    program.serve("/away", rss(item("Old", date="Tue, 01 Jul 2025 09:00:00 GMT")))
    program.write_config('token_env = "TOKEN"\n')
    program.run_ok("backfill", "blog")
    sent: list[ReceivedRequest] = program.server.requests
    assert [("authorization" in seen.headers) for seen in sent] == [True, False]


def test_progress_output(program: CliRunner):
    """--verbose writes a line for each page; --quiet nothing at all."""
    serve_pages(program, 3)
    assert "2 pages, 3 older entries\n" in program.run_ok("--verbose", "backfill", "blog")
    assert program.run_ok("--quiet", "backfill", "blog", "--again") == ""
    assert json.loads(program.run_ok("status", "--json"))["feeds"][0]["count"]["entries"] == 7
