"""Options of [[feeds]], from config to digest: interval, credentials, rules, language and full text."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import CannedResponse, HttpServer, redirect

pytestmark = pytest.mark.loopback
SECRET = "hunter2-ünïcode"
ARTICLE = " ".join(["The oven is lit at four and the dough has waited since the evening before."] * 40)
PAGE = f"""<!doctype html><html><head><title>Bread</title></head><body><nav><a href="/">Home</a></nav>
<article><h1>Bread on a stone</h1><p>{ARTICLE}</p><ol><li>Light the oven.</li><li>Wait.</li></ol>
<p onclick="alert(1)">It is ready when it <a href="/sings">sings</a>.</p></article>
<footer>Copyright Harbour &amp; Hearth</footer><script>alert(1)</script></body></html>""".encode()


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        yield CliRunner(tmp_path, server, capsys)


def authorizations(program: CliRunner, place: str) -> list[str | None]:
    return [seen.headers.get("authorization") for seen in program.server.requests_for(place)]


def test_a_password_comes_from_the_environment(program: CliRunner, monkeypatch: pytest.MonkeyPatch):
    """Basic authentication with the UTF-8 value of $BLOG_PASSWORD; it is never printed or stored."""
    monkeypatch.setenv("BLOG_PASSWORD", SECRET)
    program.write_config('username = "ada"\npassword_env = "BLOG_PASSWORD"\n')
    out = program.run_ok("fetch") + program.run_ok("feeds", "list", "--json") + program.run_ok("status", "--json")
    pair = b64encode(f"ada:{SECRET}".encode()).decode()
    assert authorizations(program, "/blog") == [f"Basic {pair}"]
    program.run_ok("digest", "--week", "current")
    kept = b"".join(path.read_bytes() for path in program.config.parent.rglob("*") if path.is_file())
    assert SECRET not in out
    assert SECRET.encode() not in kept
    assert pair.encode() not in kept


def test_tokens_and_headers_may_come_from_files(program: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`NAME_FILE` names a file whose last newline is ignored; `$NAME` is replaced in a header."""
    (tmp_path / "token").write_text("t0ken\n")
    monkeypatch.setenv("BLOG_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("BLOG_KEY", "k3y")
    program.write_config('token_env = "BLOG_TOKEN"\nheaders = { X-Api-Key = "$BLOG_KEY", Accept-Language = "de" }\n')
    program.run_ok("fetch")
    (seen,) = program.server.requests_for("/blog")
    assert seen.headers["authorization"] == "Bearer t0ken"
    assert (seen.headers["x-api-key"], seen.headers["accept-language"]) == ("k3y", "de")


def test_a_missing_secret_affects_one_feed(program: CliRunner, monkeypatch: pytest.MonkeyPatch):
    """Exit code 3 with the feed, the variable and what to do; the others are fetched, and this one once it is set."""
    other = f'\n[[feeds]]\nid = "links"\nurl = "{program.server.url("/links")}"\nkind = "links"\n'
    program.write_config('token_env = "BLOG_TOKEN"\n', other)
    program.serve("/links", rss(item("Tar")))
    code, out, err = program.run("fetch")
    assert code == 3
    assert err == (
        "blog   was not fetched, because the environment variable BLOG_TOKEN is not set: set it in the environment of "
        "the program, never in config.toml\n"
    )
    assert "links  answered 200 OK (1 new)" in out
    assert program.server.requests_for("/blog") == []
    assert "BLOG_TOKEN is not set" in program.run_ok("status")
    monkeypatch.setenv("BLOG_TOKEN", "t0ken")
    assert "blog   answered 200 OK (1 new)" in program.run_ok("fetch")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_secrets_are_sent_to_the_configured_host_only(program: CliRunner, monkeypatch: pytest.MonkeyPatch, status: int):
    """A host that the feed redirects to gets neither token nor headers, also after the move is confirmed."""
    monkeypatch.setenv("BLOG_TOKEN", "t0ken")
    program.write_config('token_env = "BLOG_TOKEN"\nheaders = { X-Reader = "ada" }\n')
    program.serve("/elsewhere", rss(item("Bread on a stone")))
    program.server.respond("127.0.0.1/blog", redirect(program.server.url("/elsewhere", "localhost"), status))
    for _ in range(5):
        program.run("fetch", "--force")
        program.now += timedelta(days=1)
    assert authorizations(program, "127.0.0.1/blog") == ["Bearer t0ken"] * 5
    assert authorizations(program, "localhost/elsewhere") == [None] * 5
    assert {seen.headers.get("x-reader") for seen in program.server.requests_for("/elsewhere")} == {None}


def test_check_sends_credentials_to_configured_urls_only(program: CliRunner, monkeypatch: pytest.MonkeyPatch):
    """`feeds check` of a configured URL sends the same headers as `fetch`; any other URL gets none."""
    monkeypatch.setenv("BLOG_TOKEN", "t0ken")
    program.write_config('token_env = "BLOG_TOKEN"\n')
    program.serve("/other", rss(item("Tar")))
    program.run_ok("feeds", "check", program.server.url("/blog"))
    program.run_ok("feeds", "check", program.server.url("/other"))
    assert authorizations(program, "/blog") == ["Bearer t0ken"]
    assert authorizations(program, "/other") == [None]


def test_a_feed_may_have_its_own_interval(program: CliRunner):
    """`tick` fetches every half hour; a feed with "every 6 hours" is not fetched in between."""
    program.write_config('interval = "every 6 hours"\n')
    for _ in range(13):
        assert program.run("tick")[0] == 0
        program.now += timedelta(minutes=30)
    assert len(program.server.requests_for("/blog")) == 2
    program.write_config()
    program.now += timedelta(days=1)
    for _ in range(3):
        program.run("tick")
        program.now += timedelta(minutes=40)
    assert len(program.server.requests_for("/blog")) > 3


RULES = {
    'exclude = { categories = ["sponsored"] }\n': "left out: category sponsored is excluded in config.toml",
    'exclude = { pattern = "(?i)^rope" }\n': "left out: pattern (?i)^rope is excluded in config.toml",
    'exclude = { pattern = "blog.example/rope" }\n': "left out: pattern blog.example/rope is excluded in config.toml",
    'include = { categories = ["Recipes"] }\n': "left out: config.toml includes only category Recipes",
}


@pytest.mark.parametrize("rule", RULES)
def test_excluded_entries_are_stored(program: CliRunner, rule: str):
    """The excluded entry is listed with the reason, and eligible again without the rule, without another fetch."""
    bread = item("Bread", more="<category>Recipes</category>")
    program.serve("/blog", rss(bread, item("Rope", more="<category>Sponsored</category>")))
    program.write_config(rule)
    program.run_ok("fetch")
    assert program.titles() == ["Bread"]
    (left,) = program.manifest()["left_out"]
    assert (left["title"], left["reason"]) == ("Rope", RULES[rule])
    assert RULES[rule] in program.run_ok("digest", "--week", "current", "--offline", "--explain")
    program.write_config()
    assert program.titles() == ["Bread", "Rope"]


def test_an_empty_week_names_the_rule(program: CliRunner):
    """Exit code 4 with the rule, instead of a message that there were no entries."""
    program.write_config('exclude = { pattern = "." }\n')
    program.run_ok("fetch")
    code, _, err = program.run("digest", "--week", "current", "--offline")
    assert code == 4
    assert "config.toml leaves out every entry of 2026-W07" in err


def test_an_excluded_post_does_not_exclude_its_episode(program: CliRunner):
    """If the post of an episode is excluded, the episode is a story by itself."""
    audio = '<enclosure url="https://pod.example/1.mp3" type="audio/mpeg" length="1"/>'
    program.serve("/blog", rss(item("Podcast – Ada Finch – The salt road")))
    program.serve("/pod", rss(item("The salt road", more=audio)))
    pod = f'\n[[feeds]]\nid = "pod"\nurl = "{program.server.url("/pod")}"\nkind = "podcast"\n'
    program.write_config('exclude = { pattern = "^Podcast – " }\n', pod)
    program.run_ok("fetch")
    (story,) = program.manifest()["stories"]
    assert [entry["feed_id"] for entry in story["entries"]] == ["pod"]


def excerpt_feed(program: CliRunner, *titles: str, more: str = "") -> bytes:
    return rss(*(item(title, link=program.server.url(f"/{title.lower()}"), more=more) for title in titles))


def body_of(program: CliRunner) -> str:
    program.run_ok("digest", "--week", "current", "--offline")
    return (program.config.parent / "editions" / "2026-W07" / "digest.txt").read_text(encoding="utf-8")


def test_full_text_is_fetched_once(program: CliRunner):
    """The text of the page is in the digest; it is fetched again only if the entry changed."""
    program.serve("/blog", excerpt_feed(program, "Bread"))
    program.serve("/bread", PAGE, {"Content-Type": "text/html"})
    program.write_config("full_text = true\n")
    assert "1 of 1 entries with their full text (1 new)" in program.run_ok("fetch")
    assert "The oven is lit at four" in body_of(program)
    program.now += timedelta(hours=1)
    program.serve("/blog", excerpt_feed(program, "Soup", "Bread"))
    assert "1 new entry, 0 changed" in program.run_ok("fetch", "--force")
    assert len(program.server.requests_for("/bread")) == 1
    assert "The oven is lit at four" in body_of(program)
    program.serve("/blog", excerpt_feed(program, "Soup", "Bread", more="<category>New</category>"))
    assert "2 changed" in program.run_ok("fetch", "--force")
    assert len(program.server.requests_for("/bread")) == 2


@pytest.mark.parametrize(
    "answer",
    [
        CannedResponse(status=404, body=b""),
        CannedResponse(body=b"<html><body><p>Sign in</p></body></html>"),
        CannedResponse(body=b"\x00\xff<div>" * 3000),
    ],
    ids=["missing", "nothing in it", "garbage"],
)
def test_a_failed_page_keeps_the_excerpt(program: CliRunner, answer: CannedResponse):
    """The feed is healthy, the entry has its excerpt, and the report counts the full texts."""
    program.serve("/blog", excerpt_feed(program, "Bread"))
    program.server.respond("/bread", answer)
    program.write_config("full_text = true\n")
    assert "0 of 1 entries with their full text (1 new)" in program.run_ok("fetch")
    assert "Bread: a few words." in body_of(program)


def test_full_text_is_bounded_and_polite(program: CliRunner, monkeypatch: pytest.MonkeyPatch):
    """At most twenty pages a run, the newest first, without credentials; a 429 pauses the host, the feed included."""
    monkeypatch.setenv("BLOG_TOKEN", "t0ken")
    program.write_config('full_text = true\ntoken_env = "BLOG_TOKEN"\n')
    posts = [item(f"Loaf {day}", link=program.server.url(f"/{day}"), date=f"{day} Jan 2026") for day in range(1, 31)]
    program.serve("/blog", rss(*posts))
    for day in range(1, 31):
        program.server.respond(f"/{day}", CannedResponse(status=429, body=b"", headers={"Retry-After": "3600"}))
    assert "0 of 30 entries with their full text (30 new)" in program.run_ok("fetch")
    feed, *pages = program.server.requests
    assert feed.headers["authorization"] == "Bearer t0ken"
    assert {page.path for page in pages} == {f"/{day}" for day in range(11, 31)}
    assert {page.headers.get("authorization") for page in pages} == {None}
    program.now += timedelta(minutes=30)
    program.run("fetch", "--force")
    assert len(program.server.requests) == 21


def test_full_text_is_optional(program: CliRunner):
    """Without the option no page is fetched; nor for a complete post, or for an episode."""
    program.serve("/blog", excerpt_feed(program, "Bread"))
    program.run_ok("fetch")
    whole = f"<content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'>{ARTICLE}</content:encoded>"
    duration = "<itunes:duration xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>60</itunes:duration>"
    audio = f'<enclosure url="https://pod.example/1.mp3" type="audio/mpeg" length="1"/>{duration}'
    program.write_config("full_text = true\n")
    items = (item("Whole", link=program.server.url("/whole"), more=whole), item("Talk", more=audio))
    program.serve("/blog", rss(*items))
    assert "full text" not in program.run_ok("fetch", "--force")
    assert {seen.path for seen in program.server.requests} == {"/blog"}


def test_the_configured_language_has_priority(program: CliRunner):
    """The language in config.toml overrides that of the feed."""
    from pipeline.app import App

    program.serve("/blog", rss(item("Brot"), more="<language>en-us</language>"))
    program.write_config('language = "de-CH"\n')
    program.run_ok("fetch")
    with App.load(program.config) as app:
        ids = [feed.id for feed in app.feeds]
        (stored,) = app.store().entries.between(program.now - timedelta(days=7), program.now, ids)
    assert stored.entry.language == "de-CH"


def test_feeds_list_shows_the_options_and_no_secret(program: CliRunner, monkeypatch: pytest.MonkeyPatch):
    """--json contains interval and rules as plain values, and neither headers nor passwords."""
    monkeypatch.setenv("BLOG_TOKEN", "t0ken")
    program.write_config('interval = "every 6 hours"\nexclude = { categories = ["Ads"] }\ntoken_env = "BLOG_TOKEN"\n')
    (listed,) = json.loads(program.run_ok("feeds", "list", "--json"))
    assert listed["feed"]["exclude"] == {"categories": ["Ads"], "pattern": ""}
    assert listed["feed"]["interval"] == "6:00:00"
    assert "BLOG_TOKEN" not in json.dumps(listed)
