"""Documents that once made a run hang: their time grows in proportion to their length."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.digest.editor.parse import parse
from pipeline.ingest.chapters import read_transcript
from pipeline.ingest.dedupe import fingerprint
from pipeline.ingest.parse.parser import parse_feed
from pipeline.model.errors import EditorFileError
from pipeline.text.html_repair import repair_markup
from pipeline.text.sentences import sentence_ends
from tests.factories import entry
from tests.growth import assert_linear

RSS = (
    "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><title>x</title>"
    "<item><guid>1</guid>{}</item></channel></rss>"
)

KNOWN: dict[str, Callable[[int], object]] = {
    "a transcript of empty lines": lambda length: read_transcript(b">" + b"\n" * length),
    "a table of numbers": lambda length: fingerprint(entry(body_html="12," * (length // 3) + "x likes")),
    "keywords": lambda length: _feed(_keywords(length)),
    "keywords beside what only feedparser reads": lambda length: _feed("<x/>" + _keywords(length)),
    "keywords in a broken feed": lambda length: _feed("</x>" + _keywords(length)),
    "stops": lambda length: list(sentence_ends("." * length + "x")),
    "blanks in an escaped paragraph": lambda length: repair_markup("<p>" + "\n" * length + "<(&lt;br /&gt;"),
}
"""What once took time that grew with the square of the text, or worse."""


def _feed(fields: str) -> object:
    return parse_feed(RSS.format(fields).encode())


def _keywords(length: int) -> str:
    return f"<itunes:keywords>{','.join(map(str, range(length // 5)))}</itunes:keywords>"


@pytest.mark.parametrize("name", KNOWN)
def test_what_once_hung_takes_linear_time(name: str) -> None:
    """Sixteen times the text takes at most forty times as long."""
    KNOWN[name](10)  # imports and caches
    assert_linear(KNOWN[name], 2_000)


@pytest.mark.parametrize("piece", ["[", "[1,", "{a="])
def test_nested_settings_are_an_error(piece: str) -> None:
    """The editor's file is refused with its name and line, however deeply its settings are nested."""
    with pytest.raises(EditorFileError, match=r"w\.md"):
        parse(f"+++\norder = {piece * 5_000}\n+++\n", "w.md", [])
