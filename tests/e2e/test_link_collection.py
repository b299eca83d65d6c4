"""Useful links: collected by hand, from feeds and in the editor's file; told in turn, never twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import CannedResponse, HttpServer, redirect

pytestmark = pytest.mark.loopback
PAGE = """<!doctype html><html><head><title>Tide tables | Harbour office</title>
<meta property="og:title" content="Tide tables &amp; what they leave out">
<meta name="description" content="Every tide of the year. Printed on one page. {more}">
<link rel="canonical" href="{canonical}"></head><body></body></html>"""


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        found = CliRunner(tmp_path, server, capsys)
        found.config.write_text(found.config.read_text() + "host_gap_seconds = 0\n")
        server.respond("/tides", html())
        found.run_ok("fetch")
        yield found


def html(canonical: str = "", more: str = "") -> CannedResponse:
    return CannedResponse(
        body=PAGE.format(canonical=canonical, more=more).encode(), headers={"Content-Type": "text/html"}
    )


def links(program: CliRunner, week: str = "2026-W07") -> list[str]:
    return [story["title"] for story in program.manifest(week)["stories"] if story["section"] == "links"]


def add(program: CliRunner, *names: str) -> None:
    for name in names:
        program.server.respond(f"/{name}", CannedResponse(body=f"<title>{name}</title>".encode()))
        program.run_ok("links", "add", program.server.url(f"/{name}"))


def digest(program: CliRunner, week: str) -> list[str]:
    """Make a closed week's digest on its Monday."""
    program.now = datetime(2026, 2, 16 if week == "2026-W07" else 23, 9, tzinfo=UTC)
    return links(program, week)


def test_a_link_is_kept_with_what_its_page_says(program: CliRunner):
    """Title and description come from the page, and it is in this week's digest under its heading."""
    out = program.run_ok("links", "add", program.server.url("/tides"))
    assert "Tide tables & what they leave out" in out
    assert "It goes into the digest of 2026-W07" in out
    assert links(program) == ["Tide tables & what they leave out"]
    text = (program.config.parent / "editions/2026-W07/digest.txt").read_text()
    assert "USEFUL LINKS" in text
    assert "Every tide of the year. Printed on one page." in text


def test_a_note_and_a_title_of_ones_own_count_more(program: CliRunner):
    """--note and --title are told instead of what the page says."""
    program.run_ok("links", "add", program.server.url("/tides"), "--note", "We *plan* by it.", "--title", "Tides")
    assert links(program) == ["Tides"]
    assert "We plan by it." in (program.config.parent / "editions/2026-W07/digest.txt").read_text()


def test_the_canonical_address_is_kept(program: CliRunner):
    """Redirects are followed, tracking is dropped, and the page may name its own proper address on its site."""
    program.server.respond("/short", redirect("/tides?utm_source=x&page=1"))
    program.server.respond("/tides?utm_source=x&page=1", html(canonical="/proper"))
    assert program.server.url("/proper") in program.run_ok("links", "add", program.server.url("/short"))


def test_a_canonical_address_elsewhere_is_not_believed(program: CliRunner):
    """A page cannot put another site's address into the newsletter."""
    program.server.respond("/tides", html(canonical="https://evil.example/"))
    assert program.server.url("/tides") in program.run_ok("links", "add", program.server.url("/tides"))


def test_a_duplicate_is_refused_however_it_is_spelt(program: CliRunner):
    """Exit 4, by the address given and by the one the page leads to."""
    url = program.server.url("/tides")
    program.run_ok("links", "add", url)
    code, _, err = program.run("links", "add", f"{url}/?utm_medium=mail#top")
    assert code == 4
    assert "is in the list already: “Tide tables & what they leave out”" in err
    program.server.respond("/short", redirect("/tides"))
    assert program.run("links", "add", program.server.url("/short"))[0] == 4


def test_a_page_of_ones_own_feed_is_no_useful_link(program: CliRunner):
    """What the blog tells by itself is refused, saying so."""
    code, _, err = program.run("links", "add", "https://blog.example/bread-on-a-stone")
    assert code == 4
    assert "is a page of your own feed blog" in err


def test_a_used_link_is_refused_with_its_edition(program: CliRunner):
    """Once a week has told it, its number and week are said; it cannot be removed either."""
    url = program.server.url("/tides")
    program.run_ok("links", "add", url)
    digest(program, "2026-W07")
    assert "was already used in 2026-W07" in program.run("links", "add", url)[2]
    program.run_ok("approve", "2026-W07")
    code, _, err = program.run("links", "add", url)
    assert code == 4
    assert "was already used in edition 1 (2026-W07)" in err
    assert program.run("links", "remove", url)[0] == 4
    assert "published in edition 1 (2026-W07)" in program.run_ok("links", "list")


def test_a_link_from_the_editors_file_is_known_once_it_is_sealed(program: CliRunner):
    """What the editor wrote into an edition counts as used, too."""
    editions = program.config.parent / "editions"
    editions.mkdir()
    url = program.server.url("/tides")
    (editions / "2026-W07.md").write_text(f"Hi.\n\n## Useful links\n- [Tides]({url}): at last\n")
    digest(program, "2026-W07")
    program.run_ok("approve", "2026-W07")
    assert "was already used in edition 1 (2026-W07)" in program.run("links", "add", url)[2]


def test_a_page_that_cannot_be_had_is_only_added_unseen(program: CliRunner):
    """Exit 3 with the reason; with a title it is added all the same."""
    url = program.server.url("/missing")
    code, _, err = program.run("links", "add", url)
    assert code == 3
    assert "answered 404" in err
    program.run_ok("links", "add", url, "--title", "Seen elsewhere")
    assert links(program) == ["Seen elsewhere"]
    assert program.run("links", "add", "javascript:alert(1)")[0] == 2


def test_what_is_removed_is_not_told_and_may_come_back(program: CliRunner):
    """Remove forgets a link that waits; adding it again works."""
    url = program.server.url("/tides")
    program.run_ok("links", "add", url)
    assert "removed: Tide tables" in program.run_ok("links", "remove", url)
    assert links(program) == []
    assert program.run("links", "remove", url)[0] == 4
    program.now = datetime(2026, 2, 12, 13, tzinfo=UTC)
    program.run_ok("links", "add", url)
    assert links(program) == ["Tide tables & what they leave out"]


def test_seven_are_told_the_others_roll_on_and_none_is_lost_or_told_twice(program: CliRunner):
    """Nine links: seven in the first edition, the other two in the next, said in --explain."""
    names = [f"link{number}" for number in range(9)]
    for number, name in enumerate(names):
        program.now = datetime(2026, 2, 10, number, tzinfo=UTC)
        add(program, name)
    assert digest(program, "2026-W07") == names[:7]
    out = program.run_ok("digest", "--week", "2026-W07", "--offline", "--explain")
    (line,) = [line for line in out.splitlines() if " link7: " in line]
    assert line.startswith("out")
    program.serve("/blog", rss(item("New", date="Tue, 17 Feb 2026 09:00:00 GMT"), item("Bread on a stone")))
    program.now = datetime(2026, 2, 23, 9, tzinfo=UTC)
    program.run_ok("fetch", "--force")
    assert digest(program, "2026-W08") == names[7:]
    assert digest(program, "2026-W07") == names[:7]


def test_the_ledger_says_that_a_link_rolls_on(program: CliRunner):
    """While the week is being made, --explain says why the eighth link is not in."""
    add(program, *(f"link{number}" for number in range(8)))
    out = program.run_ok("digest", "--week", "current", "--offline", "--explain")
    assert "an edition has at most 7 links: it carries over to the next" in out


def test_links_of_a_feeds_first_read_roll_on_too(program: CliRunner):
    """Of a new feed with nine links of this week, two wait for the next edition although they are backlog."""
    items = [item(f"L{n}", link=f"https://l.example/{n}", date=f"Tue, 10 Feb 2026 0{n}:00:00 GMT") for n in range(9)]
    program.serve("/links", rss(*items))
    url = program.server.url("/links", "localhost")
    program.write_config(more=f'[[feeds]]\nid = "links"\nurl = "{url}"\nkind = "links"\n')
    program.run_ok("fetch")
    assert digest(program, "2026-W07") == [f"L{n}" for n in range(7)]
    program.serve("/blog", rss(item("New", date="Tue, 17 Feb 2026 09:00:00 GMT"), item("Bread on a stone")))
    program.now = datetime(2026, 2, 23, 9, tzinfo=UTC)
    program.run_ok("fetch", "--force")
    assert digest(program, "2026-W08") == ["L7", "L8"]


def test_the_editors_list_goes_first_and_counts(program: CliRunner):
    """Two links in the file leave room for five of those that wait; one that waits, too, is told in their words."""
    add(program, *(f"link{number}" for number in range(7)))
    editions = program.config.parent / "editions"
    editions.mkdir()
    same = program.server.url("/link6")
    (editions / "2026-W07.md").write_text(
        f"## Useful links\n- [My own](https://own.example/): because\n- [Six]({same}): in my words\n"
    )
    assert links(program) == ["My own", "Six", "link0", "link1", "link2", "link3", "link4"]


def test_max_links_is_a_setting(program: CliRunner):
    """[digest] max_links = 2 tells two."""
    add(program, "a", "b", "c")
    program.config.write_text(program.config.read_text() + "[digest]\nmax_links = 2\n")
    assert links(program) == ["a", "b"]


def test_few_links_are_told_and_the_checks_say_so(program: CliRunner):
    """One link is shown all the same; the manifest's checks say that three are usual, and say so of none, too."""
    (none,) = [check for check in program.manifest()["checks"] if check["name"] == "few-links"]
    assert "no useful links" in none["message"]
    add(program, "only")
    manifest = program.manifest()
    assert [story["title"] for story in manifest["stories"] if story["section"] == "links"] == ["only"]
    (few,) = [check for check in manifest["checks"] if check["name"] == "few-links"]
    assert "1 useful link" in few["message"]
    add(program, "second", "third")
    assert "few-links" not in [check["name"] for check in program.manifest()["checks"]]


def test_the_list_shows_what_waits_and_what_was_told(program: CliRunner):
    """Those that wait first; --json for programs; an empty list says what to do."""
    assert "no links yet" in program.run_ok("links", "list")
    add(program, "first")
    digest(program, "2026-W07")
    program.now = datetime(2026, 2, 17, tzinfo=UTC)
    add(program, "second")
    lines = program.run_ok("links").splitlines()
    assert lines[0].startswith("waiting")
    assert "second" in lines[0]
    assert lines[1].startswith("published in 2026-W07")
    assert [each["title"] for each in json.loads(program.run_ok("links", "list", "--json"))] == ["second", "first"]


def test_no_check_calls_the_collection_a_silent_feed(program: CliRunner):
    """It is nobody's feed: when nothing was added for a month, nothing is wrong."""
    assert "links.added" not in json.dumps(program.manifest()["checks"])
