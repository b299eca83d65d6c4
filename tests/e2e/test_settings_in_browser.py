"""The desk's page of settings in a browser, over a config.toml with comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_desk_in_browser import Editor, ServedDesk, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
__all__ = ["served"]


def test_settings_are_changed_by_keyboard_on_a_phone(chromium: Browser, served: ServedDesk) -> None:
    """Theme, colour and day are saved into the file and undone; comments and all other bytes stay."""
    config = served.folder / "config.toml"
    config.write_bytes(b"# Ours.\n" + config.read_bytes().replace(b'Quay"\n', b'Quay" # by the ferry\n'))
    before = config.read_bytes()
    with Editor(chromium, keyboard=True, viewport={"width": 375, "height": 800}) as editor:
        page, keyboard = editor.page, editor.page.keyboard
        page.goto(f"{served.url}/settings")
        page.get_by_role("radio", name="Classic").focus()
        keyboard.press("ArrowDown")
        page.get_by_label("Colour", exact=True).focus()
        keyboard.type("#aa3300")
        assert page.get_by_label("Choose a colour").input_value() == "#aa3300"
        page.get_by_label("It goes out", exact=True).focus()
        keyboard.type("Fri")
        page.get_by_label("It goes out at").focus()
        keyboard.type("0700AM")
        editor.use("button", "Save")
        editor.wait_for("Saved: colour #aa3300, theme journal, goes out Fridays 07:00.")
        saved = config.read_bytes()
        assert saved.startswith(before.replace(b"ferry\n", b'ferry\naccent = "#aa3300"\n'))
        assert saved.endswith(b'\n[digest]\ntheme = "journal"\n\n[schedule]\nsend = "fri 07:00"\n')
        page.reload()
        editor.use("button", "Undo")
        editor.wait_for("Undone: colour #aa3300")
        assert config.read_bytes() == before
        assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_settings_work_without_script(chromium: Browser, served: ServedDesk) -> None:
    """The colour that is chosen counts, and a mistake keeps what was typed."""
    with Editor(chromium, java_script_enabled=False) as editor:
        editor.page.goto(f"{served.url}/settings")
        editor.page.get_by_label("Choose a colour").fill("#aa3300")
        editor.page.get_by_label("Sender").fill("nobody")
        editor.use("button", "Save")
        editor.wait_for('[publication] sender = "nobody" is not allowed')
        assert editor.page.get_by_label("Sender").input_value() == "nobody"
        editor.page.get_by_label("Sender").fill("N <n@h.example>")
        editor.use("button", "Save")
        editor.wait_for("Saved: sender N <n@h.example>, colour #aa3300.")
