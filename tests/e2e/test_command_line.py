"""The whole main job by the command line: feeds over real HTTP, a real database, real files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.empty_store import empty_store
from tests.http_server import CannedResponse, HttpServer

pytestmark = pytest.mark.loopback
NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
HEAD = '<?xml version="1.0"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>'
POST = """<item><guid>{guid}</guid><title>{title}</title><link>https://blog.example/{guid}</link>
<pubDate>{date}</pubDate><description>{title}: it was baked on a stone, slowly. We ate it.</description></item>"""
EPISODE = """<item><guid>{guid}</guid><title>{title}</title><link>https://pod.example/{guid}</link>
<pubDate>{date}</pubDate><itunes:duration>42:00</itunes:duration>
<enclosure url="https://pod.example/{guid}.mp3" type="audio/mpeg" length="1"/></item>"""


def feed(*items: str, title: str = "Feed") -> bytes:
    return f"{HEAD}<title>{title}</title><link>https://blog.example/</link>{''.join(items)}</channel></rss>".encode()


def post(title: str, guid: str, date: str = "Tue, 10 Feb 2026 09:00:00 GMT", kind: str = POST) -> str:
    return kind.format(title=title, guid=guid, date=date)


BLOG = [
    post("Bread on a stone", "bread"),
    post("Podcast – Ada Finch – The salt road", "salt-post", "Thu, 12 Feb 2026 09:00:00 GMT"),
    post("Soup", "soup", "Tue, 03 Feb 2026 09:00:00 GMT"),
]
PODCAST = [post("The salt road", "ep-14", "Wed, 11 Feb 2026 18:00:00 GMT", kind=EPISODE)]


class Desk:
    """A publication in a folder, its feeds on a loopback server, and the program."""

    def __init__(self, folder: Path, server: HttpServer, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.server, self._capsys = folder, server, capsys
        self.now = NOW
        empty_store(folder)
        self.serve("blog", feed(*BLOG))
        self.serve("podcast", feed(*PODCAST))
        (folder / "config.toml").write_text(
            f"""
[publication]
name = "Harbour & Hearth"
url = "https://blog.example/"
sender = "Harbour & Hearth <letter@blog.example>"
[[feeds]]
id = "blog"
url = "{server.url("/blog", "127.0.0.1")}"
kind = "blog"
[[feeds]]
id = "podcast"
url = "{server.url("/podcast", "localhost")}"
kind = "podcast"
[fetch]
allow_private_networks = true
timeout_seconds = 60
"""
        )

    def serve(self, path: str, body: bytes) -> None:
        etag = f'"{sha256(body).hexdigest()[:12]}"'
        self.server.respond(
            f"/{path}", CannedResponse(body=body, headers={"ETag": etag, "Content-Type": "application/rss+xml"})
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        code = main(["--config", str(self.folder / "config.toml"), *words], clock=lambda: self.now)
        return code, *self._capsys.readouterr()

    def ok(self, *words: str) -> str:
        code, out, err = self.run(*words)
        assert (code, err) == (0, "")
        return out

    def files(self, week: str = "2026-W07") -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "editions" / week).iterdir()}

    def manifest(self, week: str = "2026-W07") -> dict:
        return json.loads(self.files(week)["manifest.json"])


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with HttpServer() as server:
        yield Desk(tmp_path, server, capsys)


def test_fetch_then_digest_writes_the_four_files(desk: Desk):
    """Two commands, exit 0, four files, their paths printed, their hashes in the manifest."""
    assert "2 feeds: 4 new entries" in desk.ok("fetch")
    out = desk.ok("digest", "--week", "2026-W07")
    files = desk.files()
    assert set(files) == {"digest.html", "digest.txt", "digest.eml", "manifest.json"}
    assert all(str(desk.folder / "editions" / "2026-W07" / name) in out for name in files)
    for name, digest in desk.manifest()["sha256"].items():
        assert sha256(files[name]).hexdigest() == digest


def test_a_second_fetch_is_conditional_and_stores_nothing(desk: Desk):
    """If-None-Match with the very ETag, 304, no new entries."""
    desk.ok("fetch")
    assert "2 feeds: 0 new entries, 0 changed." in desk.ok("fetch")
    first, second = desk.server.requests_for("/blog")
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"].startswith('"')


def test_a_second_digest_writes_the_same_bytes(desk: Desk):
    """Fetching nothing new and composing again changes no byte of any file."""
    desk.ok("digest", "--week", "2026-W07")
    before = desk.files()
    desk.ok("digest", "--week", "2026-W07")
    assert desk.files() == before
    desk.ok("digest", "--week", "2026-W07", "--offline")
    assert desk.files() == before


def test_the_episode_appears_once_with_post_and_audio(desk: Desk):
    """The episode's post and the episode are one story: to read there, to hear there, titled once."""
    desk.ok("digest", "--week", "2026-W07")
    stories = desk.manifest()["stories"]
    (salt,) = [each for each in stories if "salt" in each["title"].lower()]
    assert {entry["feed_id"] for entry in salt["entries"]} == {"blog", "podcast"}
    assert [entry["enclosure_url"] for entry in salt["entries"]] == [None, "https://pod.example/ep-14.mp3"]
    text = desk.files()["digest.txt"].decode()
    assert text.count("The salt road\n") == 1
    assert "https://blog.example/salt-post" in text
    assert "https://pod.example/ep-14" in text
    assert "42 min" in text
    assert "with Ada Finch" in text


def test_explain_accounts_for_every_entry(desk: Desk):
    """Each of the four entries has a line: in or out, and why."""
    out = desk.ok("digest", "--week", "2026-W07", "--explain")
    lines = [line for line in out.splitlines() if line.startswith(("in ", "out "))]
    assert len(lines) == 4
    (soup,) = [line for line in lines if "Soup" in line]
    assert soup.startswith("out")
    assert "belongs to 2026-W06" in soup


def test_an_edited_post_is_updated_not_doubled(desk: Desk):
    """The same guid with another title: one entry, the new title."""
    desk.ok("fetch")
    desk.serve("blog", feed(post("Bread on two stones", "bread"), *BLOG[1:]))
    assert "0 new entries, 1 changed" in desk.ok("fetch")
    desk.ok("digest", "--week", "2026-W07")
    text = desk.files()["digest.txt"].decode()
    assert "Bread on two stones" in text
    assert "Bread on a stone\n" not in text


def test_a_late_entry_goes_into_the_next_digest(desk: Desk):
    """Dated in a week that was made, first seen after: not there, but in the next one, once."""
    desk.ok("digest", "--week", "2026-W07")
    before = desk.files()
    late = post("Late but welcome", "late", "Fri, 13 Feb 2026 09:00:00 GMT")
    desk.serve("blog", feed(late, post("On time", "next", "Tue, 17 Feb 2026 09:00:00 GMT"), *BLOG))
    desk.now = datetime(2026, 2, 23, 9, tzinfo=UTC)
    desk.ok("digest")
    assert [each["title"] for each in desk.manifest("2026-W08")["stories"]] == ["On time", "Late but welcome"]
    desk.ok("digest", "--week", "2026-W07")
    assert desk.files() == before
    desk.serve("blog", feed(post("After", "after", "Tue, 24 Feb 2026 09:00:00 GMT"), late, *BLOG))
    desk.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    desk.ok("digest", "--week")
    assert [each["title"] for each in desk.manifest("2026-W09")["stories"]] == ["After"]


def test_the_week_is_the_newest_that_has_closed_unless_said(desk: Desk):
    """No WEEK, --week alone and last mean the closed week; a date and current what they say."""
    desk.serve("blog", feed(*BLOG, post("Today", "today", "Mon, 16 Feb 2026 08:00:00 GMT")))
    desk.ok("fetch")
    for words in ([], ["--week"], ["--week", "last"], ["--week", "2026-02-12"], ["--week", "2026-w07"]):
        assert desk.ok("digest", "--offline", *words).startswith("2026-W07:")
    assert desk.ok("digest", "--offline", "--week", "current").startswith("2026-W08:")


def test_a_running_week_goes_on_taking_entries(desk: Desk):
    """A digest of the running week is a look ahead: what comes afterwards is in the next look, not late."""
    desk.now = datetime(2026, 2, 12, 12, tzinfo=UTC)
    desk.ok("digest", "--week", "current")
    desk.serve("blog", feed(*BLOG, post("Friday's post", "fri", "Fri, 13 Feb 2026 08:00:00 GMT")))
    desk.now = datetime(2026, 2, 13, 12, tzinfo=UTC)
    desk.ok("digest", "--week", "current")
    assert "Friday’s post" in desk.files()["digest.txt"].decode().replace("'", "’")


def test_an_empty_week_writes_nothing_and_names_the_newest_that_has_entries(desk: Desk):
    """Exit 4, no folder, and the way out in the message."""
    desk.ok("fetch")
    code, out, err = desk.run("digest", "--week", "2026-W03", "--offline")
    assert (code, out) == (4, "")
    assert (
        err == "pipeline: 2026-W03 has no entries, so nothing was written; the newest week with entries is 2026-W07: "
        "run `pipeline digest 2026-W07`.\n"
    )
    assert not (desk.folder / "editions" / "2026-W03").exists()


def test_an_empty_store_says_to_fetch(desk: Desk):
    """Offline and with nothing stored, the message says what to do first."""
    code, _, err = desk.run("digest", "--offline")
    assert code == 4
    assert "run `pipeline fetch` first" in err


TROUBLE = {
    "missing": (CannedResponse(status=404, body=b"no"), "answered 404 Not Found"),
    "error": (CannedResponse(status=500, body=b"no"), "answered 500"),
    "html": (CannedResponse(body=b"<!doctype html><html><body><p>Hello</p></body></html>"), "web page"),
    "empty": (CannedResponse(body=b""), "empty"),
    "garbage": (CannedResponse(body=bytes(range(256)) * 8), "feed"),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_a_feed_in_trouble_is_one_clear_line_and_the_digest_still_appears(desk: Desk, case: str):
    """Exit 3, one line on stderr that names the feed and says what happened, and the other feed's digest."""
    answer, words = TROUBLE[case]
    desk.server.respond("/podcast", answer)
    code, out, err = desk.run("digest", "--week", "2026-W07")
    assert code == 3
    (line,) = err.splitlines()
    assert line.startswith("podcast")
    assert words in line
    assert "blog " in out
    assert "Bread on a stone" in desk.files()["digest.txt"].decode()


def test_a_feed_that_does_not_answer_is_one_clear_line(desk: Desk):
    """Exit 3, and what to do; the digest of what the others have appears."""
    desk.ok("fetch")
    desk.server.respond("/podcast", CannedResponse(delay_seconds=300))
    config = desk.folder / "config.toml"
    config.write_text(config.read_text().replace("timeout_seconds = 60", "timeout_seconds = 1"))
    code, _, err = desk.run("fetch", "podcast", "--force")
    assert code == 3
    (line,) = err.splitlines()
    assert line.startswith("podcast")
    assert "did not answer" in line
    desk.ok("digest", "--week", "2026-W07", "--offline")


def test_a_feed_that_nobody_serves_is_unreachable(desk: Desk):
    """A closed port is a line and exit 3 like any other trouble."""
    config = desk.folder / "config.toml"
    config.write_text(config.read_text().replace(desk.server.url("/podcast", "localhost"), "http://127.0.0.1:9/feed"))
    code, _, err = desk.run("fetch")
    assert code == 3
    assert err.startswith("podcast")


def test_trouble_leaves_what_was_read_before(desk: Desk):
    """A feed that answers garbage today keeps the entries and the validators of yesterday."""
    desk.ok("fetch")
    desk.server.respond("/podcast", TROUBLE["garbage"][0])
    assert desk.run("digest", "--week", "2026-W07")[0] == 3
    assert "https://pod.example/ep-14" in desk.files()["digest.txt"].decode()


def test_fetch_takes_feeds_by_name(desk: Desk):
    """Only the named feed is asked; a name that is none is refused with those there are."""
    assert "1 feed: 1 new entry" in desk.ok("fetch", "podcast")
    assert desk.server.requests_for("/blog") == []
    code, _, err = desk.run("fetch", "podcats")
    assert code == 2
    assert "its feeds are blog, podcast" in err


def test_quiet_says_only_what_went_wrong(desk: Desk):
    """--quiet prints nothing when all is well, before the command and after it."""
    assert desk.ok("--quiet", "fetch") == ""
    assert desk.ok("digest", "--week", "2026-W07", "--quiet") == ""
    desk.server.respond("/podcast", TROUBLE["missing"][0])
    code, out, err = desk.run("fetch", "--quiet")
    assert (code, out) == (3, "")
    assert "404" in err


def test_json_is_json(desk: Desk):
    """--json gives the same facts to programs, and nothing else on stdout."""
    assert [each["applied"]["new"] for each in json.loads(desk.ok("fetch", "--json"))] == [3, 1]
    made = json.loads(desk.ok("digest", "--week", "2026-W07", "--offline", "--explain", "--json"))
    assert made["edition"] == "2026-W07"
    assert len(made["paths"]) == 4
    assert len(made["decisions"]) == 4
    assert {each["feed"]["id"] for each in json.loads(desk.ok("status", "--json"))["feeds"]} == {"blog", "podcast"}
    assert len(json.loads(desk.ok("feeds", "list", "--json"))) == 2


def test_out_says_where(desk: Desk, tmp_path: Path):
    """--out names another folder for the editions."""
    desk.ok("digest", "--week", "2026-W07", "--out", str(tmp_path / "elsewhere"))
    assert (tmp_path / "elsewhere" / "2026-W07" / "digest.html").exists()
    assert not (desk.folder / "editions").exists()


def test_status_shows_feeds_and_weeks(desk: Desk):
    """Each feed with its newest entry, each week with its counts and whether it was made."""
    desk.ok("digest", "--week", "2026-W07")
    out = desk.ok("status")
    assert "newest Thu 12 Feb 2026" in out
    (week,) = [line for line in out.splitlines() if line.startswith("  2026-W07")]
    assert "2 posts" in week
    assert "1 episode" in week
    assert "draft, written Mon 16 Feb 2026 09:00" in week


def test_feeds_check_finds_the_feed_behind_a_home_page(desk: Desk):
    """A home page leads to its feed; what it holds is said, with the lines for config.toml."""
    link = '<link rel="alternate" type="application/rss+xml" href="/blog">'
    desk.server.respond(
        "/", CannedResponse(body=f"<!doctype html><html><head>{link}</head><body>Hi</body></html>".encode())
    )
    out = desk.ok("feeds", "check", desk.server.url("/"))
    assert desk.server.url("/blog") in out
    assert "3 entries, looks like a blog" in out
    assert "[[feeds]]" in out
    assert 'kind = "podcast"' in desk.ok("feeds", "check", desk.server.url("/podcast"))


def test_feeds_check_says_what_is_odd(desk: Desk):
    """Undated entries are named; an address without any feed is exit 3 and a sentence."""
    desk.serve("odd", feed("<item><title>Undated</title><link>https://blog.example/u</link></item>"))
    assert "warning: 1 of 1 entries have no date" in desk.ok("feeds", "check", desk.server.url("/odd"))
    code, out, _ = desk.run("feeds", "check", desk.server.url("/nothing"))
    assert code == 3
    assert "404" in out


def test_tick_does_what_is_due_once(desk: Desk):
    """The first tick fetches and makes the draft of the closed week, the second finds nothing to do."""
    out = desk.ok("tick")
    assert "fetch: 2 of 2 feeds fetched, 4 new entries" in out
    assert "draft: 2026-W07" in out
    before = desk.files()
    assert desk.ok("tick") == ""
    assert desk.files() == before


def test_tick_reports_a_failing_feed_and_drafts_all_the_same(desk: Desk):
    """Exit 3 with the feed's line on stderr; the draft is there."""
    desk.server.respond("/podcast", TROUBLE["error"][0])
    code, out, err = desk.run("tick")
    assert code == 3
    assert "podcast answered 500" in err
    assert "draft: 2026-W07" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["digest", "--week", "soon"], 2, "'soon' is not a week: use 2026-W07"),
        (["digest", "--week", "2025-W53"], 2, "is not a week"),
        (["--config", "nowhere.toml", "fetch"], 2, "nowhere.toml: there is no such file; run `pipeline init`"),
    ],
)
def test_mistakes_are_one_sentence(desk: Desk, words: list[str], code: int, said: str):
    """No traceback, exit 2, and what to do."""
    found, _, err = desk.run(*words)
    assert found == code
    assert said in err
    assert err.count("\n") == 1
    verbose, _, err = desk.run("--verbose", *words)
    assert verbose == code
    assert "Traceback" in err
    assert said in err.splitlines()[-1]


def test_a_broken_theme_says_where(desk: Desk):
    """A template of the publisher's own that does not compile is named with its line, exit 2."""
    theme = desk.folder / "templates" / "classic"
    theme.mkdir(parents=True)
    (theme / "digest.html.j2").write_text("<p>\n{% if %}\n")
    (theme / "digest.txt.j2").write_text("text\n")
    code, _, err = desk.run("digest", "--week", "2026-W07")
    assert code == 2
    assert "digest.html.j2" in err
    assert "line 2" in err


def test_init_writes_a_config_that_works_and_touches_nothing_twice(desk: Desk, tmp_path: Path):
    """The new config is valid as it stands; a second init is refused with exit 4 and leaves it alone."""
    folder = tmp_path / "mine"
    assert "config.toml" in desk.ok("init", str(folder))
    written = (folder / "config.toml").read_text()
    assert (folder / "editions").is_dir()
    assert main(["--config", str(folder / "config.toml"), "status"]) == 0
    assert main(["--config", str(folder / "config.toml"), "fetch"]) == 2
    assert "add one with `pipeline feeds add URL`" in desk.run("status")[2]
    code, _, err = desk.run("init", str(folder))
    assert code == 4
    assert "already exists" in err
    assert (folder / "config.toml").read_text() == written


def test_init_demo_works_offline(desk: Desk, tmp_path: Path):
    """The demo publication, its feeds included, is copied and makes its digest without the network."""
    desk.ok("init", "--demo", str(tmp_path / "demo"))
    code = main(["--config", str(tmp_path / "demo" / "config.toml"), "digest", "--week", "2026-W07"], clock=lambda: NOW)
    assert code == 0
    assert (tmp_path / "demo" / "editions" / "2026-W07" / "digest.eml").exists()
