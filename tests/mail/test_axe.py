"""axe-core finds no violation, in light, in dark and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mail.editions import ALL_MAILS, mail
from tests.mail.external_validators import AXE
from tests.mail.screen import DESKTOP, PHONE, Scheme, axe, open_screen

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.npm("axe-core")]


@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")])
@pytest.mark.parametrize(("theme", "edition"), ALL_MAILS)
def test_is_accessible(chromium: Browser, theme: str, edition: str, width: int, scheme: Scheme) -> None:
    """Names, headings, language, contrast and links in text."""
    with open_screen(chromium, mail(theme, edition).html, width, scheme) as screen:
        assert axe(screen, AXE.read_text()) == []
