"""What is one story, and of which kind an entry is, from feeds on loopback to the digest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
ITUNES = b'<rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
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
    feed = rss(*items, title=name.title()).replace(b"<rss ", ITUNES)
    program.serve(f"/{name}", feed)
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


def test_episodes_without_a_media_type_are_heard_and_films_watched(program: CliRunner) -> None:
    """They stand in the podcast's section, with how long they take; a sound file in a blog leaves its post a post."""
    entries = (
        item("Oakum", more=enclosure("play/1", "") + "<itunes:duration>31:00</itunes:duration>"),
        item(
            "Tallow", more=enclosure("play/2?x=mp3", 'type="" length="0"') + "<itunes:duration>1,500</itunes:duration>"
        ),
        item("Lanterns", more=enclosure("3", 'type="video/mp4"')),
    )
    casts = add_podcast(program, "ropes", *entries)
    program.serve("/blog", rss(item("Read aloud", more=enclosure("aloud.mp3"))))
    program.write_config(more=casts)
    program.run_ok("fetch")
    sections = {story["title"]: story["section"] for story in program.manifest()["stories"]}
    assert sections == {"Read aloud": "posts", "Oakum": "episodes", "Tallow": "episodes", "Lanterns": "episodes"}
    text = (program.config.parent / "editions/2026-W07/digest.txt").read_text(encoding="utf-8")
    labels = re.findall(r"^(.*): https://blog.example/([a-z]\S+)", text, re.MULTILINE)
    assert {page: label for label, page in labels} == {
        "read-aloud": "Read the post",
        "oakum": "Listen to the episode (31 min)",
        "tallow": "Listen to the episode (25 min)",
        "lanterns": "Watch the episode",
    }


def test_a_protected_post_waits_for_the_editor(program: CliRunner) -> None:
    """It is left out with its reason and gives no subject; the editor may put it back."""
    form = "&lt;form class='post-password-form' method='post'&gt;Geheim?&lt;/form&gt;"
    protected = item("Beschlüsse").replace("Beschlüsse: a few words.", form)
    program.serve("/blog", rss(protected, item("Open to all")))
    program.run_ok("fetch")
    manifest = program.manifest()
    assert (manifest["subject"], program.titles()) == ("Open to all", ["Open to all"])
    assert [entry["reason"] for entry in manifest["left_out"]] == [
        "left out: it needs a password, which subscribers do not have"
    ]
    file = program.config.parent / "editions" / "2026-W07.md"
    text = file.read_text(encoding="utf-8")
    put_back = re.sub(r"^# put_back = .*", 'put_back = ["blog beschlüsse"]', text, flags=re.MULTILINE)
    file.write_text(put_back, encoding="utf-8")
    assert sorted(program.titles()) == ["Beschlüsse", "Open to all"]


def enclosure(path: str, attributes: str = 'type="audio/mpeg" length="1"') -> str:
    return f'<enclosure url="https://pod.example/{path}" {attributes}/>'


def test_people_and_numbers_are_read_from_titles(program: CliRunner) -> None:
    """Guests are named, all of them; accounts and places are nobody, and the number of an episode leaves its title."""
    author = "<author>jsmith42@wool.example (jsmith42)</author>"
    program.serve("/blog", rss(item("Winter wool", more=author), item("NW London Special", more=author)))
    cast = add_podcast(
        program,
        "spindle",
        item("Ep. 866 - Carding (with Ida Brandt and Per Holm)", more=enclosure("1.mp3")),
        item("S4E14 - Alkanet (the plant) and Weld (the dye)", more=enclosure("2.mp3")),
    )
    program.write_config(more=cast)
    program.run_ok("fetch")
    titles = [story["title"] for story in program.manifest()["stories"]]
    text = (program.config.parent / "editions/2026-W07/digest.txt").read_text()
    assert sorted(titles) == ["Alkanet (the plant) and Weld (the dye)", "Carding", "NW London Special", "Winter wool"]
    assert re.search(r"^Carding\n[-=]+\nListen · Spindle · with Ida Brandt and Per Holm$", text, re.MULTILINE)
    assert "jsmith" not in text
    assert text.count(" · with ") == 1
