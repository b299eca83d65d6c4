"""Everything an editor does on the desk, in Chromium: from an empty store to an edition in the outbox."""

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

from pipeline.model.edition import RECOVERY_ACTOR, EditorLink
from pipeline.store import Store
from pipeline.web.desk.ports import Desk
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk
from pipeline.web.pages import create_desk_app
from pipeline.web.server import bind_socket, create_server
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
timeout_seconds = 60
"""


@dataclass(frozen=True, slots=True)
class ServedDesk:
    """The served desk of a publication without entries, and the web server with its feeds."""

    folder: Path
    web: HttpServer
    url: str
    desk: Desk

    def fetch_all(self) -> None:
        """Add both feeds and fetch them, as the desk's buttons do."""
        with ThreadPoolExecutor() as pool:  # Playwright's event loop runs in this thread
            for path in FEEDS:
                pool.submit(self.desk.feeds.add, self.web.url(path)).result()
        self.desk.feeds.start_fetch()
        until = monotonic() + 30
        while self.desk.feeds.fetch_progress().running and monotonic() < until:
            sleep(0.01)

    @property
    def editor_file(self) -> str:
        """Text of the editor's file."""
        return (self.folder / "editions" / "2026-W07.md").read_text(encoding="utf-8")

    @property
    def outbox_text(self) -> str:
        """Subjects and decoded parts of all mails in the outbox."""
        files = (self.folder / "outbox").rglob("*.eml")
        mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        parts = [part.get_content() for mail in mails for part in mail.walk() if not part.is_multipart()]
        return "\n".join([*(f"Subject: {mail['Subject']}" for mail in mails), *parts])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedDesk]:
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
        with (
            LivePublication(tmp_path / "config.toml", lambda: NOW) as publication,
            closing(bind_socket(0)) as listener,
        ):
            desk = create_desk(publication)
            server = create_server(create_desk_app(desk, long_poll_seconds=0.2))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            yield ServedDesk(tmp_path, web, f"http://127.0.0.1:{listener.getsockname()[1]}", desk)
            server.should_exit = True
            thread.join(10)


class Editor:
    """A browser context driven by the mouse, or by the keyboard alone."""

    def __init__(self, chromium: Browser, *, keyboard: bool = False, **options: Any) -> None:
        self._context = chromium.new_context(**options)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(30_000)
        self._keyboard = keyboard

    def __enter__(self) -> Editor:
        return self

    def __exit__(self, *exc: object) -> None:
        self._context.close()

    def reopen(self) -> None:
        """Close the page without asking it, as a crash does, and open an empty one."""
        self.page.close()
        self.page = self._context.new_page()
        self.page.set_default_timeout(30_000)

    def use(self, role: Any, name: str) -> None:
        """Click the element of a role and an accessible name."""
        element = self.page.get_by_role(role, name=name, exact=True)
        element.wait_for()
        if not self._keyboard:
            return element.click()
        self._focus(element)
        return self.page.keyboard.press("Enter")

    def open_details(self, text: str) -> None:
        """Open a details element."""
        summary = self.page.get_by_text(text, exact=True).and_(self.page.locator("summary"))
        if not self._keyboard:
            return summary.click()
        self._focus(summary)
        return self.page.keyboard.press("Enter")

    def fill(self, label: str, text: str) -> None:
        """Fill in a field."""
        field = self.page.get_by_label(label, exact=True)
        if not self._keyboard:
            return field.fill(text)
        self._focus(field)
        self.page.keyboard.press("Control+A")
        return self.page.keyboard.type(text)

    def wait_for(self, text: str) -> None:
        """Wait until the page shows a text."""
        self.page.get_by_text(text).first.wait_for()

    def wait_until_saved(self) -> None:
        """Wait until the form has saved itself."""
        self.page.locator(".save-state").get_by_text("Saved.", exact=True).first.wait_for()

    def _focus(self, element: Any) -> None:
        """Press Tab until an element has the focus."""
        for _ in range(120):
            if element.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab never reaches {element}")


def fetch_the_feeds(editor: Editor, served: ServedDesk) -> None:
    editor.page.goto(served.url)
    editor.wait_for("Your first newsletter, in three steps")
    for path, (title, feed_id) in FEEDS.items():
        editor.fill("Address of a website or a feed", served.web.url(path))
        editor.use("button", "Find feeds")
        editor.use("button", f"Add the feed {title}")
        editor.wait_for(f"Added {feed_id} ({feed_id})")
    editor.use("button", "Fetch feeds now")
    editor.use("link", "9–15 February 2026")


def write_the_text(editor: Editor) -> None:
    editor.use("link", "Edit text and links")
    editor.fill("Subject", "Bread, salt & a long road home this week")
    editor.fill("Introduction", "Good morning from the *quay*.")
    editor.page.frame_locator("#mail").get_by_text("Good morning from the quay.").wait_for()
    editor.use("button", "Save")
    editor.wait_for("Saved.")


def resolve_a_conflict(editor: Editor, chromium: Browser, served: ServedDesk) -> None:
    """Save after another editor has saved, see both texts, and copy the other one."""
    with Editor(chromium) as second:
        second.page.goto(f"{served.url}/week/2026-W07/edit")
        second.fill("Preheader", PREHEADER)
        second.use("button", "Save")
        second.wait_for("Saved.")
    editor.wait_for("Somebody else has changed this edition’s file.")
    editor.use("button", "Save")
    editor.wait_for("Preheader, saved by somebody else")
    editor.wait_for(PREHEADER)
    editor.fill("Preheader", PREHEADER)
    editor.use("button", "Save")
    editor.wait_for("Saved.")


def show_every_view(editor: Editor, width: int) -> None:
    editor.use("link", "Back to the edition")
    for view in ("Newsletter", "Inbox", "Text", "Headers", "Source", "Changes", "Copy and download", "Stories"):
        if view == "Inbox":
            editor.use("link", "Inspect")
        editor.use("link", view)
        editor.page.get_by_role("region", name=view, exact=True).wait_for()
        editor.page.wait_for_load_state("load")  # a style sheet still on its way would not count
        assert editor.page.evaluate("document.documentElement.scrollWidth") <= width


def choose_stories(editor: Editor) -> None:
    editor.use("button", "Leave out: Rope")
    editor.wait_for("Left out “Rope”.")
    editor.use("button", "Make lead: The salt road")
    editor.wait_for("Made “The salt road” the lead.")
    editor.open_details("Edit The salt road")
    editor.fill("Your note on The salt road", "Heard it twice.")
    editor.wait_until_saved()


@pytest.mark.parametrize(
    ("width", "keyboard"),
    [
        (375, False),
        pytest.param(1280, False, marks=pytest.mark.slow),
        pytest.param(1280, True, marks=pytest.mark.slow),
    ],
)
def test_from_an_empty_store_to_the_outbox(chromium: Browser, served: ServedDesk, width: int, keyboard: bool) -> None:
    """Feeds, text, a second editor, a link, stories, every view, approval and sending work with mouse and keyboard."""
    with Editor(chromium, keyboard=keyboard, viewport={"width": width, "height": 800}) as editor:
        fetch_the_feeds(editor, served)
        write_the_text(editor)
        resolve_a_conflict(editor, chromium, served)
        editor.fill("Address of a new link", served.web.url("/tides"))
        editor.use("button", "Add link")
        editor.page.locator("input[value='Tide tables for the whole coast']").wait_for()
        show_every_view(editor, width)
        choose_stories(editor)
        editor.use("button", "Approve")
        editor.wait_for("Approved as Issue 1")
        editor.open_details("Send")
        editor.use("button", "Send Issue 1 now")
        editor.wait_for("Issue 1 written to the outbox; not delivered to anyone")
    assert "Subject: Bread, salt & a long road home this week" in served.outbox_text
    assert "Good morning from the quay." in served.outbox_text
    assert "Tide tables for the whole coast" in served.outbox_text
    assert PREHEADER in served.outbox_text
    assert "Heard it twice." in served.outbox_text
    assert "Rope" not in served.outbox_text
    assert served.outbox_text.index("The salt road") < served.outbox_text.index("Bread on a stone")


@pytest.mark.slow
def test_a_week_is_held_resumed_and_skipped(chromium: Browser, served: ServedDesk) -> None:
    """Hold and skip ask first, with what happens to how many stories; both can be undone, by the keyboard alone."""
    served.fetch_all()
    with Editor(chromium, keyboard=True, viewport={"width": 375, "height": 800}) as editor:
        editor.page.goto(f"{served.url}/week/2026-W07")
        editor.open_details("More")
        editor.open_details("Hold …")
        editor.wait_for("Nothing goes out until you resume it. Meanwhile 3 stories carry over to 2026-W08.")
        editor.use("button", "Hold this edition")
        editor.wait_for("Held: 3 stories carried over to 2026-W08.")
        editor.use("button", "Resume")
        editor.wait_for("Back to draft")
        editor.open_details("More")
        editor.open_details("Skip this week …")
        editor.use("button", "Skip it")
        editor.wait_for("Skipped: 3 stories carried over to 2026-W08.")
        editor.wait_for("No newsletter goes out for this week.")
        assert editor.page.get_by_role("button", name="Approve").count() == 0
        assert editor.page.get_by_role("link", name="Edit text and links").count() == 0
        editor.use("button", "Undo: do not skip")
        editor.wait_for("Back to draft")
        editor.page.get_by_role("button", name="Approve").wait_for()


def test_an_edition_that_may_have_been_sent_is_answered_for(chromium: Browser, served: ServedDesk) -> None:
    """The list of weeks leads to the question, and its second button returns the edition to the editor."""
    served.fetch_all()
    with Store.open(f"sqlite:///{served.folder / 'pipeline.db'}") as store:
        record = store.editions.get("2026-W07")
        store.editions.change_state(record, "held", now=NOW, actor=RECOVERY_ACTOR, note="a backup was restored")
    with Editor(chromium, keyboard=True) as editor:
        editor.page.goto(served.url)
        editor.use("link", "answer for 2026-W07")
        editor.wait_for("Was this edition sent?")
        editor.use("button", "It was not sent")
        editor.wait_for("Back to draft")
        editor.page.get_by_role("button", name="Approve").wait_for()


def test_a_dead_link_is_shown_and_fixed(chromium: Browser, served: ServedDesk) -> None:
    """The button finds a dead link; its fix link leads to the field; once it is removed nothing blocks the approval."""
    served.fetch_all()
    link = EditorLink(url=served.web.url("/gone"), title="The old tide tables")
    served.desk.editor.save("2026-W07", lambda overrides: replace(overrides, links=(link,)), "")
    with Editor(chromium) as editor:
        editor.page.goto(f"{served.url}/week/2026-W07")
        editor.use("button", "Check links and images")
        editor.wait_for("Errors block approval.")
        editor.use("button", "Approve")
        editor.wait_for("Nothing was approved.")
        editor.page.get_by_role("alert").get_by_role("link", name="Edit the links").click()
        editor.use("button", "Remove link 1")
        editor.wait_for("Saved.")
        editor.use("link", "Back to the edition")
        editor.use("button", "Approve")
        editor.wait_for("Approved as Issue 1")


@pytest.mark.slow
def test_two_editors_see_both_texts(chromium: Browser, served: ServedDesk) -> None:
    """The second editor to save sees both texts; the first one's text stays in the file until they save again."""
    served.fetch_all()
    with Editor(chromium) as first, Editor(chromium) as second:
        first.page.goto(f"{served.url}/week/2026-W07")
        second.page.goto(f"{served.url}/week/2026-W07/edit")
        second.fill("Introduction", "Good evening from the pier.")
        second.wait_until_saved()
        write_the_text(first)
        second.wait_for("Somebody else has changed this edition’s file.")
        second.use("button", "Save")
        second.wait_for("Introduction, saved by somebody else")
        assert second.page.get_by_label("Introduction", exact=True).input_value() == "Good evening from the pier."
        second.wait_for("Good morning from the *quay*.")
        assert "Good morning from the *quay*." in served.editor_file
        assert "pier" not in served.editor_file
        second.use("button", "Save")
        second.wait_for("Saved.")
    assert "Good evening from the pier." in served.editor_file


def test_what_is_typed_is_saved_by_itself(chromium: Browser, served: ServedDesk) -> None:
    """Also if the tab is closed in the middle of a sentence, the server cannot be reached, or with Ctrl+S."""
    served.fetch_all()
    address = f"{served.url}/week/2026-W07/edit"
    with Editor(chromium) as editor:
        editor.page.goto(address)
        editor.fill("Introduction", "Good morning from the quay.")
        editor.wait_until_saved()
        assert "Good morning from the quay." in served.editor_file
        editor.fill("Introduction", "Good morning from the quay. The boats are")
        editor.fill("Address of a new link", "https://tides.example/")
        editor.reopen()
        editor.page.goto(address)
        assert editor.page.get_by_label("Introduction", exact=True).input_value().endswith("The boats are")
        assert editor.page.get_by_label("Address of a new link").input_value() == "https://tides.example/"
        editor.wait_until_saved()
        assert "The boats are" in served.editor_file
        editor.page.route(address, lambda route: route.abort())
        editor.fill("Introduction", "Good morning. The boats are out.")
        editor.wait_for("Not saved: the server does not respond.")
        editor.page.unroute(address)
        editor.page.keyboard.press("Control+S")
        editor.wait_until_saved()
    assert "The boats are out." in served.editor_file


def test_a_note_survives_every_other_button(chromium: Browser, served: ServedDesk) -> None:
    """It is saved before the button does what it says; a link that is being typed stays in its fields."""
    served.fetch_all()
    with Editor(chromium) as editor:
        editor.page.goto(f"{served.url}/week/2026-W07?view=decisions")
        editor.open_details("Edit The salt road")
        editor.fill("Your note on The salt road", "Heard it.")
        editor.wait_until_saved()
        editor.page.frame_locator("#story-preview").get_by_text("Heard it.").wait_for()
        note = editor.page.get_by_label("Your note on The salt road")
        assert note.evaluate("note => note === document.activeElement")
        editor.fill("Your note on The salt road", "Heard it twice.")
        editor.use("button", "Leave out: Rope")
        editor.wait_for("Left out “Rope”.")
        assert note.input_value() == "Heard it twice."
        assert "Heard it twice." in served.editor_file
        editor.page.goto(f"{served.url}/week/2026-W07/edit")
        for title in ("Tides", "Ropes"):
            editor.fill("Address of a new link", f"https://{title.lower()}.example/")
            editor.fill("Title of the new link", title)
            editor.use("button", "Add link")
            editor.page.get_by_label("Title of link 1", exact=True).wait_for()
        editor.fill("Address of a new link", "https://salt.example/")
        editor.use("button", "Move link 2 up")
        editor.page.wait_for_function("document.querySelector('[name=link_title]').value === 'Ropes'")
        assert editor.page.get_by_label("Address of a new link").input_value() == "https://salt.example/"


def test_text_is_not_saved_over_that_of_another_editor(chromium: Browser, served: ServedDesk) -> None:
    """The page says so while one types; Save shows both."""
    served.fetch_all()
    with Editor(chromium) as first, Editor(chromium) as second:
        for editor in (first, second):
            editor.page.goto(f"{served.url}/week/2026-W07/edit")
        first.fill("Introduction", "Good morning from the quay.")
        first.wait_until_saved()
        second.fill("Introduction", "Good evening from the pier.")
        second.wait_for("Not saved: somebody else has changed this edition.")
        assert "pier" not in served.editor_file
        second.use("button", "Save")
        second.wait_for("Introduction, saved by somebody else")
        assert second.page.get_by_label("Introduction", exact=True).input_value() == "Good evening from the pier."


def test_only_the_edition_on_the_screen_is_approved(chromium: Browser, served: ServedDesk) -> None:
    """Text that has changed since the page was opened blocks the approval and is shown."""
    served.fetch_all()
    with Editor(chromium, java_script_enabled=False) as first, Editor(chromium) as second:
        first.page.goto(f"{served.url}/week/2026-W07")
        second.page.goto(f"{served.url}/week/2026-W07")
        write_the_text(second)
        first.use("button", "Approve")
        first.wait_for("has changed since you reviewed it")
        first.wait_for("Changed since you opened the page")
        assert "Good morning from the quay." in first.page.locator("ins").all_inner_texts()
        first.use("button", "Approve")
        first.wait_for("Approved as Issue 1")


def test_everything_works_without_script(chromium: Browser, served: ServedDesk) -> None:
    """Without script, forms work from the first feed to the preview, and an error is a sentence on the page."""
    with Editor(chromium, java_script_enabled=False) as editor:
        editor.page.goto(served.url)
        editor.fill("Address of a website or a feed", served.web.url("/site/"))
        editor.use("button", "Find feeds")
        editor.use("button", "Add the feed The quay")
        editor.use("button", "Fetch feeds now")
        editor.use("link", "9–15 February 2026")
        editor.use("link", "Edit text and links")
        editor.fill("Introduction", "Good morning.")
        editor.use("button", "Preview")
        editor.page.frame_locator("#mail").get_by_text("Good morning.").wait_for()
        editor.fill("Address of a new link", "nowhere")
        editor.use("button", "Add link")
        assert editor.page.get_by_role("alert").inner_text()
        assert editor.page.get_by_label("Introduction", exact=True).input_value() == "Good morning."
