"""The desk's page of feeds, over a desk without a publication."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.web.desk.feeds.ports import FoundFeed, RemovedFeed
from pipeline.web.pages import create_desk_app
from tests.asgi_client import AsgiClient
from tests.fake_desk import FakeDesk
from tests.unit.test_desk_pages import visible_text


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0.05))


def test_a_feed_is_shown_with_what_an_editor_asks(client: AsgiClient) -> None:
    """Title, id, address, health, both reads, how often it publishes and its newest entry stand beside it."""
    page = visible_text(client.get("/feeds").text)
    about = page[page.index("Harbour & Hearth blog") :]
    for fact in (
        "blog · https://harbourandhearth.example/feed/",
        "Works",
        "Last read Mon 16 Feb 2026 08:30",
        "Next read Mon 16 Feb 2026 09:00",
        "Publishes usually weekly, on Tuesdays",
        "Entries 12",
        "Newest Tue 10 Feb 2026: A kettle on the quay",
    ):
        assert fact in about


def test_each_problem_says_what_to_do(client: AsgiClient) -> None:
    """A feed that fails shows its problems, and a button for those that a button solves."""
    page = client.get("/feeds").text
    assert "Answered 404: check the address." in visible_text(page)
    assert 'value="accept"' in page


def test_a_removed_feed_can_be_restored_after_a_reload(client: AsgiClient, desk: FakeDesk) -> None:
    """Removing asks nothing; the page offers Undo, also when it is opened again."""
    response = client.post("/feeds", {"do": "remove", "feed": "podcast"})
    assert response.status_code == 303
    assert desk.removed_feeds == (RemovedFeed(id="podcast", url="https://table.example/"),)
    page = client.get("/feeds").text
    assert "Removed: podcast" in visible_text(page)
    assert "Undo: put back the feed podcast" in page


def test_a_feed_that_is_there_has_no_add_button(desk: FakeDesk) -> None:
    """It says so, with a link to the feed."""
    existing = FoundFeed(url="https://h.example/feed/", ok=True, title="Harbour", existing="blog")
    desk.found = (existing, FoundFeed(url="https://h.example/more/", ok=True, title="More"))
    page = AsgiClient(create_desk_app(desk.services())).post("/feeds", {"do": "find", "url": "h.example"}).text
    assert 'Already in your feeds, as <a href="#feed-blog">blog</a>' in page
    assert page.count('value="add"') == 1
    assert "Add the feed More" in page


def test_one_feed_can_be_read_by_itself(client: AsgiClient, desk: FakeDesk) -> None:
    """Its button starts a fetch of this feed and comes back to the page."""
    response = client.post("/fetch", {"feed": "blog", "from": "feeds"})
    assert (response.headers["location"], desk.fetched) == ("/feeds#fetching", ["blog"])


def test_the_icon_of_a_feed_comes_from_the_desk(client: AsgiClient, desk: FakeDesk) -> None:
    """The letter stays where there is none, or while it cannot be had; the browser contacts nobody else."""
    desk.feed_rows = (replace(desk.feed_rows[0], has_icon=True), desk.feed_rows[1])
    page = client.get("/feeds").text
    assert page.count("<img ") == 1
    assert '<img src="/feeds/icon?feed=blog" alt="" loading="lazy">' in page
    assert client.get("/feeds/icon?feed=blog").headers["content-type"] == "image/png"
    assert client.get("/feeds/icon?feed=podcast").status_code == 404
