"""Uploads to the desk: who may, what is refused, and that a form loses nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx
import pytest

from pipeline.model.edition import Overrides
from pipeline.web.forms import MAX_FORM_BYTES
from pipeline.web.pages import create_desk_app
from tests.asgi_client import BASE_URL, AsgiClient
from tests.fake_desk import FakeDesk

EDIT = "/week/2026-W07/edit"
MARKDOWN = "![A loaf \\[new\\]](pictures/0123456789abcdef01234567-1200x800.jpg)"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0))


def upload(
    client: AsgiClient,
    path: str,
    content: bytes,
    fields: Mapping[str, str],
    *,
    name: str = "a.jpg",
    origin: str = BASE_URL,
    token: str | None = None,
) -> httpx.Response:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/feeds").text)
    values = {"csrf": token if token is not None else found[1] if found else ""} | dict(fields)
    request = httpx.Request("POST", BASE_URL, data=values, files={"picture": (name, content, "image/jpeg")})
    headers = {"origin": origin, "content-type": request.headers["content-type"]}
    return client.request("POST", path, headers=headers, content=request.read())


def test_a_picture_is_added_below_what_was_typed(client: AsgiClient, desk: FakeDesk) -> None:
    """Without script, one button uploads the picture and saves the whole form; the description is escaped."""
    fields = {
        "version": "v1",
        "do": "picture",
        "introduction": "Typed.",
        "picture_alt": "A loaf\n[new]",
        "subject": "Bread",
    }
    response = upload(client, EDIT, b"picture", fields, name="../\x00ü.jpg")
    assert response.status_code == 303
    assert desk.overrides == Overrides(subject="Bread", introduction_md=f"Typed.\n\n{MARKDOWN}")


@pytest.mark.parametrize(("content", "name"), [(b"<svg/>", "a.svg"), (b"", ""), (b"", "a.jpg")])
def test_a_refused_file_loses_nothing(client: AsgiClient, desk: FakeDesk, content: bytes, name: str) -> None:
    """The page comes back with the reason and all that was typed; nothing is written."""
    fields = {"version": "v1", "do": "picture", "introduction": "Typed words."}
    response = upload(client, EDIT, content, fields, name=name)
    assert response.status_code == 409
    assert "Typed words." in response.text
    assert "picture" in response.text
    assert desk.overrides == Overrides()


def test_a_script_gets_the_markdown(client: AsgiClient) -> None:
    """The Markdown of an upload, or why it was refused, is JSON."""
    response = upload(client, "/pictures", b"picture", {"picture_alt": "A loaf [new]"})
    assert (response.status_code, response.json()["markdown"]) == (200, MARKDOWN)
    refused = upload(client, "/pictures", b"<svg/>", {})
    assert (refused.status_code, refused.json()) == (409, {"message": "This file is no picture."})


def test_uploads_from_elsewhere_are_refused(client: AsgiClient) -> None:
    """Another site, or a form without the token, uploads nothing; other forms take no files."""
    assert upload(client, "/pictures", b"picture", {}, origin="https://elsewhere.example").status_code == 403
    assert upload(client, "/pictures", b"picture", {}, token="guessed").status_code == 403
    assert upload(client, "/feeds", b"picture", {}).status_code == 415


def test_a_file_that_is_too_large_is_refused(client: AsgiClient) -> None:
    """More than 40 MB are not read, and a text field is as limited as in other forms."""
    assert upload(client, "/pictures", b"picture" + bytes(41_000_000), {}).status_code == 413
    assert upload(client, "/pictures", b"picture", {"picture_alt": "x" * (MAX_FORM_BYTES + 1)}).status_code == 400
