"""The desk for everybody: no barrier that axe knows, large type, and short ways for the keyboard."""

from __future__ import annotations

import importlib.resources
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.digest import BuildFailure
from pipeline.model.edition import EditionRecord, EditorLink, Overrides
from tests.e2e.test_preview_in_browser import serving
from tests.fake_desk import FakeDesk, edition

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
WEEK = "/week/2026-W07"
VIEWS = ("mail", "inbox", "text", "headers", "source", "why", "changes")
PATHS = ("/", "/feeds", "/nowhere", "/week/2026-W06", f"{WEEK}/edit", *(f"{WEEK}?view={view}" for view in VIEWS))
RUN_AXE = "axe.run(document, {iframes: false, resultTypes: ['violations']})"


@pytest.fixture
def desk() -> FakeDesk:
    """A desk with something of everything on it: links, an approval, a fetch, a feed that fails."""
    links = (EditorLink(url="https://tides.example/", title="Tides"), EditorLink(url="https://charts.example/"))
    found = FakeDesk(overrides=Overrides(introduction_md="Good morning.", links=links))
    found.sealed["2026-W07"] = edition("2026-W07", subject="As it was", html="<p>As it was</p>")
    dead = CheckResult(name="dead-link", level="error", message="Mend it.", where="Tides", fix_target="links")
    quiet = CheckResult(
        name="stale-feed", level="warning", message="See whether it still works.", fix_target="feed podcast"
    )
    looked_at = datetime(2026, 2, 17, 9, tzinfo=UTC)
    found.link_checks["2026-W07"] = LinkCheck(content_hash="", checked_at=looked_at, results=(dead, quiet))
    found.start_fetch()
    return found


@pytest.fixture
def here(desk: FakeDesk) -> Iterator[str]:
    with serving(desk) as here:
        yield here


def violations(page: Page) -> list[str]:
    """Ask axe what is wrong with a page: rule and place."""
    found: list[dict[str, Any]] = page.evaluate(f"{RUN_AXE}.then(({{violations}}) => violations)")
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


with_axe = pytest.mark.skipif(
    not importlib.util.find_spec("axe_playwright_python"), reason="pip install axe-playwright-python"
)
on_every_screen = pytest.mark.parametrize(
    ("scheme", "width"),
    [
        pytest.param("light", 1280, marks=pytest.mark.slow),
        ("dark", 375),
        pytest.param("dark", 1280, marks=pytest.mark.slow),
        pytest.param("light", 375, marks=pytest.mark.slow),
    ],
)


@contextmanager
def looking(chromium: Browser, scheme: Any, width: int) -> Iterator[tuple[Page, Callable[[str], None]]]:
    """Give a page and a way to let axe look at it; in the end it must have found nothing."""
    axe = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    wrong: list[str] = []

    def look(where: str) -> None:
        page.evaluate(axe)
        wrong.extend(f"{where}: {each}" for each in violations(page))

    yield page, look
    context.close()
    assert wrong == []


@with_axe
@on_every_screen
def test_axe_finds_nothing(chromium: Browser, here: str, scheme: Any, width: int) -> None:
    """No rule of axe is broken on any page, in light and dark, on a phone and a desktop."""
    with looking(chromium, scheme, width) as (page, look):
        for path in PATHS:
            page.goto(here + path)
            look(path)


@with_axe
@on_every_screen
def test_axe_finds_nothing_where_something_is_wrong(
    chromium: Browser, here: str, desk: FakeDesk, scheme: Any, width: int
) -> None:
    """Nor with a refusal on the page, notes, somebody else's words, a broken template, or nothing at all."""
    with looking(chromium, scheme, width) as (page, look):
        desk.refusal = "2026-W07 is no longer what you have seen: look again."
        page.goto(here + WEEK)
        press(page, "Approve")
        page.locator("summary", has_text="More").click()
        look("a refusal")
        desk.checking_links.add("2026-W07")
        page.goto(f"{here}{WEEK}?view=why")
        for note in page.locator(".note > summary").all():
            note.click()
        look("notes, while links are asked for")
        page.goto(f"{here}{WEEK}/edit")
        desk.file_version, desk.overrides = "v2", Overrides(introduction_md="Theirs.")
        press(page, "Save")
        look("two editors")
        desk.change("2026-W07", BuildFailure(message="unexpected end of template", file="digest.html.j2", line=7))
        desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="held", number=1)
        page.goto(here + WEEK)
        look("a broken template")
        desk.summaries = ()
        page.goto(here)
        page.get_by_label("The address of a site, or of a feed").fill("https://site.example/")
        press(page, "Look there")
        look("start")


def press(page: Page, name: str) -> None:
    """Press a button, and wait for the page it leads to."""
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=name, exact=True).click()


def test_at_twice_the_size_nothing_is_cut_off(chromium: Browser, here: str) -> None:
    """At 200 % zoom (640 pixels of a 1280 screen) and with type twice as large, no page scrolls sideways."""
    context = chromium.new_context(viewport={"width": 640, "height": 450})
    page = context.new_page()
    widths: dict[str, int] = {}
    for path in PATHS:
        page.goto(here + path)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert {path: width for path, width in widths.items() if width > 640} == {}


def test_typing_is_previewed_without_a_step_in_history(chromium: Browser, here: str) -> None:
    """Words show in the mail as one types; the field keeps the focus, and Back still leads back."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{here}{WEEK}/edit")
    steps = page.evaluate("history.length")
    page.get_by_label("Introduction", exact=True).press("Control+End")
    page.keyboard.type(" And a fine one.")
    page.frame_locator("#mail").get_by_text("Good morning. And a fine one.").wait_for()
    page.locator("#introduction-count", has_text="6 words").wait_for()
    assert page.evaluate("[document.activeElement.id, history.length]") == ["introduction", steps]
    context.close()


def test_a_phone_gets_the_mail_as_a_phone_shows_it(chromium: Browser, here: str) -> None:
    """Without asking, the mail is laid out as wide as the screen is, up to its full width."""
    for width, expected in ((375, range(340, 376)), (1440, range(860, 901))):
        context = chromium.new_context(viewport={"width": width, "height": 800})
        page = context.new_page()
        page.goto(here + WEEK)
        assert page.evaluate("document.getElementById('mail').contentWindow.innerWidth") in expected
        context.close()
