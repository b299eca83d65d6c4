"""The preview in Chromium: widths, colour schemes, the keyboard and updates."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.model.digest import BuildFailure
from pipeline.web.desk.updates import NewEntry
from pipeline.web.pages import create_desk_app
from pipeline.web.server import bind_socket, create_server
from tests.fake_desk import HTML, PIXEL, FakeDesk, edition

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
WEEK = "/week/2026-W07"
VIEWS = ("mail", "inbox", "text", "headers", "source", "decisions")
PATHS = ("/", "/week/2026-W06", *(f"{WEEK}?view={view}" for view in VIEWS))
MAIL = "document.getElementById('mail')"
INSIDE = f"{MAIL}.contentDocument"
DARK = "rgb(232, 230, 225)"
SCHEMES = {
    "light": ("rgb(244, 241, 234)", "rgb(34, 34, 34)"),
    "dark": ("rgb(13, 27, 42)", DARK),
    "forced": ("rgb(40, 37, 30)", "rgb(218, 218, 218)"),
}


@contextmanager
def serving(desk: FakeDesk) -> Iterator[str]:
    """Serve the preview in a thread; yield its URL."""
    with closing(bind_socket(0)) as listener:
        server = create_server(create_desk_app(desk.services(), long_poll_seconds=0.2))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def url(desk: FakeDesk) -> Iterator[str]:
    with serving(desk) as url:
        yield url


@contextmanager
def opened(chromium: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Open a page; requests to other machines get a pixel.

    Errors in the console fail the test, but for images that a frame without images does not load.
    """
    context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"} | options)
    console_errors: list[str] = []
    context.on("console", lambda message: console_errors.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: console_errors.append(str(error.error)))
    context.route(re.compile(r"^https:"), lambda route: route.fulfill(body=PIXEL, content_type="image/png"))
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()
    assert [error for error in console_errors if "img-src 'none'" not in error] == []


def mail_style(page: Page, selector: str, name: str) -> str:
    """Return a computed style of an element of the mail."""
    script = f"([selector, name]) => getComputedStyle({INSIDE}.querySelector(selector))[name]"
    return str(page.evaluate(script, [selector, name]))


def wait_until(page: Page, condition: str) -> None:
    """Wait until an expression is true. Playwright's own way needs eval, which the page's policy forbids."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {condition}")


@pytest.mark.parametrize("width", [900, 375, 320])
def test_a_width_is_that_many_pixels(chromium: Browser, url: str, width: int) -> None:
    """The mail is laid out at the chosen width: its media queries see it, and the frame does not scroll."""
    with opened(chromium, f"{url}{WEEK}?width={width}") as page:
        assert page.evaluate(f"{MAIL}.contentWindow.innerWidth") == width
        assert mail_style(page, "#wide", "display") == ("block" if width == 900 else "none")
        wait_until(page, f"{MAIL}.offsetHeight === {INSIDE}.documentElement.scrollHeight")


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_scheme_is_the_one_chosen(chromium: Browser, url: str, system: str) -> None:
    """The mail is shown in the chosen scheme, whatever the editor's system prefers."""
    with opened(chromium, url, color_scheme=system) as page:
        for scheme, (background, text) in SCHEMES.items():
            page.goto(f"{url}{WEEK}?scheme={scheme}")
            assert mail_style(page, ".page", "backgroundColor") == background
            assert mail_style(page, ".words", "color") == text


def test_the_preview_has_a_dark_design_of_its_own(chromium: Browser, url: str) -> None:
    """The page around the mail follows the colour scheme of the editor's system."""
    backgrounds = []
    for system in ("light", "dark"):
        with opened(chromium, url + WEEK, color_scheme=system) as page:
            backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert backgrounds == ["rgb(245, 244, 240)", "rgb(23, 22, 20)"]


@pytest.mark.parametrize(("images", "pixels"), [("all", 1), ("none", 0)])
def test_images_can_be_turned_off(chromium: Browser, url: str, images: str, pixels: int) -> None:
    """The mail is shown with or without its images."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{url}{WEEK}?images={images}")
    assert page.evaluate(f"{INSIDE}.querySelector('img').naturalWidth") == pixels
    context.close()


def test_the_toolbar_works_with_the_keyboard(chromium: Browser, url: str) -> None:
    """Arrow keys choose an option; the URL follows, the focus stays, and the history gets no entry."""
    with opened(chromium, url + WEEK) as page:
        page.focus("#width-900")
        entries = page.evaluate("history.length")
        page.keyboard.press("ArrowRight")
        wait_until(page, f"{MAIL}.contentWindow.innerWidth === 375")
        assert "width=375" in page.url
        assert page.evaluate("document.activeElement.id") == "width-375"
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        wait_until(
            page, f"[...{INSIDE}.querySelectorAll('.words')].some(words => getComputedStyle(words).color === '{DARK}')"
        )
        assert "width=375&scheme=dark" in page.url
        assert page.evaluate("history.length") == entries


def test_a_choice_stays_through_views_and_weeks(chromium: Browser, url: str) -> None:
    """After another view and back, the mail is still dark and 320 pixels wide."""
    with opened(chromium, f"{url}{WEEK}?width=320&scheme=dark") as page:
        page.get_by_role("link", name="Stories", exact=True).click()
        page.get_by_role("link", name="Newsletter", exact=True).click()
        assert page.locator("#width-320").is_checked()
        assert page.locator("#scheme-dark").is_checked()


def test_without_script_the_toolbar_is_a_form(chromium: Browser, url: str) -> None:
    """Without script there is a button that applies the options."""
    with opened(chromium, url + WEEK, java_script_enabled=False) as page:
        page.get_by_text("Small phone").click()
        page.get_by_role("button", name="Show").click()
        assert "width=320" in page.url
        page.wait_for_load_state()  # until then the page is laid out without its style sheet
        assert (page.locator("#mail").bounding_box() or {})["width"] == 320


def test_a_saved_template_is_shown_at_once(chromium: Browser, url: str, desk: FakeDesk) -> None:
    """The page updates without a reload, and keeps its scroll position and focus."""
    with opened(chromium, url + WEEK) as page:
        page.evaluate("window.stayed = true")
        wait_until(page, f"{MAIL}.offsetHeight > 1000")
        page.focus("#scheme-light")
        page.evaluate("scrollTo(0, 500)")
        html = HTML.replace("Read the whole story", "Read it all")
        desk.change("2026-W07", edition("2026-W07", html=html, subject="New"))
        wait_until(page, f"{INSIDE}.getElementById('read')?.textContent === 'Read it all'")
        assert page.title() == "New · Desk"
        # The frame gets the height of its mail a moment after the mail has loaded.
        wait_until(page, "scrollY === 500 && window.stayed && document.activeElement.id === 'scheme-light'")


def test_new_entries_are_announced(chromium: Browser, url: str, desk: FakeDesk) -> None:
    """Entries fetched by the daemon are named on the open page, and stay there for a while."""
    with opened(chromium, url + WEEK) as page:
        desk.entries += [NewEntry(feed_id="blog", title=title) for title in ("Bread", "Soup", "Salt")]
        desk.revision += "+"
        notice = page.get_by_role("status").filter(has_text="3 new entries from blog: “Salt”, “Soup”, “Bread”.")
        notice.wait_for()
        page.wait_for_timeout(1000)
        assert notice.is_visible()


def test_a_broken_template_is_shown_until_fixed(chromium: Browser, url: str, desk: FakeDesk) -> None:
    """A broken template is shown with file and line; once fixed, the mail is back at the same scroll position."""
    with opened(chromium, url + WEEK) as page:
        wait_until(page, f"{MAIL}.offsetHeight > 1000")
        page.evaluate("scrollTo(0, 500)")
        desk.change("2026-W07", BuildFailure(message="unexpected end of template", file="digest.html.j2", line=7))
        page.get_by_text("digest.html.j2, line 7").wait_for()
        desk.change("2026-W07", edition("2026-W07"))
        wait_until(page, f"{MAIL}?.offsetHeight > 1000 && scrollY === 500")


def test_a_preview_that_has_stopped_says_so(chromium: Browser, desk: FakeDesk) -> None:
    """The open page shows a notice once the program has ended."""
    context = chromium.new_context()
    page = context.new_page()
    with serving(desk) as url:
        page.goto(url)
    page.get_by_text("The server does not respond").wait_for()
    context.close()


def test_scripts_in_a_mail_do_not_run(chromium: Browser, url: str, desk: FakeDesk) -> None:
    """Scripts in a mail run neither in the frame nor in the source nor in a file opened by itself."""
    script = (
        "<script>top.ran = 1; document.title = 'ran'</script><img src=x onerror='top.ran = 1'><iframe src='/'></iframe>"
    )
    desk.change("2026-W07", edition("2026-W07", html=HTML.replace("</body>", script + "</body>")))
    context = chromium.new_context()
    page = context.new_page()
    for path in (WEEK, f"{WEEK}?view=source", f"{WEEK}/digest.html", f"{WEEK}/mail"):
        page.goto(url + path, wait_until="load")
        assert page.evaluate("[window.ran, document.title === 'ran']") == [None, False]
    context.close()


def test_links_in_the_mail_open_a_new_tab(chromium: Browser, url: str) -> None:
    """A click on a link in the mail leaves the preview where it is."""
    with opened(chromium, url + WEEK) as page:
        with page.expect_popup() as popup:
            page.frame_locator("#mail").locator("#read").click()
        assert popup.value.url == "https://harbourandhearth.example/kettle"
        assert page.url == url + WEEK


@pytest.mark.parametrize("width", [375, 1280])
def test_no_page_is_wider_than_its_window(chromium: Browser, url: str, desk: FakeDesk, width: int) -> None:
    """With very long words, no page scrolls sideways or logs an error."""
    desk.change("2026-W07", edition("2026-W07", subject="Sub" * 50, headings="Head" * 50, titles="Title" * 50))
    with opened(chromium, url, viewport={"width": width, "height": 800}) as page:
        for path in PATHS:
            page.goto(url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
