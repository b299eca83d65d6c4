"""The desk's page of useful links in a browser: add, remove and undo, and the bookmarklet on another page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_desk_in_browser import Editor, ServedDesk, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
__all__ = ["served"]
TITLE = "Tide tables for the whole coast"


def test_a_link_is_added_removed_and_put_back(chromium: Browser, served: ServedDesk) -> None:
    """On a phone, with the keyboard alone: an error keeps what was typed, and Undo brings back all of a link."""
    with Editor(chromium, keyboard=True, viewport={"width": 375, "height": 800}) as editor:
        editor.page.goto(f"{served.url}/links")
        editor.fill("Address of the page", served.web.url("/missing"))
        editor.fill("Note", "Printed on one page.")
        editor.use("button", "Add")
        editor.wait_for("give it a title to add it without a check")
        assert editor.page.get_by_label("Note", exact=True).input_value() == "Printed on one page."
        editor.fill("Address of the page", served.web.url("/tides"))
        editor.use("button", "Add")
        editor.wait_for(f"Added: {TITLE}")
        editor.fill("Address of the page", "second.invalid")
        editor.fill("Title", "Second")
        editor.use("button", "Add")
        editor.wait_for("Added: Second")
        editor.wait_for("https://second.invalid")
        rows = editor.page.locator(".links > li > div")
        before = rows.all_inner_texts()
        assert [text.split("\n")[0] for text in before] == [TITLE, "Second"]
        assert "Printed on one page." in before[0]
        editor.use("button", f"Remove the link {TITLE}")
        editor.wait_for(f"Removed: {TITLE}")
        editor.page.reload()
        editor.use("button", f"Undo: put back the link {TITLE}")
        editor.wait_for(f"Back in the list: {TITLE}")
        assert rows.all_inner_texts() == before
        assert editor.page.evaluate("document.documentElement.scrollWidth") <= 375


def test_the_bookmarklet_opens_the_filled_form(chromium: Browser, served: ServedDesk) -> None:
    """On another site: address, title and the selected text are in the form, and one press adds the link."""
    with Editor(chromium) as editor:
        editor.page.goto(f"{served.url}/links")
        address = editor.page.get_by_role("link", name="Add to the newsletter").get_attribute("href") or ""
        assert address == editor.page.get_by_label("Or make a bookmark yourself").input_value()
        editor.page.goto(served.web.url("/tides"))
        editor.page.evaluate("getSelection().selectAllChildren(document.body)")
        with editor.page.expect_popup() as popup:
            editor.page.evaluate(address.removeprefix("javascript:"))
        form = popup.value
        assert form.get_by_label("Address of the page").input_value() == served.web.url("/tides")
        assert form.get_by_label("Title", exact=True).input_value() == TITLE
        assert form.get_by_label("Note", exact=True).input_value() == "Tides"
        assert form.locator(".links").count() == 0
        form.get_by_role("button", name="Add", exact=True).click()
        form.get_by_text(f"Added: {TITLE}").wait_for()
