"""The mail's design on a screen: its measures, its dark scheme, its direction. tests/mail validates the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.model.digest import Section
from tests.golden.update import DIGESTS, THEME_NAMES, THEMES
from tests.mail.screen import page_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser
Scheme = Literal["light", "dark"]
MAILS = [(theme, name) for theme in THEME_NAMES for name in ("rich", "arabic", "stress")]
every_mail = pytest.mark.parametrize(("theme", "name"), MAILS)
every_theme = pytest.mark.parametrize("theme", THEME_NAMES)
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2000 2000"><rect width="2000" height="2000"/></svg>'

SMALL_PRINT = """() => [...document.querySelectorAll('td, p, h1, h2, h3, li, a')]
  .filter(el => el.textContent.trim() && el.checkVisibility() && parseFloat(getComputedStyle(el).fontSize) < 13)
  .map(el => el.textContent)"""

FIRST_SCREEN = replace(DIGESTS["rich"], introduction_md="The boats stayed in, and so the quay cooked today. " * 6)
"""An introduction of 60 words, the most that is recommended."""
MANY = replace(
    FIRST_SCREEN,
    sections=(*FIRST_SCREEN.sections, Section(kind="posts", heading="More", stories=FIRST_SCREEN.stories[1:3])),
)
"""With five lines of "In this edition"."""


@cache
def html_of(theme: str, name: str) -> str:
    digests = DIGESTS | {"first-screen": FIRST_SCREEN, "first-screen-of-many": MANY}
    return render(digests[name], load_theme([THEMES], theme)).html


@contextmanager
def opened(browser: Browser, html: str, width: int = 900, scheme: Scheme = "light") -> Iterator[Page]:
    """Open a mail on a screen; whatever is not a picture may not be asked for."""

    asked: set[str] = set()

    def answer(route: Route) -> None:
        asked.add(route.request.resource_type)
        route.fulfill(content_type="image/svg+xml", body=PICTURE)

    page = page_of(browser, width, scheme)
    page.goto("about:blank")
    page.route("**/*", answer)
    page.set_content(html, wait_until="load")
    try:
        yield page
    finally:
        page.unroute_all()
    assert asked <= {"image"}


def style_of(page: Page, selector: str, name: str) -> Any:
    return page.locator(selector).first.evaluate("(el, name) => getComputedStyle(el)[name]", name)


@every_mail
def test_no_print_is_small(chromium: Browser, theme: str, name: str) -> None:
    """No text is under 13 px."""
    with opened(chromium, html_of(theme, name)) as page:
        assert page.evaluate(SMALL_PRINT) == []


@every_theme
def test_dark_is_dark(chromium: Browser, theme: str) -> None:
    """The authored dark scheme turns the paper dark and the ink light, as the theme's colours say."""
    dark = load_theme([THEMES], theme).style.dark
    with opened(chromium, html_of(theme, "sample"), scheme="dark") as page:
        assert style_of(page, "td.card", "backgroundColor") == rgb(dark.card)
        assert style_of(page, "td.card", "color") == rgb(dark.text)


def rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*bytes.fromhex(colour[1:]))


MEASURES = {
    "classic": {"td.card": (17, 27), "h1": (30, 37), "h2": (21, 28), "h3": (20, 27)},
    "journal": {"td.card": (17, 27), "h1": (30, 37), "h2": (22, 29), "h3": (20, 27)},
    "letter": {"td.card": (17, 27), "h1": (30, 37), "h2": (20, 28), "h3": (20, 27)},
}


@every_theme
def test_desktop_measures(chromium: Browser, theme: str) -> None:
    """600 px wide in the middle of the window; text and headings in the theme's sizes; buttons 44 px high or more."""
    with opened(chromium, html_of(theme, "sample")) as page:
        frame = page.locator("table.frame").bounding_box()
        assert frame is not None
        assert (frame["x"], frame["width"]) == (150, 600)
        for selector, (size, line) in MEASURES[theme].items():
            assert style_of(page, selector, "fontSize") == f"{size}px"
            assert style_of(page, selector, "lineHeight") == f"{line}px"
        assert all(box.bounding_box()["height"] >= 44 for box in page.locator("a.button").all())  # type: ignore[index]


def test_phone_measures(chromium: Browser) -> None:
    """On a phone the button spans the column, and a cover of 96 px stays beside its title."""
    with opened(chromium, html_of("classic", "sample"), 375) as page:
        button, cover, title = (
            page.locator(each).first.bounding_box() for each in ("a.button", "img.cover", "table.beside h3")
        )
        assert button is not None
        assert cover is not None
        assert title is not None
        assert button["width"] == 335
        assert cover["width"] == cover["height"] == 96
        assert title["x"] + title["width"] <= cover["x"]


@every_theme
def test_the_lead_is_visible_without_scrolling(chromium: Browser, theme: str) -> None:
    """Below an introduction of 60 words the whole headline is on the first screen of a phone of 375 x 667.

    So it is below a signature and three lines of "In this edition"; with five its first line is.
    """
    with opened(chromium, html_of(theme, "first-screen"), 375) as page:
        headline = page.locator("h1").bounding_box()
        assert headline is not None
        assert headline["y"] + headline["height"] <= 667
    with opened(chromium, html_of(theme, "first-screen-of-many"), 375) as page:
        headline = page.locator("h1").bounding_box()
        assert headline is not None
        assert headline["y"] + 37 <= 667


@every_theme
def test_pictures_are_never_enlarged_or_distorted(chromium: Browser, theme: str) -> None:
    """A wide picture is 536 px, a tall one as narrow as a height of 536 px asks, each at its own proportions."""
    with opened(chromium, html_of(theme, "stress")) as page:
        boxes = [box.bounding_box() for box in page.locator("img.wide").all()]
        assert {round(box["width"]) for box in boxes if box} <= {134, 536}


@every_theme
def test_inbox_line_is_hidden(chromium: Browser, theme: str) -> None:
    """The preheader is for the inbox: an opened mail does not show it."""
    with opened(chromium, html_of(theme, "sample")) as page:
        assert not page.locator(".preheader").is_visible()


@every_theme
def test_right_to_left(chromium: Browser, theme: str) -> None:
    """By ``dir`` alone the cover moves to the other side of its title, and text starts at the right."""
    with opened(chromium, html_of(theme, "arabic")) as page:
        if theme == "letter":  # its line above the title has the byline, and it has no images
            assert style_of(page, "p.kicker", "direction") == "rtl"
            return
        assert style_of(page, "p.byline", "direction") == "rtl"
        cover, title = (page.locator(each).first.bounding_box() for each in ("img.cover", "table.beside h3"))
        assert cover is not None
        assert title is not None
        assert cover["x"] < title["x"]
