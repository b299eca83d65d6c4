"""The small editor of Markdown, in Chromium: buttons, keys, undo, pasted text, uploaded pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk
from pipeline.web.pages import create_desk_app
from pipeline.web.server import bind_socket, create_server
from tests.demo import write_fetched_store

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
PASTE = """(html) => {
  const data = new DataTransfer();
  data.setData("text/html", html);
  const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  document.querySelector("#introduction").dispatchEvent(event);
}"""
WORD = (
    "<style>p.MsoNormal{mso-style:x}</style><h2>Tides</h2><p class=MsoNormal style='color:red'>A <b>slow</b> "
    "<span style='font-style:italic'>loaf</span> &amp; <a href='https://a.example/x'>salt</a><o:p></o:p></p>"
    "<ul><li>one</li><li>two</li></ul><blockquote>Said <script>alert(1)</script>so.</blockquote>"
    "<a href='javascript:alert(1)'>no</a><img src='https://track.example/1.gif'>"
)


@pytest.fixture
def url(publication: Path) -> Iterator[str]:
    with ThreadPoolExecutor() as pool:  # Playwright's event loop runs in this thread
        pool.submit(write_fetched_store, publication, NOW).result()
    with (
        LivePublication(publication / "config.toml", lambda: NOW) as opened,
        closing(bind_socket(0)) as listener,
    ):
        server = create_server(create_desk_app(create_desk(opened), long_poll_seconds=0.2))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/week/2026-W07/edit"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(params=[1280, 375])
def page(chromium: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    page = context.new_page()
    page.goto(url)
    yield page
    page.locator(".save-state").get_by_text("Saved.", exact=True).first.wait_for()  # nothing is left to ask about
    context.close()


def text(page: Page) -> str:
    return page.locator("#introduction").input_value()


def test_keys_and_buttons_format_and_undo_restores(page: Page) -> None:
    """Ctrl+B marks the selection and takes the marks away again; the browser's undo restores what was typed."""
    page.locator("#introduction").focus()
    page.keyboard.type("bread")
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+B")
    assert text(page) == "**bread**"
    page.keyboard.press("Control+B")
    assert text(page) == "bread"
    page.get_by_role("button", name="Quotation").click()
    assert text(page) == "> bread"
    page.keyboard.press("Control+Z")
    assert text(page) == "bread"
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+K")
    assert text(page) == "[bread](https://)"


def test_the_toolbar_is_one_stop_of_the_keyboard(page: Page) -> None:
    """Arrow keys move within the toolbar; Enter uses a button."""
    page.get_by_role("button", name="Bold").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.type("loaf")
    assert text(page) == "*loaf*"
    assert page.locator("[role=toolbar] [tabindex='0']").count() == 1


def test_pasted_text_is_cleaned_into_markdown(page: Page) -> None:
    """Of a word processor's HTML bold, italic, links, lists and quotes are left; nothing loads or runs."""
    page.locator("#introduction").focus()
    page.evaluate(PASTE, WORD)
    assert text(page) == (
        "**Tides**\n\nA **slow** *loaf* & [salt](https://a.example/x)\n\n- one\n- two\n\n> Said so.\n\nno"
    )


def test_a_photo_is_uploaded_and_shown(page: Page) -> None:
    """A large photo is written at the selection and previewed; a hostile SVG is refused, and loses nothing."""
    noise = Image.effect_noise((3_700, 3_000), 90).convert("RGB")
    file = BytesIO()
    Image.merge("RGB", [noise.getchannel(0), noise.rotate(90).getchannel(0), noise.rotate(180).getchannel(0)]).save(
        file, "PNG"
    )
    page.locator("#introduction").focus()
    page.keyboard.type("Look:")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Picture").click()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    chooser.value.set_files({"name": "a.svg", "mimeType": "image/png", "buffer": svg})
    page.get_by_text("This is an SVG").wait_for()
    assert text(page) == "Look:"
    assert len(file.getvalue()) > 25_000_000
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Picture").click()
    chooser.value.set_files({"name": "ü & <b>.png", "mimeType": "image/png", "buffer": file.getvalue()})
    page.get_by_text("Say between the brackets").wait_for()
    page.keyboard.type("Grain")
    assert text(page).startswith("Look:\n\n![Grain](pictures/")
    page.locator("iframe").first.content_frame.locator('img[alt="Grain"]').wait_for()
