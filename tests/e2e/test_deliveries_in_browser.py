"""Sending an edition from the desk in a browser: the confirmation, the progress, a pause, the numbers; and axe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.jobs.deliveries.clicks import WINDOW, record_click, settle_clicks
from pipeline.model.counted_link import CountedLink, make_tag
from pipeline.model.subscriber import Visitor
from tests.deliveries import LATER, REFUSED, UNCERTAIN, DeliveryHarness
from tests.e2e.test_desk_accessibility import axe_on, on_every_screen, with_axe
from tests.e2e.test_preview_in_browser import serving
from tests.publication import W07, PublicationHarness, shared_theme
from tests.sending_desk import SendingDesk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
WEEK = f"/week/{W07}"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[DeliveryHarness]:
    """An approved edition and five subscribers."""
    publication = PublicationHarness(tmp_path, shared_theme())
    publication.context = replace(publication.context, counting_url="https://news.harbour.example")
    with publication.store:
        yield DeliveryHarness(publication, 5)


@pytest.fixture
def url(harness: DeliveryHarness) -> Iterator[str]:
    """Return the address of its desk."""
    with serving(SendingDesk.of(harness)) as url:
        yield url


def press(page: Page, name: str) -> None:
    """Press a button and wait for the next page."""
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("with_script", [True, False], ids=["with script", "without script"])
def test_an_edition_is_sent_paused_and_resumed(
    chromium: Browser, url: str, harness: DeliveryHarness, with_script: bool
) -> None:
    """Each button that cannot be undone asks first, and the page follows what was sent."""
    harness.backend.scripts = {"p3": [LATER], "p4": [REFUSED]}
    context = chromium.new_context(java_script_enabled=with_script)
    page = context.new_page()
    page.goto(url + WEEK)
    assert not page.get_by_role("button", name="Send Issue 1 now").is_visible()
    page.locator("summary", has_text="Send to 5 subscribers").click()
    press(page, "Send Issue 1 now")
    assert page.get_by_role("progressbar").get_attribute("value") == "0"
    press(page, "Pause")
    assert page.get_by_role("heading", name="Paused").is_visible()
    press(page, "Resume")
    harness.run()
    harness.clock.wait(60)
    page.goto(url + WEEK)
    assert page.get_by_role("progressbar").get_attribute("value") == "4"
    assert not page.get_by_role("button", name="Cancel the rest").is_visible()
    page.locator("#cancel-0 > summary").click()
    press(page, "Cancel the rest")
    figures = page.locator(".figures").inner_text().split()
    assert figures[figures.index("Sent") - 1] == "3" or figures[figures.index("Sent") + 1] == "3"
    page.get_by_role("link", name="1 failed or uncertain").click()
    assert page.get_by_text("550 no such user").is_visible()
    context.close()


def test_a_correction_is_sent_after_a_question(chromium: Browser, url: str, harness: DeliveryHarness) -> None:
    """It is on the screen before, in its frame, as it is sent."""
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    page = chromium.new_page()
    page.goto(url + WEEK)
    page.get_by_role("link", name="Correct this edition").click()
    page.get_by_label("Note, in a sentence or two").fill("The market is on *Friday*.")
    press(page, "Make the correction")
    assert page.frame_locator("#mail").get_by_text("The market is on Friday.").is_visible()
    assert not page.get_by_role("button", name="Send the correction now").is_visible()
    page.locator("summary", has_text="Send to 5 subscribers").click()
    press(page, "Send the correction now")
    assert page.get_by_role("heading", name="Sending: correction 1").is_visible()
    harness.run(key=(str(W07), 1))
    page.goto(url + WEEK)
    assert page.get_by_role("heading", name="Correction 1").is_visible()
    page.close()


@with_axe
@on_every_screen
def test_axe_finds_nothing(chromium: Browser, url: str, harness: DeliveryHarness, scheme: Any, width: int) -> None:
    """Axe finds no violation before, while and after an edition is sent, nor in the lists, and nothing is too wide."""
    harness.subscribe("somebody.with.a.rather.long.name.for.a.phone", state="left")
    harness.backend.scripts = {"p1": [UNCERTAIN], "p3": [LATER], "p4": [REFUSED]}
    with axe_on(chromium, scheme, width) as (page, check):

        def visit(path: str, where: str) -> None:
            page.goto(url + path)
            page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
            check(where)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, where

        visit(WEEK, "before")
        visit(f"{WEEK}/recipients", "recipients")
        harness.dispatcher.start(W07, harness.clock())
        harness.run()
        visit(WEEK, "sending")
        visit(f"{WEEK}/deliveries", "deliveries")
        (url_of_link,) = harness.store.clicks.counts(str(W07))
        link = CountedLink(tag=make_tag(str(W07), url_of_link), url=url_of_link)
        record_click(harness.store, str(W07), link, Visitor(ip_address="192.0.2.1"), harness.clock())
        settle_clicks(harness.store, harness.clock() + WINDOW)
        visit(f"{WEEK}/deliveries", "links")
        assert page.get_by_role("row", name="Bread").inner_text().split()[-1] == "1"
        harness.dispatcher.cancel((str(W07), 0), harness.clock())
        harness.correct("A note with [a link](https://harbour.example/a-rather-long-address-for-a-phone).")
        visit(f"{WEEK}/corrections", "correction")
        harness.dispatcher.start_correction(W07, harness.clock())
        harness.run(key=(str(W07), 1))
        visit(WEEK, "after")
        visit(f"{WEEK}/corrections", "sent correction")
        visit("/deliveries", "editions")
