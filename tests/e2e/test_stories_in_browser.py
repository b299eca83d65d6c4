"""Stories edited, ordered and undone on the desk, in Chromium: with the mouse, the keyboard alone, and on a phone."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.e2e.test_desk_in_browser import Editor, ServedDesk, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["served"]  # a fixture
pytestmark = [pytest.mark.browser, pytest.mark.loopback]
EDITED = '"blog rope".title = "Rope, and how to trust it"'
STORIES = "/week/2026-W07?view=decisions"


def titles(editor: Editor) -> list[str]:
    """Return the titles of the stories, in their order on the page."""
    first_texts = "rows => rows.map(row => row.firstChild.textContent.trim())"
    shown: list[str] = editor.page.locator(".story__title").evaluate_all(first_texts)
    return shown


@pytest.mark.parametrize(("width", "keyboard"), [(1280, False), (1280, True), (375, False)])
def test_a_story_is_edited_where_it_is_seen(
    chromium: Browser,
    served: ServedDesk,
    width: int,
    keyboard: bool,
) -> None:
    """The newsletter beside it follows the keys; what is typed is saved; as published brings the old text back."""
    served.fetch_all()
    with Editor(chromium, keyboard=keyboard, viewport={"width": width, "height": 900}) as editor:
        editor.page.goto(served.url + STORIES)
        editor.open_details("Edit Rope")
        editor.fill("Title of Rope", "Rope, and how to trust it")
        if width > 1180:
            editor.page.frame_locator("#story-preview").get_by_text("Rope, and how to trust it").wait_for()
        editor.fill("Text of Rope", "It *holds*.")
        editor.wait_until_saved()
        assert EDITED in served.editor_file
        editor.use("button", "Save Rope, and how to trust it")
        editor.wait_for("Changed “Rope, and how to trust it”.")
        editor.page.goto(f"{served.url}/week/2026-W07")
        editor.page.frame_locator("#mail").get_by_text("It holds.").wait_for()
        editor.page.goto(served.url + STORIES)
        editor.open_details("Edit Rope, and how to trust it")
        editor.use("button", "Show Rope, and how to trust it as published")
        editor.wait_for("Restored “Rope, and how to trust it” as it was published.")
        assert EDITED not in served.editor_file
        editor.use("button", "Undo")
        editor.wait_for("Undone: ")
        assert EDITED in served.editor_file


def test_stories_are_ordered_by_dragging(chromium: Browser, served: ServedDesk) -> None:
    """Across own links and those of feeds; the order is saved, and undone in one step."""
    served.fetch_all()
    with Editor(chromium, viewport={"width": 1280, "height": 900}) as editor:
        editor.page.goto(f"{served.url}/week/2026-W07/edit")
        for number, title in enumerate(("Tides", "Ropes", "Charts"), 1):
            editor.fill("Address of a new link", f"https://{title.lower()}.example/")
            editor.fill("Title of the new link", title)
            editor.use("button", "Add link")
            editor.page.get_by_role("button", name=f"Remove link {number}").wait_for()
        editor.page.goto(served.url + STORIES)
        rows = editor.page.locator(".story--link")
        rows.nth(2).locator(".story__handle").drag_to(rows.nth(0), target_position={"x": 40, "y": 5})
        editor.wait_for("Changed the order.")
        assert [title for title in titles(editor) if title in ("Tides", "Ropes", "Charts")] == [
            "Charts",
            "Tides",
            "Ropes",
        ]
        order = next(line for line in served.editor_file.splitlines() if line.startswith("order"))
        assert order.index("charts") < order.index("tides") < order.index("ropes")
        editor.page.reload()
        editor.use("button", "Undo")
        editor.wait_for("Undone: Changed the order.")
        assert titles(editor)[-3:] == ["Tides", "Ropes", "Charts"]
        editor.use("button", "Move up: Charts")
        editor.wait_for("Moved “Charts” up.")
        assert titles(editor)[-3:] == ["Tides", "Charts", "Ropes"]


def test_two_stories_are_joined_and_split(chromium: Browser, served: ServedDesk) -> None:
    """A post and an episode become one story with both, and two again; without script as well."""
    served.fetch_all()
    for script in (True, False):
        with Editor(chromium, java_script_enabled=script) as editor:
            editor.page.goto(served.url + STORIES)
            editor.open_details("Edit Rope")
            rope = editor.page.locator(".story", has=editor.page.get_by_role("button", name="Save Rope"))
            rope.get_by_label("One story with, for Rope").select_option(label="The salt road (podcast)")
            editor.use("button", "Join with the chosen story: Rope")
            editor.wait_for("Joined “Rope” with another story.")
            assert sorted(titles(editor)) == ["Bread on a stone", "Rope"]
            if not script or not editor.page.locator(".story__edit[open]").count():
                editor.open_details("Edit Rope")
            editor.wait_for("Paired: the editor joined them")
            editor.use("button", "Make a story of its own: The salt road")
            editor.wait_for("Split “The salt road” from its story.")
            assert len(titles(editor)) == 3


def test_a_story_is_left_out_and_back(chromium: Browser, served: ServedDesk) -> None:
    """It stays where it was, with a button that puts it back as it was: the lead, with its note."""
    served.fetch_all()
    with Editor(chromium) as editor:
        editor.page.goto(served.url + STORIES)
        before = titles(editor)
        lead = before[0]
        editor.use("button", f"Leave out: {lead}")
        editor.page.locator(".story--left-out", has_text=lead).wait_for()
        assert sorted(titles(editor)) == sorted(before)
        assert lead not in editor.page.frame_locator("#story-preview").locator("h1").first.inner_text()
        editor.page.reload()
        editor.use("button", f"Put {lead} back")
        editor.wait_for(f"Put “{lead}” back.")
        assert titles(editor) == before


def test_a_picture_is_uploaded_for_a_story(chromium: Browser, served: ServedDesk) -> None:
    """A hostile SVG and a text are refused, with the text that was typed kept; a picture is shown in the newsletter."""
    served.fetch_all()
    with Editor(chromium, viewport={"width": 1280, "height": 900}) as editor:
        editor.page.goto(served.url + STORIES)
        editor.open_details("Edit Rope")
        editor.fill("Alternative text of the picture of Rope", "A coil of rope")
        chooser = editor.page.get_by_label("Picture file for Rope")
        svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
        chooser.set_input_files({"name": "rope.svg", "mimeType": "image/svg+xml", "buffer": svg})
        editor.use("button", "Upload a picture for Rope")
        editor.page.get_by_role("alert").wait_for()
        assert "SVG" in editor.page.get_by_role("alert").inner_text()
        assert editor.page.get_by_label("Alternative text of the picture of Rope").input_value() == "A coil of rope"
        buffer = BytesIO()
        Image.new("RGB", (1600, 900), "#a3211b").save(buffer, "JPEG")
        chooser.set_input_files({"name": "rope.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()})
        editor.use("button", "Upload a picture for Rope")
        editor.wait_for("Changed “Rope”.")
        row = editor.page.locator(".story", has=editor.page.get_by_role("button", name="Save Rope"))
        row.locator(".story__picture img").wait_for()
        width = row.locator(".story__picture img").evaluate("image => image.decode().then(() => image.naturalWidth)")
        assert width == 1200
        shown = editor.page.frame_locator("#story-preview").get_by_alt_text("A coil of rope")
        shown.first.wait_for()
        assert '"blog rope".picture = "pictures/' in served.editor_file
