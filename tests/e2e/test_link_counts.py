"""Clicks on the links of an edition, from the message to the numbers, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from pipeline.web.public.server import serve_public
from tests.background_server import free_port
from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer
from tests.mail.validators import ParsedMarkup

pytestmark = pytest.mark.loopback
WEEK = "2026-W07"
CONFIG = """
[public]
url = "http://127.0.0.1:{port}"
listen = "127.0.0.1:{port}"

[delivery]
backend = "maildir"
count_links = true
"""
SALT = "https://blog.example/salt-from-the-sea"
SCANNER = {"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0"}
READER = {"user-agent": "Mozilla/5.0 (Macintosh) Version/26.0 Safari/605.1.15"}


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    """A publication that counts clicks, with two subscribers and an edition of two stories."""
    with HttpServer() as web:
        runner = CliRunner(tmp_path, web, capsys)
        runner.write_config(more=CONFIG.format(port=free_port()))
        runner.serve("/blog", rss(item("Bread on a stone"), item("Salt from the sea")))
        for name in ("ada", "ben"):
            runner.run_ok("subscribers", "add", f"{name}@quay.example", "--basis", "consent")
        runner.run("fetch")
        runner.now = datetime(2026, 2, 16, 9, tzinfo=UTC)
        runner.run_ok("digest", WEEK, "--offline")
        runner.run_ok("approve", WEEK, "--offline")
        yield runner


def copies(program: CliRunner) -> list[EmailMessage]:
    """Return the messages that were sent."""
    files = sorted((program.config.parent / "maildir").glob("*/*"))
    parsed = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [message for message in parsed if isinstance(message, EmailMessage)]


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part
    return str(part.get_content())


def links(program: CliRunner) -> dict[str, int]:
    """Return the clicks by title, as JSON says."""
    rows = json.loads(program.run_ok("deliveries", WEEK, "--links", "--json"))
    return {row["title"]: row["clicks"] for row in rows if row["title"]}


def test_people_are_counted_and_scanners_are_not(program: CliRunner) -> None:
    """A scanner follows every link of both messages, a person one; what a person gets is theirs alone in nothing."""
    program.run_ok("send", WEEK)
    sent = copies(program)
    htmls = [body(message, "html") for message in sent]
    counted = [{url for url in ParsedMarkup(html).hrefs if "/to/" in url} for html in htmls]
    assert counted[0] == counted[1]
    assert not any("/to/" in body(message, "plain") for message in sent)
    with serve_public(program.config, lambda: program.now), httpx.Client(headers=SCANNER) as scanner:
        for url in ParsedMarkup(htmls[0]).hrefs:
            if url.startswith("http://127.0.0.1"):
                assert scanner.get(url).status_code in (200, 302), url
        program.now += timedelta(minutes=1)
        (salt,) = (url for url in counted[1] if scanner.head(url).headers["location"] == SALT)
        assert httpx.get(salt, headers=READER).headers["location"] == SALT
        assert not scanner.cookies
    assert links(program) == {"Bread on a stone": 0, "Salt from the sea": 0}
    program.now += timedelta(minutes=11)
    program.run_ok("tick")
    assert links(program) == {"Bread on a stone": 0, "Salt from the sea": 1}
    shown = program.run_ok("deliveries", WEEK, "--links")
    assert shown.splitlines()[1].split() == ["1", *["Salt", "from", "the", "sea"], SALT]
    assert f"{WEEK}: 1 click on " in shown
    assert "2 of 2 deliveries sent" in shown
    assert "1 click on its links: --links lists them" in program.run_ok("deliveries", WEEK)


def test_an_edition_without_counted_links_says_so(program: CliRunner) -> None:
    """The setting counts when an edition is sealed."""
    program.write_config(more=CONFIG.format(port=free_port()).replace("count_links = true", ""))
    program.run_ok("approve", WEEK, "--offline")
    program.run_ok("send", WEEK)
    assert not any("/to/" in body(message, "html") for message in copies(program))
    assert "are not counted" in program.run_ok("deliveries", WEEK, "--links")
