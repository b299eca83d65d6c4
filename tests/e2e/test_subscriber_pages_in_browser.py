"""The pages for subscribers with real parts: a browser, a foreign website, the server, and an SMTP server."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipeline.audience.tokens import Purpose
from pipeline.jobs.audience.context import AudienceContext
from pipeline.model.subscriber import Subscriber
from pipeline.web.public.audience import LiveAudience
from pipeline.web.public.server import serve_public
from tests.background_server import free_port
from tests.e2e.test_desk_accessibility import axe_on, on_every_screen, with_axe
from tests.http_server import CannedResponse, HttpServer
from tests.mail_server import MailServer
from tests.subscriber_pages import ADA, write_publication

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
GIVE_UP_SECONDS = 120.0


@dataclass(frozen=True)
class Site:
    """A publication whose pages are served, and the mail server that it sends by."""

    url: str
    mail: MailServer
    context: AudienceContext

    def message(self, number: int) -> EmailMessage:
        """Return the mail with a number, counted from 0, once it has arrived."""
        deadline = datetime.now(UTC) + timedelta(seconds=GIVE_UP_SECONDS)
        while len(self.mail.messages) <= number:
            assert datetime.now(UTC) < deadline, "no mail has arrived"
            threading.Event().wait(0.02)
        message = message_from_bytes(self.mail.messages[number], policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message

    def links(self, number: int) -> list[str]:
        """Return the links to our pages in a mail: of its text and of its List-Unsubscribe."""
        message = self.message(number)
        body = message.get_body(("plain",))
        assert body
        text = body.get_content() + str(message["List-Unsubscribe"] or "")
        return list(dict.fromkeys(re.findall(rf"{self.url}/[a-z]+/\w{{32}}(?:\?form=\w+)?", text)))

    def link(self, purpose: Purpose) -> str:
        """Return a link of the only subscriber."""
        return self.context.link(purpose, self.subscriber(), datetime.now(UTC))

    def subscriber(self) -> Subscriber:
        """Return the only subscriber."""
        (subscriber,) = self.context.store.subscribers.iterate(datetime.now(UTC))
        return subscriber

    def events(self) -> list[str]:
        """Return what has happened to the only subscription."""
        history = self.context.store.subscription_events.of_subscriber(self.subscriber().id)
        return [event.kind for event in history]


@contextmanager
def open_site(folder: Path, signup: str = "min_seconds = 0") -> Iterator[Site]:
    """Serve a new publication."""
    port = free_port()
    with MailServer() as mail:
        smtp = f'smtp_host = "127.0.0.1"\nsmtp_port = {mail.port}\nsmtp_security = "none"'
        config = write_publication(
            folder, url=f"http://127.0.0.1:{port}", port=port, signup=signup, delivery=smtp, public=""
        )
        with serve_public(config, lambda: datetime.now(UTC)) as url, LiveAudience(config) as live:
            assert url == f"http://127.0.0.1:{port}"
            yield Site(url, mail, live.current().context)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as site:
        yield site


def sign_up(site: Site) -> None:
    """Sign up without a browser."""
    answer = httpx.post(f"{site.url}/subscribe/tides", data={"address": ADA, "consent": "yes"})
    assert answer.status_code == 200


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def press(page: Page, label: str) -> str:
    """Press a button as a person does, and return the heading of the page that comes."""
    page.get_by_role("button", name=label, exact=True).click()
    page.wait_for_load_state()
    return heading(page)


def test_from_a_foreign_page_to_leaving_and_back(chromium: Browser, site: Site) -> None:
    """The embedded form, the mail, the button, the guide once, preferences, a pause, unsubscribing, and its undo."""
    form = httpx.get(f"{site.url}/subscribe/tides/embed").text
    html = f"<!doctype html><html lang='en'><title>A blog</title><h1>A blog</h1>{form}</html>"
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    with HttpServer() as blog:
        blog.respond("/about", CannedResponse(body=html.encode(), headers={"Content-Type": "text/html"}))
        page.goto(blog.url("/about"))
        page.get_by_label("Email address").fill(ADA)
        page.get_by_label("Yes, mail me the guide").check()
        assert press(page, "Subscribe") == "Almost done: check your email"
        origin = blog.url("")
    confirm = next(link for link in site.links(0) if "/confirm/" in link)
    page.goto(confirm)
    assert press(page, "Yes, subscribe me") == "You are subscribed"
    page.goto(confirm)
    assert heading(page) == "You are subscribed"
    guide = next(link for link in site.links(1) if "/guide/" in link)
    assert httpx.get(guide).content == b"%PDF-1.7 high and low water"
    page.get_by_role("link", name="Change what you get").click()
    page.get_by_label("Posts").uncheck()
    page.get_by_label("The best of the month").check()
    assert press(page, "Save") == "Your subscription"
    assert page.get_by_role("status").inner_text() == "Your changes are saved."
    assert not page.get_by_label("Posts").is_checked()
    page.get_by_label("Pause until").fill((datetime.now(UTC) + timedelta(days=30)).date().isoformat())
    press(page, "Save")
    assert site.subscriber().display_state(datetime.now(UTC)) == "paused"
    page.get_by_role("link", name="Unsubscribe").click()
    assert press(page, "Unsubscribe") == "You are unsubscribed"
    assert site.subscriber().state == "left"
    assert press(page, "Subscribe again") == "Welcome back"
    context.close()
    expected = ["requested", "confirmed", "guide", "changed", "paused", "left", "returned"]
    assert site.events() == expected
    (requested, *_) = site.context.store.subscription_events.of_subscriber(site.subscriber().id)
    assert requested.visitor.page.rstrip("/") in (origin.rstrip("/"), f"{origin.rstrip('/')}/about")
    assert len(site.mail.messages) == 2


SUBMIT_ALL = """async () => {
  for (const button of document.querySelectorAll("button")) {
    button.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true}));
    button.dispatchEvent(new KeyboardEvent("keydown", {bubbles: true, key: "Enter"}));
    button.form.addEventListener("submit", (event) => event.preventDefault());
    button.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
    button.click();
  }
  for (const form of document.forms) {
    const buttons = [...form.querySelectorAll("button[name]")].map((each) => [each.name, each.value]);
    for (const extra of [[], ...buttons.map((each) => [each])]) {
      const fields = new URLSearchParams([...new FormData(form), ...extra]);
      for (let times = 0; times < 2; times += 1) {
        await fetch(form.action, {method: form.method, body: fields, credentials: "omit"});
      }
    }
  }
}"""
"""The script of a scanner: it makes up events on each button, then sends each form twice, with each of its buttons."""


def scan(chromium: Browser, links: list[str], *, sends_forms: bool) -> None:
    """Open links as a security scanner does: GET and HEAD, then in a browser, where it runs a script of its own."""
    for _ in range(2):
        for link in links:
            httpx.get(link)
            httpx.head(link)
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    for link in links:
        if "/guide/" in link:
            continue  # a download
        page.goto(link)
        if sends_forms:
            page.evaluate(SUBMIT_ALL)
    context.close()


def test_a_scanner_changes_nothing(chromium: Browser, site: Site) -> None:
    """It opens every link, makes up presses and sends the forms twice: nobody is confirmed or revived by that.

    Only unsubscribing acts on a form alone, as RFC 8058 asks; twice is the same as once.
    """
    sign_up(site)
    links = site.links(0)
    assert any("/confirm/" in link for link in links)
    scan(chromium, links, sends_forms=True)
    assert (site.subscriber().state, site.events()) == ("unconfirmed", ["requested"])
    code = re.search(r"\b(\d{3} ?\d{3})\b", str(site.message(0).get_body(("plain",))))
    assert code
    confirm = next(link for link in links if "/confirm/" in link)
    assert "You are subscribed" in httpx.post(confirm, data={"code": code[1]}).text
    links = [*site.links(1), site.link("preferences")]
    before = site.subscriber()
    scan(chromium, [link for link in links if "/unsubscribe/" not in link], sends_forms=True)
    scan(chromium, [site.link("unsubscribe")], sends_forms=False)
    assert (site.subscriber(), site.events()) == (before, ["requested", "confirmed", "guide"])
    scan(chromium, [site.link("unsubscribe")] * 2, sends_forms=True)
    assert (site.subscriber().state, site.events()) == ("left", ["requested", "confirmed", "guide", "left"])


def test_everything_works_without_script(chromium: Browser, site: Site) -> None:
    """The code of the mail confirms, and a box undoes."""
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{site.url}/subscribe")
    page.get_by_label("Email address").fill(ADA)
    page.get_by_label("Yes, mail me").check()
    assert press(page, "Subscribe") == "Almost done: check your email"
    text = site.message(0).get_body(("plain",))
    assert text
    code = re.search(r"\b(\d{3} ?\d{3})\b", text.get_content())
    assert code
    page.goto(next(link for link in site.links(0) if "/confirm/" in link))
    page.get_by_label("Six-digit code").fill(code[1])
    assert press(page, "Yes, subscribe me") == "You are subscribed"
    page.goto(site.link("unsubscribe"))
    assert press(page, "Unsubscribe") == "You are unsubscribed"
    assert press(page, "Subscribe again") == "You are unsubscribed"
    page.get_by_label("Yes, I want to get the newsletter again.").check()
    assert press(page, "Subscribe again") == "Welcome back"
    context.close()


def test_a_browser_solves_the_puzzle(chromium: Browser, tmp_path: Path) -> None:
    """Its solution is accepted, and the person notices nothing but a wait."""
    with open_site(tmp_path, signup='min_seconds = 0\nchallenge = "always"') as site:
        context = chromium.new_context(locale="en-GB")
        page = context.new_page()
        page.goto(f"{site.url}/subscribe")
        page.get_by_label("Email address").fill(ADA)
        page.get_by_label("Yes, mail me").check()
        page.get_by_role("button", name="Subscribe").click()
        page.locator("h1", has_text="Almost done").wait_for(timeout=1000 * GIVE_UP_SECONDS)
        context.close()
        assert site.events() == ["requested"]


def pages_of(site: Site) -> Iterator[tuple[str, str]]:
    """Yield pages by name, with their URLs."""
    yield from (("sign-up", f"{site.url}/subscribe"), ("guide form", f"{site.url}/subscribe/tides"))
    yield from ((purpose, site.link(purpose)) for purpose in ("confirm", "preferences", "unsubscribe"))  # type: ignore[arg-type]
    yield from (("forged", f"{site.url}/confirm/{'0' * 32}"), ("nothing", f"{site.url}/nothing"))


@with_axe
@on_every_screen
def test_axe_finds_nothing_on_the_pages_for_subscribers(chromium: Browser, site: Site, scheme: Any, width: int) -> None:
    """Also where a form comes back with a fault, and nothing is wider than the screen."""
    sign_up(site)
    with axe_on(chromium, scheme, width) as (page, check):

        def look(name: str) -> None:
            check(name)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name

        for name, url in pages_of(site):
            page.goto(url)
            look(name)
        page.goto(f"{site.url}/subscribe")
        page.evaluate("for (const each of document.querySelectorAll('[required]')) each.required = false")
        press(page, "Subscribe")
        look("form with a fault")
        page.goto(site.link("confirm"))
        page.evaluate("document.forms[0].submit()")
        page.locator("#code").wait_for()
        look("confirm with a code")
        press(page, "Yes, subscribe me")
        look("confirmed")
        page.goto(site.link("preferences"))
        for topic in ("Posts", "Podcast episodes", "Useful links"):
            page.get_by_label(topic).uncheck()
        press(page, "Save")
        look("preferences with a fault")
        page.goto(site.link("preferences"))
        page.get_by_label("New email address").fill("countess@byron.example")
        press(page, "Save")
        look("preferences saved")
        page.goto(site.link("address"))
        look("address")
        press(page, "Use this address")
        look("address changed")
        page.goto(site.link("unsubscribe"))
        press(page, "Unsubscribe")
        look("farewell")
        press(page, "Send")
        press(page, "Subscribe again")
        look("welcome back")
