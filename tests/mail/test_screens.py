"""Messages on screens of every width, and in programs that drop parts of the HTML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pipeline.web.desk.message_frame import force_dark
from tests.mail.clients import as_gmail, as_word, without_style
from tests.mail.editions import ALL_MAILS, CANARY_URL, COUNTED, mail
from tests.mail.screen import DESKTOP, PHONE, SMALL_PHONE, Scheme, open_screen
from tests.mail.validators import ParsedMarkup

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
every_mail = pytest.mark.parametrize(("theme", "edition"), ALL_MAILS)
SCREENS = [(SMALL_PHONE, True), (PHONE, True), (DESKTOP, True), (SMALL_PHONE, False)]
"""Widths, and whether images are shown."""


@every_mail
@pytest.mark.parametrize(("width", "pictures"), SCREENS)
def test_fits_every_screen(chromium: Browser, theme: str, edition: str, width: int, pictures: bool) -> None:
    """Nothing is wider than its screen, with images or without, and only images are requested."""
    with open_screen(chromium, mail(theme, edition).html, width, pictures=pictures) as screen:
        assert screen.overflow_pixels == 0
        assert screen.requested_urls == []


@every_mail
def test_keeps_its_width_on_a_desktop(chromium: Browser, theme: str, edition: str) -> None:
    """Text and images stay within the middle 600 pixels."""
    with open_screen(chromium, mail(theme, edition).html) as screen:
        assert screen.elements_outside == []


@every_mail
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_readable(chromium: Browser, theme: str, edition: str, scheme: Scheme) -> None:
    """Every text has a contrast of 4.5 : 1 in the scheme it was designed for."""
    with open_screen(chromium, mail(theme, edition).html, scheme=scheme) as screen:
        assert screen.low_contrast == []


@every_mail
def test_is_readable_in_forced_dark(chromium: Browser, theme: str, edition: str) -> None:
    """It stays readable in a program that changes each colour by itself."""
    with open_screen(chromium, force_dark(mail(theme, edition).html)) as screen:
        assert screen.low_contrast == []


@every_mail
def test_is_readable_in_outlooks_dark(chromium: Browser, theme: str, edition: str) -> None:
    """Outlook on the web marks the elements that it recolours; all rules for them apply together."""
    html = mail(theme, edition).html.replace("<body", "<body data-ogsc data-ogsb", 1)
    with open_screen(chromium, html) as screen:
        assert screen.low_contrast == []


@every_mail
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_without_style_elements(chromium: Browser, theme: str, edition: str, width: int) -> None:
    """Every link is there, texts are readable, and nothing is too wide."""
    html = mail(theme, edition).html
    with open_screen(chromium, without_style(html), width) as screen:
        assert screen.links == set(ParsedMarkup(html).hrefs)
        assert screen.low_contrast == []
        assert screen.overflow_pixels == 0
        assert width < DESKTOP or screen.elements_outside == []


@every_mail
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_in_gmail(chromium: Browser, theme: str, edition: str, width: int) -> None:
    """It looks the same with the styles that Gmail keeps."""
    html = mail(theme, edition).html
    with open_screen(chromium, as_gmail(html), width) as screen:
        assert screen.links == set(ParsedMarkup(html).hrefs)
        assert screen.low_contrast == []
        assert screen.overflow_pixels == 0
        assert width < DESKTOP or screen.elements_outside == []


@every_mail
def test_in_word(chromium: Browser, theme: str, edition: str) -> None:
    """In Outlook's branch every link works, images have the size of their attributes, and the width is 600 pixels."""
    html = mail(theme, edition).html
    with open_screen(chromium, as_word(html)) as screen:
        assert screen.links == set(ParsedMarkup(html).hrefs) - {CANARY_URL}
        assert screen.missized_pictures == []
        assert screen.elements_outside == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_canary_is_met_by_nobody(chromium: Browser, width: int) -> None:
    """It takes no room, is not focused by the keyboard or read aloud, and Outlook has none."""
    html = mail("classic", COUNTED).html
    with open_screen(chromium, html, width) as screen:
        canary = screen.page.locator("a[aria-hidden=true]")
        assert canary.count() == 1
        assert canary.bounding_box() is None
        assert not canary.evaluate("element => element.checkVisibility()")
        assert canary.evaluate("element => { element.focus(); return document.activeElement === element }") is False
        links = screen.page.get_by_role("link").count()
        assert links == screen.page.locator("a[href]").count() - 1
        assert "/to/" not in screen.page.evaluate("document.body.innerText")
    with open_screen(chromium, re.sub(r' style="[^"]*"', "", without_style(html)), width) as screen:
        assert screen.page.locator("a[aria-hidden=true]").bounding_box()["height"] <= 20  # type: ignore[index]
        assert screen.page.get_by_role("link").count() == links
    assert "aria-hidden" not in as_word(html)
