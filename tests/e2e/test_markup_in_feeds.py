"""Markup and text in feeds, from the document to the newsletter."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback


def _digest(tmp_path: Path, capsys: pytest.CaptureFixture[str], *items: str) -> tuple[Any, str, str]:
    """Return the manifest, the HTML and the text of a week with the given RSS items."""
    with HttpServer() as server:
        program = CliRunner(tmp_path, server, capsys)
        program.serve("/blog", rss(*items))
        program.run_ok("fetch")
        program.run_ok("digest", "--week", "2026-W07", "--offline")
    folder = tmp_path / "editions" / "2026-W07"
    html, text = ((folder / f"digest.{kind}").read_text(encoding="utf-8") for kind in ("html", "txt"))
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8")), html, text


def test_titles_that_speak_of_tags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They reach the newsletter as written, escaped in its HTML."""
    titles = {
        "Meet the &amp;lt;dialog&amp;gt; element": "Meet the <dialog> element",
        "List&lt;Button&gt; or Set&lt;Label&gt;": "List<Button> or Set<Label>",
        "y[b[2]]&gt; z": "y[b[2]]> z",
        "An &lt;em&gt;old&lt;/em&gt; net": "An old net",
    }
    items = [item(title, link=f"https://blog.example/{number}") for number, title in enumerate(titles)]
    manifest, html, text = _digest(tmp_path, capsys, *items)
    assert {story["title"] for story in manifest["stories"]} == set(titles.values())
    for title in titles.values():
        assert title in text.replace("\n", " ")
        assert escape(title, quote=False) in html
