"""The pages behind a proof's buttons, and the small server they are on."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.app import App
from pipeline.app.delivery import proof_signing_key, web_url
from pipeline.app.digests import build_digest_context
from pipeline.app.feeds import build_refresher
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.proof.tokens import sign_token
from pipeline.model.proof import ProofAction, ProofToken
from pipeline.model.week import Week
from pipeline.web.pages import serve_pages
from pipeline.web.proof import SESSION_TTL, ProofPages
from pipeline.web.server import create_guarded_app, serve_routes
from tests.asgi_client import BASE_URL, FORM_HEADERS, AsgiClient
from tests.publication import small_theme

NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
W07 = Week.parse("2026-W07")
HOME = "https://desk.harbourandhearth.example"
OURS = {"origin": BASE_URL} | FORM_HEADERS


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo publication in a theme of a few lines, fetched once, to be copied."""
    folder, root = tmp_path_factory.mktemp("demo"), Path(__file__).parents[2]
    small_theme(folder / "templates")
    changes = {
        'url = ""  ': f'url = "{HOME}"  ',
        'theme = "classic"': 'theme = "small"',
        'fixtures = "fixtures"': f'fixtures = "{root / "fixtures"}"',
    }
    config = (root / "config.toml").read_text()
    for said, meant in changes.items():
        assert said in config
        config = config.replace(said, meant)
    (folder / "config.toml").write_text(config)
    with App.load(folder / "config.toml") as app:
        build_refresher(app).refresh(app.feeds, now=NOW)
    return folder


@pytest.fixture
def app(stored: Path, tmp_path: Path) -> Iterator[App]:
    shutil.copytree(stored, tmp_path / "here")
    with App.load(tmp_path / "here" / "config.toml") as app:
        yield app


@pytest.fixture
def client(app: App) -> AsgiClient:
    return AsgiClient(create_guarded_app(ProofPages(app.config.path, lambda: NOW).routes(), public_url=HOME))


def address(app: App, choice: ProofAction, *, days: int = 7) -> str:
    """Where a button of a proof of the draft leads."""
    edition = build_draft(app.store, build_digest_context(app), W07, now=NOW).edition
    expires_at = NOW + timedelta(days=days)
    what = ProofToken(
        week=str(W07), content_hash=edition.content_hash, action=choice, sequence=1, expires_at=expires_at
    )
    return f"/proof/{sign_token(what, proof_signing_key(app))}"


def heading(answer: httpx.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    assert found
    return found[1]


def state(app: App) -> str:
    return app.store.editions.get(str(W07)).state


@pytest.mark.parametrize("choice", ["approve", "hold", "open"])
def test_scanners_change_nothing(client: AsgiClient, app: App, choice: ProofAction) -> None:
    """GET and HEAD, as often as mail scanners like: no row is written."""
    path = address(app, choice)
    before = app.store.revision()
    for method in ("GET", "HEAD", "GET", "HEAD"):
        answer = client.request(method, path)
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    assert app.store.revision() == before


def test_what_is_asked_is_said(client: AsgiClient, app: App) -> None:
    """Subject, number of stories, hash and checks; one form that posts to this very address, and no script."""
    path = address(app, "approve")
    page = client.get(path).text
    edition = build_draft(app.store, build_digest_context(app), W07, now=NOW).edition
    assert f"“{edition.subject}”" in page
    assert re.search(r"\d+ stories", page)
    assert edition.content_hash[:12] in page
    assert "<h2>Checks</h2>" in page
    assert re.findall(r"<form[^>]*>", page) == ['<form method="post" class="actions__form">']
    assert "<script" not in page


def test_approved_by_a_press_and_no_second(client: AsgiClient, app: App) -> None:
    """The button approves; pressed again from a page that was still open, it says that it is approved already."""
    path = address(app, "approve")
    first, second = (client.request("POST", path, headers=OURS, content=b"") for _ in range(2))
    assert (first.status_code, heading(first)) == (200, "Approved")
    assert (second.status_code, heading(second)) == (200, "Already approved")
    assert heading(client.get(path)) == "Already approved"
    assert "editor@harbourandhearth.example, by the proof" in second.text
    assert state(app) == "approved"
    laid_out = app.editions_folder / "2026-W07" / "state.json"
    assert '"approved"' in laid_out.read_text()


def test_held_by_a_press(client: AsgiClient, app: App) -> None:
    """The page says how it is taken up again."""
    answer = client.request("POST", address(app, "hold"), headers=OURS, content=b"")
    assert (heading(answer), state(app)) == ("On hold", "held")
    assert "pipeline resume 2026-W07" in answer.text


def test_a_draft_that_has_changed_is_not_approved(client: AsgiClient, app: App) -> None:
    """The page names the differences and how a new proof is had."""
    path = address(app, "approve")
    edition = build_draft(app.store, build_digest_context(app), W07, now=NOW).edition
    app.store.proofs.claim(str(W07), edition.content_hash, edition.manifest, now=NOW)
    app.editions_folder.mkdir(exist_ok=True)
    (app.editions_folder / "2026-W07.md").write_text('+++\nsubject = "Something else"\n+++\n')
    answer = client.request("POST", path, headers=OURS, content=b"")
    assert (answer.status_code, heading(answer)) == (409, "The edition has changed")
    assert "would be “Something else”" in answer.text
    assert 'value="resend"' in answer.text
    assert state(app) == "draft"


def test_a_new_proof_can_be_asked_for(client: AsgiClient, app: App) -> None:
    """Old links and new ones bring one, to the editor; not one a second, and not of what is decided."""
    old = address(app, "approve", days=-30)
    asked = [client.request("POST", old, headers=OURS, content=b"do=resend") for _ in range(2)]
    assert [heading(each) for each in asked] == ["A new proof is on its way", "No proof was sent"]
    (proof,) = (app.config.path.parent / "outbox").glob("*.eml")
    assert b"To: editor@harbourandhearth.example\r\n" in proof.read_bytes()
    forged = client.request("POST", old[:-5], headers=OURS, content=b"do=resend")
    assert (forged.status_code, heading(forged)) == (404, "This link does not work")
    assert state(app) == "draft"


def test_links_that_do_not_work_have_pages_of_their_own(client: AsgiClient, app: App) -> None:
    """Forged, too old, or of a week that was skipped: each says what it is, for GET and POST alike."""
    old, skipped = address(app, "approve", days=0), address(app, "approve")
    seen = app.store.editions.get(str(W07))
    app.store.editions.release(seen, "skipped", (), now=NOW, actor="ann")
    expected = {
        "/proof/nothing": (404, "This link does not work"),
        "/proof/" + "x" * 3000: (404, "This link does not work"),
        old: (410, "This link has expired"),
        skipped: (409, "Nothing left to decide"),
    }
    for path, told in expected.items():
        for method in ("GET", "POST"):
            answer = client.request(method, path, headers=OURS, content=b"")
            assert (answer.status_code, heading(answer)) == told


def test_settings_that_are_broken_are_a_page_too(client: AsgiClient, app: App) -> None:
    """Somebody has just spoilt config.toml: the sentence says what to mend, and the button works afterwards."""
    path, config = address(app, "approve"), app.config.path
    before = config.read_text()
    config.write_text(before.replace("[digest]", "[digset]"))
    answer = client.get(path)
    assert (answer.status_code, heading(answer)) == (500, "This page does not work at the moment")
    assert "did you mean digest?" in answer.text
    config.write_text(before)
    assert client.get(path).status_code == 200


def test_a_page_elsewhere_cannot_press(client: AsgiClient, app: App) -> None:
    """Even with the link, another site's form is refused; so is a request that says nothing of where it comes from."""
    path = address(app, "approve")
    for origin in ({"origin": "https://elsewhere.example"}, {"origin": "null"}, {}):
        assert client.request("POST", path, headers=origin | FORM_HEADERS, content=b"").status_code == 403
    assert state(app) == "draft"


def test_behind_a_proxy_the_home_is_ours(client: AsgiClient, app: App) -> None:
    """[web] url names another host: it may ask, and its pages may press, whatever Host the proxy sends."""
    path = address(app, "approve")
    host = HOME.removeprefix("https://")
    assert client.get(path, headers={"host": host}).status_code == 200
    assert client.get(path, headers={"host": "elsewhere.example"}).status_code == 403
    assert (
        client.request("POST", path, headers={"host": host, "origin": HOME} | FORM_HEADERS, content=b"").status_code
        == 200
    )
    assert state(app) == "approved"


def test_no_secret_is_told_to_others(client: AsgiClient, app: App) -> None:
    """The address is the pass: it is not kept, not indexed, and not told to any other site."""
    answer = client.get(address(app, "approve"))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert 'name="robots" content="noindex' in answer.text


def test_words_from_outside_are_words(client: AsgiClient, app: App) -> None:
    """A subject with a tag in it is shown, not obeyed."""
    app.editions_folder.mkdir(exist_ok=True)
    (app.editions_folder / "2026-W07.md").write_text('+++\nsubject = "Bread <script>alert(1)</script>"\n+++\n')
    page = client.get(address(app, "approve")).text
    assert "Bread &lt;script&gt;" in page


# The server


def say_hello(request: Request) -> Response:
    return PlainTextResponse("hello")


HELLO: list[BaseRoute] = [Route("/hello", say_hello)]


@pytest.mark.loopback
def test_pages_are_served_as_long_as_the_block_lasts() -> None:
    """At the port that was free, with a Date, and gone afterwards."""
    with serve_routes("127.0.0.1:0", HELLO) as address:
        answer = httpx.get(f"{address}/hello")
        assert (answer.text, "date" in answer.headers, "server" in answer.headers) == ("hello", True, False)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/hello")


@pytest.mark.loopback
def test_a_port_in_use_is_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    """The daemon goes on without pages, and says so once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with serve_routes(listen, HELLO) as address:
            assert address == ""
    (line,) = (each.getMessage() for each in caplog.records)
    assert line.startswith(f"pages are off: cannot listen on {listen} (")
    assert "[web] listen" in line


def test_no_address_no_pages(caplog: pytest.LogCaptureFixture) -> None:
    """Turned off is turned off, without a word."""
    with serve_routes("", HELLO) as address:
        assert (address, caplog.records) == ("", [])


@pytest.mark.loopback
def test_the_desk_opens_by_the_proof_alone(app: App) -> None:
    """Behind the daemon the desk opens to the browser that pressed a proof's third button and to no other, for a day;
    no address holds what opens it.
    """
    path = app.config.path
    path.write_text(path.read_text().replace('"127.0.0.1:8026"', '"127.0.0.1:0"').replace(f'"{HOME}"', '""'))
    now = [NOW]
    with serve_pages(path, lambda: now[0], HELLO) as here, httpx.Client(base_url=here) as browser:
        assert browser.get("/week/2026-W07").status_code == 403
        assert browser.get("/hello").text == "hello"
        asked = browser.get(address(app, "open"), follow_redirects=True)
        assert (heading(asked), browser.get("/week/2026-W07").status_code) == ("Open the desk?", 403)
        with App.load(path) as again:
            origin = web_url(again)
        opened = browser.post(asked.url.path, headers={"origin": origin} | FORM_HEADERS, follow_redirects=True)
        assert (opened.status_code, opened.url.path, opened.url.query) == (200, "/week/2026-W07", b"")
        assert browser.get("/").status_code == 200
        assert httpx.get(f"{here}/").status_code == 403
        now[0] += SESSION_TTL
        assert browser.get("/").status_code == 403
    assert state(app) == "draft"


def test_what_opens_the_desk_is_for_this_browser_alone(client: AsgiClient, app: App) -> None:
    """A cookie that no script reads, no other site's page sends, and no connection in the open carries."""
    answer = client.request("POST", address(app, "open"), headers=OURS, content=b"")
    assert (answer.status_code, answer.headers["location"]) == (303, "/week/2026-W07")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("desk=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Max-Age=86400"} <= set(cookie.split("; "))
    assert state(app) == "draft"


def test_an_old_way_to_the_desk_is_closed(client: AsgiClient, app: App) -> None:
    """After seven days the third button opens nothing, whatever it is asked by."""
    for method in ("GET", "POST"):
        answer = client.request(method, address(app, "open", days=0), headers=OURS, content=b"")
        assert (answer.status_code, "set-cookie" in answer.headers) == (410, False)
