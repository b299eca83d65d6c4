"""The desk's forms: what they change, and which requests they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

import pytest

from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord, EditorLink, Overrides
from pipeline.web.desk.cache import fingerprint
from pipeline.web.desk.ports import ActionOptions
from pipeline.web.forms import MAX_FORM_BYTES
from pipeline.web.pages import create_desk_app
from tests.asgi_client import BASE_URL, FORM_HEADERS, AsgiClient
from tests.fake_desk import FakeDesk, edition

WEEK = "/week/2026-W07"
FORMS = (
    f"{WEEK}/edit",
    f"{WEEK}/story",
    f"{WEEK}/actions",
    f"{WEEK}/link-check",
    f"{WEEK}/story-text",
    f"{WEEK}/undo",
    "/feeds",
    "/fetch",
)
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0))


def test_a_saved_form_redirects(client: AsgiClient, desk: FakeDesk) -> None:
    """Saving writes the file and redirects (303), so that a reload saves nothing twice; the next page says Saved."""
    fields = {"version": "v1", "do": "save", "subject": " Bread \n", "introduction": "One.\r\n\r\nTwo."}
    response = client.post(f"{WEEK}/edit", fields)
    assert response.status_code == 303
    assert desk.overrides == Overrides(subject="Bread", introduction_md="One.\n\nTwo.")
    assert "Saved." in client.get(response.headers["location"]).text


def test_a_preview_saves_nothing(client: AsgiClient, desk: FakeDesk) -> None:
    """A preview shows the typed text in the form and in the mail, and leaves the file alone."""
    page = client.post(f"{WEEK}/edit", {"version": "v1", "do": "preview", "subject": "Just an idea"}).text
    assert page.count("Just an idea") >= 2
    assert desk.overrides == Overrides()


def test_the_frame_shows_the_previewed_edition(client: AsgiClient) -> None:
    """The frame of a preview shows exactly that edition, by its fingerprint, whatever the file says by then."""
    page = client.post(f"{WEEK}/edit", {"version": "v1", "do": "preview", "introduction": "Just an idea"}).text
    seen = page.split("seen=", 1)[1].split('"', 1)[0]
    assert "Just an idea" in client.get(f"{WEEK}/mail?seen={seen}").text
    assert "Just an idea" not in client.get(f"{WEEK}/mail").text


def test_the_second_of_two_editors_sees_both_texts(client: AsgiClient, desk: FakeDesk) -> None:
    """A form with an outdated version writes nothing, and comes back with both texts and the new version."""
    desk.overrides, desk.file_version = Overrides(subject="Theirs", introduction_md="By them."), "v2"
    response = client.post(f"{WEEK}/edit", {"version": "v1", "do": "save", "subject": "Mine", "introduction": "By me."})
    assert response.status_code == 409
    assert desk.overrides.subject == "Theirs"
    for text in ("Theirs", "By them.", "Mine", "By me.", 'name="version" value="v2"'):
        assert text in response.text


def test_a_suggestion_is_taken_with_one_click(client: AsgiClient, desk: FakeDesk) -> None:
    """Its button, which works without JavaScript, saves it in place of what the field held, and all other fields."""
    current = desk.editions["2026-W07"]
    assert isinstance(current, Edition)
    suggestions = {"subject": ['Bread & "soup"', SCRIPT], "preheader": ["Also: soup"]}
    manifest = json.loads(current.manifest) | {"suggestions": suggestions}
    desk.editions["2026-W07"] = replace(current, manifest=json.dumps(manifest).encode())
    page = client.get(f"{WEEK}/edit").text
    assert 'name="take_subject" value="Bread &amp; &#34;soup&#34;"' in page
    assert "<script>alert" not in page
    fields = {"version": "v1", "subject": "Mine", "preheader": "Also mine", "introduction": "Hello."}
    client.post(f"{WEEK}/edit", fields | {"take_subject": 'Bread & "soup"'})
    assert desk.overrides == Overrides(subject='Bread & "soup"', preheader="Also mine", introduction_md="Hello.")
    client.post(f"{WEEK}/edit", fields | {"version": desk.file_version, "take_preheader": "Also: soup"})
    assert (desk.overrides.subject, desk.overrides.preheader) == ("Mine", "Also: soup")


def test_a_sentence_of_a_transcript_is_taken_with_one_click(client: AsgiClient, desk: FakeDesk) -> None:
    """Into the note on its story, below what the note says, once; all that was typed is saved with it."""
    current = desk.editions["2026-W07"]
    assert isinstance(current, Edition)
    sentences = [{"text": "Salt <keeps>.", "note_md": "> Salt <keeps>."}]
    quotes = [{"feed_id": "podcast", "guid": "ep 14", "title": "Salt", "sentences": sentences}]
    manifest = json.loads(current.manifest) | {"suggestions": {"quotes": quotes}}
    desk.editions["2026-W07"] = replace(current, manifest=json.dumps(manifest).encode())
    page = client.get(f"{WEEK}/edit").text
    assert 'name="take_quote" value="podcast ep 14&#10;&gt; Salt &lt;keeps&gt;."' in page
    fields = {"version": "v1", "introduction": "Hello.", "take_quote": "podcast ep 14\r\n> Salt <keeps>."}
    desk.overrides = Overrides(notes={"podcast ep 14": "Listen.", "blog 1": "Bread."})
    for _ in range(2):
        client.post(f"{WEEK}/edit", fields | {"version": desk.file_version})
        assert desk.overrides.introduction_md == "Hello."
        assert desk.overrides.notes == {"podcast ep 14": "Listen.\n\n> Salt <keeps>.", "blog 1": "Bread."}
    client.post(f"{WEEK}/edit", fields | {"version": desk.file_version, "take_quote": "podcast ep 14"})
    assert len(desk.overrides.notes) == 2


def test_links_are_added_moved_and_removed(client: AsgiClient, desk: FakeDesk) -> None:
    """A button changes one link; everything else that was typed in the form is saved with it."""
    rows = {"link_url": ["https://a.example/", "https://b.example/"], "link_title": ["A", "B"], "link_note": ["", "n"]}
    client.post(f"{WEEK}/edit", rows | {"version": "v1", "do": "down 0", "subject": "Bread"})
    assert [link.title for link in desk.overrides.links] == ["B", "A"]
    assert desk.overrides.subject == "Bread"
    client.post(f"{WEEK}/edit", rows | {"version": desk.file_version, "do": "remove 1"})
    assert [link.title for link in desk.overrides.links] == ["A"]
    client.post(
        f"{WEEK}/edit", {"version": desk.file_version, "do": "add", "new_url": "https://c.example/", "new_note": "Why"}
    )
    assert desk.overrides.links == (EditorLink(url="https://c.example/", title="Title of the page", note_md="Why"),)


def test_a_story_is_left_out_and_put_back(client: AsgiClient, desk: FakeDesk) -> None:
    """The buttons of a decision change the overrides and redirect to the decisions."""
    response = client.post(f"{WEEK}/story", {"version": "v1", "do": "leave_out", "entry": "blog 7"})
    assert (response.status_code, desk.overrides.leave_out) == (303, ("blog 7",))
    client.post(f"{WEEK}/story", {"version": desk.file_version, "do": "put_back", "entry": "blog 7"})
    assert desk.overrides == Overrides()


def test_an_archive_entry_is_left_out_like_a_story(client: AsgiClient, desk: FakeDesk) -> None:
    """The decisions list each archive entry of the edition once, escaped, with a button to leave it out."""
    current = desk.editions["2026-W07"]
    assert isinstance(current, Edition)
    archived = {"feed_id": "blog", "guid": "potter", "title": SCRIPT, "url": "https://h.example/potter"}
    manifest = json.loads(current.manifest) | {"archive": [archived]}
    manifest["stories"][0]["related"] = [archived]
    desk.editions["2026-W07"] = replace(current, manifest=json.dumps(manifest).encode())
    page = client.get(f"{WEEK}?view=decisions").text
    assert page.count('name="entry" value="blog potter"') == 1
    assert "<script>alert" not in page
    client.post(f"{WEEK}/story", {"version": "v1", "do": "leave_out", "entry": "blog potter"})
    assert desk.overrides.leave_out == ("blog potter",)
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="sent")
    assert "blog potter" not in client.get(f"{WEEK}?view=decisions").text


def test_an_approval_carries_what_was_on_the_screen(client: AsgiClient, desk: FakeDesk) -> None:
    """An approval carries the hash on the page and the ignored errors, after the links were checked."""
    page = client.get(WEEK).text
    seen = page.split('name="hash" value="', 1)[1].split('"', 1)[0]
    assert seen == fingerprint(edition("2026-W07"))
    response = client.post(f"{WEEK}/actions", {"do": "approve", "hash": seen, "override": ["contrast", "unsafe"]})
    assert response.status_code == 303
    assert desk.performed == [("approve", ActionOptions(content_hash=seen, overridden=("contrast", "unsafe")))]
    assert desk.ensured_checks == [("2026-W07", ("contrast", "unsafe"))]
    assert "Done: approve." in client.get(response.headers["location"]).text


def test_links_are_checked_in_the_background(client: AsgiClient, desk: FakeDesk) -> None:
    """The button returns at once; the page shows that the check is running, and later its results and time."""
    assert client.post(f"{WEEK}/link-check", {}).status_code == 303
    assert "Checking links and images" in client.get(WEEK).text
    dead = CheckResult(name="dead-link", level="error", message="Fix it or remove it.", fix_target="links")
    desk.running_checks.clear()
    desk.link_checks["2026-W07"] = LinkCheck(
        content_hash="", checked_at=datetime(2026, 2, 17, 9, tzinfo=UTC), results=(dead,)
    )
    page = client.get(WEEK).text
    for text in ("Checked Tue 17 Feb 2026 09:00.", "Fix it or remove it.", 'name="override" value="dead-link"'):
        assert text in page


def test_pages_respond_during_an_approval(client: AsgiClient, desk: FakeDesk) -> None:
    """While an approval checks links, other pages respond."""
    started, finish = Event(), Event()

    def ensure_checked(week: str, overridden: Sequence[str]) -> None:
        started.set()
        assert finish.wait(10)

    desk.ensure_checked = ensure_checked  # type: ignore[method-assign]
    with ThreadPoolExecutor() as pool:
        approval = pool.submit(client.post, f"{WEEK}/actions", {"do": "approve", "hash": "1"})
        assert started.wait(10)
        assert client.get(WEEK).status_code == 200
        assert desk.performed == []
        finish.set()
        assert approval.result().status_code == 303
    assert [action for action, _ in desk.performed] == ["approve"]


def test_a_refused_approval_shows_the_changes(client: AsgiClient, desk: FakeDesk) -> None:
    """The page shows the reason, and what has changed since it was opened."""
    seen = client.get(WEEK).text.split('name="hash" value="', 1)[1].split('"', 1)[0]
    desk.change("2026-W07", edition("2026-W07", subject="Another subject altogether"))
    desk.refusal = "2026-W07 is no longer what you have seen: look again."
    response = client.post(f"{WEEK}/actions", {"do": "approve", "hash": seen})
    assert response.status_code == 409
    assert desk.refusal in response.text
    assert "<ins>Another subject altogether</ins>" in response.text


def test_changes_are_compared_with_the_approved_edition(client: AsgiClient, desk: FakeDesk) -> None:
    """The changes view compares with the last approved edition; before the first approval it says so."""
    assert "Nothing has been approved" in client.get(f"{WEEK}?view=changes").text
    desk.sealed["2026-W07"] = replace(edition("2026-W07"), preheader="Another one")
    assert "<del>Another one</del>" in client.get(f"{WEEK}?view=changes").text


@pytest.mark.parametrize("state", ["sending", "sent", "skipped"])
def test_a_finished_edition_cannot_be_edited(client: AsgiClient, desk: FakeDesk, state: str) -> None:
    """Once an edition is being sent, sent or skipped, there is no form and no button to leave a story out."""
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state=state, number=1)  # type: ignore[arg-type]
    assert client.get(f"{WEEK}/edit").status_code == 409
    assert "leave_out" not in client.get(f"{WEEK}?view=decisions").text


def test_feeds_are_found_added_and_removed(client: AsgiClient) -> None:
    """Feeds found at an address are listed with a button; an invalid address is an error on the page."""
    found = client.post("/feeds", {"do": "find", "url": "https://site.example/"}).text
    assert "A kettle on the quay" in found
    assert "answered 404 Not Found" in found
    assert (
        "Added https://site.example/"
        in client.get(client.post("/feeds", {"do": "add", "url": "https://site.example/"}).headers["location"]).text
    )
    assert client.post("/feeds", {"do": "remove", "feed": "blog"}).status_code == 303
    wrong = client.post("/feeds", {"do": "find", "url": "nothing"})
    assert (wrong.status_code, 'role="alert"' in wrong.text) == (409, True)


def test_without_feeds_there_is_no_fetch_button(client: AsgiClient, desk: FakeDesk) -> None:
    """Until there is a feed, the first page asks for one."""
    desk.summaries, desk.feed_rows = (), ()
    assert "Add a feed first." in client.get("/").text


def test_a_fetch_shows_its_progress(client: AsgiClient) -> None:
    """The button returns at once; the page counts the feeds, and without script it reloads by itself."""
    assert client.post("/fetch", {}).status_code == 303
    page = client.get("/").text
    assert "1 of 2 feeds" in page
    assert 'http-equiv="refresh"' in page


@pytest.mark.parametrize("path", FORMS)
def test_a_form_needs_the_csrf_token(client: AsgiClient, desk: FakeDesk, path: str) -> None:
    """Without the token of this process, nothing is done."""
    before = (desk.overrides, tuple(desk.performed), desk.revision)
    for body in (b"do=approve&hash=1", b"csrf=&do=approve", b"csrf=guessed&do=approve", "csrf=é".encode()):
        response = client.request("POST", path, headers={"origin": BASE_URL} | FORM_HEADERS, content=body)
        assert response.status_code == 403
    assert (desk.overrides, tuple(desk.performed), desk.revision) == before


@pytest.mark.parametrize("path", FORMS)
def test_a_form_from_another_site_is_refused(client: AsgiClient, path: str) -> None:
    """A form with another Origin, no Origin or another Host is refused, even with a token."""
    for headers in (
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {},
        {"origin": BASE_URL, "host": "a.b"},
    ):
        assert client.request("POST", path, headers=headers | FORM_HEADERS, content=b"csrf=x").status_code == 403


@pytest.mark.parametrize("path", [f"{WEEK}/story", f"{WEEK}/actions", "/fetch"])
def test_actions_need_a_post(client: AsgiClient, path: str) -> None:
    """A GET on an action is answered with 405."""
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("path", FORMS)
def test_a_huge_form_is_refused(client: AsgiClient, path: str) -> None:
    """A body over the limit is answered with 413, and more than a thousand fields with 400."""
    sent = {"origin": BASE_URL} | FORM_HEADERS
    assert client.request("POST", path, headers=sent, content=b"a=" + b"x" * MAX_FORM_BYTES).status_code == 413
    assert client.request("POST", path, headers=sent, content=b"a=1&" * 1001).status_code == 400


def test_other_media_types_are_refused(client: AsgiClient) -> None:
    """JSON, file uploads and a missing content type are answered with 415."""
    for media_type in ("application/json", "multipart/form-data; boundary=x", ""):
        response = client.request(
            "POST", "/feeds", headers={"origin": BASE_URL, "content-type": media_type}, content=b"{}"
        )
        assert response.status_code == 415


def test_invalid_bytes_have_no_token(client: AsgiClient) -> None:
    """A body that is not UTF-8 is parsed, and refused like any form without a token."""
    response = client.request("POST", "/feeds", headers={"origin": BASE_URL} | FORM_HEADERS, content=b"\xff=1")
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("actions", {"do": "approve"}),
        ("actions", {"do": "erase", "hash": "1"}),
        ("story", {"do": "burn", "entry": "blog 7"}),
        ("story", {"do": "lead", "entry": "nonsense"}),
    ],
)
def test_values_without_a_button_are_refused(
    client: AsgiClient, desk: FakeDesk, path: str, fields: dict[str, str]
) -> None:
    """An approval without a hash, and an unknown action, are answered with 400 and do nothing."""
    assert client.post(f"{WEEK}/{path}", fields).status_code == 400
    assert (desk.performed, desk.overrides) == ([], Overrides())


@pytest.mark.parametrize(
    "path", ["/week/../../etc/passwd", "/week/%2e%2e%2fetc/edit", "/static/..%2fpage.html.j2", "/week/2026-W99/edit"]
)
def test_paths_cannot_escape(client: AsgiClient, path: str) -> None:
    """No path reaches a file outside the static folder, or a week that does not exist."""
    assert client.get(path).status_code == 404


def test_typed_text_is_escaped(client: AsgiClient, desk: FakeDesk) -> None:
    """Markup in every field of a form is shown as text."""
    names = ("subject", "preheader", "introduction", "new_url", "new_title", "new_note")
    page = client.post(f"{WEEK}/edit", dict.fromkeys(names, SCRIPT) | {"version": SCRIPT, "do": "preview"}).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    found = client.post("/feeds", {"do": "find", "url": SCRIPT}).text
    assert "<script>alert" not in found


def test_published_text_is_escaped(client: AsgiClient, desk: FakeDesk) -> None:
    """Markup in a subject, a heading or a title is shown as text in every view."""
    desk.change("2026-W07", edition("2026-W07", subject=SCRIPT.replace("\n", ""), headings=SCRIPT, titles=SCRIPT))
    for view in ("mail", "inbox", "text", "headers", "source", "decisions", "changes"):
        page = client.get(f"{WEEK}?view={view}").text
        assert "<script>alert" not in page, view
        assert "<img src=x" not in page, view


def test_other_machines_need_a_token(desk: FakeDesk) -> None:
    """The printed URL sets a cookie that scripts cannot read; without it every page is refused."""
    client = AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0, token="let-me-in"))
    there = {"host": "192.0.2.7:8025"}
    for path in ("/", WEEK, f"{WEEK}/mail", "/updates", "/static/desk.js", "/?token=wrong"):
        assert client.get(path, headers=there).status_code == 403
    response = client.get(f"{WEEK}?token=let-me-in", headers=there)
    assert (response.status_code, response.headers["location"]) == (303, WEEK)
    for path in ("//elsewhere.example/week", "///elsewhere.example", "/%2F/elsewhere.example", "/\\elsewhere.example"):
        location = client.get(f"{path}?token=let-me-in", headers=there).headers["location"]
        assert re.match(r"/(?![/\\])", location), "a browser would leave for another host"
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert client.get(WEEK, headers=there | {"cookie": cookie.split(";")[0]}).status_code == 200
