"""What a feed may do between two fetches: change its URL, move elsewhere, or arrive damaged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli_runner import NOW, CliRunner, item, rss
from tests.http_server import HttpServer, redirect

pytestmark = pytest.mark.loopback
LAST_WEEK = "Thu, 05 Feb 2026 09:00:00 GMT"


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    """A feed of two posts that was fetched once."""
    with HttpServer() as server:
        runner = CliRunner(tmp_path, server, capsys)
        runner.serve("/blog", rss(item("Salt"), item("Bread")))
        runner.run_ok("fetch")
        yield runner


def test_news_at_a_new_url_is_news(cli: CliRunner) -> None:
    """Only a feed that was never read is archive; an older post that is seen for the first time is late."""
    cli.serve("/new", rss(item("Salt"), item("Bread"), item("Rope", date=LAST_WEEK)))
    cli.config.write_text(cli.config.read_text().replace("/blog", "/new"))
    cli.now += timedelta(hours=2)
    cli.run_ok("fetch")
    assert sorted(cli.titles()) == ["Bread", "Rope", "Salt"]


def test_a_redirect_to_another_feed_is_not_followed(cli: CliRunner) -> None:
    """A parked domain: however often it is seen, its entries stay in quarantine and the configured URL is requested."""
    cli.server.respond("/blog", redirect("/parked", 301))
    for day in range(1, 6):
        cli.serve("/parked", rss(*(item(f"Win a prize {n}") for n in range(day))))
        cli.now += timedelta(days=1)
        _, out, _ = cli.run("fetch")
        assert f"it redirects to {cli.server.url('/parked')}, another feed" in out
    assert [seen.path for seen in cli.server.requests][-2:] == ["/blog", "/parked"]
    assert sorted(cli.titles()) == ["Bread", "Salt"]
    assert "come from another feed: `pipeline feeds accept blog`" in cli.run("status")[1]


def test_a_damaged_document_changes_no_post(cli: CliRunner) -> None:
    """The post that is cut in half keeps its text, and the posts behind the damage stay in the digest."""
    cli.serve(
        "/blog",
        rss(item("Salt"), item("Bread"), item("Rope")).partition(b"a few words.</description></item><item><guid>rope")[
            0
        ],
    )
    cli.now = NOW + timedelta(hours=2)
    cli.run("fetch")
    assert sorted(cli.titles()) == ["Bread", "Salt"]
    assert "Bread: a few words." in (cli.config.parent / "editions/2026-W07/digest.txt").read_text()


def test_another_feed_stays_in_quarantine_behind_any_redirect(cli: CliRunner) -> None:
    """A parked domain may redirect to another URL each time; its quarantined entries do not vouch for later ones."""
    for day in range(1, 4):
        cli.server.respond("/blog", redirect(f"/parked{day}", 301))
        cli.serve(f"/parked{day}", rss(*(item(f"Win a prize {n}") for n in range(day))))
        cli.now += timedelta(days=1)
        cli.run("fetch")
    assert sorted(cli.titles()) == ["Bread", "Salt"]


def test_an_accepted_redirect_is_followed(cli: CliRunner) -> None:
    """Once the editor has accepted its entries, the feed behind the redirect is the feed."""
    cli.server.respond("/blog", redirect("/new", 301))
    for day in range(1, 6):
        cli.serve("/new", rss(*(item(f"Rope {n}") for n in range(day))))
        cli.now += timedelta(days=1)
        cli.run_ok("fetch")
        if day == 1:
            cli.run_ok("feeds", "accept", "blog")
    assert sorted(cli.titles()) == ["Bread", *(f"Rope {n}" for n in range(5)), "Salt"]
    assert [seen.path for seen in cli.server.requests][-2:] == ["/new", "/new"], "the new address is requested itself"
