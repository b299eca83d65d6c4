"""The desk's services over the demo publication: its feeds, its store, its editor's file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import pytest

from pipeline.app.feeds import build_refresher
from pipeline.digest.editor.actions import ACTIONS
from pipeline.ingest.polling import can_force
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.edition import RECOVERY_ACTOR, EditorLink, Overrides
from pipeline.model.errors import ConflictError, EditorFileError, RefusedError
from pipeline.model.week import Week
from pipeline.web.desk.message_details import story_references
from pipeline.web.desk.ports import ActionOptions, Desk
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk
from pipeline.web.pages import create_desk_app
from tests.asgi_client import BASE_URL, FORM_HEADERS, AsgiClient
from tests.demo import write_fetched_store
from tests.measure_cost import scaled_seconds

NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
WEEK = "2026-W07"


@pytest.fixture
def open_publication(publication: Path) -> Iterator[LivePublication]:
    write_fetched_store(publication, NOW)
    with LivePublication(publication / "config.toml", lambda: NOW) as opened:
        yield opened


@pytest.fixture
def desk(open_publication: LivePublication) -> Desk:
    return create_desk(open_publication)


def current_edition(desk: Desk) -> Edition:
    edition = desk.editions.edition(WEEK)
    assert isinstance(edition, Edition)
    return edition


def change_story(desk: Desk, action: str, reference: str) -> None:
    sections = story_references(current_edition(desk))
    desk.editor.save(WEEK, lambda overrides: ACTIONS[action](overrides, reference, sections), desk.editor.version(WEEK))


def test_a_preview_writes_nothing(desk: Desk) -> None:
    """A preview is byte for byte the edition that saving would produce, and writes no file."""

    def change(overrides: Overrides) -> Overrides:
        return replace(overrides, introduction_md="Good morning.")

    preview = desk.editor.preview(WEEK, change)
    assert isinstance(preview, Edition)
    assert desk.editor.version(WEEK) == ""
    desk.editor.save(WEEK, change, "")
    assert current_edition(desk).eml == preview.eml


def test_an_outdated_version_is_not_saved(desk: Desk, publication: Path) -> None:
    """A change made from an outdated version of the file is refused and not written."""
    desk.editor.save(WEEK, lambda overrides: replace(overrides, subject="Theirs"), "")
    file = publication / "editions" / f"{WEEK}.md"
    before = file.read_bytes()
    with pytest.raises(ConflictError):
        desk.editor.save(WEEK, lambda overrides: replace(overrides, subject="Mine"), "")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "text", ["Hello <!-- there", "## Useful links\n\nHello", "Hello\n\n# Useful links:\n- <https://a.example/>"]
)
def test_text_that_would_be_parsed_differently_is_refused(desk: Desk, text: str) -> None:
    """Text that the file would parse as a comment or as the list of links is refused, not lost."""
    with pytest.raises((RefusedError, EditorFileError)):
        desk.editor.save(WEEK, lambda overrides: replace(overrides, introduction_md=text), "")
    assert desk.editor.version(WEEK) == ""


def test_leaving_out_and_putting_back_changes_nothing(desk: Desk) -> None:
    """A story that is left out is not in the edition; put back, the edition is the same as before."""
    before = current_edition(desk)
    reference = story_references(before)[0][0][0]
    change_story(desk, "leave_out", reference)
    assert reference not in str(story_references(current_edition(desk)))
    change_story(desk, "put_back", reference)
    assert current_edition(desk).content_hash == before.content_hash


def test_stories_move_within_their_section(desk: Desk) -> None:
    """A story moved down and up again is back in its place; one moved above the lead becomes the lead."""
    before = story_references(current_edition(desk))
    section = next(section for section in before if len(section) > 1)
    position, (first, second) = before.index(section), (section[0][0], section[1][0])
    change_story(desk, "move_down", first)
    assert [story[0] for story in story_references(current_edition(desk))[position][:2]] == [second, first]
    change_story(desk, "move_up", first)
    assert story_references(current_edition(desk)) == before


def test_changes_are_undone_one_by_one(desk: Desk, publication: Path) -> None:
    """Each restores the file of before, comments and all; the first one removes the file that it had created."""
    file = publication / "editions" / f"{WEEK}.md"
    texts = []
    for label, subject in (("One.", "Bread"), ("Two.", "Salt"), ("", "Typed")):
        texts.append(file.read_text() if file.exists() else None)
        change = lambda overrides, subject=subject: replace(overrides, subject=subject)  # noqa: E731
        desk.editor.save(WEEK, change, desk.editor.version(WEEK), label)
        assert desk.editor.last_change(WEEK) == label
    while texts:
        desk.editor.undo(WEEK, desk.editor.version(WEEK))
        assert (file.read_text() if file.exists() else None) == texts.pop()
    assert desk.editor.last_change(WEEK) == ""


def test_a_change_of_somebody_else_is_not_undone(desk: Desk, publication: Path) -> None:
    """Whether it was made in a text editor or at the desk: nothing is written."""
    desk.editor.save(WEEK, lambda overrides: replace(overrides, subject="Bread"), desk.editor.version(WEEK), "Mine.")
    version, file = desk.editor.version(WEEK), publication / "editions" / f"{WEEK}.md"
    theirs = file.read_text() + "\nTheirs.\n"
    file.write_text(theirs)
    assert desk.editor.last_change(WEEK) == ""
    with pytest.raises(ConflictError):
        desk.editor.undo(WEEK, version)
    assert file.read_text() == theirs


def test_all_stories_can_be_left_out_and_put_back(desk: Desk) -> None:
    """A week with every entry left out still shows its decisions, with a button to put each back."""
    references = tuple(f"{entry.feed_id} {entry.guid}" for entry in desk.editions.decisions(WEEK) if entry.included)
    desk.editor.save(WEEK, lambda overrides: replace(overrides, leave_out=references), "")
    page = AsgiClient(create_desk_app(desk, long_poll_seconds=0)).get(f"/week/{WEEK}").text
    assert "Nothing to publish" in page
    assert page.count('value="put_back"') >= len(references)


def test_links_can_be_added_and_removed(desk: Desk, open_publication: LivePublication) -> None:
    """An editor's link is published, and removing it restores the edition."""
    before = current_edition(desk).content_hash
    known = next(entry for entry in desk.editions.decisions(WEEK) if entry.included and entry.feed_id == "links")
    (stored,) = open_publication.current_app().store().entries.by_id([known.entry_id])
    link = EditorLink(url=stored.entry.url, title="In my words")
    desk.editor.save(WEEK, lambda overrides: replace(overrides, links=(link,)), "")
    assert "In my words" in current_edition(desk).text.decode()
    desk.editor.save(WEEK, lambda overrides: replace(overrides, links=()), desk.editor.version(WEEK))
    assert current_edition(desk).content_hash == before


def test_an_edition_is_approved_tested_held_and_sent(desk: Desk) -> None:
    """An approval needs the hash of the current edition; after sending, the editor's file cannot be changed."""
    seen = current_edition(desk).content_hash
    desk.editor.save(WEEK, lambda overrides: replace(overrides, subject="Bread"), "")
    with pytest.raises(RefusedError, match="has changed since you reviewed it"):
        desk.editions.perform(WEEK, "approve", ActionOptions(content_hash=seen))
    assert "Issue 1" in desk.editions.perform(
        WEEK, "approve", ActionOptions(content_hash=current_edition(desk).content_hash)
    )
    assert desk.editions.approved_edition(WEEK) is not None
    assert "editor@harbour.example" in desk.editions.perform(
        WEEK, "test", ActionOptions(test_address="Ann <editor@harbour.example>")
    )
    assert "Held" in desk.editions.perform(WEEK, "hold", ActionOptions())
    assert "Approved again" in desk.editions.perform(WEEK, "resume", ActionOptions())
    assert "Issue 1 written to the outbox; not delivered to anyone" in desk.editions.perform(
        WEEK, "send", ActionOptions()
    )
    with pytest.raises(RefusedError, match="has been sent"):
        desk.editor.save(WEEK, lambda overrides: replace(overrides, subject="Too late"), desk.editor.version(WEEK))


@pytest.mark.parametrize(
    ("answer", "state", "result"),
    [("hand over", "sent", "Recorded as sent, as Issue 1."), ("resume", "draft", "Back to draft")],
)
def test_an_unconfirmed_edition_is_answered_for(
    desk: Desk, open_publication: LivePublication, publication: Path, answer: str, state: str, result: str
) -> None:
    """Its page asks whether it was sent and offers two buttons; other pages lead there, and none is approved before."""
    editions = open_publication.current_app().store().editions
    client, other = AsgiClient(create_desk_app(desk, long_poll_seconds=0)), "/week/2026-W06"
    assert "Was this edition sent?" not in client.get(f"/week/{WEEK}").text
    editions.change_state(editions.get(WEEK), "held", now=NOW, actor=RECOVERY_ACTOR, note="the disk was changed")
    for path in ("/", other):
        assert f'<a href="/week/{WEEK}">answer for {WEEK}</a>' in client.get(path).text
    page = client.get(f"/week/{WEEK}").text
    assert "Was this edition sent?</strong> It may have been (the disk was changed)." in page
    assert page.count('value="resume"') == 1
    for label, action in (("It was sent", "hand over"), ("It was not sent", "resume")):
        assert f'name="do" value="{action}">{label}</button>' in page
    draft = desk.editions.draft("2026-W06")
    assert isinstance(draft, Edition)
    for path, action in ((other, "approve"), (f"/week/{WEEK}", "send"), (f"/week/{WEEK}", "hold")):
        refused = client.post(f"{path}/actions", {"do": action, "hash": draft.content_hash, "override": "dead-link"})
        assert (refused.status_code, f"{WEEK} may have been sent already" in refused.text) == (409, True)
    forged = f"csrf=guessed&do={answer}".replace(" ", "+").encode()
    headers = {"origin": BASE_URL} | FORM_HEADERS
    assert client.request("POST", f"/week/{WEEK}/actions", headers=headers, content=forged).status_code == 403
    assert editions.get(WEEK).is_unconfirmed
    answered = client.post(f"/week/{WEEK}/actions", {"do": answer})
    assert result in client.get(answered.headers["location"]).text
    assert (editions.get(WEEK).state, editions.unconfirmed()) == (state, None)
    assert "may have been sent already" not in client.get(other).text
    file = publication / "editions" / WEEK / "state.json"
    assert file.exists() == (state == "sent")
    assert state == "draft" or json.loads(file.read_bytes())["state"] == "sent"


def test_a_mistake_in_the_file_is_shown_with_its_line(desk: Desk, publication: Path) -> None:
    """An invalid file is named with its line, on the week's page and in the editor."""
    (publication / "editions").mkdir(exist_ok=True)
    (publication / "editions" / f"{WEEK}.md").write_text('+++\nsubjcet = "Bread"\n+++\n', encoding="utf-8")
    assert isinstance(desk.editions.edition(WEEK), BuildFailure)
    client = AsgiClient(create_desk_app(desk, long_poll_seconds=0))
    for path in (f"/week/{WEEK}", f"/week/{WEEK}/edit"):
        page = client.get(path)
        assert page.status_code < 500
        assert f"{WEEK}.md, line 2" in page.text
    assert (
        '<span class="excerpt__error"><span class="excerpt__number">2</span>subjcet = '
        in client.get(f"/week/{WEEK}").text
    )


def test_a_new_file_has_no_overrides(desk: Desk) -> None:
    """A file whose only change was undone holds comments alone."""
    desk.editor.save(WEEK, lambda overrides: replace(overrides, subject="Bread"), "")
    desk.editor.save(WEEK, lambda overrides: replace(overrides, subject=""), desk.editor.version(WEEK))
    assert desk.editor.state(WEEK).overrides == Overrides()


def test_pages_and_previews_are_fast(desk: Desk) -> None:
    """The list of weeks takes under 150 ms of CPU time once warm, the preview of a keystroke under 200 ms."""
    client = AsgiClient(create_desk_app(desk, long_poll_seconds=0))
    words = {"version": desk.editor.version(WEEK), "do": "preview", "introduction": "Good morning."}
    requests = ((lambda: client.get("/"), 0.15), (lambda: client.post(f"/week/{WEEK}/edit", words), 0.2))
    for request, limit in requests:
        request()
        assert min(scaled_seconds(request) for _ in range(3)) < limit


def test_a_dead_link_blocks_an_approval_until_it_is_ignored(desk: Desk, publication: Path) -> None:
    """Approving checks links first; the page offers to ignore the error, and then the edition is approved."""
    (publication / "fixtures/spokeandseat.example/odd-chairs/index.html").unlink()
    client, seen = AsgiClient(create_desk_app(desk, long_poll_seconds=0)), current_edition(desk).content_hash
    page = client.post(f"/week/{WEEK}/actions", {"do": "approve", "hash": seen})
    assert page.status_code == 409
    assert 'name="override" value="dead-link"' in page.text
    assert (
        client.post(f"/week/{WEEK}/actions", {"do": "approve", "hash": seen, "override": "dead-link"}).status_code
        == 303
    )
    approved = desk.editions.approved_edition(WEEK)
    assert approved is not None
    assert json.loads(approved.manifest)["overridden"] == ["dead-link"]


def test_links_are_checked_in_the_background(desk: Desk) -> None:
    """A check starts at once and ends by itself; the page version shows that it is running."""
    before = desk.updates.page_version()
    desk.link_checks.start(WEEK)
    assert desk.updates.page_version() != before
    until = monotonic() + 10
    while desk.link_checks.is_running(WEEK) and monotonic() < until:
        sleep(0.01)
    link_check = desk.link_checks.result(current_edition(desk))
    assert link_check is not None
    assert link_check.checked_at == NOW
    assert "dead-link" not in {check.name for check in link_check.results}


def test_new_entries_are_announced(desk: Desk, open_publication: LivePublication, publication: Path) -> None:
    """An entry fetched while a page is open is named with its feed."""
    client = AsgiClient(create_desk_app(desk, long_poll_seconds=0))
    seen = client.get("/updates").json()["version"]
    feed = publication / "fixtures/harbourandhearth.example/feed/index.xml"
    item = "<item><title>Nets, mended</title><guid>nets</guid><pubDate>Mon, 16 Feb 2026 08:00:00 +0000</pubDate></item>"
    feed.write_text(feed.read_text().replace("<item>", f"{item}<item>", 1))
    app = open_publication.current_app()
    build_refresher(app).refresh(app.feeds, now=NOW, is_due=can_force)
    changes = client.get("/updates", params={"seen": seen}).json()["changes"]
    assert changes == {"entries": "1 new entry from blog: “Nets, mended”."}


def test_a_sent_edition_is_corrected(desk: Desk, publication: Path) -> None:
    """Its files, a test copy and the outbox have the correction; the edition's own stay."""
    week = Week.parse(WEEK)
    with pytest.raises(RefusedError, match="change it before you send it"):
        desk.corrections.make(week, "Wrong.", ())
    content_hash = current_edition(desk).content_hash
    desk.editions.perform(WEEK, "approve", ActionOptions(content_hash=content_hash))
    desk.editions.perform(WEEK, "send", ActionOptions())
    folder = publication / "editions" / WEEK
    files = {path.name: path.read_bytes() for path in folder.glob("digest.*")}
    assert "exactly this is sent" in desk.corrections.make(week, "The tide was wrong.", ())
    assert "The tide was wrong." in (folder / "corrections" / "1" / "digest.txt").read_text()
    assert "Test copy for ann@harbour.example" in desk.corrections.test(week, "ann@harbour.example")
    (draft,) = desk.corrections.of_week(WEEK)
    assert desk.corrections.edition(draft) is not None
    sentence = desk.corrections.send(week, draft.content_hash)
    assert "Correction 1 written to the outbox; not delivered to anyone: outbox/2026-W07." in sentence
    assert json.loads((folder / "corrections" / "1" / "state.json").read_text())["state"] == "sent"
    assert {path.name: path.read_bytes() for path in folder.glob("digest.*")} == files
    with pytest.raises(RefusedError, match="has no draft of a correction"):
        desk.corrections.discard(week)
