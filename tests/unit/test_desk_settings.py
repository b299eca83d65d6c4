"""The desk's page of settings, over a desk without a publication."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from pipeline.web.desk.settings.fields import split_time
from pipeline.web.pages import create_desk_app
from tests.asgi_client import BASE_URL, AsgiClient
from tests.fake_desk import FakeDesk
from tests.unit.test_desk_pages import visible_text


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0.05))


def filled(client: AsgiClient, **changes: str) -> dict[str, str]:
    """Return what a browser would send of the page; ``changes`` are by name, with __ for the dot."""
    page = client.get("/settings").text.partition('class="settings"')[2]
    fields = {}
    for tag in re.findall(r"<input [^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="radio"' not in tag or " checked" in tag):
            fields[name[1]] = unescape(value[1] if value else "")
    for select in re.findall(r"<select.*?</select>", page, re.DOTALL):
        name, value = re.search(r'name="([^"]*)"', select), re.search(r'value="([^"]*)" selected', select)
        assert name
        assert value
        fields[name[1]] = unescape(value[1])
    return {**fields, "do": "save", **{name.replace("__", "."): value for name, value in changes.items()}}


def test_a_page_that_was_not_changed_saves_nothing(client: AsgiClient, desk: FakeDesk) -> None:
    """Not even a schedule that the fields cannot show, or the colour that stands for none."""
    response = client.post("/settings", filled(client))
    assert (response.status_code, desk.settings.before) == (303, {})


def test_what_was_changed_is_saved_and_undone(client: AsgiClient, desk: FakeDesk) -> None:
    """Only that is written; the page then says what it was, and offers Undo, also when it is opened again."""
    values = dict(desk.settings.values)
    changes = {
        "digest__theme": "journal",
        "publication__accent.picked": "#aa0000",
        "schedule__send.day": "fri",
        "schedule__send.time": "07:00",
    }
    assert client.post("/settings", filled(client, **changes)).status_code == 303
    expected = {"digest.theme": "journal", "publication.accent": "#aa0000", "schedule.send": "fri 07:00"}
    assert desk.settings.values == {**values, **expected}
    page = visible_text(client.get("/settings").text)
    assert "the newsletter goes out Fridays 07:00 (Europe/London), once you have approved it." in page
    assert "Last change: publication.accent, digest.theme, schedule.send. Undo" in page
    client.post("/settings", {"do": "undo", "change": "1"})
    assert desk.settings.values == values
    refused = client.post("/settings", {"do": "undo", "change": "1"})
    assert (refused.status_code, "undone before" in refused.text) == (409, True)


def test_a_mistake_is_shown_beside_its_field(client: AsgiClient, desk: FakeDesk) -> None:
    """It names key, value and what is allowed; nothing is saved, and nothing that was typed is lost."""
    values = dict(desk.settings.values)
    changes = {
        "publication__accent": "red",
        "publication__name": "Salt & Bread",
        "schedule__send.day": "fri",
        "schedule__send.time": "25:00",
    }
    response = client.post("/settings", filled(client, **changes))
    assert (response.status_code, desk.settings.values) == (409, values)
    text = visible_text(response.text)
    assert '[publication] accent = "red" is not allowed: give a colour of six hexadecimal digits' in text
    assert '[schedule] send = "fri 25:00" is not allowed' in text
    assert 'aria-describedby="publication-accent-error publication-accent-hint"' in response.text
    for typed in ('value="red"', 'value="Salt &amp; Bread"', 'value="fri" selected', 'value="25:00"'):
        assert typed in response.text


def test_another_editor_loses_nothing(client: AsgiClient, desk: FakeDesk) -> None:
    """Of a setting that both changed, both values are shown; what only the other one changed is shown as it is now."""
    mine = filled(client, publication__name="Mine")
    desk.settings.values.update({"publication.name": "Theirs", "publication.tagline": "Their tagline"})
    response = client.post("/settings", mine)
    assert (response.status_code, desk.settings.values["publication.name"]) == (409, "Theirs")
    assert "In config.toml now Theirs" in visible_text(response.text)
    assert 'name="publication.name" value="Mine"' in response.text
    assert 'name="publication.tagline" value="Their tagline"' in response.text


def test_a_file_that_cannot_be_written_gives_lines(client: AsgiClient, desk: FakeDesk) -> None:
    """The page says so at once; after Save it shows what to put into the file, and what was typed."""
    desk.settings.problem = "config.toml: is read-only."
    assert "config.toml: is read-only." in client.get("/settings").text
    response = client.post("/settings", filled(client, publication__name='"N"'))
    assert response.status_code == 409
    assert '[publication]\nname = "\\"N\\""\n' in unescape(response.text)
    assert 'value="&#34;N&#34;"' in response.text


@pytest.mark.parametrize(
    ("value", "parts"),
    [("FRIDAY 07:00", ("fri", "07:00")), ("every 6 hours", ("every 6 hours", "")), ("daily 06:30", ("daily", "06:30"))],
)
def test_a_schedule_is_a_day_and_a_time(value: str, parts: tuple[str, str]) -> None:
    """Any other one is kept as it is written."""
    assert split_time(value) == parts


def upload(client: AsgiClient, content: bytes) -> httpx.Response:
    """Press Upload with a file, as a browser does."""
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/settings").text)
    fields = filled(client) | {"do": "upload", "csrf": token[1] if token else ""}
    fields.pop("logo", None)
    request = httpx.Request("POST", BASE_URL, data=fields, files={"logo": ("logo.png", content, "image/png")})
    headers = {"origin": BASE_URL, "content-type": request.headers["content-type"]}
    return client.request("POST", "/settings", headers=headers, content=request.read())


def test_an_uploaded_logo_is_shown_by_the_public_pages(client: AsgiClient, desk: FakeDesk) -> None:
    """Its address is saved; without public pages, and for what is no picture, it is said beside the field."""
    before = desk.settings.values["publication.logo_url"]
    page = upload(client, b"picture")
    assert page.status_code == 409
    assert "set [public] url, so that your public pages show an uploaded one" in page.text
    desk.settings.public_url = "https://news.example"
    page = upload(client, b"a text")
    assert (page.status_code, "This file is no picture." in page.text) == (409, True)
    assert desk.settings.values["publication.logo_url"] == before
    assert upload(client, b"picture").status_code == 303
    uploaded = "https://news.example/pictures/0123456789abcdef01234567-1200x800.jpg"
    assert desk.settings.values["publication.logo_url"] == uploaded
