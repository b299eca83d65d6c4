"""`pipeline feeds add`, `remove`, `import` and `export` write what they should and change nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import CannedResponse, HttpServer, redirect

pytestmark = pytest.mark.loopback
EPISODE = '<enclosure url="https://pod.example/1.mp3" type="audio/mpeg" length="1"/>'
PAGE = """<!doctype html><html><head><title>Harbour</title>
<link rel="alternate" type="application/rss+xml" title="Blog" href="/site/feed/">
<link rel="alternate" type="application/rss+xml" title="Comments" href="/site/comments/feed/">
<link rel="alternate" type="application/rss+xml" title="Podcast" href="/site/podcast.xml">
</head><body>Hello</body></html>"""


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        runner = CliRunner(tmp_path, server, capsys)
        runner.serve("/site/", PAGE.encode(), {"Content-Type": "text/html"})
        runner.serve("/site/feed/", rss(item("Salt"), item("Rope"), title="The quay"))
        runner.serve("/site/comments/feed/", rss(*(item(f"Comment {n}") for n in range(5)), title="Comments"))
        runner.serve("/site/podcast.xml", rss(item("The salt road", more=EPISODE), title="The Harbour Table"))
        yield runner


def feeds(program: CliRunner) -> list[dict[str, str]]:
    return tomllib.loads(program.config.read_text(encoding="utf-8"))["feeds"]


def opml(program: CliRunner, outlines: str) -> str:
    file = program.config.parent / "list.opml"
    file.write_text(f'<opml version="2.0"><body>{outlines}</body></opml>', encoding="utf-8")
    return str(file)


def outline(url: str, text: str = "", **more: str) -> str:
    attributes = " ".join(f'{key}="{value}"' for key, value in more.items())
    return f'<outline type="rss" text="{text}" xmlUrl="{url}" {attributes}/>'


def test_add_finds_the_feed_of_a_home_page(program: CliRunner):
    """The first feed that the page links to is added, not its comments; the others are listed."""
    out = program.run_ok("feeds", "add", program.server.url("/site/"))
    url = program.server.url("/site/feed/")
    assert feeds(program)[1] == {"id": "the-quay", "url": url, "kind": "blog"}
    assert f"config.toml: added the-quay (blog): {url}" in out
    assert "“The quay”, 2 entries, the newest of Tue 10 Feb 2026" in out
    assert f"also found: {program.server.url('/site/podcast.xml')}" in out
    assert "Next: pipeline fetch the-quay" in out
    assert "2 new" in program.run_ok("fetch", "the-quay")


def test_add_changes_nothing_but_the_new_table(program: CliRunner):
    """Every other byte of the file is unchanged: comments, order, spelling."""
    before = program.config.read_bytes()
    program.run_ok("feeds", "add", program.server.url("/site/feed/"), "--section", "Salt & “rope”")
    table = f'\n[[feeds]]\nid = "the-quay"\nurl = "{program.server.url("/site/feed/")}"\nkind = "blog"\n'
    table += 'section = "Salt & “rope”"\n'
    cut = before.index(b"\n# How it is fetched")
    assert program.config.read_bytes() == before[:cut] + table.encode() + before[cut:]


def test_add_recognises_podcasts_and_respects_options(program: CliRunner):
    """The kind follows from the entries; --id, --kind and --section have priority."""
    url = program.server.url("/site/podcast.xml")
    program.run_ok("feeds", "add", url)
    assert feeds(program)[1] == {"id": "podcast", "url": url, "kind": "podcast"}
    program.run_ok("feeds", "add", program.server.url("/site/feed/"), "--id", "mine", "--kind", "links")
    assert feeds(program)[2] | {"url": ""} == {"id": "mine", "url": "", "kind": "links"}


def test_add_refuses_configured_feeds(program: CliRunner):
    """By any spelling of the URL or through a home page: exit code 4, the id, and the file unchanged."""
    before = program.config.read_bytes()
    asked = len(program.server.requests)
    code, out, err = program.run("feeds", "add", program.server.url("/blog/#top"))
    assert (code, out) == (4, "")
    assert "is in config.toml already, as blog" in err
    assert len(program.server.requests) == asked
    program.serve("/home", b'<html><link rel="alternate" type="application/rss+xml" href="/blog"></html>', {})
    assert program.run("feeds", "add", program.server.url("/home"))[0] == 4
    assert program.config.read_bytes() == before


def test_add_names_other_feeds_of_the_page(program: CliRunner):
    """Adding a home page again names the feeds of it that are still missing."""
    program.run_ok("feeds", "add", program.server.url("/site/"))
    code, _, err = program.run("feeds", "add", program.server.url("/site/"))
    assert code == 4
    assert f"to add another one, give its own URL: {program.server.url('/site/podcast.xml')}" in err


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (CannedResponse(status=404, body=b""), "answered 404 Not Found: check the address"),
        (CannedResponse(body=b"<!doctype html><html><body>no feed</body></html>"), "a web page"),
        (CannedResponse(status=401, body=b""), "answered 401 Unauthorized: if it needs a password or a token, write"),
        (CannedResponse(status=503, body=b""), "answered 503 Service Unavailable: try again later"),
        (CannedResponse(status=429, headers={"Retry-After": "60"}), "try again after that"),
        (CannedResponse(status=410, body=b""), "answered 410 Gone: look for its new address on the publisher's site"),
    ],
)
def test_add_refuses_unreadable_feeds(program: CliRunner, answer: CannedResponse, message: str):
    """Exit code 4, one sentence about the answer with advice that fits, and the file unchanged."""
    before = program.config.read_bytes()
    program.server.respond("/nothing", answer)
    code, out, err = program.run("feeds", "add", program.server.url("/nothing"))
    assert (code, out) == (4, "")
    assert message in err
    assert "fetched again" not in err
    assert err.count("\n") == 1
    assert program.config.read_bytes() == before


def test_add_refuses_passwords_in_urls(program: CliRunner):
    """Exit code 2, no request, nothing written, the password not repeated, and what to do instead."""
    before = program.config.read_bytes()
    code, _, err = program.run("feeds", "add", program.server.url("/site/feed/").replace("://", "://ada:hunter2@"))
    assert (code, "hunter2" in err) == (2, False)
    assert "password_env" in err
    assert program.server.requests == []
    assert program.config.read_bytes() == before


def test_add_follows_permanent_redirects_only(program: CliRunner):
    """After a 301 the new URL is written, after a 302 the given one."""
    program.server.respond("/old", redirect("/site/feed/", 301))
    program.server.respond("/detour", redirect("/site/podcast.xml", 302))
    program.run_ok("feeds", "add", program.server.url("/old"))
    program.run_ok("feeds", "add", program.server.url("/detour"))
    assert [feed["url"] for feed in feeds(program)[1:]] == [
        program.server.url("/site/feed/"),
        program.server.url("/detour"),
    ]


@pytest.mark.parametrize("id_", ["blog", "Blog", "two words"])
def test_add_refuses_invalid_ids(program: CliRunner, id_: str):
    """A used or invalid id is refused before anything is written, with the rules of config.toml."""
    before = program.config.read_bytes()
    code, _, err = program.run("feeds", "add", program.server.url("/site/feed/"), "--id", id_)
    assert code == 2
    assert "[[feeds]]" in err
    assert program.config.read_bytes() == before


def test_symbolic_links_and_read_only_files_are_refused(program: CliRunner):
    """Neither is replaced by a new file; the error says what to do."""
    real = program.config.rename(program.config.with_name("real.toml"))
    program.config.symlink_to(real)
    before = real.read_bytes()
    code, _, err = program.run("feeds", "add", program.server.url("/site/feed/"))
    assert (code, "is a link to" in err, "--config" in err) == (2, True, True)
    assert program.config.is_symlink()
    program.config.unlink()
    real.rename(program.config).chmod(0o444)
    code, _, err = program.run("feeds", "add", program.server.url("/site/feed/"))
    assert (code, "is read-only" in err) == (2, True)
    assert program.config.read_bytes() == before


def test_remove_keeps_stored_entries(program: CliRunner):
    """The file is as before the feed was added; the entries stay, and are known when the feed is added again."""
    before = program.config.read_bytes()
    program.run_ok("feeds", "add", program.server.url("/site/feed/"))
    program.run_ok("fetch")
    out = program.run_ok("feeds", "remove", "the-quay")
    assert program.config.read_bytes() == before
    assert "removed the-quay" in out
    assert "Its 2 entries stay stored" in out
    assert program.titles() == ["Bread on a stone"]
    program.run_ok("feeds", "add", program.server.url("/site/feed/"), "--kind", "blog")
    assert feeds(program)[1]["id"] == "the-quay"
    assert "0 new entries" in program.run_ok("fetch")
    assert sorted(program.titles()) == ["Bread on a stone", "Rope", "Salt"]


def test_a_removed_feed_is_restored(program: CliRunner):
    """`feeds restore` writes the file as it was; a second time, or for a feed that is there, it is refused."""
    program.run_ok("feeds", "add", program.server.url("/site/feed/"))
    before = program.config.read_bytes()
    assert "`pipeline feeds restore blog` undoes this." in program.run_ok("feeds", "remove", "blog")
    assert "restored blog" in program.run_ok("feeds", "restore", "blog")
    assert program.config.read_bytes() == before
    code, _, err = program.run("feeds", "restore", "blog")
    assert (code, "'blog' is not among the feeds that were removed" in err) == (4, True)


def test_an_address_without_a_scheme_is_tried_with_http(program: CliRunner):
    """A site without https is found although its address was typed without a scheme."""
    address = program.server.url("/site/feed/").removeprefix("http://")
    assert "The quay" in program.run_ok("feeds", "check", address)
    assert f"http://{address}" in program.run_ok("feeds", "add", address)


def test_ids_of_removed_feeds_are_not_reused(program: CliRunner):
    """Another blog does not get the entries of a removed one."""
    program.run_ok("feeds", "add", program.server.url("/site/feed/"))
    program.run_ok("fetch")
    program.run_ok("feeds", "remove", "blog")
    program.serve("/other", rss(item("Tar"), title=""))
    program.run_ok("feeds", "add", program.server.url("/other"))
    assert feeds(program)[1]["id"] not in ("blog", "the-quay")


def test_the_last_feed_is_not_removed(program: CliRunner):
    """Exit code 4 with the reason; an unknown id is exit code 2 with the known ones."""
    before = program.config.read_bytes()
    code, _, err = program.run("feeds", "remove", "blog")
    assert (code, "blog is the only feed" in err) == (4, True)
    code, _, err = program.run("feeds", "remove", "blgo")
    assert (code, "its feeds are blog" in err) == (2, True)
    assert program.config.read_bytes() == before


def test_import_adds_new_feeds_and_lists_the_others(program: CliRunner):
    """Nested folders, podcasts by folder or category, duplicates, configured feeds and invalid URLs."""
    file = opml(
        program,
        outline("https://one.example/feed", "One")
        + '<outline text="Podcasts">'
        + outline("https://two.example/feed", "Two")
        + outline("http://ONE.example/feed/", "One again")
        + "</outline>"
        + outline("https://three.example/feed", "Three", category="/podcast,sea")
        + outline(program.server.url("/blog"), "Mine")
        + outline("file:///etc/passwd", "No")
        + outline("https://ada:hunter2@four.example/", "Secret"),
    )
    out = program.run_ok("feeds", "import", file)
    assert feeds(program)[1:] == [
        {"id": "One", "url": "https://one.example/feed", "kind": "blog"},
        {"id": "Two", "url": "https://two.example/feed", "kind": "podcast", "section": "Podcasts"},
        {"id": "Three", "url": "https://three.example/feed", "kind": "podcast"},
    ]
    assert "left out: http://ONE.example/feed/ is configured already, as One" in out
    assert "is configured already, as blog" in out
    assert "left out: file:///etc/passwd is not a web address" in out
    assert "hunter2" not in out
    assert "7 feeds listed: 3 added, 4 left out." in out
    assert program.server.requests == []
    assert "0 added, 7 left out" in program.run_ok("feeds", "import", file)


def test_import_with_check_fetches_feeds_first(program: CliRunner):
    """Unreadable feeds are skipped with their reason and exit code 3; podcasts are recognised, links stay links."""
    file = opml(
        program,
        outline(program.server.url("/site/podcast.xml"), "Talk")
        + outline(program.server.url("/missing"), "Missing")
        + outline(program.server.url("/site/feed/"), "Finds", category="links"),
    )
    code, out, err = program.run("feeds", "import", "--check", file)
    assert code == 3
    assert "2 added, 1 left out" in out
    assert f"{program.server.url('/missing')} answered 404 Not Found" in err
    assert [(feed["id"], feed["kind"]) for feed in feeds(program)[1:]] == [
        ("Talk", "podcast"),
        ("Finds", "links"),
    ]


def test_export_and_import_round_trip(program: CliRunner):
    """Id, URL, kind and section of every feed are restored; titles are for other feed readers."""
    program.run_ok("feeds", "add", program.server.url("/site/podcast.xml"), "--section", "To hear & to see")
    program.run_ok("feeds", "add", program.server.url("/site/feed/"), "--id", "Quay_2", "--kind", "links")
    program.run_ok("fetch")
    wanted = feeds(program)
    file = program.config.parent / "feeds.opml"
    program.run_ok("feeds", "export", str(file))
    assert 'title="The Harbour Table"' in file.read_text(encoding="utf-8")
    assert program.run_ok("feeds", "export") == file.read_text(encoding="utf-8")
    code, _, err = program.run("feeds", "export", str(file))
    assert (code, "exists and was not changed" in err) == (4, True)
    for feed in wanted[1:]:
        program.run_ok("feeds", "remove", feed["id"])
    program.run_ok("feeds", "import", str(file))
    assert feeds(program) == wanted


def test_import_refuses_other_files(program: CliRunner):
    """A missing file and another format: exit code 2 and a sentence."""
    page = program.config.with_name("page.html")
    page.write_text("<html><body>no</body></html>", encoding="utf-8")
    for file, message in ((page, "is not OPML"), (page.with_name("none.opml"), "cannot be read")):
        code, _, err = program.run("feeds", "import", str(file))
        assert (code, message in err) == (2, True)


def test_a_renamed_feed_is_reported(program: CliRunner):
    """Its entries stay under the former id: `fetch`, `feeds list`, `status` and `doctor` say how to get them back."""
    program.run_ok("fetch")
    text = program.config.read_text()
    program.config.write_text(text.replace('id = "blog"', 'id = "weblog"'))
    fix = 'write id = "blog" again in config.toml'
    for command in (["feeds", "list"], ["status"], ["doctor", "--offline"]):
        assert fix in program.run(*command)[1], command
    program.now += timedelta(hours=1)
    code, _, err = program.run("fetch")
    assert code == 0
    assert err.startswith('warning: weblog was "blog" before')
    assert fix in err
    assert "its 1 entry is stored under that id" in program.run_ok("feeds", "list")
    program.config.write_text(text)
    for command in (["fetch"], ["feeds", "list"], ["status"]):
        assert "before, and" not in "".join(program.run(*command)[1:]), command


def test_a_removed_feed_is_no_renamed_feed(program: CliRunner):
    """Removing a feed is a decision; nothing warns of the entries that it leaves."""
    program.run_ok("feeds", "add", program.server.url("/site/feed/"))
    program.run_ok("fetch")
    program.run_ok("feeds", "remove", "the-quay")
    assert "the-quay" not in program.run_ok("feeds", "list")
    assert program.run("fetch", "blog")[2] == ""


def test_add_refuses_an_id_that_is_taken(program: CliRunner):
    """Before anything is fetched; the file is unchanged."""
    before = program.config.read_bytes()
    code, _, err = program.run("feeds", "add", program.server.url("/site/feed/"), "--id", "Blog")
    assert code == 2
    assert 'a [[feeds]] table has the id "Blog"; choose another one with --id' in err
    assert (program.config.read_bytes(), program.server.requests_for("/site/feed/")) == (before, [])


def test_an_empty_list_of_feeds_says_what_to_do(program: CliRunner):
    """A new publication has no feeds."""
    text = program.config.read_text()
    program.config.write_text(text[: text.index("[[feeds]]")])
    assert program.run_ok("feeds") == "no feeds yet: add one with `pipeline feeds add URL`\n"
