"""The checks of an edition in Chromium, on a phone and with the keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.model.check import CheckResult, LinkCheck
from tests.e2e.test_preview_in_browser import serving
from tests.fake_desk import FakeDesk
from tests.people import NOW

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
TITLES = ("A kettle on the quay", "Who keeps the lights on")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_summary_opens_and_leads_to_each_story(chromium: Browser, script: bool) -> None:
    """One line says how many images have no alt text; opened, each place leads to its story and stays readable."""
    poor = tuple(
        CheckResult(
            name="image-alt", level="hint", message="Describe it.", where=title, fix_target=f"story blog {title}"
        )
        for title in TITLES
    )
    desk = FakeDesk(link_checks={"2026-W07": LinkCheck(content_hash="", checked_at=NOW, results=poor)})
    with serving(desk) as url:
        context = chromium.new_context(viewport={"width": 375, "height": 800}, java_script_enabled=script)
        page = context.new_page()
        page.goto(f"{url}/week/2026-W07")
        summary = page.locator("#checks summary")
        assert "2 images without alt text" in summary.inner_text()
        assert page.get_by_role("link", name="Go to “A kettle on the quay”").count() == 0
        summary.focus()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Go to “Who keeps the lights on”").focus()
        with page.expect_navigation(wait_until="load"):
            page.keyboard.press("Enter")
        assert page.locator(":target").get_by_text("Who keeps the lights on").first.is_visible()
        context.close()
