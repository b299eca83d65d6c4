"""What is one story, and of which kind an entry is, from feeds on loopback to the digest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
TUESDAYS = ("Tue, 13 Jan 2026 09:00:00 GMT", "Tue, 20 Jan 2026 09:00:00 GMT", "Tue, 10 Feb 2026 09:00:00 GMT")
IMPRINT = (
    "A programme of Saltmarsh Sound, made in an old boathouse with the windows open. All our programmes are on our "
    "page, where you can write to us, support us and find the music. Engineer: Wren Halloran."
)


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        yield CliRunner(tmp_path, server, capsys)


def add_podcast(program: CliRunner, name: str, *items: str) -> str:
    """Serve a podcast and return its table for config.toml."""
    program.serve(f"/{name}", rss(*items, title=name.title()))
    return f'\n[[feeds]]\nid = "{name}"\nurl = "{program.server.url(f"/{name}")}"\nkind = "podcast"\n'


def test_shared_closing_paragraph_keeps_three_stories(program: CliRunner) -> None:
    """Entries whose feeds repeat one paragraph stay apart, each with its own file, though the others are weeks old."""

    def entries(show: str, *titles: str, opening: str = "") -> list[str]:
        described = zip(titles, TUESDAYS, (opening + IMPRINT,) * 3, strict=True)
        return [
            item(title, date=date, more=enclosure(f"{show}/{title}.mp3") if show else "").replace(
                f"{title}: a few words.", text
            )
            for title, date, text in described
        ]

    program.serve("/blog", rss(*entries("", "Jam", "Soup", "Larch for shelves", opening="Try it. ")))
    casts = add_podcast(program, "ropes", *entries("ropes", "Tar", "Hemp", "Splicing"))
    casts += add_podcast(program, "skies", *entries("skies", "Hail", "Fog", "Mornings"))
    program.write_config(more=casts)
    program.run_ok("fetch")
    stories = program.manifest()["stories"]
    files = {story["title"]: [entry["enclosure_url"] for entry in story["entries"]] for story in stories}
    assert files == {
        "Larch for shelves": [None],
        "Splicing": ["https://pod.example/ropes/Splicing.mp3"],
        "Mornings": ["https://pod.example/skies/Mornings.mp3"],
    }


def enclosure(path: str, attributes: str = 'type="audio/mpeg" length="1"') -> str:
    return f'<enclosure url="https://pod.example/{path}" {attributes}/>'
