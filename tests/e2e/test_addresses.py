"""Addresses in feeds and lists of feeds, as `pipeline fetch` and `pipeline feeds import` read them."""

from __future__ import annotations

import json
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback


def atom(*numbers: int) -> bytes:
    """Return an Atom feed with relative addresses and a base on each text."""
    entries = "".join(
        f"<entry><id>{number}</id><title>Post {number}</title><link href='/posts/{number}'/>"
        f"<published>2026-02-10T09:0{number}:00Z</published><content type='html' xml:base='/text/{number}/'>"
        "&lt;p>A &lt;a href='map'>map&lt;/a> of it.&lt;/p></content></entry>"
        for number in numbers
    )
    head = "<title>Fish</title><link href='https://fish.example/'/>"
    return f"<feed xmlns='http://www.w3.org/2005/Atom'>{head}{entries}</feed>".encode()


def stored(database: Path) -> dict[str, tuple[str, str]]:
    """Return the page and the fingerprint of each stored entry."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT guid, url_key, fingerprint FROM entry").fetchall()
    return {guid: (page, fingerprint) for guid, page, fingerprint in rows}


def test_addresses_of_every_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A later read resolves new entries, and one with a newer program corrects what was stored without addresses."""
    with HttpServer() as server:
        program = CliRunner(tmp_path, server, capsys)
        for numbers in ((1,), (2, 1)):
            program.serve("/blog", atom(*numbers))
            program.run_ok("fetch", "--force")
        (database,) = tmp_path.rglob("*.db")
        wanted = stored(database)
        assert {page for page, _ in wanted.values()} == {"fish.example/posts/1", "fish.example/posts/2"}
        with closing(sqlite3.connect(database)) as connection, connection:
            (text,) = connection.execute("SELECT channel FROM feed").fetchone()
            older = json.dumps({**json.loads(text), "head_hash": "0123", "url": "/"})
            connection.execute("UPDATE feed SET channel = ?", (older,))
            connection.execute("UPDATE entry SET url_key = '', fingerprint = 'x', raw_hash = 'older'")
        program.run_ok("fetch", "--force")
        assert stored(database) == wanted
        html = program.manifest() and (tmp_path / "editions" / "2026-W07" / "digest.html").read_text(encoding="utf-8")
        assert 'href="https://fish.example/posts/1"' in html


def test_list_without_escapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An ampersand is part of the address, and an address that cannot be read is named as left out."""
    outlines = (
        '<outline text="Nets & Oars" xmlUrl="https://fish.example/feed?tag=2&order=new&lang=de"/>'
        '<outline text="Old" xmlUrl="feed://old.example/f"/><outline text="Lost" xmlUrl=https://lost.example/f />'
    )
    file = tmp_path / "mine.opml"
    file.write_text(f'<opml version="1.0"><head/><body>{outlines}</body></opml>', encoding="utf-8")
    with HttpServer() as server:
        program = CliRunner(tmp_path, server, capsys)
        out = program.run_ok("feeds", "import", str(file))
        assert "https://lost.example/f is damaged in the file" in out
        feeds = tomllib.loads(program.config.read_text(encoding="utf-8"))["feeds"][1:]
    assert [feed["url"] for feed in feeds] == [
        "https://fish.example/feed?tag=2&order=new&lang=de",
        "http://old.example/f",
    ]
