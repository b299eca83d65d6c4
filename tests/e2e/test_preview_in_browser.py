"""The preview as an editor meets it, in Chromium: real widths, both schemes, the keyboard, and news by itself."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.model.digest import BuildFailure
from pipeline.web.desk.updates import NewEntry
from pipeline.web.preview import bind_socket, create_desk_app, create_server
from tests.fake_desk import HTML, PIXEL, FakeDesk, edition

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
WEEK = "/week/2026-W07"
VIEWS = ("mail", "inbox", "text", "headers", "source", "why")
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
    """Serve the preview from a thread; the address, while it runs."""
    with closing(bind_socket(0)) as listener:
        server = create_server(create_desk_app(desk, long_poll_seconds=0.2))
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
def here(desk: FakeDesk) -> Iterator[str]:
    with serving(desk) as here:
        yield here


@contextmanager
def opened(chromium: Browser, url: str, **how: Any) -> Iterator[Page]:
    """Open a page for an editor; whatever is not on this machine answers with a pixel. Complaints fail the test."""
    context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"} | how)
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.route(re.compile(r"^https:"), lambda route: route.fulfill(body=PIXEL, content_type="image/png"))
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()
    assert complaints == []


def style_inside(page: Page, selector: str, name: str) -> str:
    """Read a computed style of the mail in its frame."""
    script = f"([selector, name]) => getComputedStyle({INSIDE}.querySelector(selector))[name]"
    return str(page.evaluate(script, [selector, name]))


def until(page: Page, truth: str) -> None:
    """Wait for an expression to become true. Playwright's own way needs eval, which the page's policy forbids."""
    for _ in range(600):
        if page.evaluate(truth):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"it never came: {truth}")


@pytest.mark.parametrize("width", [900, 375, 320])
def test_a_width_is_that_many_pixels(chromium: Browser, here: str, width: int) -> None:
    """The mail is laid out at the width it says, whole: its media queries see it, nothing in it scrolls."""
    with opened(chromium, f"{here}{WEEK}?width={width}") as page:
        assert page.evaluate(f"{MAIL}.contentWindow.innerWidth") == width
        assert style_inside(page, "#wide", "display") == ("block" if width == 900 else "none")
        until(page, f"{MAIL}.offsetHeight === {INSIDE}.documentElement.scrollHeight")


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_scheme_is_the_one_chosen(chromium: Browser, here: str, system: str) -> None:
    """The mail shows its light, its own dark or a forced dark design, whatever the editor's system prefers."""
    with opened(chromium, here, color_scheme=system) as page:
        for scheme, (ground, words) in SCHEMES.items():
            page.goto(f"{here}{WEEK}?scheme={scheme}")
            assert style_inside(page, ".page", "backgroundColor") == ground
            assert style_inside(page, ".words", "color") == words


def test_the_preview_has_a_dark_design_of_its_own(chromium: Browser, here: str) -> None:
    """The page around the mail follows the editor's system."""
    grounds = []
    for system in ("light", "dark"):
        with opened(chromium, here + WEEK, color_scheme=system) as page:
            grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(245, 244, 240)", "rgb(23, 22, 20)"]


@pytest.mark.parametrize(("pictures", "pixels"), [("on", 1), ("off", 0)])
def test_pictures_can_be_left_out(chromium: Browser, here: str, pictures: str, pixels: int) -> None:
    """With pictures the mail shows them, without it shows what stands in their place."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{here}{WEEK}?pictures={pictures}")
    assert page.evaluate(f"{INSIDE}.querySelector('img').naturalWidth") == pixels
    context.close()


def test_the_toolbar_works_with_the_keyboard(chromium: Browser, here: str) -> None:
    """Arrow keys choose, the address follows, the focus stays, and the history gets no step."""
    with opened(chromium, here + WEEK) as page:
        page.focus("#width-900")
        steps = page.evaluate("history.length")
        page.keyboard.press("ArrowRight")
        until(page, f"{MAIL}.contentWindow.innerWidth === 375")
        assert "width=375" in page.url
        assert page.evaluate("document.activeElement.id") == "width-375"
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        until(
            page, f"[...{INSIDE}.querySelectorAll('.words')].some(words => getComputedStyle(words).color === '{DARK}')"
        )
        assert "width=375&scheme=dark" in page.url
        assert page.evaluate("history.length") == steps


def test_a_choice_stays_through_views_and_weeks(chromium: Browser, here: str) -> None:
    """Another view and back again: the mail is still dark and 320 pixels wide."""
    with opened(chromium, f"{here}{WEEK}?width=320&scheme=dark") as page:
        page.get_by_role("link", name="Stories", exact=True).click()
        page.get_by_role("link", name="Mail", exact=True).click()
        assert page.locator("#width-320").is_checked()
        assert page.locator("#scheme-dark").is_checked()


def test_without_script_the_toolbar_is_a_form(chromium: Browser, here: str) -> None:
    """A browser that runs no script shows a button, and the button shows the choice."""
    with opened(chromium, here + WEEK, java_script_enabled=False) as page:
        page.get_by_text("Small phone").click()
        page.get_by_role("button", name="Show").click()
        assert "width=320" in page.url
        page.wait_for_load_state()  # before that there is a page without its style sheet to be measured
        assert (page.locator("#mail").bounding_box() or {})["width"] == 320


def test_news_comes_by_itself(chromium: Browser, here: str, desk: FakeDesk) -> None:
    """A saved template shows at once: no reload, no lost place, no lost focus."""
    with opened(chromium, here + WEEK) as page:
        page.evaluate("window.stayed = true")
        until(page, f"{MAIL}.offsetHeight > 1000")
        page.focus("#scheme-light")
        page.evaluate("scrollTo(0, 500)")
        html = HTML.replace("Read the whole story", "Read it all")
        desk.change("2026-W07", edition("2026-W07", html=html, subject="New"))
        until(page, f"{INSIDE}.getElementById('read')?.textContent === 'Read it all'")
        assert page.title() == "New · Preview"
        # The frame grows to the height of its mail a moment after the mail is there.
        until(page, "scrollY === 500 && window.stayed && document.activeElement.id === 'scheme-light'")


def test_what_came_in_is_said(chromium: Browser, here: str, desk: FakeDesk) -> None:
    """When the daemon has fetched something, the open page names it, and goes on naming it for a while."""
    with opened(chromium, here + WEEK) as page:
        desk.arrivals_so_far += [NewEntry(feed_id="blog", title=title) for title in ("Bread", "Soup", "Salt")]
        desk.revision += "+"
        said = page.get_by_role("status").filter(has_text="3 new entries from blog: “Salt”, “Soup”, “Bread”.")
        said.wait_for()
        page.wait_for_timeout(1000)
        assert said.is_visible()


def test_a_broken_template_is_shown_and_mended(chromium: Browser, here: str, desk: FakeDesk) -> None:
    """While a template is broken the page says where; once it is mended the mail is back, by itself, in its place."""
    with opened(chromium, here + WEEK) as page:
        until(page, f"{MAIL}.offsetHeight > 1000")
        page.evaluate("scrollTo(0, 500)")
        desk.change("2026-W07", BuildFailure(message="unexpected end of template", file="digest.html.j2", line=7))
        page.get_by_text("digest.html.j2, line 7").wait_for()
        desk.change("2026-W07", edition("2026-W07"))
        until(page, f"{MAIL}?.offsetHeight > 1000 && scrollY === 500")


def test_a_preview_that_has_stopped_says_so(chromium: Browser, desk: FakeDesk) -> None:
    """When the program ends, the open page tells its reader instead of growing stale in silence."""
    context = chromium.new_context()
    page = context.new_page()
    with serving(desk) as here:
        page.goto(here)
    page.get_by_text("The preview has stopped").wait_for()
    context.close()


def test_a_mail_runs_nothing(chromium: Browser, here: str, desk: FakeDesk) -> None:
    """Scripts in a mail do nothing, in the frame, in the source and when a part is opened by itself."""
    nasty = (
        "<script>top.ran = 1; document.title = 'ran'</script><img src=x onerror='top.ran = 1'><iframe src='/'></iframe>"
    )
    desk.change("2026-W07", edition("2026-W07", html=HTML.replace("</body>", nasty + "</body>")))
    context = chromium.new_context()
    page = context.new_page()
    for path in (WEEK, f"{WEEK}?view=source", f"{WEEK}/digest.html", f"{WEEK}/mail"):
        page.goto(here + path, wait_until="load")
        assert page.evaluate("[window.ran, document.title === 'ran']") == [None, False]
    context.close()


def test_a_link_in_the_mail_opens_beside_the_preview(chromium: Browser, here: str) -> None:
    """Clicking in the mail leaves the preview where it is."""
    with opened(chromium, here + WEEK) as page:
        with page.expect_popup() as popup:
            page.frame_locator("#mail").locator("#read").click()
        assert popup.value.url == "https://harbourandhearth.example/kettle"
        assert page.url == here + WEEK


@pytest.mark.parametrize("width", [375, 1280])
def test_no_page_is_wider_than_its_window(chromium: Browser, here: str, desk: FakeDesk, width: int) -> None:
    """However long the words, nothing scrolls sideways but what is meant to, and no page complains."""
    desk.change("2026-W07", edition("2026-W07", subject="Sub" * 50, headings="Head" * 50, titles="Title" * 50))
    with opened(chromium, here, viewport={"width": width, "height": 800}) as page:
        for path in PATHS:
            page.goto(here + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
