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


def _post(title: str, html: str) -> str:
    content = (
        f"<content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'>{escape(html)}</content:encoded>"
    )
    return item(title, more=content).replace(f"<description>{title}: a few words.</description>", "")


def test_meaning_survives_from_feed_to_newsletter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exponents, struck-out text and definitions are right in HTML and in text, without marks of Markdown."""
    _, html, text = _digest(
        tmp_path,
        capsys,
        _post(
            "Grains", "<p>A grain has 10<sup>-7</sup> kg, and 3<sup>n</sup> of them have 4 × 10<sup>12</sup> edges.</p>"
        ),
        _post("A fare", "<p>The ferry costs <del>7</del> <ins>9</ins> crowns, never <s>11</s>. Board early.</p>"),
        _post("Flours", "<dl><dt>Rye</dt><dd>Dark and sour.</dd><dt>Oats</dt><dd>Pale and soft.</dd></dl>"),
    )
    text = " ".join(text.split())
    for shown in ("10⁻⁷ kg", "3ⁿ of them", "10¹² edges"):
        assert shown in html
        assert shown in text
    assert "<s>7</s> 9 crowns" in html
    assert "costs 9 crowns" in text
    assert "Rye: Dark and sour." in text
    assert "~~" not in html + text
