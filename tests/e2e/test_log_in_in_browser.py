"""Logging in to the desk in Chromium: by mail, with the keyboard alone; axe finds nothing on its pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.web.pages import serve_pages
from tests.e2e.test_desk_accessibility import axe_on, on_every_screen, with_axe
from tests.mail_server import MailServer
from tests.served_desk import ANN, BOB, WEEK, ServedDesk, link_in, store_demo, wait_for_mails

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.loopback]


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
    with serve_pages(desk.config, lambda: desk.now):
        yield desk


def test_an_editor_logs_in_and_out_with_the_keyboard(
    chromium: Browser, desk: ServedDesk, mail_server: MailServer
) -> None:
    """Without a script or a mouse: the address, the mail, the button, and the button that ends it."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{desk.url}{WEEK}?view=text")
    page.get_by_label("Your email address").focus()
    page.keyboard.type(ANN[1])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    (mail,) = wait_for_mails(mail_server, 1)
    page.goto(desk.url + link_in(mail))
    page.get_by_role("button", name="Log in").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Ann Harbour: your sessions").wait_for()
    assert page.url == f"{desk.url}{WEEK}?view=text"
    page.get_by_role("button", name="Log out").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You are logged out").wait_for()
    page.goto(f"{desk.url}/")
    assert page.get_by_role("heading", name="Log in").is_visible()
    context.close()


def test_text_typed_after_the_session_has_ended_is_kept(chromium: Browser, desk: ServedDesk) -> None:
    """The page says why it is not saved; after logging in again the text is back in its field."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(desk.url + desk.link(ANN[0]))
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{desk.url}{WEEK}/edit")
    desk.name_editors(BOB)
    introduction = page.get_by_label("Introduction").first
    introduction.fill("Bread, and the sea.")
    page.get_by_text("Not saved: You are logged out. Log in in another tab").first.wait_for()
    desk.name_editors(ANN)
    other = context.new_page()
    other.goto(desk.url + desk.link(ANN[0]))
    other.get_by_role("button", name="Log in").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    assert introduction.input_value() == "Bread, and the sea."
    context.close()


@with_axe
@on_every_screen
def test_axe_finds_nothing(chromium: Browser, desk: ServedDesk, scheme: Any, width: int) -> None:
    """The form, its answer, links that work and do not, sessions, and pages of an editor who may not approve."""
    with axe_on(chromium, scheme, width) as (page, check):
        link, used = desk.link(BOB[0]), desk.link(ANN[0])
        for path in ("/log-in", "/log-in?sent", "/log-in?out", "/log-in/nothing", link):
            page.goto(desk.url + path)
            check(path)
        page.goto(desk.url + used)
        page.get_by_role("button", name="Log in").click()
        page.goto(desk.url + used)
        check("a used link")
        page.goto(desk.url + link)
        page.get_by_role("button", name="Log in").click()
        for path in ("/sessions", "/feeds", WEEK, "/subscribers"):
            page.goto(desk.url + path)
            check(path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
