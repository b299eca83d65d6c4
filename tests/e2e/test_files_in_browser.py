"""Copying and downloading an edition, in Chromium: with the mouse, with the keyboard alone, without script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_preview_in_browser import serving
from tests.fake_desk import FakeDesk, edition

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
HTML = '<p>Bread</p><p><a href="https://h.example/#zzUnsubscribezz">Unsubscribe</a></p>'
CLIPBOARD = "navigator.clipboard.readText()"


@pytest.fixture
def url() -> Iterator[str]:
    with serving(FakeDesk(editions={"2026-W07": edition("2026-W07", html=HTML)})) as url:
        yield f"{url}/week/2026-W07"


def test_the_edition_is_copied_with_the_tags_of_a_service(chromium: Browser, url: str) -> None:
    """On a phone, by the keyboard alone: the page says what was copied, and the clipboard has it."""
    context = chromium.new_context(
        viewport={"width": 375, "height": 800}, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.goto(url)
    for name in ("Inspect", "Copy and download"):
        page.get_by_role("link", name=name, exact=True).focus()
        with page.expect_navigation(wait_until="load"):
            page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.get_by_role("button", name="Copy HTML for Brevo").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Copied: HTML for Brevo.").wait_for()
    assert page.evaluate(CLIPBOARD) == HTML.replace("https://h.example/#zzUnsubscribezz", "{{ unsubscribe }}")
    page.get_by_role("button", name="Copy subject").press("Enter")
    page.get_by_text("Copied: subject.").wait_for()
    assert page.evaluate(CLIPBOARD) == edition("2026-W07").subject
    context.close()


def test_a_copy_that_fails_says_so(chromium: Browser, url: str) -> None:
    """If the file cannot be fetched, nothing is copied and the page says what to do instead."""
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{url}?view=files")
    page.evaluate("navigator.clipboard.writeText('before')")
    page.route("**/digest.txt", lambda route: route.abort())
    page.get_by_role("button", name="Copy text", exact=True).click()
    page.get_by_text("It was not copied").wait_for()
    assert page.evaluate(CLIPBOARD) == "before"
    context.close()


def test_without_script_everything_is_downloaded(chromium: Browser, url: str) -> None:
    """The buttons that need script are hidden; the links download files with names of their own."""
    context = chromium.new_context(java_script_enabled=False, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{url}?view=files")
    assert page.locator(".copy:visible").count() == 0
    names = []
    for link in ("Download the HTML", "Download the text", "Download the email", "Download the HTML for Mailchimp"):
        with page.expect_download() as download:
            page.get_by_role("link", name=link, exact=True).click()
        names.append(download.value.suggested_filename)
    assert names == ["2026-W07.html", "2026-W07.txt", "2026-W07.eml", "2026-W07-mailchimp.html"]
    context.close()
