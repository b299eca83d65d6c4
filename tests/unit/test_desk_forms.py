"""The desk's forms: what they change, what they say, and whom they refuse."""

from __future__ import annotations

import json
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
from pipeline.web.preview import create_desk_app
from tests.asgi_client import BASE_URL, FORM_HEADERS, AsgiClient
from tests.fake_desk import FakeDesk, edition

WEEK = "/week/2026-W07"
FORMS = (f"{WEEK}/edit", f"{WEEK}/story", f"{WEEK}/actions", f"{WEEK}/link-check", f"{WEEK}/note", "/feeds", "/fetch")
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0))


def test_words_go_into_the_file_and_the_browser_goes_on(client: AsgiClient, desk: FakeDesk) -> None:
    """A saved form answers with a redirect (303), so that a reload saves nothing twice; the page then says Saved."""
    words = {"version": "v1", "do": "save", "subject": " Bread \n", "introduction": "One.\r\n\r\nTwo."}
    answer = client.post(f"{WEEK}/edit", words)
    assert answer.status_code == 303
    assert desk.overrides == Overrides(subject="Bread", introduction_md="One.\n\nTwo.")
    assert "Saved." in client.get(answer.headers["location"]).text


def test_trying_saves_nothing(client: AsgiClient, desk: FakeDesk) -> None:
    """The preview of words that were only typed shows them, in the form and in the mail, and leaves the file alone."""
    page = client.post(f"{WEEK}/edit", {"version": "v1", "do": "preview", "subject": "Only a thought"}).text
    assert page.count("Only a thought") >= 2
    assert desk.overrides == Overrides()


def test_what_is_tried_can_be_looked_at(client: AsgiClient) -> None:
    """The frame of a try shows that very mail, by its fingerprint, whatever the file says meanwhile."""
    page = client.post(f"{WEEK}/edit", {"version": "v1", "do": "preview", "introduction": "Only a thought"}).text
    seen = page.split("seen=", 1)[1].split('"', 1)[0]
    assert "Only a thought" in client.get(f"{WEEK}/mail?seen={seen}").text
    assert "Only a thought" not in client.get(f"{WEEK}/mail").text


def test_the_second_of_two_editors_is_shown_both(client: AsgiClient, desk: FakeDesk) -> None:
    """A form made from an old version writes nothing and comes back with both texts and the new version."""
    desk.overrides, desk.file_version = Overrides(subject="Theirs", introduction_md="By them."), "v2"
    answer = client.post(f"{WEEK}/edit", {"version": "v1", "do": "save", "subject": "Mine", "introduction": "By me."})
    assert answer.status_code == 409
    assert desk.overrides.subject == "Theirs"
    for words in ("Theirs", "By them.", "Mine", "By me.", 'name="version" value="v2"'):
        assert words in answer.text


def test_links_are_added_moved_and_removed(client: AsgiClient, desk: FakeDesk) -> None:
    """One form holds the whole list: a button changes it, and what was typed elsewhere in the form is saved with it."""
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
    """The ledger's buttons change what is asked of the week, and lead back to the ledger."""
    answer = client.post(f"{WEEK}/story", {"version": "v1", "do": "leave_out", "entry": "blog 7"})
    assert (answer.status_code, desk.overrides.leave_out) == (303, ("blog 7",))
    client.post(f"{WEEK}/story", {"version": desk.file_version, "do": "put_back", "entry": "blog 7"})
    assert desk.overrides == Overrides()


def test_an_older_piece_is_left_out_like_a_story(client: AsgiClient, desk: FakeDesk) -> None:
    """The ledger lists what the edition shows again, each once, with a button that keeps it out; no text is markup."""
    made = desk.editions["2026-W07"]
    assert isinstance(made, Edition)
    older = {"feed_id": "blog", "guid": "potter", "title": SCRIPT, "url": "https://h.example/potter"}
    manifest = json.loads(made.manifest) | {"archive": [older]}
    manifest["stories"][0]["related"] = [older]
    desk.editions["2026-W07"] = replace(made, manifest=json.dumps(manifest).encode())
    page = client.get(f"{WEEK}?view=decisions").text
    assert page.count('name="entry" value="blog potter"') == 1
    assert "<script>alert" not in page
    client.post(f"{WEEK}/story", {"version": "v1", "do": "leave_out", "entry": "blog potter"})
    assert desk.overrides.leave_out == ("blog potter",)
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="sent")
    assert "blog potter" not in client.get(f"{WEEK}?view=decisions").text


def test_a_note_is_put_under_a_story(client: AsgiClient, desk: FakeDesk) -> None:
    """The ledger has a field for each story that is told; what is in it goes into the file, and comes back."""
    answer = client.post(
        f"{WEEK}/note", {"version": "v1", "entry": "blog A kettle on the quay", "note": "Mine, *too*."}
    )
    assert answer.status_code == 303
    assert desk.overrides.notes == {"blog A kettle on the quay": "Mine, *too*."}
    assert ">Mine, *too*.</textarea>" in client.get(f"{WEEK}?view=decisions").text
    client.post(f"{WEEK}/note", {"version": desk.file_version, "entry": "blog A kettle on the quay", "note": " "})
    assert desk.overrides == Overrides()


def test_a_note_is_not_lost_to_another(client: AsgiClient, desk: FakeDesk) -> None:
    """Whoever saves a note second writes nothing, and is shown the other one above their own."""
    reference = "blog A kettle on the quay"
    desk.overrides, desk.file_version = Overrides(notes={reference: "Theirs."}), "v2"
    answer = client.post(f"{WEEK}/note", {"version": "v1", "entry": reference, "note": "Mine."})
    assert answer.status_code == 409
    assert desk.overrides.notes == {reference: "Theirs."}
    for words in ('<p class="conflict__text">Theirs.</p>', ">Mine.</textarea>", 'name="version" value="v2"'):
        assert words in answer.text


def test_a_move_is_made_with_what_was_on_the_screen(client: AsgiClient, desk: FakeDesk) -> None:
    """Approval carries the hash that the page showed, and the errors that were ticked."""
    page = client.get(WEEK).text
    seen = page.split('name="hash" value="', 1)[1].split('"', 1)[0]
    assert seen == fingerprint(edition("2026-W07"))
    answer = client.post(f"{WEEK}/actions", {"do": "approve", "hash": seen, "override": ["contrast", "unsafe"]})
    assert answer.status_code == 303
    assert desk.performed == [("approve", ActionOptions(content_hash=seen, overridden=("contrast", "unsafe")))]
    assert desk.ensured_checks == [("2026-W07", ("contrast", "unsafe"))]
    assert "Done: approve." in client.get(answer.headers["location"]).text


def test_links_are_asked_for_by_a_button(client: AsgiClient, desk: FakeDesk) -> None:
    """The button answers at once; the page says that they are being asked, and later what was found, and when."""
    assert client.post(f"{WEEK}/link-check", {}).status_code == 303
    assert "Checking links and images" in client.get(WEEK).text
    dead = CheckResult(name="dead-link", level="error", message="Mend it or take it out.", fix_target="links")
    desk.running_checks.clear()
    desk.link_checks["2026-W07"] = LinkCheck(
        content_hash="", checked_at=datetime(2026, 2, 17, 9, tzinfo=UTC), results=(dead,)
    )
    page = client.get(WEEK).text
    for words in ("Checked Tue 17 Feb 2026 09:00.", "Mend it or take it out.", 'name="override" value="dead-link"'):
        assert words in page


def test_an_approval_holds_nobody_up(client: AsgiClient, desk: FakeDesk) -> None:
    """While links are asked for before an approval, which takes its time, the pages are there for others."""
    asked, answered = Event(), Event()

    def ensure_checked(week: str, overridden: Sequence[str]) -> None:
        asked.set()
        assert answered.wait(10)

    desk.ensure_checked = ensure_checked  # type: ignore[method-assign]
    with ThreadPoolExecutor() as pool:
        approval = pool.submit(client.post, f"{WEEK}/actions", {"do": "approve", "hash": "1"})
        assert asked.wait(10)
        assert client.get(WEEK).status_code == 200
        assert desk.performed == []
        answered.set()
        assert approval.result().status_code == 303
    assert [action for action, _ in desk.performed] == ["approve"]


def test_a_refused_approval_shows_the_difference(client: AsgiClient, desk: FakeDesk) -> None:
    """The reason stands in the page in the words of the command line, with what has changed since the last look."""
    seen = client.get(WEEK).text.split('name="hash" value="', 1)[1].split('"', 1)[0]
    desk.change("2026-W07", edition("2026-W07", subject="Another subject altogether"))
    desk.refusal = "2026-W07 is no longer what you have seen: look again."
    answer = client.post(f"{WEEK}/actions", {"do": "approve", "hash": seen})
    assert answer.status_code == 409
    assert desk.refusal in answer.text
    assert "<ins>Another subject altogether</ins>" in answer.text


def test_changes_are_shown_against_what_was_approved(client: AsgiClient, desk: FakeDesk) -> None:
    """The difference view compares with the last approved bytes; before the first approval it says so."""
    assert "Nothing has been approved" in client.get(f"{WEEK}?view=changes").text
    desk.sealed["2026-W07"] = replace(edition("2026-W07"), preheader="Another one")
    assert "<del>Another one</del>" in client.get(f"{WEEK}?view=changes").text


@pytest.mark.parametrize("state", ["sending", "sent", "skipped"])
def test_what_is_out_cannot_be_written_to(client: AsgiClient, desk: FakeDesk, state: str) -> None:
    """Once an edition is out or skipped, neither the table nor the ledger's buttons are there."""
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state=state, number=1)  # type: ignore[arg-type]
    assert client.get(f"{WEEK}/edit").status_code == 409
    assert "leave_out" not in client.get(f"{WEEK}?view=decisions").text


def test_feeds_are_found_added_and_removed(client: AsgiClient) -> None:
    """What was found at an address is listed with a button; an address that is none is an error in the page."""
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


def test_without_feeds_there_is_nothing_to_read(client: AsgiClient, desk: FakeDesk) -> None:
    """A publication that has no feed yet is asked for one before it can be fetched."""
    desk.summaries, desk.feed_rows = (), ()
    assert "Add a feed first." in client.get("/").text


def test_reading_the_feeds_shows_how_it_comes_along(client: AsgiClient) -> None:
    """The button answers at once; the page counts the feeds, and reloads by itself where no script runs."""
    assert client.post("/fetch", {}).status_code == 303
    page = client.get("/").text
    assert "1 of 2 feeds" in page
    assert 'http-equiv="refresh"' in page


@pytest.mark.parametrize("path", FORMS)
def test_a_form_needs_our_token(client: AsgiClient, desk: FakeDesk, path: str) -> None:
    """Without the token of this process, or with another one, nothing is done."""
    before = (desk.overrides, tuple(desk.performed), desk.revision)
    for body in (b"do=approve&hash=1", b"csrf=&do=approve", b"csrf=guessed&do=approve", "csrf=é".encode()):
        answer = client.request("POST", path, headers={"origin": BASE_URL} | FORM_HEADERS, content=body)
        assert answer.status_code == 403
    assert (desk.overrides, tuple(desk.performed), desk.revision) == before


@pytest.mark.parametrize("path", FORMS)
def test_a_form_comes_from_our_own_pages(client: AsgiClient, path: str) -> None:
    """Even with a token, a form from elsewhere is refused: by its origin, and by the name it calls us."""
    for headers in (
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {},
        {"origin": BASE_URL, "host": "a.b"},
    ):
        assert client.request("POST", path, headers=headers | FORM_HEADERS, content=b"csrf=x").status_code == 403


@pytest.mark.parametrize("path", [f"{WEEK}/story", f"{WEEK}/actions", "/fetch"])
def test_nothing_is_moved_by_a_link(client: AsgiClient, path: str) -> None:
    """A GET on what changes something is answered 405."""
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("path", FORMS)
def test_a_huge_form_is_refused(client: AsgiClient, path: str) -> None:
    """More than any newsletter needs is not read to its end (413), nor are a thousand and one fields (400)."""
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
def test_what_no_button_says_is_refused(client: AsgiClient, desk: FakeDesk, path: str, fields: dict[str, str]) -> None:
    """An approval without a hash, a move or a choice that does not exist: 400, and nothing is done."""
    assert client.post(f"{WEEK}/{path}", fields).status_code == 400
    assert (desk.performed, desk.overrides) == ([], Overrides())


@pytest.mark.parametrize(
    "path", ["/week/../../etc/passwd", "/week/%2e%2e%2fetc/edit", "/static/..%2fpage.html.j2", "/week/2026-W99/edit"]
)
def test_paths_lead_nowhere_else(client: AsgiClient, path: str) -> None:
    """No address reaches a file that is not among the static ones, or a week that is none."""
    assert client.get(path).status_code == 404


def test_what_is_typed_never_becomes_a_tag(client: AsgiClient, desk: FakeDesk) -> None:
    """Script in every field of a form comes back as words."""
    names = ("subject", "preheader", "introduction", "new_url", "new_title", "new_note")
    page = client.post(f"{WEEK}/edit", dict.fromkeys(names, SCRIPT) | {"version": SCRIPT, "do": "preview"}).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    found = client.post("/feeds", {"do": "find", "url": SCRIPT}).text
    assert "<script>alert" not in found


def test_what_is_published_never_becomes_a_tag(client: AsgiClient, desk: FakeDesk) -> None:
    """Script in a subject, a heading, a title and a sender is words on every view."""
    desk.change("2026-W07", edition("2026-W07", subject=SCRIPT.replace("\n", ""), headings=SCRIPT, titles=SCRIPT))
    for view in ("mail", "inbox", "text", "headers", "source", "decisions", "changes"):
        page = client.get(f"{WEEK}?view={view}").text
        assert "<script>alert" not in page, view
        assert "<img src=x" not in page, view


def test_beyond_this_machine_a_token_is_needed(desk: FakeDesk) -> None:
    """The address that was printed lets one in, once; then a cookie does, that no script can read."""
    client = AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0, token="let-me-in"))
    there = {"host": "192.0.2.7:8025"}
    for path in ("/", WEEK, f"{WEEK}/mail", "/updates", "/static/desk.js", "/?token=wrong"):
        assert client.get(path, headers=there).status_code == 403
    answer = client.get(f"{WEEK}?token=let-me-in", headers=there)
    assert (answer.status_code, answer.headers["location"]) == (303, WEEK)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert client.get(WEEK, headers=there | {"cookie": cookie.split(";")[0]}).status_code == 200
