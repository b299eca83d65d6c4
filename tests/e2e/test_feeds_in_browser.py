"""The desk's page of feeds in a browser: add, read, remove and undo, with mouse, keyboard and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_desk_in_browser import Editor, ServedDesk, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
__all__ = ["served"]

on_every_device = pytest.mark.parametrize(
    ("width", "keyboard"),
    [
        (375, True),
        pytest.param(375, False, marks=pytest.mark.slow),
        pytest.param(1280, False, marks=pytest.mark.slow),
    ],
)


@on_every_device
def test_a_feed_is_added_removed_and_put_back(
    chromium: Browser, served: ServedDesk, width: int, keyboard: bool
) -> None:
    """An address without a scheme is enough; a removed feed comes back exactly as it was, also after a reload."""
    served.fetch_all()
    config = served.folder / "config.toml"
    before = config.read_bytes()
    with Editor(chromium, keyboard=keyboard, viewport={"width": width, "height": 800}) as editor:
        editor.page.goto(f"{served.url}/feeds")
        editor.fill("Address of a website or a feed", served.web.url("/site/").removeprefix("http://"))
        editor.use("button", "Find feeds")
        editor.wait_for("Already in your feeds, as blog")
        assert editor.page.get_by_role("button", name="Add the feed").count() == 0
        editor.use("button", "Remove the feed blog")
        editor.wait_for("Removed: blog")
        assert b'id = "blog"' not in config.read_bytes()
        editor.page.reload()
        editor.use("button", "Undo: put back the feed blog")
        editor.wait_for("blog is back")
        assert config.read_bytes() == before
        editor.use("button", "Read the feed podcast now")
        editor.wait_for("podcast: ")
        assert editor.page.evaluate("document.documentElement.scrollWidth") <= width


def test_feeds_work_without_script(chromium: Browser, served: ServedDesk) -> None:
    """Removing and putting back are forms."""
    served.fetch_all()
    with Editor(chromium, java_script_enabled=False) as editor:
        editor.page.goto(f"{served.url}/feeds")
        editor.use("button", "Remove the feed podcast")
        editor.use("button", "Undo: put back the feed podcast")
        editor.wait_for("podcast is back")
