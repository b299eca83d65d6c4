"""Accessibility of the desk: axe, large type and the keyboard."""

from __future__ import annotations

import importlib.resources
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.digest import BuildFailure
from pipeline.model.edition import EditionRecord, EditorLink, Overrides
from tests.e2e.test_preview_in_browser import serving
from tests.fake_desk import FakeDesk, edition
from tests.people import NOW, sign_up

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
WEEK = "/week/2026-W07"
VIEWS = ("mail", "inbox", "text", "headers", "source", "decisions", "changes", "files")
PATHS = (
    *(
        "/",
        "/feeds",
        "/links",
        "/subscribers",
        "/subscribers/1",
        "/status",
        "/settings",
        "/mails/confirmation",
        "/mails/best-of",
        "/nowhere",
        "/week/2026-W06",
        f"{WEEK}/edit",
    ),
    *(f"{WEEK}?view={view}" for view in VIEWS),
)
RUN_AXE = "axe.run(document, {iframes: false, resultTypes: ['violations']})"


@pytest.fixture
def desk() -> FakeDesk:
    """A desk with links, an approval, a running fetch and a failing feed."""
    links = (EditorLink(url="https://tides.example/", title="Tides"), EditorLink(url="https://charts.example/"))
    desk = FakeDesk(overrides=Overrides(introduction_md="Good morning.", links=links))
    desk.sealed["2026-W07"] = edition("2026-W07", subject="As it was", html="<p>As it was</p>")
    dead = CheckResult(name="dead-link", level="error", message="Fix it.", where="Tides", fix_target="links")
    quiet = CheckResult(
        name="stale-feed", level="warning", message="See whether it still works.", fix_target="feed podcast"
    )
    looked_at = datetime(2026, 2, 17, 9, tzinfo=UTC)
    desk.link_checks["2026-W07"] = LinkCheck(content_hash="", checked_at=looked_at, results=(dead, quiet))
    desk.start_fetch()
    Subscriptions(desk.open_people()).confirm(sign_up(desk.open_people(), "ada@quay.example"), NOW)
    return desk


@pytest.fixture
def url(desk: FakeDesk) -> Iterator[str]:
    with serving(desk) as url:
        yield url


def violations(page: Page) -> list[str]:
    """Return the violations that axe finds on a page: rule and element."""
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
def axe_on(chromium: Browser, scheme: Any, width: int) -> Iterator[tuple[Page, Callable[[str], None]]]:
    """Yield a page and a function that runs axe on it; at the end it must have found nothing."""
    axe = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    violations_found: list[str] = []

    def check(where: str) -> None:
        page.evaluate(axe)
        violations_found.extend(f"{where}: {violation}" for violation in violations(page))

    yield page, check
    context.close()
    assert violations_found == []


@with_axe
@on_every_screen
def test_axe_finds_nothing(chromium: Browser, url: str, scheme: Any, width: int) -> None:
    """Axe finds no violation on any page, in light and dark, on a phone and a desktop."""
    with axe_on(chromium, scheme, width) as (page, check):
        for path in PATHS:
            page.goto(url + path)
            check(path)


@with_axe
@on_every_screen
def test_axe_finds_nothing_on_pages_with_errors(
    chromium: Browser, url: str, desk: FakeDesk, scheme: Any, width: int
) -> None:
    """Axe finds nothing on pages with a refusal, notes, an edit conflict, a broken template, or no week."""
    with axe_on(chromium, scheme, width) as (page, check):
        desk.refusal = "2026-W07 is no longer what you have seen: look again."
        page.goto(url + WEEK)
        press(page, "Approve")
        page.locator("summary", has_text="More").click()
        check("a refusal")
        desk.running_checks.add("2026-W07")
        page.goto(f"{url}{WEEK}?view=decisions")
        for summary in page.locator(".story__edit > summary, .story-view__others > summary").all():
            summary.click()
        check("stories being edited, while links are checked")
        press(page, "Leave out: A kettle on the quay", in_place=True)
        check("a story that is left out")
        page.goto(f"{url}{WEEK}/edit")
        desk.file_version, desk.overrides = "v2", Overrides(introduction_md="Theirs.")
        press(page, "Save")
        check("two editors")
        desk.change("2026-W07", BuildFailure(message="unexpected end of template", file="digest.html.j2", line=7))
        desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="held", number=1)
        page.goto(url + WEEK)
        check("a broken template")
        desk.summaries = ()
        page.goto(url)
        page.get_by_label("Address of a website or a feed").fill("https://site.example/")
        press(page, "Find feeds")
        check("onboarding")


def press(page: Page, name: str, *, in_place: bool = False) -> None:
    """Press a button and wait for the next page, or for what it changes in this one."""
    if in_place:
        page.get_by_role("button", name=name, exact=True).click()
        return page.locator(".undo").wait_for()
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=name, exact=True).click()
    return None


def test_at_twice_the_size_nothing_is_cut_off(chromium: Browser, url: str) -> None:
    """At 200 % zoom (640 pixels of a 1280 screen) with text twice as large, no page scrolls sideways."""
    context = chromium.new_context(viewport={"width": 640, "height": 450})
    page = context.new_page()
    widths: dict[str, int] = {}
    for path in PATHS:
        page.goto(url + path)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert {path: width for path, width in widths.items() if width > 640} == {}


def test_typing_updates_the_preview(chromium: Browser, url: str) -> None:
    """The mail shows text as it is typed; the field keeps the focus, and the history gets no entry."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{url}{WEEK}/edit")
    entries = page.evaluate("history.length")
    page.get_by_label("Introduction", exact=True).press("Control+End")
    page.keyboard.type(" And a fine one.")
    page.frame_locator("#mail").get_by_text("Good morning. And a fine one.").wait_for()
    page.locator("#introduction-count", has_text="6 words").wait_for()
    assert page.evaluate("[document.activeElement.id, history.length]") == ["introduction", entries]
    context.close()


def test_a_phone_gets_the_mail_as_a_phone_shows_it(chromium: Browser, url: str) -> None:
    """By default the mail is laid out as wide as the screen, up to its full width."""
    for width, expected in ((375, range(340, 376)), (1440, range(860, 901))):
        context = chromium.new_context(viewport={"width": width, "height": 800})
        page = context.new_page()
        page.goto(url + WEEK)
        assert page.evaluate("document.getElementById('mail').contentWindow.innerWidth") in expected
        context.close()
