"""Logging in to the desk behind the daemon: real pages, real mails, real sessions."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.routing import BaseRoute, Route

from pipeline.app.audience import build_audience_context
from pipeline.cli import main
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.web.desk.access.live import LiveAccess
from pipeline.web.desk.access.log_in import LogInPages
from pipeline.web.desk.access.roles import EDITING
from pipeline.web.pages import create_desk_app, serve_pages
from pipeline.web.templating import PageTemplates
from tests.background_server import free_port
from tests.fake_desk import FakeDesk
from tests.mail_server import SILENCE, MailServer
from tests.people import sign_up
from tests.served_desk import (
    ANN,
    BOB,
    FORM,
    GIVE_UP_SECONDS,
    NOW,
    ROOT,
    WEEK,
    ServedDesk,
    link_in,
    store_demo,
    wait_for_mails,
)

pytestmark = pytest.mark.loopback


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def desk(stored: Path, tmp_path: Path, mail_server: MailServer) -> Iterator[ServedDesk]:
    shutil.copytree(stored, tmp_path / "here")
    desk = ServedDesk(tmp_path / "here", mail_server.port)
    with serve_pages(desk.config, lambda: desk.now) as url:
        assert url == desk.url
        yield desk


def heading(response: httpx.Response) -> str:
    match = re.search(r"<h1>(.*?)</h1>", response.text)
    assert match, response.text
    return match[1]


def post_form(browser: httpx.Client, page: str, path: str, **fields: str) -> httpx.Response:
    """Submit a form as a browser does, with the CSRF token of a page."""
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get(page).text)
    assert token
    return browser.post(path, data={"csrf": token[1], **fields})


def approve(browser: httpx.Client, page: httpx.Response) -> httpx.Response:
    """Press the button of a page that approves, with all errors ticked that it shows."""
    fields = {name: re.findall(rf'name="{name}" value="([^"]+)"', page.text) for name in ("csrf", "hash", "override")}
    data = {"do": "approve", "csrf": fields["csrf"][0], "hash": fields["hash"][0], "override": fields["override"]}
    return browser.post(f"{WEEK}/actions", data=data)


def test_an_editor_logs_in_by_a_mailed_link(desk: ServedDesk, mail_server: MailServer) -> None:
    """From a page of the desk to the form, by the mail back to that page; what she does bears her name."""
    with desk.browser() as browser:
        form = browser.get(f"{WEEK}?view=text")
        assert (heading(form), form.url.path) == ("Log in", "/log-in")
        asked = browser.post("/log-in", data={"address": ANN[1], "next": f"{WEEK}?view=text"})
        assert "If this address belongs to an editor, a link is on its way." in asked.text
        (mail,) = wait_for_mails(mail_server, 1)
        assert (mail["To"], mail["Auto-Submitted"]) == (ANN[1], "auto-generated")
        assert "harbour.example" not in link_in(mail).removeprefix("/log-in/")
        confirmation = browser.get(link_in(mail))
        assert heading(confirmation) == "Log in as Ann Harbour?"
        assert "<script" not in confirmation.text
        path = parse_qs(urlsplit(link_in(mail)).query)["next"][0]
        page = browser.post(link_in(mail), data={"next": path})
        assert f"{page.url.path}?{page.url.query.decode()}" == f"{WEEK}?view=text"
        assert "<bdi>Ann Harbour</bdi>" in page.text
        refused = approve(browser, browser.get(WEEK))
        assert (approve(browser, refused) if refused.status_code == 409 else refused).status_code == 200
    with desk.app() as app:
        record = app.store().editions.get("2026-W07")
        assert (record.state, record.changed_by) == ("approved", "Ann Harbour")
        sealed = app.store().editions.sealed("2026-W07")
        assert sealed is not None
        assert sealed.sealed_by == "Ann Harbour"


def test_the_answer_tells_nothing(desk: ServedDesk, mail_server: MailServer) -> None:
    """Status, address and page are the same for editors, others, and editors who got enough links; only three are
    mailed."""
    with desk.browser() as browser:
        answers = [
            browser.post("/log-in", data={"address": address})
            for address in (*[ANN[1]] * 5, "nobody@harbour.example", "editor@harbourandhearth.example")
        ]
        assert len({(answer.status_code, str(answer.url), answer.text) for answer in answers}) == 1
        wrong = browser.post("/log-in", data={"address": "ann at the harbour"})
        assert (wrong.status_code, 'value="ann at the harbour"' in wrong.text) == (400, True)
    assert {mail["To"] for mail in wait_for_mails(mail_server, 3)} == {ANN[1]}


def test_the_answer_does_not_wait_for_the_mail(stored: Path, tmp_path: Path) -> None:
    """A mail server that never answers delays it for nobody, so that its time reveals nothing either."""
    shutil.copytree(stored, tmp_path / "here")
    with MailServer(answers={"GREETING": SILENCE}) as silent:
        desk = ServedDesk(tmp_path / "here", silent.port)
        with serve_pages(desk.config, lambda: desk.now), desk.browser() as browser:
            began = time.monotonic()
            assert browser.post("/log-in", data={"address": ANN[1]}).status_code == 200
            assert browser.post("/log-in", data={"address": "nobody@harbour.example"}).status_code == 200
            assert time.monotonic() - began < GIVE_UP_SECONDS / 2
            assert silent.messages == []
            silent.stopped.set()


def test_one_network_asks_for_few_links(desk: ServedDesk) -> None:
    """The 21st within a quarter of an hour is refused, for any address; a proxy's clients are distinguished."""
    with desk.browser() as browser:

        def ask(address: str, client: str) -> int:
            headers = {"x-forwarded-for": client}
            return browser.post("/log-in", data={"address": address}, headers=headers).status_code

        statuses = [ask(f"{number}@x.example", "203.0.113.9") for number in range(20)]
        assert statuses == [200] * 20
        assert [ask(ANN[1], "203.0.113.77"), ask("x@x.example", "203.0.113.7")] == [429, 429]
        assert ask("x@x.example", "198.51.100.1") == 200


def test_links_that_do_not_work_say_why(desk: ServedDesk) -> None:
    """Used, late, altered, or of an editor who was removed: GET and POST alike say so and offer a new link."""
    used, late, removed = (desk.link(editor) for editor in (ANN[0], ANN[1], BOB[0]))
    with desk.browser() as browser:
        assert browser.post(used, headers=FORM).url.path == "/"
    with desk.browser() as browser:

        def expect(path: str, status: int, words: str) -> None:
            for response in (browser.get(path), browser.post(path, headers=FORM)):
                assert (response.status_code, heading(response)) == (status, words)
                assert "Get a new link" in response.text
            assert browser.get(WEEK).url.path == "/log-in"

        expect(used, 409, "This link was already used")
        expect(late[:-1], 404, "This link does not work")
        expect("/log-in/nothing", 404, "This link does not work")
        desk.name_editors(ANN)
        expect(removed, 403, "You are not an editor any more")
        desk.now += timedelta(minutes=15)
        expect(late, 410, "This link has expired")


def test_following_a_link_changes_nothing(desk: ServedDesk) -> None:
    """Mail scanners may GET and HEAD it as often as they like; it sets no cookie and still works."""
    path = desk.link(ANN[0])
    with desk.browser() as browser:
        for method in ("GET", "HEAD", "GET"):
            response = browser.request(method, path)
            assert (response.status_code, "set-cookie" in response.headers) == (200, False)
        assert browser.post(path, headers=FORM | {"origin": "https://elsewhere.example"}).status_code == 403
        assert browser.post(path, headers=FORM).url.path == "/"


def test_the_cookie_is_protected(desk: ServedDesk) -> None:
    """Hidden from scripts, not sent from other sites, only over https if the desk has it; no open redirect."""
    path = desk.link(ANN[0])
    with desk.browser() as browser:
        answer = browser.post(path, data={"next": "//elsewhere.example/"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    parts = set(answer.headers["set-cookie"].split("; "))
    assert {"HttpOnly", "SameSite=lax"} <= parts
    assert "Secure" not in parts
    desk.config.write_text(
        desk.config.read_text().replace('\nurl = ""  ', '\nurl = "https://desk.harbour.example"  ', 1)
    )
    path = desk.link(ANN[0])
    with desk.browser() as browser:
        answer = browser.post(path, headers=FORM, follow_redirects=False)
    assert "Secure" in answer.headers["set-cookie"].split("; ")


def test_sessions_can_be_ended(desk: ServedDesk) -> None:
    """Each shows its browser; one is ended, then all others, then this one; nobody ends those of somebody else."""
    with ExitStack() as open_browsers:
        editors = (ANN, ANN, ANN, BOB)
        here, there, elsewhere, bob = (open_browsers.enter_context(desk.log_in(name)) for name, *_ in editors)
        _end_sessions(desk, here, there, elsewhere, bob)


def _end_sessions(
    desk: ServedDesk, here: httpx.Client, there: httpx.Client, elsewhere: httpx.Client, bob: httpx.Client
) -> None:
    page = here.get("/sessions").text
    numbers = re.findall(r'name="session" value="(\d+)"', page)
    assert (len(numbers), page.count("Firefox on Linux</p>"), page.count("This browser")) == (3, 2, 1)
    assert "had ended" in post_form(bob, "/sessions", "/sessions", session=numbers[1], do="end").text
    assert "Session ended." in post_form(here, "/sessions", "/sessions", session=numbers[1], do="end").text
    assert sorted(browser.get("/").url.path for browser in (there, elsewhere)) == ["/", "/log-in"]
    assert "1 other session ended." in post_form(here, "/sessions", "/sessions", do="end others").text
    assert [browser.get("/").url.path for browser in (there, elsewhere)] == ["/log-in", "/log-in"]
    cookie = here.cookies["desk"]
    out = post_form(here, "/", "/log-out")
    assert (heading(out), out.url.path, "desk" in here.cookies) == ("You are logged out", "/log-in", False)
    stolen = httpx.get(f"{desk.url}/", cookies={"desk": cookie}, timeout=GIVE_UP_SECONDS)
    assert stolen.headers["location"] == "/log-in?next=%2F"
    assert bob.get("/").url.path == "/"


def test_who_is_removed_is_logged_out_at_once(desk: ServedDesk) -> None:
    """With the next request; naming her again does not bring the session back. A changed role counts at once, too."""
    with desk.log_in(ANN[0]) as ann, desk.log_in(BOB[0]) as bob:
        desk.name_editors(BOB)
        assert ann.get("/").url.path == "/log-in"
        desk.name_editors(ANN, ("Bob Quay", BOB[1], True))
        assert ann.get("/").url.path == "/log-in"
        assert post_form(bob, WEEK, f"{WEEK}/actions", do="hold").status_code == 200
    with desk.app() as app:
        assert app.store().editions.get("2026-W07").changed_by == "Bob Quay"


def test_a_form_needs_the_token_of_its_session(desk: ServedDesk) -> None:
    """The token of another session, or of this one before it was renewed, changes nothing."""
    with desk.log_in(ANN[0]) as ann, desk.log_in(ANN[0]) as other:
        token = re.search(r'name="csrf" value="([^"]+)"', other.get(WEEK).text)
        assert token
        refused = ann.post(f"{WEEK}/actions", data={"csrf": token[1], "do": "hold"})
        assert (refused.status_code, "you logged in again" in refused.text) == (403, True)
        script = ann.post(f"{WEEK}/edit", data={"csrf": token[1]}, headers={"sec-fetch-dest": "empty"})
        assert "you logged in again" in script.json()["message"]
    with desk.app() as app:
        assert app.store().editions.get("2026-W07").state == "draft"


def test_without_a_session_nothing_is_shown_or_done(desk: ServedDesk) -> None:
    """A page leads to the form, a form says what became of the text, a script gets a message."""
    with desk.browser() as browser:
        for path in ("/", WEEK, f"{WEEK}/mail", f"{WEEK}/digest.eml", "/subscribers", "/sessions", "/nowhere"):
            answer = browser.get(path, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/log-in")
        posted = browser.post(f"{WEEK}/edit", data={"introduction": "Bread"})
        assert (posted.status_code, heading(posted)) == (403, "Log in")
        assert "text that you were writing is on the previous page" in posted.text
        script = browser.get("/updates", headers={"sec-fetch-dest": "empty"})
        assert (script.status_code, script.json()["message"][:20]) == (403, "You are logged out. ")
    assert not (desk.config.parent / "editions" / "2026-W07.md").exists()


def test_an_editor_who_may_only_edit(desk: ServedDesk) -> None:
    """Edits and sends test copies; everything else is refused by the server, and its buttons are disabled."""
    with desk.log_in(BOB[0]) as bob:
        assert post_form(bob, f"{WEEK}/edit", f"{WEEK}/story", do="leave_out", entry="x y").status_code != 403
        assert post_form(bob, f"{WEEK}/edit", "/pictures").status_code == 409  # without a file
        copied = post_form(bob, WEEK, f"{WEEK}/actions", do="test", address="bob@harbour.example")
        assert "Test copy for bob@harbour.example" in copied.text
        refused = [
            *((f"{WEEK}/actions", action) for action in ("approve", "hold", "resume", "skip", "send", "hand over")),
            *((path, "x") for path in (f"{WEEK}/corrections", f"{WEEK}/deliveries", "/feeds", "/subscribers")),
            *((path, "x") for path in ("/subscribers/1", "/settings", "/nowhere")),
        ]
        for path, action in refused:
            answer = post_form(bob, WEEK, path, do=action, hash="x", address="x@x.example", url="x", feed="blog")
            assert (answer.status_code, heading(answer)) == (403, "You may not do this")
            assert "You may edit, but not approve or send" in answer.text
            assert "Ask Ann Harbour." in answer.text
        buttons = re.findall(
            r'(<fieldset class="refused" disabled>)?\s*<[^>]*name="(?:hash|address)"', bob.get(WEEK).text
        )
        assert sorted(map(bool, buttons)) == [False, True]
        page = bob.get("/feeds").text
        assert "Ask Ann Harbour." in page
        feed_forms = re.findall(r'<form method="post" action="/feeds".*?</form>', page, re.DOTALL)
        assert feed_forms
        assert all('<fieldset class="refused" disabled>' in each for each in feed_forms)
    with desk.log_in(ANN[0]) as ann:
        assert "<fieldset" not in ann.get("/feeds").text
        assert "may edit, but not" not in ann.get("/feeds").text
    with desk.app() as app:
        assert app.store().editions.get("2026-W07").state == "draft"
        assert len(app.feeds) > 1


def test_people_are_changed_in_the_name_of_the_editor(desk: ServedDesk) -> None:
    """A suppression names her."""
    with desk.log_in(ANN[0]) as ann:
        done = post_form(ann, "/subscribers", "/subscribers", do="suppress", address="cid@x.example")
        assert done.status_code == 200
    with desk.app() as app:
        rows = [row for table, row in app.store().maintenance.export_rows() if table == "suppression"]
        assert [row["actor"] for row in rows] == ["Ann Harbour"]


def test_a_send_to_subscribers_bears_the_name_of_the_editor(desk: ServedDesk) -> None:
    """The edition and its dispatch name her, as does a pause."""
    text = desk.config.read_text().replace("check_mx = true", "check_mx = false")
    text = re.sub(r'^backend = "outbox"', 'backend = "maildir"', text, flags=re.MULTILINE)
    pages = '[public]\nlisten = "127.0.0.1:8027"'
    assert pages in text
    desk.config.write_text(re.sub(r'(\[public\]\n[^\n]*\n)url = ""', r'\1url = "https://news.example"', text))
    with desk.app() as app:
        people = build_audience_context(app)
        Subscriptions(people).confirm(sign_up(people, "ada@quay.example", now=NOW), NOW)
    with desk.log_in(ANN[0]) as ann:
        refused = approve(ann, ann.get(WEEK))
        assert (approve(ann, refused) if refused.status_code == 409 else refused).status_code == 200
        assert post_form(ann, WEEK, f"{WEEK}/actions", do="send").status_code == 200
        assert post_form(ann, f"{WEEK}/deliveries", f"{WEEK}/deliveries", do="pause").status_code == 200
    with desk.app() as app:
        record = app.store().editions.get("2026-W07")
        assert (record.state, record.changed_by) == ("sending", "Ann Harbour")
        rows = [row for table, row in app.store().maintenance.export_rows() if table == "dispatch"]
        assert [(row["state"], row["changed_by"]) for row in rows] == [("paused", "Ann Harbour")]


def test_the_daemon_lets_in_who_has_a_printed_link(desk: ServedDesk, tmp_path: Path) -> None:
    """Two processes: `pipeline run` serves the desk, `pipeline desk-link` prints the link, which is not in the log."""
    here = tmp_path / "daemon"
    shutil.copytree(desk.config.parent, here)
    url = f"http://127.0.0.1:{free_port()}"
    config = here / "config.toml"
    text = config.read_text().replace(desk.url.removeprefix("http://"), url.removeprefix("http://"))
    config.write_text(text.replace('fetch = "every 30 minutes"', 'fetch = "daily 00:00"'))
    command = [sys.executable, "-m", "pipeline", "--config", str(config)]
    with (here / "log").open("w") as log, subprocess.Popen([*command, "run"], stdout=log, stderr=log) as daemon:
        try:
            printed = subprocess.run(
                [*command, "--quiet", "desk-link", BOB[1]], capture_output=True, check=True, text=True
            )
            link = printed.stdout.strip()
            with httpx.Client(headers={"origin": url}, timeout=GIVE_UP_SECONDS, follow_redirects=True) as browser:
                wait_for_answer(browser, f"{url}/log-in")
                assert "Log in as Bob Quay?" in browser.get(link).text
                assert "<bdi>Bob Quay</bdi>" in browser.post(link, headers=FORM).text
                assert heading(browser.post(link, headers=FORM)) == "This link was already used"
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(GIVE_UP_SECONDS)
    assert link.rpartition("/")[2] not in (here / "log").read_text()


def wait_for_answer(browser: httpx.Client, url: str) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            browser.get(url)
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def test_without_a_mail_server_the_page_names_the_command(stored: Path, tmp_path: Path) -> None:
    """There is no form that would promise a mail."""
    shutil.copytree(stored, tmp_path / "here")
    desk = ServedDesk(tmp_path / "here", mail_port=0)
    with serve_pages(desk.config, lambda: desk.now), desk.browser() as browser:
        page = browser.get("/").text
        assert "pipeline desk-link YOUR-NAME" in page
        assert 'action="/log-in"' not in page


def test_every_form_of_the_desk_has_a_role(tmp_path: Path, desk: ServedDesk) -> None:
    """What is not for all editors is listed here: a new form is for those who may approve until somebody decides."""
    pages = LogInPages(LiveAccess(desk.config, lambda: NOW), PageTemplates.from_folder(ROOT / "templates" / "web"))
    app = create_desk_app(FakeDesk().services(), log_in=pages)
    with pages.access:
        paths = {route.path for route in app.routes if _posts(route) and isinstance(route, Route)}
    filled = {path: re.sub(r"\{[^}]*\}", "1", path) for path in paths}
    assert {path for path, example in filled.items() if not EDITING.fullmatch(example)} == {
        "/week/{week}/actions",
        "/feeds",
        "/settings",
        "/subscribers",
        "/subscribers/{number:int}",
        "/week/{week}/corrections",
        "/week/{week}/deliveries",
    }


def _posts(route: BaseRoute) -> bool:
    return "POST" in (getattr(route, "methods", None) or ())


def test_the_command_prints_a_link(desk: ServedDesk, capsys: pytest.CaptureFixture[str]) -> None:
    """With how long it works; with --quiet nothing else. What is missing is said, with the usual exit codes."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["--config", str(desk.config), "desk-link", *arguments], clock=lambda: NOW)
        output = capsys.readouterr()
        return code, output.out, output.err

    code, out, _ = run("ANN@harbour.example")
    link, note = out.splitlines()
    assert (code, link.startswith(f"{desk.url}/log-in/")) == (0, True)
    assert note.startswith("It logs in Ann Harbour (ann@harbour.example), once, until ")
    assert run()[0] == 2
    assert "there is no editor 'Cid' in config.toml; there are Ann Harbour, Bob Quay" in run("Cid")[2]
    desk.name_editors()
    code, out, problem = run()
    assert (code, out) == (2, "")
    assert "names no editors: add an [[editors]] table" in problem
    desk.name_editors(ANN)
    desk.config.write_text(desk.config.read_text().replace(desk.url.removeprefix("http://"), ""))
    code, out, problem = run()
    assert (code, out, "set [web] listen" in problem) == (2, "", True)
