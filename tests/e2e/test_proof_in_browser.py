"""A proof end to end: from the daemon by SMTP to a mailbox, from the mailbox to a browser, and back."""

from __future__ import annotations

import importlib.resources
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from pipeline.app import App
from pipeline.app.delivery import build_proof_sender
from pipeline.app.feeds import build_refresher
from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.week import Week
from pipeline.web.pages import serve_pages
from tests.background_server import free_port
from tests.http_server import CannedResponse, HttpServer
from tests.mail_server import SILENCE, MailServer, certificates, server_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.loopback, pytest.mark.requires("openssl")]
PASSWORD = "a pässword"
CONFIG = """
[publication]
name = "Harbour & Hearth"
url = "https://harbourandhearth.example/"
sender = "Harbour & Hearth <letter@harbourandhearth.example>"
editor = "Morwenna <editor@harbourandhearth.example>"

[[feeds]]
id = "blog"
url = "{feed}"
kind = "blog"

[fetch]
allow_private_networks = true

[digest]
min_entries = 0

[delivery]
smtp_host = "localhost"
smtp_port = {smtp}
smtp_username = "letter"
smtp_password_env = "HARBOUR_PASSWORD"

[web]
listen = "127.0.0.1:{pages}"

[schedule]
draft = "daily 00:00"
"""


def feed(*titles: str) -> CannedResponse:
    """Return a blog feed whose posts are of the week that closed last."""
    monday = datetime.now(UTC).replace(hour=0, minute=0, second=0) - timedelta(days=datetime.now(UTC).weekday())
    dates = [f"{monday - timedelta(days=2, hours=number):%a, %d %b %Y %H:%M:%S} GMT" for number in range(len(titles))]
    items = "".join(
        f"<item><guid>{title}</guid><title>{title}</title><link>https://harbourandhearth.example/{number}</link>"
        f"<pubDate>{date}</pubDate><description>{title}, at length.</description></item>"
        for number, (title, date) in enumerate(zip(titles, dates, strict=True))
    )
    body = f"<?xml version='1.0'?><rss version='2.0'><channel><title>Blog</title>{items}</channel></rss>"
    return CannedResponse(body=body.encode(), headers={"Content-Type": "application/rss+xml"})


class Mailbox:
    """Collects the mails that aiosmtpd receives after TLS and a login."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert envelope.rcpt_tos == ["editor@harbourandhearth.example"]
        assert isinstance(envelope.original_content, bytes)
        self.mails.append(envelope.original_content)
        return "250 taken"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any
    ) -> AuthResult:
        known = isinstance(login, LoginPassword) and login.password.decode() == PASSWORD
        return AuthResult(success=known)

    def wait(self, count: int) -> EmailMessage:
        """Wait for ``count`` mails and return the newest."""
        until = time.monotonic() + 120
        while len(self.mails) < count:
            assert time.monotonic() < until, "no proof came"
            time.sleep(0.05)
        return message_from_bytes(self.mails[-1], policy=policy.default)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[tuple[Mailbox, int, Path]]:
    """A mail server: its mailbox, its port, and the certificate authority to trust."""
    box, folder, port = Mailbox(), tmp_path / "tls", free_port()
    folder.mkdir()
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=port,
        tls_context=server_context(certificates(folder)),
        require_starttls=True,
        authenticator=box.authenticate,
        auth_required=True,
    )
    controller.start()
    yield box, port, folder / "ca.pem"
    controller.stop()


@contextmanager
def running(folder: Path, authority: Path | None = None) -> Iterator[None]:
    """Run the daemon in a folder; at the end it must stop, without a traceback or a secret in its log."""
    trusted = {"SSL_CERT_FILE": str(authority)} if authority else {}
    environment = os.environ | trusted | {"HARBOUR_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "pipeline", "run"]
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(command, cwd=folder, env=environment, stderr=log)
        try:
            yield
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(timeout=60)
    logged = (folder / "log").read_text()
    assert (daemon.returncode, "Traceback" in logged) == (0, False), logged
    assert PASSWORD not in logged


@pytest.fixture
def folder(tmp_path: Path, mailbox: tuple[Mailbox, int, Path]) -> Iterator[Path]:
    """A publication with two posts in its feed."""
    with HttpServer() as server:
        server.respond("/feed", feed("Bread on a stone", "Salt"))
        config = CONFIG.format(feed=server.url("/feed"), smtp=mailbox[1], pages=free_port())
        (tmp_path / "config.toml").write_text(config)
        yield tmp_path


def links(mail: EmailMessage) -> dict[str, str]:
    """Return the links of a proof's buttons, by label."""
    text = mail.get_body(("plain",))
    assert text is not None
    return dict(re.findall(r"^(Approve|Hold|Open the desk): (http\S+)", text.get_content(), re.MULTILINE))


@pytest.mark.browser
def test_a_proof_is_approved_from_the_mailbox(
    chromium: Browser, folder: Path, mailbox: tuple[Mailbox, int, Path]
) -> None:
    """The daemon sends a proof over TLS; scanners that follow its links change nothing; the button on a phone without
    script seals exactly the bytes in the proof, and a second press shows that it is already approved.
    """
    box, _, authority = mailbox
    with running(folder, authority):
        mail = box.wait(1)
        assert str(mail["Subject"]).startswith("[Proof] ")
        with App.load(folder / "config.toml") as app:
            (week,) = app.store().weeks.closed()
            before = app.store().editions.get(week)
        for link in links(mail).values():
            for method in ("GET", "HEAD", "GET"):
                assert httpx.request(method, link).status_code in (200, 303)
        html = mail.get_body(("html",))
        assert html is not None
        context = chromium.new_context(viewport={"width": 375, "height": 700}, java_script_enabled=False)
        page, stale = context.new_page(), context.new_page()
        page.route(re.compile("^https:"), lambda route: route.abort())
        page.set_content(html.get_content())
        approve = page.get_by_role("link", name="Approve", exact=True).get_attribute("href")
        assert approve == links(mail)["Approve"]
        for tab in (page, stale):
            tab.goto(approve)
            tab.get_by_role("heading", name="Approve this edition?").wait_for()
        with App.load(folder / "config.toml") as app:
            assert app.store().editions.get(week) == before
        press(page, "Approved")
        press(stale, "Already approved")
        context.close()
    with App.load(folder / "config.toml") as app:
        sealed = app.store().editions.sealed(week)
        assert sealed is not None
        assert sealed.edition.content_hash == re.findall(r"proof/[^.]+\.(\w+)\.", approve)[0]
        assert "editor@harbourandhearth.example" in sealed.sealed_by
        assert sealed.edition.html.decode().partition("</head>")[2].partition(">")[2] in html.get_content().replace(
            "\r\n", "\n"
        )
        written = (app.editions_folder / week / "digest.eml").read_bytes()
        assert sha256(written).digest() == sha256(sealed.edition.eml).digest()


def press(page: Page, heading: str) -> None:
    """Press the only button on the page."""
    with page.expect_navigation():
        page.get_by_role("button").click()
    page.get_by_role("heading", level=1, name=heading, exact=True).wait_for()


@pytest.mark.slow
def test_a_tick_sends_the_proof_once(folder: Path, mailbox: tuple[Mailbox, int, Path]) -> None:
    """One tick fetches, drafts and sends the proof; the next sends none; the command sends another."""
    box, _, authority = mailbox
    environment = os.environ | {"HARBOUR_PASSWORD": PASSWORD, "SSL_CERT_FILE": str(authority)}

    def pipeline(*words: str) -> str:
        command = [sys.executable, "-m", "pipeline", *words]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout

    pipeline("tick")
    assert len(box.mails) == 1
    pipeline("tick")
    assert len(box.mails) == 1
    assert "was sent to" in pipeline("proof", "last")
    assert "was sent" in pipeline("send", "last", "--test", "editor@harbourandhearth.example")
    assert len(box.mails) == 3
    first, second, copy = (message_from_bytes(mail, policy=policy.default) for mail in box.mails)
    assert first["Message-ID"] != second["Message-ID"]
    assert not str(copy["Subject"]).startswith("[Proof]")
    assert list((folder / "outbox").rglob("*.eml")) == []


@pytest.mark.slow
def test_a_silent_mail_server_does_not_delay_the_daemon(folder: Path) -> None:
    """The daemon stops at once while it waits for the reply to a mail's data; the mail may have been sent, so it is not
    sent again.
    """
    config = (folder / "config.toml").read_text()
    with MailServer(answers={".": SILENCE}) as silent:
        settings = f'smtp_port = {silent.port}\nsmtp_security = "none"'
        (folder / "config.toml").write_text(re.sub(r"smtp_port = \d+", settings, config))
        with running(folder):
            until = time.monotonic() + 120
            while not silent.messages:
                assert time.monotonic() < until, "no proof came"
                time.sleep(0.05)
    with App.load(folder / "config.toml") as app:
        (week,) = app.store().weeks.closed()
        assert [proof.sent_at is None for proof in app.store().proofs.of_week(week)] == [False]


@pytest.mark.browser
@pytest.mark.skipif(not importlib.util.find_spec("axe_playwright_python"), reason="pip install axe-playwright-python")
def test_proof_pages_are_accessible(chromium: Browser, publication: Path) -> None:
    """Axe finds nothing on the pages behind a proof's buttons or in the proof itself, in light and dark, on a phone."""
    axe = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    context = chromium.new_context(viewport={"width": 375, "height": 700})
    page = context.new_page()
    page.route(re.compile("^https:"), lambda route: route.abort())
    violations: list[str] = []

    def check(where: str, rules: str = "{}") -> None:
        page.evaluate(axe)
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate(f"axe.run(document, {{rules: {rules}}}).then(({{violations}}) => violations)")
            places = [f"{rule['id']} {node['html'][:90]}" for rule in found for node in rule["nodes"]]
            violations.extend(f"{where}, {scheme}: {place}" for place in places)
        width = page.evaluate("document.documentElement.scrollWidth")
        violations.extend([f"{where}: {width} pixels wide"] if width > 375 else [])

    with demo(publication) as (proofs, here):
        mail = proofs()
        buttons = links(mail)
        for case in ("Approve", "Hold", "Open the desk"):
            page.goto(buttons[case])
            check(case)
        page.goto(f"{here}/proof/nothing")
        check("forged")
        (publication / "editions" / "2026-W07.md").write_text('+++\nsubject = "Something else"\n+++\n')
        page.goto(buttons["Approve"])
        check("changed")
        page.goto(buttons["Hold"])
        press(page, "Held")
        check("done")
        page.goto(buttons["Approve"])
        check("closed")
        html = mail.get_body(("html",))
        assert html is not None
        page.goto("about:blank")
        page.set_content(html.get_content())
        check("the proof", "{region: {enabled: false}, 'landmark-one-main': {enabled: false}}")
    context.close()
    assert violations == []


def in_thread(work: Callable[[], object]) -> None:
    """Run a function in a thread: Playwright's event loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


@contextmanager
def demo(folder: Path) -> Iterator[tuple[Any, str]]:
    """Serve the pages of the demo publication; yield a function that sends a proof of 2026-W07, and the base URL.

    A dead link is stored right after the proof, so that there is an error to show.
    """
    config, now = folder / "config.toml", datetime(2026, 2, 17, 9, tzinfo=UTC)
    listen = f"127.0.0.1:{free_port()}"
    config.write_text(config.read_text().replace("127.0.0.1:8026", listen))
    (folder / "editions").mkdir(exist_ok=True)
    with App.load(config) as app, serve_pages(config, lambda: now) as here:
        in_thread(lambda: build_refresher(app).refresh(app.feeds, now=now))

        def proofs() -> EmailMessage:
            in_thread(lambda: build_proof_sender(app).send(Week.parse("2026-W07"), now=now, resend=True))
            (sent,) = app.store().proofs.of_week("2026-W07")
            dead = CheckResult(name="dead-link", level="error", message="Fix that link.", where="Tide tables")
            app.store().link_checks.save(LinkCheck(content_hash=sent.content_hash, checked_at=now, results=(dead,)))
            (path,) = (folder / "outbox").glob("*.proof@*.eml")
            return message_from_bytes(path.read_bytes(), policy=policy.default)

        yield proofs, here
