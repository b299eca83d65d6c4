"""Run commands on a publication: config.toml in a folder, feeds on a local server, a fixed clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from tests.empty_store import empty_store
from tests.http_server import CannedResponse, HttpServer

NOW = datetime(2026, 2, 12, 12, tzinfo=UTC)
"""Thursday of 2026-W07: the week is open, so its digest closes nothing."""
PUBLICATION = """\
[publication]
name = "Harbour & Hearth"
url = "https://blog.example/"
sender = "Harbour & Hearth <letter@blog.example>"

# What is read.

"""
REST = """
# How it is fetched: from this machine alone.
[fetch]
allow_private_networks = true
timeout_seconds = 60
"""


def item(title: str, *, date: str = "Tue, 10 Feb 2026 09:00:00 GMT", link: str = "", more: str = "") -> str:
    """Return an RSS item with an excerpt."""
    slug = title.lower().replace(" ", "-")
    return (
        f"<item><guid>{slug}</guid><title>{title}</title><link>{link or 'https://blog.example/' + slug}</link>"
        f"<pubDate>{date}</pubDate><description>{title}: a few words.</description>{more}</item>"
    )


def rss(*items: str, title: str = "Harbour &amp; Hearth", more: str = "") -> bytes:
    """Return an RSS document."""
    head = f"<title>{title}</title><link>https://blog.example/</link>{more}"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'.encode()


class CliRunner:
    """A publication with the feed ``blog``, and its command line."""

    def __init__(self, folder: Path, server: HttpServer, capsys: pytest.CaptureFixture[str]) -> None:
        self.config, self.server, self._capsys = folder / "config.toml", server, capsys
        self.now = NOW
        empty_store(folder)
        self.serve("/blog", rss(item("Bread on a stone")))
        self.write_config()

    def write_config(self, blog: str = "", more: str = "") -> None:
        """Write config.toml with lines for the blog's table, and tables after it."""
        url = self.server.url("/blog")
        table = f'[[feeds]]\nid = "blog"\nurl = "{url}"\nkind = "blog"\n{blog}'
        self.config.write_text(PUBLICATION + table + more + REST, encoding="utf-8")

    def serve(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Serve a document at a path."""
        self.server.respond(
            path, CannedResponse(body=body, headers=dict(headers or {"Content-Type": "application/rss+xml"}))
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command and return its exit code, stdout and stderr."""
        code = main(["--config", str(self.config), *words], clock=lambda: self.now)
        return code, *self._capsys.readouterr()

    def run_ok(self, *words: str) -> str:
        """Run a command that must succeed without output on stderr; return stdout."""
        code, out, err = self.run(*words)
        assert (code, err) == (0, "")
        return out

    def manifest(self, week: str = "2026-W07") -> dict[str, Any]:
        """Write a week's digest and return its manifest."""
        self.run_ok("digest", "--week", week, "--offline")
        found: dict[str, Any] = json.loads((self.config.parent / "editions" / week / "manifest.json").read_bytes())
        return found

    def titles(self, week: str = "2026-W07") -> list[str]:
        """Write a week's digest and return the titles of its stories."""
        return [story["title"] for story in self.manifest(week)["stories"]]
