"""The states of an edition: what is sealed, what is published, what carries over, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.delivery.outbox import Outbox
from pipeline.digest.render.theme import Theme
from pipeline.jobs.digests.build import current_edition
from pipeline.jobs.digests.inputs import load_inputs
from pipeline.jobs.digests.selection import select_entries
from pipeline.model.edition import Overrides
from pipeline.model.entry import Entry
from pipeline.model.errors import DeliveryFailedError, NothingToPublishError, RefusedError, UsageError
from pipeline.model.feed import FilterRule
from pipeline.model.week import Week
from tests.factories import MONDAY, entry, episode
from tests.publication import HTML, W06, W07, W08, W09, PublicationHarness, small_theme, story_titles

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BREAD = entry("Bread on a stone", MONDAY + DAY, body_html="<p>It was baked slowly.</p>")
SOUP = entry("Soup for a wet day", MONDAY + 2 * DAY, body_html="<p>It was cooked slowly.</p>")
NEXT = entry("The week after", MONDAY + 8 * DAY)


@pytest.fixture(scope="module")
def theme(tmp_path_factory: pytest.TempPathFactory) -> Theme:
    return small_theme(tmp_path_factory.mktemp("themes"))


@pytest.fixture
def harness(tmp_path: Path, theme: Theme, job_store_url: str) -> Iterator[PublicationHarness]:
    """Two feeds fetched before the week began, two posts in it, and the clock after its closing."""
    harness = PublicationHarness(tmp_path, theme, job_store_url).set_time(MONDAY - DAY)
    harness.fetch(entry("An old post", MONDAY - 20 * DAY))
    harness.fetch(feed="podcast")
    harness.set_time(MONDAY + 3 * DAY).fetch(SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    yield harness.set_time_after_closing(W07)
    harness.store.close()


# Sealing


def test_approval_seals_the_draft(harness: PublicationHarness) -> None:
    """The same bytes, with a number, the actor and the time; the manifest has the state."""
    drafted = harness.digest(W07).edition
    standing = harness.approve(W07)
    sealed = harness.store.editions.sealed("2026-W07")
    assert sealed is not None
    assert (sealed.edition.html, sealed.edition.text, sealed.edition.eml) == (drafted.html, drafted.text, drafted.eml)
    assert sealed.edition.content_hash == drafted.content_hash == standing.content_hash
    manifest = json.loads(sealed.edition.manifest)
    assert (manifest["state"], manifest["number"]) == ("approved", 1)
    assert (standing.sealed_by, standing.sealed_at) == ("ann", harness.now)


def test_a_draft_has_its_future_number(harness: PublicationHarness) -> None:
    """In the subject or text of the mail, and in the manifest."""
    harness.publish(W07)
    harness.fetch(NEXT, SOUP, BREAD)
    drafted = harness.set_time_after_closing(W08).digest(W08).edition
    assert b"Issue 2" in drafted.html
    assert json.loads(drafted.manifest)["number"] == 2


def test_an_edition_links_to_the_one_before(harness: PublicationHarness) -> None:
    """To the page of the newest that was sent, wherever its public pages are; not to a draft, nor to a later one."""

    def previous(week: Week) -> str:
        selection = select_entries(harness.store, harness.context, week, now=harness.now)
        return load_inputs(harness.store, harness.context, week, selection).previous_url

    harness.context = replace(harness.context, public_url="https://letters.example")
    harness.digest(W07)
    assert previous(W08) == ""
    harness.publish(W07)
    assert (previous(W08), previous(W09)) == ("https://letters.example/archive/2026-W07",) * 2
    assert (previous(W07), previous(W06)) == ("", "")
    harness.context = replace(harness.context, public_url="")
    assert previous(W08) == ""


def test_a_sealed_week_keeps_its_bytes_and_lists_changes(harness: PublicationHarness, theme: Theme) -> None:
    """A changed entry, template or introduction is named, and no byte differs."""
    harness.digest(W07)
    harness.approve(W07)
    before = current_edition(harness.store, harness.context, W07, now=harness.now)
    assert before.changes == ()
    harness.fetch(SOUP, replace(BREAD, title="Bread on two stones"), entry("An old post", MONDAY - 20 * DAY))
    harness.overrides["2026-W07"] = Overrides(introduction_md="Good morning.")
    made = harness.digest(W07)
    assert made.edition.html == before.html == (made.paths[0]).read_bytes()
    said = " / ".join(made.edition.changes)
    assert "“Bread on a stone” was edited in its feed: title" in said
    assert "the introduction was rewritten" in said
    state = json.loads((made.paths[0].parent / "state.json").read_text())
    assert state["changed_since_approval"] == list(made.edition.changes)
    assert (state["state"], state["number"]) == ("approved", 1)
    harness.overrides.clear()
    harness.fetch(SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    harness.context = replace(harness.context, theme=small_theme(harness.folder, HTML + "<p>New</p>"))
    (change,) = harness.digest(W07).edition.changes
    assert change == "the HTML and the message file would differ: the template, config.toml or an image changed"


def test_a_second_approval_changes_the_hash_and_keeps_the_number(harness: PublicationHarness) -> None:
    """It is refused if nothing has changed."""
    first = harness.approve(W07)
    with pytest.raises(RefusedError, match="approved by ann, and nothing has changed since"):
        harness.approve(W07)
    harness.fetch(SOUP, replace(BREAD, title="Bread on two stones"), entry("An old post", MONDAY - 20 * DAY))
    second = harness.approve(W07)
    assert (first.number, second.number) == (1, 1)
    assert first.content_hash != second.content_hash
    assert "Bread on two stones" in harness.sealed_titles(W07)


def test_approval_by_hash_refuses_other_content(harness: PublicationHarness) -> None:
    """With the hash that was reviewed, or its beginning, only that content is sealed."""
    seen = harness.digest(W07).edition.content_hash
    harness.fetch(SOUP, replace(BREAD, title="Bread on two stones"), entry("An old post", MONDAY - 20 * DAY))
    with pytest.raises(RefusedError, match="has changed since you reviewed it"):
        harness.approve(W07, seen[:12])
    harness.fetch(SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    assert harness.approve(W07, seen[:12]).state == "approved"


def test_a_week_that_has_not_closed_is_not_approved(harness: PublicationHarness) -> None:
    """More entries may come."""
    with pytest.raises(RefusedError, match="still open"):
        harness.set_time(MONDAY + 4 * DAY).approve(W07)


def test_a_rebuild_is_identical_or_names_the_changes(harness: PublicationHarness) -> None:
    """It uses the store and the sealed overrides; an entry edited in its feed is named, with the files."""
    harness.overrides["2026-W07"] = Overrides(leave_out=(f"blog {SOUP.guid}",), introduction_md="Hello.")
    harness.publish(W07)
    harness.overrides.clear()
    assert harness.workflow.rebuild(W07).changed_files == ()
    harness.fetch(SOUP, replace(BREAD, title="Bread on two stones"), entry("An old post", MONDAY - 20 * DAY))
    rebuilt = harness.workflow.rebuild(W07)
    assert rebuilt.changed_files == ("digest.html", "digest.txt", "digest.eml")
    assert any("“Bread on a stone” was edited" in each for each in rebuilt.changes)
    with pytest.raises(RefusedError, match="not sealed"):
        harness.workflow.rebuild(W08)


# Drafts


def test_a_closed_week_keeps_its_entries(harness: PublicationHarness) -> None:
    """A new draft has the same entries with their newest text; a late one carries over."""
    harness.digest(W07)
    late = entry("Late", MONDAY + 4 * DAY)
    harness.fetch(late, SOUP, replace(BREAD, title="Bread on two stones"))
    assert harness.titles(W07) == ["Soup for a wet day", "Bread on two stones"]
    assert "goes into the next digest" in harness.reason(W07, "Late")
    harness.set_time_after_closing(W08)
    assert harness.titles(W08) == ["Late"]
    assert "late: first seen" in harness.reason(W08, "Late")


def test_an_entry_too_new_at_the_closing_is_not_added_later(harness: PublicationHarness) -> None:
    """It carries over, though the week is built again."""
    fresh = entry("Fresh", MONDAY + 6 * DAY)
    harness.set_time(MONDAY + 7 * DAY - HOUR).fetch(fresh, SOUP, BREAD)
    harness.set_quiet_period(600)
    harness.set_time_after_closing(W07)
    assert harness.titles(W07) == ["Soup for a wet day", "Bread on a stone"]
    harness.set_quiet_period(0)
    assert harness.titles(W07) == ["Soup for a wet day", "Bread on a stone"]
    assert harness.set_time_after_closing(W08).titles(W08) == ["Fresh"]
    assert "carried over" in harness.reason(W08, "Fresh")


@pytest.mark.parametrize("touched", ["new", "edited"])
def test_a_new_entry_waits(harness: PublicationHarness, touched: str) -> None:
    """First seen or changed a moment ago, it waits for the next digest, and --explain has the time."""
    harness.set_quiet_period(60)
    post = entry("Fresh", MONDAY + 6 * DAY)
    if touched == "edited":
        harness.set_time(MONDAY + 6 * DAY).fetch(post, SOUP, BREAD)
    harness.set_time(MONDAY + 7 * DAY + 5 * HOUR + HOUR / 2).fetch(replace(post, body_html="<p>New.</p>"), SOUP, BREAD)
    harness.set_time_after_closing(W07)
    assert "Fresh" not in harness.titles(W07)
    assert "too new: its story appeared or changed Mon 16 Feb 2026 05:30" in harness.reason(W07, "Fresh") or (
        "not included when this digest was built" in harness.reason(W07, "Fresh")
    )
    assert "Fresh" in harness.set_time_after_closing(W08).titles(W08)


def test_the_editor_can_put_back_a_new_entry(harness: PublicationHarness) -> None:
    """It does not wait then."""
    harness.set_quiet_period(60)
    post = entry("Fresh", MONDAY + 6 * DAY)
    harness.set_time_after_closing(W07).fetch(post, SOUP, BREAD)
    harness.overrides["2026-W07"] = Overrides(put_back=(f"blog {post.url}",))
    assert "Fresh" in harness.titles(W07)
    assert "put back by the editor" in harness.reason(W07, "Fresh")


def test_a_week_of_new_entries_alone_is_refused(harness: PublicationHarness) -> None:
    """Nothing is written or closed, and the reason names the setting."""
    harness.set_quiet_period(600)
    harness.set_time(MONDAY + 14 * DAY).fetch(NEXT, SOUP, BREAD)
    harness.publish(W07)
    with pytest.raises(NothingToPublishError, match="quiet_minutes"):
        harness.digest(W08)
    harness.set_time(MONDAY + 15 * DAY)
    assert harness.titles(W08) == ["The week after"]


def test_a_withdrawn_entry_stays_out(harness: PublicationHarness) -> None:
    """It is left out with the reason; an entry that scrolled off the feed's end is not."""
    harness.digest(W07)
    harness.fetch(SOUP, entry("An old post", MONDAY - 20 * DAY))
    assert harness.titles(W07) == ["Soup for a wet day"]
    assert harness.reason(W07, "Bread on a stone") == "out: removed from its feed"
    harness.fetch(SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    harness.fetch(NEXT, SOUP)
    assert "Bread on a stone" in harness.titles(W07)


def test_an_entry_that_returns_to_its_feed_is_published(harness: PublicationHarness) -> None:
    """Withdrawn when its week was sealed, it is in the next digest."""
    harness.digest(W07)
    harness.fetch(SOUP, entry("An old post", MONDAY - 20 * DAY))
    harness.publish(W07)
    harness.fetch(NEXT, SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    assert harness.set_time_after_closing(W08).titles(W08) == ["Bread on a stone", "The week after"]


def test_the_editor_chooses_the_entries(harness: PublicationHarness) -> None:
    """Left out, put back, ordered or leading; what is left out does not carry over."""
    harness.overrides["2026-W07"] = Overrides(leave_out=(f"blog {BREAD.guid}",))
    assert harness.titles(W07) == ["Soup for a wet day"]
    assert harness.reason(W07, "Bread on a stone") == "out: left out by the editor"
    harness.publish(W07)
    harness.fetch(NEXT, SOUP, BREAD)
    harness.set_time_after_closing(W08)
    assert harness.titles(W08) == ["The week after"]
    assert harness.reason(W08, "Bread on a stone") == "out: left out of 2026-W07 by the editor"
    harness.overrides["2026-W08"] = Overrides(
        put_back=(f"blog {BREAD.guid}", f"blog {SOUP.guid}"), lead=f"blog {NEXT.guid}", order=(f"blog {BREAD.url}",)
    )
    assert harness.titles(W08) == ["The week after", "Bread on a stone"]
    assert "was sent with Issue 1 (2026-W07); nothing is published twice" in harness.reason(W08, "Soup for a wet day")


# Publishing and carrying over


@pytest.mark.parametrize("leave", ["send", "hand_over"])
def test_a_sent_or_handed_over_entry_is_published(harness: PublicationHarness, leave: str) -> None:
    """No later digest includes it, and the reason names its edition."""
    harness.digest(W07)
    harness.approve(W07)
    standing = getattr(harness, leave)(W07)
    assert (standing.state, standing.number) == ("sent", 1)
    assert harness.reason(W08, "Bread on a stone").endswith(
        "was sent with Issue 1 (2026-W07); nothing is published twice"
    )


def test_an_approved_entry_is_reserved(harness: PublicationHarness) -> None:
    """Until it is sent no other edition can have it, even if the editor puts it back there."""
    harness.approve(W07)
    harness.overrides["2026-W06"] = Overrides(put_back=(f"blog {BREAD.guid}",))
    with pytest.raises(NothingToPublishError):
        harness.digest(W06)
    assert "is in Issue 1 (2026-W07), which is approved" in harness.reason(W06, "Bread on a stone")


@pytest.mark.parametrize("move", ["hold", "skip"])
@pytest.mark.parametrize("state", ["nothing", "draft", "approved"])
def test_the_entries_of_a_held_or_skipped_week_carry_over(harness: PublicationHarness, move: str, state: str) -> None:
    """Before it was written, as a draft or approved; the next digest names where they come from."""
    if state != "nothing":
        harness.digest(W07)
    if state == "approved":
        harness.approve(W07)
    getattr(harness, move)(W07)
    harness.fetch(NEXT, SOUP, BREAD)
    harness.set_time_after_closing(W08)
    assert harness.titles(W08) == ["Bread on a stone", "Soup for a wet day", "The week after"]
    which = "is held" if move == "hold" else "was skipped"
    assert f"carried over from 2026-W07, which {which}" in harness.reason(W08, "Bread on a stone")
    with pytest.raises(RefusedError, match="2026-W07 " + which):
        harness.digest(W07)


def test_archive_entries_of_a_skipped_week_carry_over(harness: PublicationHarness) -> None:
    """Even those of a feed's first fetch."""
    new = (
        PublicationHarness(harness.folder / "new", harness.context.theme)
        if (harness.folder / "new").mkdir() is None
        else harness
    )
    new.set_time(MONDAY + 3 * DAY).fetch(BREAD)
    new.set_time_after_closing(W07).skip(W07)
    new.fetch(NEXT, BREAD)
    assert new.set_time_after_closing(W08).titles(W08) == ["Bread on a stone", "The week after"]
    new.store.close()


def test_a_resumed_edition_is_as_before(harness: PublicationHarness) -> None:
    """If nobody took its entries, approval gives the same seal."""
    before = harness.approve(W07)
    harness.hold(W07)
    after = harness.resume(W07)
    assert (after.state, after.content_hash, after.number) == ("approved", before.content_hash, 1)
    assert harness.send(W07).state == "sent"


def test_a_resumed_edition_reclaims_entries_no_other_has(harness: PublicationHarness) -> None:
    """Sealed ones stay where they are, those in drafts return, and it must be approved again."""
    harness.approve(W07)
    harness.hold(W07)
    harness.fetch(NEXT, SOUP, BREAD)
    harness.set_time_after_closing(W08).overrides["2026-W08"] = Overrides(leave_out=(f"blog {SOUP.guid}",))
    harness.publish(W08)
    assert harness.sealed_titles(W08) == ["Bread on a stone", "The week after"]
    assert harness.resume(W07).state == "draft"
    assert harness.titles(W07) == ["Soup for a wet day"]
    assert harness.approve(W07).number == 1


@pytest.mark.parametrize("state", ["draft", "approved"])
def test_a_skipped_edition_comes_back_as_it_was(harness: PublicationHarness, state: str) -> None:
    """Skipping says how many stories carry over and where; resuming undoes it while nobody has published them."""
    before = harness.approve(W07) if state == "approved" else None
    skipped = harness.skip(W07)
    assert (skipped.state, skipped.note) == ("skipped", "2 stories carried over to 2026-W08")
    after = harness.resume(W07)
    assert after.state == state
    if before:
        assert (after.content_hash, after.number) == (before.content_hash, 1)
    assert sorted(harness.titles(W07)) == ["Bread on a stone", "Soup for a wet day"]
    harness.fetch(NEXT, SOUP, BREAD)
    assert harness.set_time_after_closing(W08).titles(W08) == ["The week after"]


def test_a_skipped_edition_comes_back_without_what_others_published(harness: PublicationHarness) -> None:
    """Stories of other sealed editions stay there; if none is left, the week stays skipped and the refusal says why."""
    harness.skip(W07)
    harness.fetch(NEXT, SOUP, BREAD)
    harness.set_time_after_closing(W08).overrides["2026-W08"] = Overrides(leave_out=(f"blog {SOUP.guid}",))
    harness.approve(W08)
    assert harness.resume(W07).state == "draft"
    assert harness.titles(W07) == ["Soup for a wet day"]
    harness.skip(W07)
    harness.set_time_after_closing(W08.next()).publish(W08.next())
    with pytest.raises(RefusedError, match="other editions have published all its stories"):
        harness.resume(W07)
    assert harness.store.editions.get("2026-W07").state == "skipped"


def test_a_skipped_week_without_stories_comes_back(harness: PublicationHarness) -> None:
    """A week that had nothing to carry over can be skipped and brought back."""
    harness.publish(W07)
    harness.set_time_after_closing(W08)
    assert harness.skip(W08).note == ""
    assert harness.resume(W08).state == "draft"


def test_a_failed_send_releases_the_entries(harness: PublicationHarness) -> None:
    """The edition is held with the reason and its entries carry over; resumed, it is sent once."""
    harness.approve(W07)
    (harness.folder / "outbox" / "Maildir" / "tmp").mkdir(parents=True)
    sealed = harness.store.editions.sealed("2026-W07")
    assert sealed is not None
    name = sealed.edition.eml.split(b"Message-ID: <")[1].split(b">")[0].decode()
    (harness.folder / "outbox" / "Maildir" / "tmp" / name).mkdir()
    with pytest.raises(DeliveryFailedError):
        harness.send(W07)
    standing = harness.store.editions.get("2026-W07")
    assert standing.state == "held"
    assert standing.note.startswith("sending failed: ")
    harness.fetch(NEXT, SOUP, BREAD)
    assert "Bread on a stone" in harness.set_time_after_closing(W08).titles(W08)
    (harness.folder / "outbox" / "Maildir" / "tmp" / name).rmdir()
    assert harness.resume(W07).state == "approved"
    assert harness.send(W07).state == "sent"
    assert harness.titles(W08) == ["The week after"]


# A story is published once


@pytest.mark.parametrize("beside", [(), (NEXT,)], ids=["alone", "beside others"])
def test_the_other_half_of_a_published_story_stays_out(harness: PublicationHarness, beside: tuple[Entry, ...]) -> None:
    """The post was sent; the episode of the next week belongs to the same story."""
    harness.publish(W07)
    harness.set_time(MONDAY + 9 * DAY).fetch(episode("Bread on a stone", MONDAY + 8 * DAY), feed="podcast")
    harness.fetch(*beside, SOUP, BREAD)
    harness.set_time_after_closing(W08)
    if beside:
        harness.publish(W08)
    else:
        with pytest.raises(NothingToPublishError):
            harness.digest(W08)
    said = [each.reason for each in harness.decisions(W08) if each.feed_id == "podcast"]
    assert "was sent with Issue 1 (2026-W07); " in said[0]
    for week in (W09, W09.next(), W09.next(5)):
        harness.set_time_after_closing(week)
        with pytest.raises(NothingToPublishError):
            harness.digest(week)


def test_a_pairing_found_after_one_half_was_sent(harness: PublicationHarness) -> None:
    """The other half leaves the draft it is in."""
    harness.publish(W07)
    stranger = episode("Something else", MONDAY + 8 * DAY)
    harness.set_time(MONDAY + 9 * DAY).fetch(stranger, feed="podcast")
    harness.fetch(NEXT, SOUP, BREAD)
    harness.set_time_after_closing(W08)
    assert harness.titles(W08) == ["The week after", "Something else"]
    harness.fetch(replace(stranger, title="Bread on a stone"), feed="podcast")
    assert harness.titles(W08) == ["The week after"]


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [(W07, W08, ["The week after"]), (W08, W07, ["Soup for a wet day"])],
    ids=["in their order", "the later one first"],
)
def test_a_pairing_found_after_both_halves_were_approved(
    harness: PublicationHarness, first: Week, second: Week, left: list[str]
) -> None:
    """The first edition sent publishes it; the second is refused, with what to do."""
    stranger = episode("Something else", MONDAY + 8 * DAY)
    harness.approve(W07)
    harness.set_time(MONDAY + 9 * DAY).fetch(stranger, feed="podcast")
    harness.fetch(NEXT, SOUP, BREAD)
    harness.set_time_after_closing(W08).approve(W08)
    harness.fetch(replace(stranger, title="Bread on a stone"), feed="podcast")
    harness.send(first)
    for leave in (harness.send, harness.hand_over):
        with pytest.raises(
            RefusedError, match=rf"published in Issue \d \({first}\): run `pipeline approve {second}` again"
        ):
            leave(second)
    harness.approve(second)
    assert harness.send(second).state == "sent"
    assert harness.sealed_titles(second) == left
    with pytest.raises(NothingToPublishError):
        harness.set_time_after_closing(W09).digest(W09)


@pytest.mark.parametrize(
    "change",
    [
        lambda post: replace(post, guid="another guid"),
        lambda post: replace(post, title="Bread, revised", body_html="<p>All new.</p>"),
        lambda post: replace(post, guid="another guid", url="https://new.example/bread-on-a-stone"),
    ],
    ids=["guid", "edited", "moved"],
)
def test_a_published_entry_under_another_guid_is_not_published_again(
    harness: PublicationHarness, change: Callable
) -> None:
    """Neither with another text nor with another URL."""
    harness.publish(W07)
    harness.fetch(NEXT, SOUP, change(BREAD))
    assert harness.set_time_after_closing(W08).titles(W08) == ["The week after"]


def test_the_editor_can_undo_a_wrong_pairing(harness: PublicationHarness) -> None:
    """Put back, the half is published as a story of its own."""
    harness.publish(W07)
    half = episode("Bread on a stone", MONDAY + 8 * DAY)
    harness.set_time(MONDAY + 9 * DAY).fetch(half, feed="podcast")
    harness.fetch(NEXT, SOUP, BREAD)
    harness.set_time_after_closing(W08).digest(W08)
    harness.overrides["2026-W08"] = Overrides(put_back=(f"podcast {half.guid}",))
    harness.publish(W08)
    assert sorted(harness.sealed_titles(W08)) == ["Bread on a stone", "The week after"]


def test_both_halves_of_a_story_wait_together(harness: PublicationHarness) -> None:
    """If one half is too new, the other one waits, too."""
    harness.set_quiet_period(60)
    harness.set_time(MONDAY + 7 * DAY + 5.5 * HOUR).fetch(episode("Bread on a stone", MONDAY + 6 * DAY), feed="podcast")
    harness.set_time_after_closing(W07)
    assert harness.titles(W07) == ["Soup for a wet day"]
    assert harness.set_time_after_closing(W08).titles(W08) == ["Bread on a stone"]
    assert len(json.loads(harness.digest(W08).edition.manifest)["stories"][0]["entries"]) == 2


# Refusals


def test_a_sent_edition_stays_sent(harness: PublicationHarness) -> None:
    """No transition is allowed, and `digest` keeps writing the sealed bytes."""
    harness.publish(W07)
    for move in (harness.approve, harness.hold, harness.resume, harness.skip, harness.send, harness.hand_over):
        with pytest.raises(RefusedError, match="has been sent and can no longer change"):
            move(W07)
    sealed = harness.store.editions.sealed("2026-W07")
    assert sealed is not None
    harness.fetch(SOUP, replace(BREAD, title="Other"), entry("An old post", MONDAY - 20 * DAY))
    made = harness.digest(W07)
    assert (made.edition.state, made.edition.html, made.edition.changes) == ("sent", sealed.edition.html, ())
    assert story_titles(made.paths[3].read_bytes()) == ["Soup for a wet day", "Bread on a stone"]


def test_an_interrupted_send_is_finished_by_the_next(harness: PublicationHarness) -> None:
    """In state ``sending`` the message may be out: only `send` is allowed."""
    harness.digest(W07)
    seen = harness.approve(W07)
    harness.store.editions.change_state(seen, "sending", now=harness.now, actor="ann")
    for move in (harness.approve, harness.hold, harness.skip, harness.hand_over):
        with pytest.raises(RefusedError, match="to finish"):
            move(W07)
    assert harness.send(W07).state == "sent"
    assert len(list((harness.folder / "outbox").glob("*.eml"))) == 1


def test_the_decisions_of_a_sent_week_are_those_of_its_edition(harness: PublicationHarness) -> None:
    """Whatever the editor's file, the feeds and config.toml contain by now."""
    harness.overrides["2026-W07"] = Overrides(leave_out=(f"blog {SOUP.guid}",))
    harness.publish(W07)
    decided = {each.title: (each.included, each.reason.partition("; text")[0]) for each in harness.decisions(W07)}
    assert decided["Bread on a stone"] == (True, "dated Tue 10 Feb 2026, in 2026-W07")
    assert decided["Soup for a wet day"] == (False, "left out by the editor")
    harness.overrides["2026-W07"] = Overrides(leave_out=(f"blog {BREAD.guid}",), put_back=(f"blog {NEXT.guid}",))
    harness.context = replace(
        harness.context,
        feeds=(replace(harness.context.feeds[0], exclude=FilterRule(pattern="Bread")), harness.context.feeds[1]),
    )
    harness.fetch(NEXT, SOUP, entry("An old post", MONDAY - 20 * DAY))  # the bread is withdrawn
    again = {each.title: (each.included, each.reason.partition("; text")[0]) for each in harness.decisions(W07)}
    assert {title: again[title] for title in decided} == decided
    assert not again["The week after"][0]


def test_sending_is_recorded_before_anything_leaves(harness: PublicationHarness) -> None:
    """Or a process that dies in between would leave no trace of what may have been sent."""

    class WatchingBackend(Outbox):
        def deliver(self, message: bytes) -> Path:
            states.append(harness.store.editions.get("2026-W07").state)
            return super().deliver(message)

    states: list[str] = []
    harness.approve(W07)
    harness.outbox = WatchingBackend(harness.folder / "outbox")
    assert harness.send(W07).state == "sent"
    assert states == ["sending"]


def test_an_override_of_no_check_is_refused(harness: PublicationHarness) -> None:
    """A misspelt name would be ignored, and the error it was meant for would not."""
    harness.set_time_after_closing(W07).digest(W07)
    for name, hint in (("nosuch", "there is no check 'nosuch'"), ("html-sise", "did you mean html-size?")):
        with pytest.raises(UsageError, match=re.escape(hint)):
            harness.workflow.approve(W07, now=harness.now, overridden=["contrast", name])
    harness.workflow.approve(W07, now=harness.now, overridden=["contrast"])
