"""The pages behind a proof's buttons, and the server they are on."""

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
from pipeline.jobs.access.sessions import PROOF_TTL
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.proof.tokens import sign_token
from pipeline.model.proof import ProofAction, ProofToken
from pipeline.model.week import Week
from pipeline.web.pages import serve_pages
from pipeline.web.proof import ProofPages
from pipeline.web.server import create_guarded_app, serve_routes
from tests.asgi_client import BASE_URL, FORM_HEADERS, AsgiClient
from tests.publication import small_theme

NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
W07 = Week.parse("2026-W07")
GIVE_UP_SECONDS = 120.0
PUBLIC_URL = "https://desk.harbourandhearth.example"
FORM_FROM_US = {"origin": BASE_URL} | FORM_HEADERS


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo publication with a small theme, fetched once, to be copied."""
    folder, root = tmp_path_factory.mktemp("demo"), Path(__file__).parents[2]
    small_theme(folder / "templates")
    changes = {
        'url = ""  ': f'url = "{PUBLIC_URL}"  ',
        'theme = "classic"': 'theme = "small"',
        'fixtures = "fixtures"': f'fixtures = "{root / "fixtures"}"',
    }
    config = (root / "config.toml").read_text()
    for old, new in changes.items():
        assert old in config
        config = config.replace(old, new)
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
    return AsgiClient(create_guarded_app(ProofPages(app.config.path, lambda: NOW).routes(), public_url=PUBLIC_URL))


def address(app: App, choice: ProofAction, *, days: int = 7) -> str:
    """Return the path of a proof's button."""
    edition = build_draft(app.store(), build_digest_context(app), W07, now=NOW).edition
    expires_at = NOW + timedelta(days=days)
    what = ProofToken(
        week=str(W07), content_hash=edition.content_hash, action=choice, sequence=1, expires_at=expires_at
    )
    return f"/proof/{sign_token(what, proof_signing_key(app))}"


def heading(response: httpx.Response) -> str:
    match = re.search(r"<h1>(.*?)</h1>", response.text)
    assert match
    return match[1]


def state(app: App) -> str:
    return app.store().editions.get(str(W07)).state


@pytest.mark.parametrize("choice", ["approve", "hold", "open"])
def test_get_and_head_change_nothing(client: AsgiClient, app: App, choice: ProofAction) -> None:
    """Mail scanners may follow every link: GET and HEAD write no row and set no cookie."""
    path = address(app, choice)
    before = app.store().revision()
    for method in ("GET", "HEAD", "GET", "HEAD"):
        response = client.request(method, path)
        assert (response.status_code, "set-cookie" in response.headers) == (200, False)
    assert app.store().revision() == before


def test_the_page_describes_the_decision(client: AsgiClient, app: App) -> None:
    """Subject, number of stories, hash and checks are shown, with one form to the same URL and no script."""
    path = address(app, "approve")
    page = client.get(path).text
    edition = build_draft(app.store(), build_digest_context(app), W07, now=NOW).edition
    assert f"“{edition.subject}”" in page
    assert re.search(r"\d+ stories", page)
    assert edition.content_hash[:12] in page
    assert "<h2>Checks</h2>" in page
    assert re.findall(r"<form[^>]*>", page) == ['<form method="post" class="actions__form">']
    assert "<script" not in page


def test_the_button_approves_once(client: AsgiClient, app: App) -> None:
    """The button approves; pressed again, it shows that the edition is already approved."""
    path = address(app, "approve")
    first, second = (client.request("POST", path, headers=FORM_FROM_US, content=b"") for _ in range(2))
    assert (first.status_code, heading(first)) == (200, "Approved")
    assert (second.status_code, heading(second)) == (200, "Already approved")
    assert heading(client.get(path)) == "Already approved"
    assert "editor@harbourandhearth.example, by the proof" in second.text
    assert state(app) == "approved"
    state_file = app.editions_folder / "2026-W07" / "state.json"
    assert '"approved"' in state_file.read_text()


def test_the_button_holds(client: AsgiClient, app: App) -> None:
    """The page says how to resume the edition."""
    response = client.request("POST", address(app, "hold"), headers=FORM_FROM_US, content=b"")
    assert (heading(response), state(app)) == ("Held", "held")
    assert "pipeline resume 2026-W07" in response.text


def test_a_draft_that_has_changed_is_not_approved(client: AsgiClient, app: App) -> None:
    """The page lists the changes and offers a new proof."""
    path = address(app, "approve")
    edition = build_draft(app.store(), build_digest_context(app), W07, now=NOW).edition
    app.store().proofs.claim(str(W07), edition.content_hash, edition.manifest, now=NOW)
    app.editions_folder.mkdir(exist_ok=True)
    (app.editions_folder / "2026-W07.md").write_text('+++\nsubject = "Something else"\n+++\n')
    response = client.request("POST", path, headers=FORM_FROM_US, content=b"")
    assert (response.status_code, heading(response)) == (409, "The edition has changed")
    assert "would be “Something else”" in response.text
    assert 'value="resend"' in response.text
    assert state(app) == "draft"


def test_a_new_proof_can_be_requested(client: AsgiClient, app: App) -> None:
    """Any valid token, even an expired one, sends a new proof to the editor, at most one a minute."""
    old = address(app, "approve", days=-30)
    responses = [client.request("POST", old, headers=FORM_FROM_US, content=b"do=resend") for _ in range(2)]
    assert [heading(response) for response in responses] == ["A new proof is on its way", "No proof was sent"]
    (proof,) = (app.config.path.parent / "outbox").glob("*.eml")
    assert b"To: editor@harbourandhearth.example\r\n" in proof.read_bytes()
    forged = client.request("POST", old[:-5], headers=FORM_FROM_US, content=b"do=resend")
    assert (forged.status_code, heading(forged)) == (404, "This link does not work")
    assert state(app) == "draft"


def test_unusable_links_have_their_own_pages(client: AsgiClient, app: App) -> None:
    """Forged, expired and closed links have their own page, for GET and POST alike."""
    old, skipped = address(app, "approve", days=0), address(app, "approve")
    seen = app.store().editions.get(str(W07))
    app.store().editions.release(seen, "skipped", (), now=NOW, actor="ann")
    expected = {
        "/proof/nothing": (404, "This link does not work"),
        "/proof/" + "x" * 3000: (404, "This link does not work"),
        old: (410, "This link has expired"),
        skipped: (409, "Nothing left to decide"),
    }
    for path, page in expected.items():
        for method in ("GET", "POST"):
            response = client.request(method, path, headers=FORM_FROM_US, content=b"")
            assert (response.status_code, heading(response)) == page


def test_an_invalid_config_is_a_page(client: AsgiClient, app: App) -> None:
    """The page shows what to fix in config.toml, and the button works once it is fixed."""
    path, config = address(app, "approve"), app.config.path
    before = config.read_text()
    config.write_text(before.replace("[digest]", "[digset]"))
    response = client.get(path)
    assert (response.status_code, heading(response)) == (500, "This page is not available at the moment")
    assert "did you mean digest?" in response.text
    config.write_text(before)
    assert client.get(path).status_code == 200


def test_another_site_cannot_press(client: AsgiClient, app: App) -> None:
    """A form from another site is refused even with the token, and so is a request without an Origin."""
    path = address(app, "approve")
    for origin in ({"origin": "https://elsewhere.example"}, {"origin": "null"}, {}):
        assert client.request("POST", path, headers=origin | FORM_HEADERS, content=b"").status_code == 403
    assert state(app) == "draft"


def test_the_public_url_is_accepted(client: AsgiClient, app: App) -> None:
    """The Host and Origin of [web] url are accepted, as behind a proxy."""
    path = address(app, "approve")
    host = PUBLIC_URL.removeprefix("https://")
    assert client.get(path, headers={"host": host}).status_code == 200
    assert client.get(path, headers={"host": "elsewhere.example"}).status_code == 403
    assert (
        client.request(
            "POST", path, headers={"host": host, "origin": PUBLIC_URL} | FORM_HEADERS, content=b""
        ).status_code
        == 200
    )
    assert state(app) == "approved"


def test_the_token_does_not_leak(client: AsgiClient, app: App) -> None:
    """The page is not stored, indexed or framed, and its URL is sent to no other site."""
    response = client.get(address(app, "approve"))
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert 'name="robots" content="noindex' in response.text


def test_a_subject_is_escaped(client: AsgiClient, app: App) -> None:
    """Markup in a subject is shown as text."""
    app.editions_folder.mkdir(exist_ok=True)
    (app.editions_folder / "2026-W07.md").write_text('+++\nsubject = "Bread <script>alert(1)</script>"\n+++\n')
    page = client.get(address(app, "approve")).text
    assert "Bread &lt;script&gt;" in page


# The server


def say_hello(request: Request) -> Response:
    return PlainTextResponse("hello")


HELLO: list[BaseRoute] = [Route("/hello", say_hello)]


@pytest.mark.loopback
def test_routes_are_served_until_the_block_ends() -> None:
    """The server listens on a free port, sends a Date, and stops with the block."""
    with serve_routes("127.0.0.1:0", HELLO) as address:
        response = httpx.get(f"{address}/hello", timeout=GIVE_UP_SECONDS)
        assert (response.text, "date" in response.headers, "server" in response.headers) == ("hello", True, False)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/hello", timeout=GIVE_UP_SECONDS)


@pytest.mark.loopback
def test_a_port_in_use_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Without a free port no pages are served, and one warning says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with serve_routes(listen, HELLO) as address:
            assert address == ""
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith(f"pages are off: cannot listen on {listen} (")
    assert "[web] listen" in line


def test_an_empty_address_serves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """An empty [web] listen serves no pages and logs nothing."""
    with serve_routes("", HELLO) as address:
        assert (address, caplog.records) == ("", [])


@pytest.mark.loopback
def test_a_proof_opens_the_desk_for_a_day(app: App) -> None:
    """The desk behind the daemon opens to the browser that pressed the proof's third button, for a day; no URL
    contains the session."""
    path = app.config.path
    path.write_text(path.read_text().replace('"127.0.0.1:8026"', '"127.0.0.1:0"').replace(f'"{PUBLIC_URL}"', '""'))
    now = [NOW]
    with (
        serve_pages(path, lambda: now[0], HELLO) as here,
        httpx.Client(base_url=here, timeout=GIVE_UP_SECONDS) as browser,
    ):
        assert browser.get("/week/2026-W07").status_code == 403
        assert browser.get("/hello").text == "hello"
        confirmation = browser.get(address(app, "open"), follow_redirects=True)
        assert (heading(confirmation), browser.get("/week/2026-W07").status_code) == ("Open the desk?", 403)
        with App.load(path) as again:
            origin = web_url(again)
        opened = browser.post(confirmation.url.path, headers={"origin": origin} | FORM_HEADERS, follow_redirects=True)
        assert (opened.status_code, opened.url.path, opened.url.query) == (200, "/week/2026-W07", b"")
        assert browser.get("/").status_code == 200
        assert httpx.get(f"{here}/", timeout=GIVE_UP_SECONDS).status_code == 403
        now[0] += PROOF_TTL
        assert browser.get("/").status_code == 403
    assert state(app) == "draft"


def test_the_session_cookie_is_protected(client: AsgiClient, app: App) -> None:
    """The session cookie is hidden from scripts, not sent from other sites and not sent unencrypted."""
    response = client.request("POST", address(app, "open"), headers=FORM_FROM_US, content=b"")
    assert (response.status_code, response.headers["location"]) == (303, "/week/2026-W07")
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("desk=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Max-Age=86400"} <= set(cookie.split("; "))
    assert state(app) == "draft"


def test_an_expired_link_does_not_open_the_desk(client: AsgiClient, app: App) -> None:
    """After seven days the third button opens nothing."""
    for method in ("GET", "POST"):
        response = client.request(method, address(app, "open", days=0), headers=FORM_FROM_US, content=b"")
        assert (response.status_code, "set-cookie" in response.headers) == (410, False)
