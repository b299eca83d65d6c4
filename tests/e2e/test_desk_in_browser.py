"""The editor's whole way through the desk, in Chromium: from an empty store to a mail in the outbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.model.edition import EditorLink
from pipeline.web.desk.services import PublicationDesk
from pipeline.web.preview import bind_socket, create_desk_app, create_server
from tests.cli_runner import item, rss
from tests.empty_store import empty_store
from tests.http_server import CannedResponse, HttpServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
EPISODE = '<enclosure url="https://pod.example/1.mp3" type="audio/mpeg" length="1"/>'
SITE = '<html><head><link rel="alternate" type="application/rss+xml" href="/site/feed/"></head><body>Hi</body></html>'
PREHEADER = "Two loaves, a road of salt that nobody has walked since the war, and when the tide is in."
TIDES = "<html><head><title>Tide tables for the whole coast</title></head><body>Tides</body></html>"
FEEDS = {"/site/": ("The quay", "blog"), "/table.xml": ("The table", "podcast")}
CONFIG = """\
[publication]
name = "Harbour & Hearth"
url = "https://harbourandhearth.example/"
sender = "Harbour & Hearth <letter@harbourandhearth.example>"
postal_address = "3 Net Loft Lane, Penhallow Quay"
[fetch]
allow_private_networks = true
host_gap_seconds = 0
timeout_seconds = 2
"""


@dataclass(frozen=True, slots=True)
class House:
    """A publication that has read nothing yet, its desk, and the web around it."""

    folder: Path
    web: HttpServer
    here: str
    desk: PublicationDesk

    def fill(self) -> None:
        """Add both feeds and read them, as the desk's buttons do."""
        with ThreadPoolExecutor() as elsewhere:  # Playwright's own event loop runs in this thread
            for path in FEEDS:
                elsewhere.submit(self.desk.add_feed, self.web.url(path)).result()
        self.desk.start_fetch()
        until = monotonic() + 30
        while self.desk.fetch_progress().running and monotonic() < until:
            sleep(0.01)

    @property
    def file(self) -> str:
        """The editor's file of the week."""
        return (self.folder / "editions" / "2026-W07.md").read_text(encoding="utf-8")

    @property
    def sent(self) -> str:
        """All that lies in the outbox, as a mail program reads it."""
        files = (self.folder / "outbox").rglob("*.eml")
        mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        parts = [part.get_content() for mail in mails for part in mail.walk() if not part.is_multipart()]
        return "\n".join([*(f"Subject: {mail['Subject']}" for mail in mails), *parts])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with HttpServer() as web:
        feeds = {"Content-Type": "application/rss+xml"}
        web.respond("/site/", CannedResponse(body=SITE.encode(), headers={"Content-Type": "text/html"}))
        web.respond(
            "/site/feed/",
            CannedResponse(body=rss(item("Bread on a stone"), item("Rope"), title="The quay"), headers=feeds),
        )
        web.respond(
            "/table.xml",
            CannedResponse(body=rss(item("The salt road", more=EPISODE), title="The table"), headers=feeds),
        )
        web.respond("/tides", CannedResponse(body=TIDES.encode(), headers={"Content-Type": "text/html"}))
        (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
        empty_store(tmp_path)
        with PublicationDesk(tmp_path / "config.toml", lambda: NOW) as desk, closing(bind_socket(0)) as listener:
            server = create_server(create_desk_app(desk, long_poll_seconds=0.2))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            yield House(tmp_path, web, f"http://127.0.0.1:{listener.getsockname()[1]}", desk)
            server.should_exit = True
            thread.join(10)


class Editor:
    """Somebody at the desk: with a mouse or a finger, or with nothing but a keyboard."""

    def __init__(self, chromium: Browser, *, keyboard: bool = False, **how: Any) -> None:
        self._context = chromium.new_context(**how)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(30_000)
        self._keyboard = keyboard

    def __enter__(self) -> Editor:
        return self

    def __exit__(self, *exc: object) -> None:
        self._context.close()

    def use(self, role: Any, name: str) -> None:
        """Press a button, follow a link, open what is folded."""
        found = self.page.get_by_role(role, name=name, exact=True)
        found.wait_for()
        if not self._keyboard:
            return found.click()
        self._reach(found)
        return self.page.keyboard.press("Enter")

    def unfold(self, words: str) -> None:
        """Open a folded part."""
        found = self.page.locator("summary", has_text=words)
        if not self._keyboard:
            return found.click()
        self._reach(found)
        return self.page.keyboard.press("Enter")

    def write(self, label: str, words: str) -> None:
        """Fill a field."""
        found = self.page.get_by_label(label, exact=True)
        if not self._keyboard:
            return found.fill(words)
        self._reach(found)
        self.page.keyboard.press("Control+A")
        return self.page.keyboard.type(words)

    def reads(self, words: str) -> None:
        """Wait until the page says something."""
        self.page.get_by_text(words).first.wait_for()

    def _reach(self, found: Any) -> None:
        """Tab on until it has the focus."""
        for _ in range(120):
            if found.evaluate("found => found === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab never reaches {found}")


def fill_the_store(editor: Editor, house: House) -> None:
    editor.page.goto(house.here)
    editor.reads("Your first newsletter, in three steps")
    for path, (title, feed_id) in FEEDS.items():
        editor.write("The address of a site, or of a feed", house.web.url(path))
        editor.use("button", "Look there")
        editor.use("button", f"Add the feed {title}")
        editor.reads(f"Added {feed_id} ({feed_id})")
    editor.use("button", "Read the feeds now")
    editor.use("link", "9–15 February 2026")


def write_the_words(editor: Editor) -> None:
    editor.use("link", "Edit words and links")
    editor.write("Subject", "Bread, salt & a long road home this week")
    editor.write("Introduction", "Good morning from the *quay*.")
    editor.page.frame_locator("#mail").get_by_text("Good morning from the quay.").wait_for()
    editor.use("button", "Save")
    editor.reads("Saved.")


def meet_a_second_editor(editor: Editor, chromium: Browser, house: House) -> None:
    """Be overtaken while the form is open, be shown both, and take over what the other one wrote."""
    with Editor(chromium) as second:
        second.page.goto(f"{house.here}/week/2026-W07/edit")
        second.write("Preheader", PREHEADER)
        second.use("button", "Save")
        second.reads("Saved.")
    editor.reads("Somebody has changed this edition’s file meanwhile.")
    editor.use("button", "Save")
    editor.reads("Preheader, as saved by somebody else")
    editor.reads(PREHEADER)
    editor.write("Preheader", PREHEADER)
    editor.use("button", "Save")
    editor.reads("Saved.")


def look_at_each_form(editor: Editor, width: int) -> None:
    editor.use("link", "Back to the edition")
    for view in ("Inbox", "Text", "Headers", "Source", "Changes", "Stories"):
        editor.use("link", view)
        editor.page.get_by_role("region", name=view, exact=True).wait_for()
        editor.page.wait_for_load_state("load")  # a style sheet still on its way would not count
        assert editor.page.evaluate("document.documentElement.scrollWidth") <= width


def choose_the_stories(editor: Editor) -> None:
    editor.use("button", "Leave out: Rope")
    editor.reads("left out by the editor")
    editor.use("button", "Tell first: The salt road")
    editor.reads("Told first.")
    editor.unfold("Add a note on The salt road")
    editor.write("Note on The salt road", "Heard it twice.")
    editor.use("button", "Save the note")
    editor.reads("Noted.")


@pytest.mark.parametrize(
    ("width", "keyboard"),
    [
        (375, False),
        pytest.param(1280, False, marks=pytest.mark.slow),
        pytest.param(1280, True, marks=pytest.mark.slow),
    ],
)
def test_from_an_empty_store_to_the_outbox(chromium: Browser, house: House, width: int, keyboard: bool) -> None:
    """Feeds, words, a second editor, a link, stories, every form, approved, sent: by finger, mouse and keyboard."""
    with Editor(chromium, keyboard=keyboard, viewport={"width": width, "height": 800}) as editor:
        fill_the_store(editor, house)
        write_the_words(editor)
        meet_a_second_editor(editor, chromium, house)
        editor.write("Address of a new link", house.web.url("/tides"))
        editor.use("button", "Add this link")
        editor.page.locator("input[value='Tide tables for the whole coast']").wait_for()
        look_at_each_form(editor, width)
        choose_the_stories(editor)
        editor.use("button", "Approve")
        editor.reads("Approved as No. 1")
        editor.unfold("Send")
        editor.use("button", "Send No. 1 now")
        editor.reads("Sent: No. 1 lies in")
    assert "Subject: Bread, salt & a long road home this week" in house.sent
    assert "Good morning from the quay." in house.sent
    assert "Tide tables for the whole coast" in house.sent
    assert PREHEADER in house.sent
    assert "Heard it twice." in house.sent
    assert "Rope" not in house.sent
    assert house.sent.index("The salt road") < house.sent.index("Bread on a stone")


@pytest.mark.slow
def test_a_week_is_held_taken_up_and_skipped(chromium: Browser, house: House) -> None:
    """Held, it offers to be taken up again; skipped, it offers nothing more."""
    house.fill()
    with Editor(chromium) as editor:
        editor.page.goto(f"{house.here}/week/2026-W07")
        editor.unfold("More")
        editor.use("button", "Hold back")
        editor.reads("Held. Its entries roll on")
        editor.use("button", "Take it up again")
        editor.reads("A draft again")
        editor.unfold("More")
        editor.use("button", "Skip this week")
        editor.reads("Skipped. Its entries roll on")
        assert editor.page.get_by_role("button", name="Approve").count() == 0
        assert editor.page.get_by_role("link", name="Edit words and links").count() == 0


def test_a_dead_link_is_shown_and_mended(chromium: Browser, house: House) -> None:
    """Asked for by the button, found dead, followed to its field, taken out; then nothing stops the approval."""
    house.fill()
    link = EditorLink(url=house.web.url("/gone"), title="The old tide tables")
    house.desk.save("2026-W07", lambda asked: replace(asked, links=(link,)), "")
    with Editor(chromium) as editor:
        editor.page.goto(f"{house.here}/week/2026-W07")
        editor.use("button", "Ask links and pictures")
        editor.reads("Errors stop the approval.")
        editor.use("button", "Approve")
        editor.reads("Nothing was approved.")
        editor.page.get_by_role("alert").get_by_role("link", name="Change the links").click()
        editor.use("button", "Remove link 1")
        editor.reads("Saved.")
        editor.use("link", "Back to the edition")
        editor.use("button", "Approve")
        editor.reads("Approved as No. 1")


@pytest.mark.slow
def test_two_editors_are_shown_both(chromium: Browser, house: House) -> None:
    """Whoever saves second gets no further than both texts; what the first one wrote is still in the file."""
    house.fill()
    with Editor(chromium) as first, Editor(chromium) as second:
        first.page.goto(f"{house.here}/week/2026-W07")
        second.page.goto(f"{house.here}/week/2026-W07/edit")
        second.write("Introduction", "Good evening from the pier.")
        write_the_words(first)
        second.reads("Somebody has changed this edition’s file meanwhile.")
        second.use("button", "Save")
        second.reads("Introduction, as saved by somebody else")
        assert second.page.get_by_label("Introduction", exact=True).input_value() == "Good evening from the pier."
        second.reads("Good morning from the *quay*.")
        assert "Good morning from the *quay*." in house.file
        assert "pier" not in house.file
        second.use("button", "Save")
        second.reads("Saved.")
    assert "Good evening from the pier." in house.file


def test_an_approval_is_of_what_was_seen(chromium: Browser, house: House) -> None:
    """Words that came in since the page was opened stop the approval, and are shown."""
    house.fill()
    with Editor(chromium, java_script_enabled=False) as first, Editor(chromium) as second:
        first.page.goto(f"{house.here}/week/2026-W07")
        second.page.goto(f"{house.here}/week/2026-W07")
        write_the_words(second)
        first.use("button", "Approve")
        first.reads("2026-W07 is no longer what you have seen")
        first.reads("What has changed since you looked")
        assert "Good morning from the quay." in first.page.locator("ins").all_inner_texts()
        first.use("button", "Approve")
        first.reads("Approved as No. 1")


def test_everything_works_without_script(chromium: Browser, house: House) -> None:
    """Forms alone lead from the store to the approval, and an error is a sentence in the page."""
    with Editor(chromium, java_script_enabled=False) as editor:
        editor.page.goto(house.here)
        editor.write("The address of a site, or of a feed", house.web.url("/site/"))
        editor.use("button", "Look there")
        editor.use("button", "Add the feed The quay")
        editor.use("button", "Read the feeds now")
        editor.use("link", "9–15 February 2026")
        editor.use("link", "Edit words and links")
        editor.write("Introduction", "Good morning.")
        editor.use("button", "Preview")
        editor.page.frame_locator("#mail").get_by_text("Good morning.").wait_for()
        editor.write("Address of a new link", "nowhere")
        editor.use("button", "Add this link")
        assert editor.page.get_by_role("alert").inner_text()
        assert editor.page.get_by_label("Introduction", exact=True).input_value() == "Good morning."
