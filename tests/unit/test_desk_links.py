"""The desk's page of useful links, over a desk without a publication."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

import pytest

from pipeline.web.desk.links.pages import MAX_NOTE_CHARS, MAX_TITLE_CHARS
from pipeline.web.pages import create_desk_app
from tests.asgi_client import AsgiClient
from tests.fake_desk import FakeDesk
from tests.unit.test_desk_pages import visible_text

TIDES = "https://tides.example/"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0.05))


def test_links_are_shown_by_where_they_are(client: AsgiClient) -> None:
    """First those that wait, in order, then those in an editor's file, then the published ones, folded away."""
    response = client.get("/links")
    page = visible_text(response.text)
    positions = [page.index(title) for title in ("Tide tables", "How to read a chart", "Ropes", "Lamps")]
    assert positions == sorted(positions)
    assert "added on Tue 10 Feb 2026 · https://tides.example/" in page
    assert 'href="/week/2026-W07/edit#links"' in response.text
    assert re.search(r"<details.*Published \(1\).*edition 1 \(2026-W06\).*</details>", response.text, re.DOTALL)


def test_only_a_link_that_was_added_by_hand_can_be_removed(client: AsgiClient) -> None:
    """The others have no button."""
    assert client.get("/links").text.count('value="remove"') == 1


def test_a_link_is_removed_and_put_back(client: AsgiClient, desk: FakeDesk) -> None:
    """Removing asks nothing; the page offers Undo."""
    assert client.post("/links", {"do": "remove", "url": TIDES}).status_code == 303
    assert TIDES not in {row.url for row in desk.links.rows}
    assert "Undo: put back the link Tide tables for the whole coast" in client.get("/links").text
    assert client.post("/links", {"do": "restore", "url": TIDES}).status_code == 303
    assert TIDES in {row.url for row in desk.links.rows}


def test_an_error_loses_nothing_that_was_typed(client: AsgiClient) -> None:
    """It is shown above the form, whose fields have what was typed."""
    response = client.post("/links", {"do": "add", "url": TIDES, "title": "“Tides”", "note": "\nOne & <two>"})
    assert response.status_code == 409
    assert "is in the list already" in visible_text(response.text)
    assert 'value="“Tides”"' in response.text
    assert ">\n\nOne &amp; &lt;two&gt;</textarea>" in response.text


def test_a_query_fills_in_the_form_and_adds_nothing(client: AsgiClient, desk: FakeDesk) -> None:
    """Its values are escaped and cut, since any page can send them."""
    before = desk.links.rows
    query = {"url": 'https://x.example/"><script>', "title": "t" * 9_000, "note": "</textarea>" + "n" * 9_000}
    page = client.get("/links?" + urlencode(query)).text
    assert "<script>" not in page
    assert 'value="https://x.example/&#34;&gt;&lt;script&gt;"' in page
    assert f'value="{"t" * MAX_TITLE_CHARS}"' in page
    assert page.count("n" * 900) == 1
    assert "n" * MAX_NOTE_CHARS not in page
    assert desk.links.rows == before


@pytest.mark.parametrize(
    ("desk_url", "origin"),
    [
        ("", "http://127.0.0.1:8025"),
        ("https://desk.example/", "http://127.0.0.1:8025"),
        ("https://127.0.0.1:8025/", "https://127.0.0.1:8025"),
    ],
)
def test_the_bookmarklet_opens_the_desk_where_it_is_open(
    client: AsgiClient, desk: FakeDesk, desk_url: str, origin: str
) -> None:
    """Its origin is that of the page; behind a proxy the scheme is that of the settings."""
    desk.links.desk_url = desk_url
    page = unescape(client.get("/links").text)
    assert page.count(f"'{origin}/links?'") == 2
    assert "Drag this to your bookmarks bar" in page
