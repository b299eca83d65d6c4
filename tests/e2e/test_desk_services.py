"""The desk over a real publication: the demo's feeds, its store, its editor's file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, process_time, sleep

import pytest

from pipeline.app.feeds import build_refresher
from pipeline.digest.editor.actions import ACTIONS
from pipeline.ingest.polling import can_force
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.errors import ConflictError, EditorFileError, RefusedError
from pipeline.web.desk.mail_details import story_references
from pipeline.web.desk.ports import ActionOptions
from pipeline.web.desk.services import PublicationDesk
from pipeline.web.preview import create_desk_app
from tests.asgi_client import AsgiClient
from tests.demo import write_fetched_store

NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
WEEK = "2026-W07"


@pytest.fixture
def desk(publication: Path) -> Iterator[PublicationDesk]:
    write_fetched_store(publication, NOW)
    with PublicationDesk(publication / "config.toml", lambda: NOW) as desk:
        yield desk


def shown(desk: PublicationDesk) -> Edition:
    found = desk.edition(WEEK)
    assert isinstance(found, Edition)
    return found


def choose(desk: PublicationDesk, what: str, reference: str) -> None:
    sections = story_references(shown(desk))
    desk.save(WEEK, lambda asked: ACTIONS[what](asked, reference, sections), desk.version(WEEK))


def test_a_try_writes_nothing(desk: PublicationDesk) -> None:
    """What is tried is the mail as it would be, byte for byte, and no file."""

    def change(asked: Overrides) -> Overrides:
        return replace(asked, introduction_md="Good morning.")

    tried = desk.preview(WEEK, change)
    assert isinstance(tried, Edition)
    assert desk.version(WEEK) == ""
    desk.save(WEEK, change, "")
    assert shown(desk).eml == tried.eml


def test_an_old_version_is_refused(desk: PublicationDesk, publication: Path) -> None:
    """Words saved over a file that somebody else has changed meanwhile are not written."""
    desk.save(WEEK, lambda asked: replace(asked, subject="Theirs"), "")
    file = publication / "editions" / f"{WEEK}.md"
    before = file.read_bytes()
    with pytest.raises(ConflictError):
        desk.save(WEEK, lambda asked: replace(asked, subject="Mine"), "")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "words", ["Hello <!-- there", "## Useful links\n\nHello", "Hello\n\n# Useful links:\n- <https://a.example/>"]
)
def test_words_that_would_be_read_otherwise_are_refused(desk: PublicationDesk, words: str) -> None:
    """What the file would take for a remark, or for the list of links, is not silently lost."""
    with pytest.raises((RefusedError, EditorFileError)):
        desk.save(WEEK, lambda asked: replace(asked, introduction_md=words), "")
    assert desk.version(WEEK) == ""


def test_left_out_and_put_back_is_as_before(desk: PublicationDesk) -> None:
    """Leaving a story out takes it out of the mail; putting it back gives the very same mail again."""
    before = shown(desk)
    reference = story_references(before)[0][0][0]
    choose(desk, "leave_out", reference)
    assert reference not in str(story_references(shown(desk)))
    choose(desk, "put_back", reference)
    assert shown(desk).content_hash == before.content_hash


def test_stories_move_within_their_section(desk: PublicationDesk) -> None:
    """Later, and earlier again: two stories change places and come back."""
    before = story_references(shown(desk))
    first, second = before[0][0][0], before[0][1][0]
    choose(desk, "move_down", first)
    assert [story[0] for story in story_references(shown(desk))[0][:2]] == [second, first]
    choose(desk, "move_up", first)
    assert story_references(shown(desk)) == before


def test_all_stories_can_be_left_out_and_come_back(desk: PublicationDesk) -> None:
    """A week that the editor has emptied still shows its ledger, and each entry can be put back."""
    everything = tuple(f"{each.feed_id} {each.guid}" for each in desk.decisions(WEEK) if each.included)
    desk.save(WEEK, lambda asked: replace(asked, leave_out=everything), "")
    page = AsgiClient(create_desk_app(desk, long_poll_seconds=0)).get(f"/week/{WEEK}").text
    assert "Nothing to publish" in page
    assert page.count('value="put_back"') >= len(everything)


def test_links_come_and_go(desk: PublicationDesk) -> None:
    """A link of the editor's own is told, and taken out again with all that came in with it."""
    before = shown(desk).content_hash
    known = next(each for each in desk.decisions(WEEK) if each.included and each.feed_id == "links")
    (stored,) = desk.app.store.entries_by_id([known.entry_id])
    link = EditorLink(url=stored.entry.url, title="In my words")
    desk.save(WEEK, lambda asked: replace(asked, links=(link,)), "")
    assert "In my words" in shown(desk).text.decode()
    desk.save(WEEK, lambda asked: replace(asked, links=()), desk.version(WEEK))
    assert shown(desk).content_hash == before


def test_an_edition_goes_its_way(desk: PublicationDesk) -> None:
    """Approved by the hash that was seen, refused by another one, tested, sent; after that nothing is written."""
    seen = shown(desk).content_hash
    desk.save(WEEK, lambda asked: replace(asked, subject="Bread"), "")
    with pytest.raises(RefusedError, match="has changed since you reviewed it"):
        desk.perform(WEEK, "approve", ActionOptions(content_hash=seen))
    assert "No. 1" in desk.perform(WEEK, "approve", ActionOptions(content_hash=shown(desk).content_hash))
    assert desk.approved_edition(WEEK) is not None
    assert "editor@harbour.example" in desk.perform(
        WEEK, "test", ActionOptions(test_address="Ann <editor@harbour.example>")
    )
    assert "Held" in desk.perform(WEEK, "hold", ActionOptions())
    assert "Approved again" in desk.perform(WEEK, "resume", ActionOptions())
    assert "Sent: No. 1" in desk.perform(WEEK, "send", ActionOptions())
    with pytest.raises(RefusedError, match="has been sent"):
        desk.save(WEEK, lambda asked: replace(asked, subject="Too late"), desk.version(WEEK))


def test_a_mistake_in_the_file_is_shown_where_it_is(desk: PublicationDesk, publication: Path) -> None:
    """A file that is not understood is named with its line, on the week's page and on the editor's table."""
    (publication / "editions").mkdir(exist_ok=True)
    (publication / "editions" / f"{WEEK}.md").write_text('+++\nsubjcet = "Bread"\n+++\n', encoding="utf-8")
    assert isinstance(desk.edition(WEEK), BuildFailure)
    client = AsgiClient(create_desk_app(desk, long_poll_seconds=0))
    for path in (f"/week/{WEEK}", f"/week/{WEEK}/edit"):
        page = client.get(path)
        assert page.status_code < 500
        assert f"{WEEK}.md, line 2" in page.text
    assert (
        '<span class="excerpt__wrong"><span class="excerpt__number">2</span>subjcet = '
        in client.get(f"/week/{WEEK}").text
    )


def test_asked_for_nothing_is_asked_for_nothing(desk: PublicationDesk) -> None:
    """A new file holds comments alone: it asks for what no file asks for."""
    desk.save(WEEK, lambda asked: replace(asked, subject="Bread"), "")
    desk.save(WEEK, lambda asked: replace(asked, subject=""), desk.version(WEEK))
    assert desk.editor_state(WEEK).overrides == Overrides()


def test_a_keystroke_is_answered_at_once(desk: PublicationDesk) -> None:
    """The first page takes under 150 ms of a warm program, the preview of what was typed under 200 ms."""
    client = AsgiClient(create_desk_app(desk, long_poll_seconds=0))
    words = {"version": desk.version(WEEK), "do": "try", "introduction": "Good morning."}

    def seconds(ask: Callable[[], object]) -> float:
        ask()
        started = process_time()  # of this process alone: others may be busy
        ask()
        return process_time() - started

    assert min(seconds(lambda: client.get("/")) for _ in range(3)) < 0.15
    assert min(seconds(lambda: client.post(f"/week/{WEEK}/edit", words)) for _ in range(3)) < 0.2


def test_a_dead_link_stops_an_approval_until_it_is_ticked(desk: PublicationDesk, publication: Path) -> None:
    """Approving asks links and pictures first; the page then offers the error to be ticked, and ticked it goes out."""
    (publication / "fixtures/spokeandseat.example/odd-chairs/index.html").unlink()
    client, seen = AsgiClient(create_desk_app(desk, long_poll_seconds=0)), shown(desk).content_hash
    page = client.post(f"/week/{WEEK}/move", {"do": "approve", "hash": seen})
    assert page.status_code == 409
    assert 'name="override" value="dead-link"' in page.text
    assert (
        client.post(f"/week/{WEEK}/move", {"do": "approve", "hash": seen, "override": "dead-link"}).status_code == 303
    )
    approved = desk.approved_edition(WEEK)
    assert approved is not None
    assert json.loads(approved.manifest)["overridden"] == ["dead-link"]


def test_links_are_asked_while_the_desk_goes_on(desk: PublicationDesk) -> None:
    """The look begins at once and ends by itself; until then the mark says that something is going on."""
    before = desk.page_version()
    desk.start_link_check(WEEK)
    assert desk.page_version() != before
    until = monotonic() + 10
    while desk.is_checking_links(WEEK) and monotonic() < until:
        sleep(0.01)
    look = desk.link_check(shown(desk))
    assert look is not None
    assert look.checked_at == NOW
    assert "dead-link" not in {check.name for check in look.results}


def test_what_is_fetched_is_told(desk: PublicationDesk, publication: Path) -> None:
    """An entry that comes in while a page is open is named with its feed."""
    client = AsgiClient(create_desk_app(desk, long_poll_seconds=0))
    seen = client.get("/mark").json()["mark"]
    feed = publication / "fixtures/harbourandhearth.example/feed/index.xml"
    item = "<item><title>Nets, mended</title><guid>nets</guid><pubDate>Mon, 16 Feb 2026 08:00:00 +0000</pubDate></item>"
    feed.write_text(feed.read_text().replace("<item>", f"{item}<item>", 1))
    build_refresher(desk.app).refresh(desk.app.feeds, now=NOW, is_due=can_force)
    news = client.get("/mark", params={"seen": seen}).json()["news"]
    assert news == {"entries": "1 new entry from blog: “Nets, mended”."}
