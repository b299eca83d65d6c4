"""Related and older entries in a digest, episode details, and thin weeks, on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import CannedResponse, HttpServer

pytestmark = pytest.mark.loopback
MONDAY = datetime(2026, 2, 16, 9, tzinfo=UTC)
KILN = "driftwood ash glaze kiln firing clay potter"


def old(title: str, words: str, date: str = "Tue, 04 Nov 2025 09:00:00 GMT") -> str:
    return item(title, date=date).replace("a few words.", f"{words}.")


WEEK = [
    old("The slow kiln", KILN, "Tue, 10 Feb 2026 09:00:00 GMT"),
    old("Bread on a stone", "flour water oven", "Wed, 11 Feb 2026 09:00:00 GMT"),
]
ARCHIVE = [
    old("What the potter kept", f"{KILN} broken bowls", "Tue, 02 Sep 2025 09:00:00 GMT"),
    old("Hens in winter", "coop eggs straw", "Tue, 07 Oct 2025 09:00:00 GMT"),
    old("A letter to the lighthouse", "lamp storm keeper"),
    old("A year ago, marmalade", "oranges sugar jars", "Tue, 11 Feb 2025 09:00:00 GMT"),
]


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        found = CliRunner(tmp_path, server, capsys)
        found.config.write_text(found.config.read_text() + "host_gap_seconds = 0\n")
        found.now = MONDAY
        yield found


def fetched(program: CliRunner, *items: str) -> CliRunner:
    program.serve("/blog", rss(*items))
    program.run_ok("fetch", "--force")
    return program


def setting(program: CliRunner, line: str) -> None:
    program.config.write_text(program.config.read_text() + f"[digest]\n{line}\n")


def text(program: CliRunner, week: str = "2026-W07") -> str:
    program.run_ok("digest", "--week", week, "--offline")
    return (program.config.parent / "editions" / week / "digest.txt").read_text()


def archive(program: CliRunner, week: str = "2026-W07") -> list[str]:
    return [story["title"] for story in program.manifest(week)["archive"]]


def test_a_story_links_to_related_entries(program: CliRunner):
    """The potter's post is under the kiln's, with its URL; nothing is under the bread."""
    found = text(fetched(program, *WEEK, *ARCHIVE))
    bread, _, kiln = found.partition("The slow kiln\n---")
    assert "What the potter kept" in kiln
    assert "https://blog.example/what-the-potter-kept" in kiln
    assert "Hens in winter" not in found
    assert "What the potter kept" not in bread


def test_an_older_story_is_shown_once(program: CliRunner):
    """Where it fits best: under the most similar story, not under the other, and not again as a year ago."""
    again = old("A kiln in the rain", "kiln glaze clay rain umbrella tent", "Wed, 11 Feb 2026 09:00:00 GMT")
    potter = old("What the potter kept", f"{KILN} broken bowls", "Tue, 11 Feb 2025 09:00:00 GMT")
    fetched(program, WEEK[0], again, potter, *ARCHIVE[1:3])
    assert related(program) == [[], ["What the potter kept"]]
    assert archive(program) == []


def test_a_closed_week_keeps_its_related_entries(program: CliRunner):
    """An older entry that is backfilled after the digest was written changes no byte of it."""
    before = text(fetched(program, *WEEK, *ARCHIVE))
    program.serve("/blog?paged=2", rss(old("Kiln after kiln", f"{KILN} {KILN}", "Tue, 03 Jun 2025 09:00:00 GMT")))
    program.now = datetime(2026, 2, 16, 10, tzinfo=UTC)
    program.run_ok("backfill", "blog")
    assert text(program) == before
    fresh = old("One more kiln", KILN, "Tue, 17 Feb 2026 09:00:00 GMT")
    program.now = datetime(2026, 2, 23, 9, tzinfo=UTC)
    fetched(program, fresh, *WEEK, *ARCHIVE)
    assert "Kiln after kiln" in text(program, "2026-W08")


def test_an_entry_of_a_year_ago_is_shown(program: CliRunner):
    """It is marked as such, is no story of the edition, and stays published where it was."""
    found = text(fetched(program, *WEEK, *ARCHIVE))
    assert "THIS WEEK A YEAR AGO" in found
    assert "A year ago, marmalade" in found
    manifest = program.manifest()
    assert archive(program) == ["A year ago, marmalade"]
    assert "A year ago, marmalade" not in [story["title"] for story in manifest["stories"]]
    ledger = program.run_ok("digest", "--week", "2026-W07", "--offline", "--explain")
    (line,) = [line for line in ledger.splitlines() if "marmalade" in line]
    assert line.startswith("out")
    assert program.titles("2025-W07") == ["A year ago, marmalade"]


def test_a_thin_week_is_filled_with_older_entries(program: CliRunner):
    """Related ones come first, and no title appears twice."""
    fetched(program, WEEK[0], *ARCHIVE)
    assert archive(program) == ["A year ago, marmalade", "What the potter kept", "A letter to the lighthouse"]
    found = text(program)
    assert "FROM THE ARCHIVE" in found
    assert found.count("\nWhat the potter kept") == 1
    assert program.titles() == ["The slow kiln"]


def test_a_week_of_links_alone_is_filled_with_older_entries(program: CliRunner):
    """Without the links it is empty, and is not filled."""
    fetched(program, *ARCHIVE)
    program.write_config(
        more=f'[[feeds]]\nid = "links"\nurl = "{program.server.url("/links", "localhost")}"\nkind = "links"\n'
    )
    program.config.write_text(program.config.read_text() + "host_gap_seconds = 0\n")
    program.serve("/links", rss(old("Tide tables", "a map", "Tue, 10 Feb 2026 09:00:00 GMT")))
    program.run_ok("fetch", "--force")
    assert archive(program) == ["A year ago, marmalade", "A letter to the lighthouse", "Hens in winter"]
    assert program.titles() == ["Tide tables"]


def test_an_empty_week_is_not_filled(program: CliRunner):
    """There is no newsletter without anything new."""
    code, _, err = fetched(program, *ARCHIVE).run("digest", "--week", "2026-W07", "--offline")
    assert code == 4
    assert "has no entries" in err


def test_a_full_week_is_not_filled(program: CliRunner):
    """With min_entries = 1 one story is enough."""
    setting(program, "min_entries = 1")
    assert archive(fetched(program, WEEK[0], *ARCHIVE)) == ["A year ago, marmalade"]


def test_a_thin_week_can_be_skipped(program: CliRunner):
    """thin_week = "skip": exit 4 with the reason; the next week has the stories of both, each once."""
    setting(program, 'thin_week = "skip"')
    fetched(program, WEEK[0])
    code, _, err = program.run("digest", "--week", "2026-W07", "--offline")
    assert code == 4
    assert "fewer than 2 stories" in err
    assert "carry over to the next digest" in err
    program.now = datetime(2026, 2, 23, 9, tzinfo=UTC)
    fetched(program, old("Next", "words", "Tue, 17 Feb 2026 09:00:00 GMT"), WEEK[0])
    assert program.titles("2026-W08") == ["The slow kiln", "Next"]
    assert program.run("digest", "--week", "2026-W07", "--offline")[0] == 4


def test_a_thin_week_that_has_not_closed_keeps_its_entries(program: CliRunner):
    """Later entries may fill it."""
    setting(program, 'thin_week = "skip"')
    program.now = datetime(2026, 2, 12, tzinfo=UTC)
    assert fetched(program, WEEK[0]).run("digest", "--week", "current", "--offline")[0] == 4
    program.now = MONDAY
    assert fetched(program, *WEEK).titles() == ["Bread on a stone", "The slow kiln"]


def test_the_editor_can_publish_a_thin_week(program: CliRunner):
    """An entry that is put back says that there is enough."""
    setting(program, 'thin_week = "skip"')
    fetched(program, WEEK[0])
    folder = program.config.parent / "editions"
    folder.mkdir()
    (folder / "2026-W07.md").write_text('+++\nput_back = ["blog the-slow-kiln"]\n+++\n')
    assert program.titles() == ["The slow kiln"]


def ask(program: CliRunner, front: str) -> None:
    folder = program.config.parent / "editions"
    folder.mkdir(exist_ok=True)
    (folder / "2026-W07.md").write_text(f"+++\n{front}\n+++\n")


def related(program: CliRunner) -> list[list[str]]:
    return [[piece["title"] for piece in story["related"]] for story in program.manifest()["stories"]]


def test_the_editor_can_leave_out_older_entries(program: CliRunner):
    """By the references in a new file, for related entries and for a year ago; the stories stay."""
    fetched(program, *WEEK, *ARCHIVE)
    assert related(program) == [[], ["What the potter kept"]]
    listed = (program.config.parent / "editions/2026-W07.md").read_text().partition("# Older entries it links to")[2]
    names = [line.split('"')[1] for line in listed.splitlines() if "potter" in line or "marmalade" in line]
    ask(program, f"leave_out = {json.dumps(names)}")
    found = text(program)
    assert "What the potter kept" not in found
    assert "marmalade" not in found
    assert program.titles() == ["Bread on a stone", "The slow kiln"]


def test_the_editor_chooses_related_entries(program: CliRunner):
    """These in their order, or none; they are sealed, so a rebuild gives the same bytes."""
    fetched(program, *WEEK, *ARCHIVE)
    text(program)
    pieces = '["blog a-letter-to-the-lighthouse", "blog what-the-potter-kept"]'
    ask(program, f'[related]\n"blog the-slow-kiln" = []\n"blog bread-on-a-stone" = {pieces}')
    assert related(program) == [["A letter to the lighthouse", "What the potter kept"], []]
    program.run_ok("approve", "2026-W07")
    ask(program, "")
    assert "the same" in program.run_ok("digest", "--week", "2026-W07", "--rebuild")


def test_chosen_related_entries_stay_under_their_story(program: CliRunner):
    """A thin week is not filled with them a second time."""
    fetched(program, WEEK[0], *ARCHIVE)
    ask(program, '[related]\n"blog the-slow-kiln" = ["blog hens-in-winter"]')
    assert related(program) == [["Hens in winter"]]
    assert archive(program) == ["A year ago, marmalade", "A letter to the lighthouse", "What the potter kept"]


EPISODE = """<item><guid>ep-14</guid><title>The slow kiln</title><link>https://pod.example/14</link>
<pubDate>Tue, 10 Feb 2026 09:00:00 GMT</pubDate><description>A night at the kiln.</description>
<enclosure url="https://pod.example/14.mp3" type="audio/mpeg" length="1"/>{more}</item>"""
PODCAST_NS = 'xmlns:podcast="https://podcastindex.org/namespace/1.0"'
CHAPTERS = {
    "version": "1.2.0",
    "chapters": [{"startTime": 0, "title": "Intro"}, {"startTime": 60, "title": "Driftwood"}],
}
TRANSCRIPT = (
    b"WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ada>The door is open.\n\n00:04.000 --> 00:09.000\n<v Ada>Come in.\n"
)


def episode(program: CliRunner, tag: str) -> None:
    body = rss(EPISODE.format(more=f"<podcast:{tag}/>")).replace(b"<rss ", f"<rss {PODCAST_NS} ".encode())
    program.serve("/pod", body)
    url = program.server.url("/pod", "localhost")
    program.write_config(more=f'[[feeds]]\nid = "podcast"\nurl = "{url}"\nkind = "podcast"\n')
    program.config.write_text(program.config.read_text() + "host_gap_seconds = 0\n")
    program.run_ok("fetch", "--force")


def digest(program: CliRunner, *words: str) -> str:
    program.run_ok("digest", "--week", "2026-W07", *words)
    return (program.config.parent / "editions/2026-W07/digest.txt").read_text()


def test_an_episode_has_its_chapter_titles(program: CliRunner):
    """The chapters file is fetched once, with the digest; intro and outro are left out."""
    url = program.server.url("/chapters.json")
    program.server.respond("/chapters.json", CannedResponse(body=json.dumps(CHAPTERS).encode()))
    episode(program, f'chapters url="{url}" type="application/json+chapters"')
    assert program.server.requests_for("/chapters.json") == []
    first = digest(program)
    assert "In this episode\n- 1:00 Driftwood\n" in first
    assert digest(program) == first
    assert len(program.server.requests_for("/chapters.json")) == 1


def test_a_transcripts_opening_replaces_missing_chapters(program: CliRunner):
    """Without times and names of speakers."""
    program.server.respond("/t.vtt", CannedResponse(body=TRANSCRIPT, headers={"Content-Type": "text/vtt"}))
    episode(program, f'transcript url="{program.server.url("/t.vtt")}" type="text/vtt"')
    assert "The door is open. Come in." in digest(program)


def test_a_sentence_of_a_transcript_can_be_quoted(program: CliRunner):
    """The editor's file offers it as a note, word for word; without its # it is a quotation in the newsletter."""
    said = "A village that feeds its strangers never runs out of soup."
    body = TRANSCRIPT + f"\n00:10.000 --> 00:19.000\n<v Ada>{said} So there.\n".encode()
    program.server.respond("/t.vtt", CannedResponse(body=body, headers={"Content-Type": "text/vtt"}))
    episode(program, f'transcript url="{program.server.url("/t.vtt")}" type="text/vtt"')
    assert said not in digest(program)
    file = program.config.parent / "editions/2026-W07.md"
    line = f'#   "podcast ep-14" = "> {said}"'
    assert line in file.read_text()
    file.write_text(file.read_text().replace(line, line[1:]))
    assert f"\n> {said}\n" in digest(program)


def test_offline_fetches_no_episode_details(program: CliRunner):
    """--offline builds the digest from what is stored."""
    program.server.respond("/chapters.json", CannedResponse(body=json.dumps(CHAPTERS).encode()))
    episode(program, f'chapters url="{program.server.url("/chapters.json")}" type="application/json+chapters"')
    assert "In this episode" not in digest(program, "--offline")
    assert program.server.requests_for("/chapters.json") == []


def test_missing_chapters_are_no_error(program: CliRunner):
    """The digest has no gap, the exit code is 0, and a digest an hour later tries again."""
    episode(program, f'chapters url="{program.server.url("/chapters.json")}" type="application/json+chapters"')
    assert "In this episode" not in digest(program)
    program.server.respond("/chapters.json", CannedResponse(body=json.dumps(CHAPTERS).encode()))
    program.now += timedelta(hours=1)
    assert "Driftwood" in digest(program)
