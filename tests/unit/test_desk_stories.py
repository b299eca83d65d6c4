"""The Stories view: texts and pictures of stories, their order, leaving out, and undo."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from pipeline.model.edition import EditionRecord, Overrides, StoryEdit
from pipeline.web.pages import create_desk_app
from tests.asgi_client import AsgiClient
from tests.fake_desk import IMAGE, PIXEL, FakeDesk

WEEK = "/week/2026-W07"
KETTLE, LIGHTS = "blog A kettle on the quay", "blog Who keeps the lights on"
AS_PUBLISHED = {
    "entry": KETTLE,
    "title": "A kettle on the quay",
    "text": "As *published*.",
    "picture": IMAGE,
    "alt": "A loaf",
    "button": "",
    "note": "",
}


@pytest.fixture
def desk() -> FakeDesk:
    """Two stories, both included."""
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0))


def save(client: AsgiClient, desk: FakeDesk, do: str = "save", **changes: str) -> int:
    fields = AS_PUBLISHED | {"version": desk.file_version, "do": do} | changes
    return client.post(f"{WEEK}/story-text", fields).status_code


def test_a_text_as_it_was_published_is_no_change(client: AsgiClient, desk: FakeDesk) -> None:
    """Whatever else is saved with it: a later fetch of the entry still shows."""
    assert save(client, desk) == 303
    assert desk.overrides == Overrides()
    save(client, desk, title="The  kettle", note="Mine, *too*.")
    assert desk.overrides == Overrides(stories={KETTLE: StoryEdit(title="The kettle")}, notes={KETTLE: "Mine, *too*."})
    page = client.get(f"{WEEK}?view=decisions").text
    for shown in ('value="The kettle"', ">Mine, *too*.</textarea>", ">Edited</span>", "Changed “The kettle”."):
        assert shown in page


@pytest.mark.parametrize(
    ("changes", "edit"),
    [
        ({"text": "Mine."}, StoryEdit(text_md="Mine.")),
        ({"text": " "}, StoryEdit(text_md="")),
        ({"picture": ""}, StoryEdit(picture_url="")),
        (
            {"picture": "https://img.example/other.jpg"},
            StoryEdit(picture_url="https://img.example/other.jpg", alt="Another loaf"),
        ),
        (
            {"picture": "https://img.example/other.jpg", "alt": "Rye"},
            StoryEdit(picture_url="https://img.example/other.jpg", alt="Rye"),
        ),
        (
            {"picture": "own", "picture_url": "img.example/own.jpg"},
            StoryEdit(picture_url="https://img.example/own.jpg"),
        ),
        (
            {"picture": "own", "picture_url": "pictures/0123456789abcdef01234567-12x8.jpg"},
            StoryEdit(picture_url="pictures/0123456789abcdef01234567-12x8.jpg"),
        ),
        ({"picture": "own", "picture_url": "javascript:alert(1)"}, StoryEdit()),
        ({"alt": "Rye"}, StoryEdit(alt="Rye")),
        ({"button": "Bake it"}, StoryEdit(button="Bake it")),
        ({"title": " "}, StoryEdit()),
    ],
)
def test_what_differs_is_saved(client: AsgiClient, desk: FakeDesk, changes: dict[str, str], edit: StoryEdit) -> None:
    """And nothing else; another picture brings its own alternative text."""
    assert save(client, desk, **changes) == 303
    assert desk.overrides.stories == ({KETTLE: edit} if edit != StoryEdit() else {})
    assert save(client, desk, "published", **changes) == 303
    assert desk.overrides.stories == {}


def test_a_text_is_saved_while_it_is_typed(client: AsgiClient, desk: FakeDesk) -> None:
    """The answer is the new version of the file; a second editor's is refused and stays in its fields."""
    answer = client.post(f"{WEEK}/story-text", AS_PUBLISHED | {"version": "v1", "do": "autosave", "title": "One"})
    assert (answer.status_code, answer.json()["version"]) == (200, desk.file_version)
    assert save(client, desk, "autosave", version="v1", title="Two") == 409
    assert desk.overrides.stories == {KETTLE: StoryEdit(title="One")}
    page = client.post(
        f"{WEEK}/story-text", AS_PUBLISHED | {"version": "v1", "do": "save", "title": "Two", "note": "N"}
    )
    assert page.status_code == 409
    for shown in ('value="Two"', '<p class="conflict__text">One</p>', ">N</textarea>", f'value="{desk.file_version}"'):
        assert shown in page.text


def test_the_newsletter_is_previewed_with_what_is_typed(client: AsgiClient, desk: FakeDesk) -> None:
    """The answer names the edition, which is shown although nothing was saved."""
    answer = client.post(f"{WEEK}/story-text", AS_PUBLISHED | {"version": "v1", "do": "preview", "title": "One"})
    assert client.get(answer.json()["src"]).status_code == 200
    assert desk.overrides == Overrides()


@pytest.mark.parametrize(
    ("do", "fields", "after"),
    [
        ("leave_out", {"entry": [KETTLE, "podcast 7"]}, Overrides(leave_out=(KETTLE, "podcast 7"))),
        ("lead", {"entry": KETTLE}, Overrides(lead=KETTLE)),
        ("brief", {"entry": [KETTLE, "podcast 7"]}, Overrides(brief=(KETTLE,))),
        ("split", {"entry": "podcast 7"}, Overrides(split=("podcast 7",))),
        ("join", {"entry": KETTLE, "other": "podcast 7"}, Overrides(join=((KETTLE, "podcast 7"),))),
        ("order", {"entry": [LIGHTS, "editor https://a.example/", KETTLE]}, None),
    ],
)
def test_every_change_can_be_undone(
    client: AsgiClient, desk: FakeDesk, do: str, fields: dict[str, str | list[str]], after: Overrides | None
) -> None:
    """The page says what was changed, with a button that restores the file of before."""
    fields = {"version": "v1", "do": do, "title": "A kettle on the quay"} | fields
    response = client.post(f"{WEEK}/story", fields)
    assert response.status_code == 303
    assert desk.overrides == (after or Overrides(order=tuple(fields["entry"])))
    page = client.get(response.headers["location"]).text
    assert f'action="{WEEK}/undo"' in page
    assert "Changed the order." in page if do == "order" else "“A kettle on the quay”" in page
    answer = client.post(f"{WEEK}/undo", {"version": desk.file_version})
    assert answer.status_code == 303
    assert desk.overrides == Overrides()
    assert "Undone: " in client.get(answer.headers["location"]).text


def test_a_story_that_is_left_out_stays_where_it_was(client: AsgiClient, desk: FakeDesk) -> None:
    """With a button that puts back all of its entries."""
    desk.overrides = Overrides(leave_out=(KETTLE,))
    page = client.get(f"{WEEK}?view=decisions").text
    assert page.index("story--left-out") < page.index(KETTLE) < page.index(LIGHTS)
    assert "<span>Left out</span>" in page
    client.post(f"{WEEK}/story", {"version": "v1", "do": "put_back", "entry": KETTLE})
    assert desk.overrides == Overrides()


def test_other_requests_are_refused(client: AsgiClient, desk: FakeDesk) -> None:
    """Unknown buttons, references and stories; the pictures of anything but the week's stories."""
    for fields in (
        {"do": "x", "entry": KETTLE},
        {"do": "lead"},
        {"do": "lead", "entry": "x"},
        {"do": "join", "entry": KETTLE},
    ):
        assert client.post(f"{WEEK}/story", {"version": "v1"} | fields).status_code == 400
    assert save(client, desk, entry="x") == 400
    assert save(client, desk, entry="blog x") == 409
    assert client.get(f"{WEEK}/picture?url={quote(IMAGE)}").content == PIXEL
    desk.images["https://elsewhere.example/x.png"] = ("image/png", PIXEL)
    assert client.get(f"{WEEK}/picture?url=https://elsewhere.example/x.png").status_code == 404
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="sent")
    assert "story-text" not in client.get(f"{WEEK}?view=decisions").text
