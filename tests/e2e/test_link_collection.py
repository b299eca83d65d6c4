"""Useful links: collected by hand, from feeds and in the editor's file; published in order and once."""

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
    """Write a closed week's digest on its Monday."""
    program.now = datetime(2026, 2, 16 if week == "2026-W07" else 23, 9, tzinfo=UTC)
    return links(program, week)


def test_a_link_has_the_title_and_description_of_its_page(program: CliRunner):
    """It is in this week's digest under its heading."""
    out = program.run_ok("links", "add", program.server.url("/tides"))
    assert "Tide tables & what they leave out" in out
    assert "It goes into the digest of 2026-W07" in out
    assert links(program) == ["Tide tables & what they leave out"]
    text = (program.config.parent / "editions/2026-W07/digest.txt").read_text()
    assert "USEFUL LINKS" in text
    assert "leave out: Every tide of the year." in " ".join(text.split())


def test_a_given_note_and_title_are_preferred(program: CliRunner):
    """--note and --title replace those of the page."""
    program.run_ok("links", "add", program.server.url("/tides"), "--note", "We *plan* by it.", "--title", "Tides")
    assert links(program) == ["Tides"]
    assert "We plan by it." in (program.config.parent / "editions/2026-W07/digest.txt").read_text()


def test_the_canonical_url_is_stored(program: CliRunner):
    """Redirects are followed, tracking parameters dropped, and the page may name its URL on its site."""
    program.server.respond("/short", redirect("/tides?utm_source=x&page=1"))
    program.server.respond("/tides?utm_source=x&page=1", html(canonical="/proper"))
    assert program.server.url("/proper") in program.run_ok("links", "add", program.server.url("/short"))


def test_a_canonical_url_on_another_site_is_ignored(program: CliRunner):
    """A page cannot put another site's URL into the newsletter."""
    program.server.respond("/tides", html(canonical="https://evil.example/"))
    assert program.server.url("/tides") in program.run_ok("links", "add", program.server.url("/tides"))


def test_a_duplicate_is_refused_in_any_spelling(program: CliRunner):
    """Exit 4, by the given URL and by the one the page redirects to."""
    url = program.server.url("/tides")
    program.run_ok("links", "add", url)
    code, _, err = program.run("links", "add", f"{url}/?utm_medium=mail#top")
    assert code == 4
    assert "is in the list already: “Tide tables & what they leave out”" in err
    program.server.respond("/short", redirect("/tides"))
    assert program.run("links", "add", program.server.url("/short"))[0] == 4


def test_a_page_of_a_configured_feed_is_refused(program: CliRunner):
    """It is published anyway."""
    code, _, err = program.run("links", "add", "https://blog.example/bread-on-a-stone")
    assert code == 4
    assert "is a page of your own feed blog" in err


def test_a_used_link_is_refused_with_its_edition(program: CliRunner):
    """The message has number and week; it cannot be removed either."""
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


def test_a_link_from_the_editors_file_counts_once_sealed(program: CliRunner):
    """It is refused as used."""
    editions = program.config.parent / "editions"
    editions.mkdir()
    url = program.server.url("/tides")
    (editions / "2026-W07.md").write_text(f"Hi.\n\n## Useful links\n- [Tides]({url}): at last\n")
    digest(program, "2026-W07")
    program.run_ok("approve", "2026-W07")
    assert "was already used in edition 1 (2026-W07)" in program.run("links", "add", url)[2]


def test_an_unreachable_page_needs_a_title(program: CliRunner):
    """Exit 3 with the reason; with --title it is added."""
    url = program.server.url("/missing")
    code, _, err = program.run("links", "add", url)
    assert code == 3
    assert "answered 404" in err
    program.run_ok("links", "add", url, "--title", "Seen elsewhere")
    assert links(program) == ["Seen elsewhere"]
    assert program.run("links", "add", "javascript:alert(1)")[0] == 2


def test_a_removed_link_can_be_added_again(program: CliRunner):
    """Until then it is not published."""
    url = program.server.url("/tides")
    program.run_ok("links", "add", url)
    assert "removed: Tide tables" in program.run_ok("links", "remove", url)
    assert links(program) == []
    assert program.run("links", "remove", url)[0] == 4
    program.now = datetime(2026, 2, 12, 13, tzinfo=UTC)
    program.run_ok("links", "add", url)
    assert links(program) == ["Tide tables & what they leave out"]


def test_seven_links_are_published_and_the_others_carry_over(program: CliRunner):
    """Of nine links, two are in the next edition; none is lost or published twice."""
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


def test_explain_names_links_that_carry_over(program: CliRunner):
    """--explain has the reason why the eighth link is out."""
    add(program, *(f"link{number}" for number in range(8)))
    out = program.run_ok("digest", "--week", "current", "--offline", "--explain")
    assert "an edition has at most 7 links: it carries over to the next" in out


def test_links_of_a_first_fetch_carry_over_too(program: CliRunner):
    """Of a new feed with nine links of this week, two wait though they are archive entries."""
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


def test_the_editors_links_come_first_and_count(program: CliRunner):
    """Two links in the file leave room for five; one that was waiting has the editor's text."""
    add(program, *(f"link{number}" for number in range(7)))
    editions = program.config.parent / "editions"
    editions.mkdir()
    same = program.server.url("/link6")
    (editions / "2026-W07.md").write_text(
        f"## Useful links\n- [My own](https://own.example/): because\n- [Six]({same}): in my words\n"
    )
    assert links(program) == ["My own", "Six", "link0", "link1", "link2", "link3", "link4"]


def test_max_links_is_a_setting(program: CliRunner):
    """With [digest] max_links = 2 there are two."""
    add(program, "a", "b", "c")
    program.config.write_text(program.config.read_text() + "[digest]\nmax_links = 2\n")
    assert links(program) == ["a", "b"]


def test_few_links_are_published_with_a_hint(program: CliRunner):
    """One link, or none, is below the usual three."""
    (none,) = [check for check in program.manifest()["checks"] if check["name"] == "few-links"]
    assert "no useful links" in none["message"]
    add(program, "only")
    manifest = program.manifest()
    assert [story["title"] for story in manifest["stories"] if story["section"] == "links"] == ["only"]
    (few,) = [check for check in manifest["checks"] if check["name"] == "few-links"]
    assert "1 useful link" in few["message"]
    add(program, "second", "third")
    assert "few-links" not in [check["name"] for check in program.manifest()["checks"]]


def test_the_list_shows_waiting_and_published_links(program: CliRunner):
    """Waiting ones first; there is --json, and an empty list says what to do."""
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


def test_the_list_shows_every_link(program: CliRunner):
    """However old, from feeds, and from the editor's file before and after its edition is sealed; each once."""
    program.now = datetime(2023, 3, 1, tzinfo=UTC)
    add(program, "years-ago")
    old = rss(item("Dated", link="https://l.example/1", date="Tue, 04 Feb 2020 09:00:00 GMT"))
    program.serve("/links", old)
    url = program.server.url("/links", "localhost")
    program.write_config(more=f'[[feeds]]\nid = "links"\nurl = "{url}"\nkind = "links"\n')
    program.now = datetime(2026, 2, 12, tzinfo=UTC)
    program.run_ok("fetch", "--force")
    editions = program.config.parent / "editions"
    editions.mkdir(exist_ok=True)
    (editions / "2026-W07.md").write_text("Hi.\n\n## Useful links\n- [By hand](https://hand.example/): because\n")
    (editions / "2026-W03.md").write_text("+++\nnonsense = 1\n+++\n")
    listed = program.run_ok("links", "list")
    assert [title in listed for title in ("years-ago", "Dated", "By hand")] == [True, True, True]
    assert next(line for line in listed.splitlines() if "By hand" in line).startswith("in 2026-W07.md")
    digest(program, "2026-W07")
    program.run_ok("approve", "2026-W07")
    (sealed,) = [line for line in program.run_ok("links").splitlines() if "By hand" in line]
    assert sealed.startswith("published in edition 1 (2026-W07)")


def test_the_collection_is_never_a_stale_feed(program: CliRunner):
    """Nothing is wrong if no link was added for a month."""
    assert "links.added" not in json.dumps(program.manifest()["checks"])


def test_the_list_shows_items_without_a_url(program: CliRunner):
    """Several of them are several lines."""
    items = (
        item(title).replace(f"<link>https://blog.example/{title.lower()}</link>", "") for title in ("Kelp", "Rope")
    )
    program.serve("/links", rss(*items))
    url = program.server.url("/links")
    program.write_config(more=f'[[feeds]]\nid = "links"\nurl = "{url}"\nkind = "links"\n')
    program.run("fetch", "links")
    listed = program.run_ok("links", "list")
    assert "Kelp" in listed
    assert "Rope" in listed
