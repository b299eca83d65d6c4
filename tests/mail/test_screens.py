"""Acceptance 1 and 2: mails on screens of every width, and in programs that take half of them away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.web.desk.mail_frame import force_dark
from tests.mail.clients import as_gmail, as_word, without_style
from tests.mail.editions import MAILS, mail
from tests.mail.screen import DESKTOP, PHONE, SMALL_PHONE, Scheme, open_screen
from tests.mail.validators import ParsedMarkup

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
every_mail = pytest.mark.parametrize(("theme", "edition"), MAILS)
SCREENS = [(SMALL_PHONE, True), (PHONE, True), (DESKTOP, True), (SMALL_PHONE, False)]
"""Widths, and whether pictures are shown."""


@every_mail
@pytest.mark.parametrize(("width", "pictures"), SCREENS)
def test_fits_every_screen(chromium: Browser, theme: str, edition: str, width: int, pictures: bool) -> None:
    """No mail is wider than its screen, with pictures or without, and it asks for nothing but pictures."""
    with open_screen(chromium, mail(theme, edition).html, width, pictures=pictures) as screen:
        assert screen.overflow_pixels == 0
        assert screen.requested_urls == []


@every_mail
def test_holds_its_width_on_a_desktop(chromium: Browser, theme: str, edition: str) -> None:
    """Words and pictures keep to the middle 600 pixels."""
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
    """A program that recolours a mail by itself, one colour at a time, leaves it readable."""
    with open_screen(chromium, force_dark(mail(theme, edition).html)) as screen:
        assert screen.low_contrast == []


@every_mail
def test_is_readable_in_outlooks_dark(chromium: Browser, theme: str, edition: str) -> None:
    """Outlook on the web marks what it recolours; the rules for these marks go together."""
    html = mail(theme, edition).html.replace("<body", "<body data-ogsc data-ogsb", 1)
    with open_screen(chromium, html) as screen:
        assert screen.low_contrast == []


@every_mail
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_without_style_elements(chromium: Browser, theme: str, edition: str, width: int) -> None:
    """Every link is there, text can be read, the width is held, and nothing hangs over."""
    html = mail(theme, edition).html
    with open_screen(chromium, without_style(html), width) as screen:
        assert screen.links == set(ParsedMarkup(html).hrefs)
        assert screen.low_contrast == []
        assert screen.overflow_pixels == 0
        assert width < DESKTOP or screen.elements_outside == []


@every_mail
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_in_gmail(chromium: Browser, theme: str, edition: str, width: int) -> None:
    """With what Gmail keeps of the styles it is the same mail."""
    html = mail(theme, edition).html
    with open_screen(chromium, as_gmail(html), width) as screen:
        assert screen.links == set(ParsedMarkup(html).hrefs)
        assert screen.low_contrast == []
        assert screen.overflow_pixels == 0
        assert width < DESKTOP or screen.elements_outside == []


@every_mail
def test_in_word(chromium: Browser, theme: str, edition: str) -> None:
    """In Outlook's branch every link leads on, pictures have the size of their attributes, and 600 pixels are held."""
    html = mail(theme, edition).html
    with open_screen(chromium, as_word(html)) as screen:
        assert screen.links == set(ParsedMarkup(html).hrefs)
        assert screen.missized_pictures == []
        assert screen.elements_outside == []
