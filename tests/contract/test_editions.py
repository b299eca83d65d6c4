"""An edition's life, sentence by sentence: what is sealed, what counts as carried, what rolls on, and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.digest.render.theme import Theme
from pipeline.jobs.digests.build import current_edition
from pipeline.model.edition import Overrides
from pipeline.model.entry import Entry
from pipeline.model.errors import DeliveryFailedError, NothingToPublishError, RefusedError
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
def house(tmp_path: Path, theme: Theme, store_url: str) -> Iterator[PublicationHarness]:
    """Two feeds read before the week began, two posts in it, and the clock after its closing."""
    house = PublicationHarness(tmp_path, theme, store_url).set_time(MONDAY - DAY)
    house.fetch(entry("An old post", MONDAY - 20 * DAY))
    house.fetch(feed="podcast")
    house.set_time(MONDAY + 3 * DAY).fetch(SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    yield house.set_time_after_closing(W07)
    house.store.close()


# Sealing


def test_approval_seals_what_was_drafted(house: PublicationHarness) -> None:
    """The same bytes, a number, who and when; the manifest says that it is approved."""
    drafted = house.digest(W07).edition
    standing = house.approve(W07)
    sealed = house.store.editions.sealed("2026-W07")
    assert sealed is not None
    assert (sealed.edition.html, sealed.edition.text, sealed.edition.eml) == (drafted.html, drafted.text, drafted.eml)
    assert sealed.edition.content_hash == drafted.content_hash == standing.content_hash
    manifest = json.loads(sealed.edition.manifest)
    assert (manifest["state"], manifest["number"]) == ("approved", 1)
    assert (standing.sealed_by, standing.sealed_at) == ("ann", house.now)


def test_a_draft_shows_the_number_it_will_get(house: PublicationHarness) -> None:
    """In the mail's own words, and in the manifest."""
    house.publish(W07)
    house.fetch(NEXT, SOUP, BREAD)
    drafted = house.set_time_after_closing(W08).digest(W08).edition
    assert b"No. 2" in drafted.html
    assert json.loads(drafted.manifest)["number"] == 2


def test_a_sealed_week_keeps_its_bytes_and_says_what_has_changed(house: PublicationHarness, theme: Theme) -> None:
    """Edited at the source, another template, another introduction: named, and not a byte is another."""
    house.digest(W07)
    house.approve(W07)
    before = current_edition(house.store, house.context, W07, now=house.now)
    assert before.changes == ()
    house.fetch(SOUP, replace(BREAD, title="Bread on two stones"), entry("An old post", MONDAY - 20 * DAY))
    house.overrides["2026-W07"] = Overrides(introduction_md="Good morning.")
    made = house.digest(W07)
    assert made.edition.html == before.html == (made.paths[0]).read_bytes()
    said = " / ".join(made.edition.changes)
    assert "“Bread on a stone” was edited in its feed: title" in said
    assert "the introduction was rewritten" in said
    state = json.loads((made.paths[0].parent / "state.json").read_text())
    assert state["changed_since_approval"] == list(made.edition.changes)
    assert (state["state"], state["number"]) == ("approved", 1)
    house.overrides.clear()
    house.fetch(SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    house.context = replace(house.context, theme=small_theme(house.folder, HTML + "<p>New</p>"))
    (change,) = house.digest(W07).edition.changes
    assert change == "the HTML and the message file would differ: the template, config.toml or an image changed"


def test_approved_again_it_has_a_new_hash_and_the_old_number(house: PublicationHarness) -> None:
    """Nothing changed: refused. Something changed: sealed anew, under its number."""
    first = house.approve(W07)
    with pytest.raises(RefusedError, match="approved by ann, and nothing has changed since"):
        house.approve(W07)
    house.fetch(SOUP, replace(BREAD, title="Bread on two stones"), entry("An old post", MONDAY - 20 * DAY))
    second = house.approve(W07)
    assert (first.number, second.number) == (1, 1)
    assert first.content_hash != second.content_hash
    assert "Bread on two stones" in house.sealed_titles(W07)


def test_approval_of_what_was_seen_refuses_what_was_not(house: PublicationHarness) -> None:
    """With the hash that was seen, or its beginning, only that content is sealed."""
    seen = house.digest(W07).edition.content_hash
    house.fetch(SOUP, replace(BREAD, title="Bread on two stones"), entry("An old post", MONDAY - 20 * DAY))
    with pytest.raises(RefusedError, match="has changed since you reviewed it"):
        house.approve(W07, seen[:12])
    house.fetch(SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    assert house.approve(W07, seen[:12]).state == "approved"


def test_a_running_week_is_not_approved(house: PublicationHarness) -> None:
    """More may come."""
    with pytest.raises(RefusedError, match="still running"):
        house.set_time(MONDAY + 4 * DAY).approve(W07)


def test_a_sealed_week_made_again_is_the_same_or_says_why_not(house: PublicationHarness) -> None:
    """From the store alone, wishes sealed with it included; an edit at the source is told, with the files."""
    house.overrides["2026-W07"] = Overrides(leave_out=(f"blog {SOUP.guid}",), introduction_md="Hello.")
    house.publish(W07)
    house.overrides.clear()
    assert house.workflow.rebuild(W07).changed_files == ()
    house.fetch(SOUP, replace(BREAD, title="Bread on two stones"), entry("An old post", MONDAY - 20 * DAY))
    rebuilt = house.workflow.rebuild(W07)
    assert rebuilt.changed_files == ("digest.html", "digest.txt", "digest.eml")
    assert any("“Bread on a stone” was edited" in each for each in rebuilt.changes)
    with pytest.raises(RefusedError, match="not sealed"):
        house.workflow.rebuild(W08)


# What a draft is made of


def test_a_settled_week_takes_exactly_what_it_took(house: PublicationHarness) -> None:
    """Made again, a draft has its entries in their newest words, and no others: the late one rolls on."""
    house.digest(W07)
    late = entry("Late", MONDAY + 4 * DAY)
    house.fetch(late, SOUP, replace(BREAD, title="Bread on two stones"))
    assert house.titles(W07) == ["Bread on two stones", "Soup for a wet day"]
    assert "goes into the next digest" in house.reason(W07, "Late")
    house.set_time_after_closing(W08)
    assert house.titles(W08) == ["Late"]
    assert "late: first seen" in house.reason(W08, "Late")


def test_what_was_left_at_home_does_not_slip_in(house: PublicationHarness) -> None:
    """An entry that waited when its week was settled rolls on, though the week is made again."""
    fresh = entry("Fresh", MONDAY + 6 * DAY)
    house.set_time(MONDAY + 7 * DAY - HOUR).fetch(fresh, SOUP, BREAD)
    house.set_quiet_period(600)
    house.set_time_after_closing(W07)
    assert house.titles(W07) == ["Bread on a stone", "Soup for a wet day"]
    house.set_quiet_period(0)
    assert house.titles(W07) == ["Bread on a stone", "Soup for a wet day"]
    assert house.set_time_after_closing(W08).titles(W08) == ["Fresh"]
    assert "carried over" in house.reason(W08, "Fresh")


@pytest.mark.parametrize("touched", ["new", "edited"])
def test_fresh_news_waits(house: PublicationHarness, touched: str) -> None:
    """First seen or changed a moment ago, it waits for the next digest, and --explain says since when."""
    house.set_quiet_period(60)
    post = entry("Fresh", MONDAY + 6 * DAY)
    if touched == "edited":
        house.set_time(MONDAY + 6 * DAY).fetch(post, SOUP, BREAD)
    house.set_time(MONDAY + 7 * DAY + 5 * HOUR + HOUR / 2).fetch(replace(post, body_html="<p>New.</p>"), SOUP, BREAD)
    house.set_time_after_closing(W07)
    assert "Fresh" not in house.titles(W07)
    assert "too new: its story appeared or changed Mon 16 Feb 2026 05:30" in house.reason(W07, "Fresh") or (
        "not included when this digest was built" in house.reason(W07, "Fresh")
    )
    assert "Fresh" in house.set_time_after_closing(W08).titles(W08)


def test_the_editor_does_not_wait(house: PublicationHarness) -> None:
    """Put back, fresh news comes in at once."""
    house.set_quiet_period(60)
    post = entry("Fresh", MONDAY + 6 * DAY)
    house.set_time_after_closing(W07).fetch(post, SOUP, BREAD)
    house.overrides["2026-W07"] = Overrides(put_back=(f"blog {post.url}",))
    assert "Fresh" in house.titles(W07)
    assert "put back by the editor" in house.reason(W07, "Fresh")


def test_a_week_of_fresh_news_alone_says_so(house: PublicationHarness) -> None:
    """Nothing is made, nothing is settled, and the reason is the setting."""
    house.set_quiet_period(600)
    house.set_time(MONDAY + 14 * DAY).fetch(NEXT, SOUP, BREAD)
    house.publish(W07)
    with pytest.raises(NothingToPublishError, match="quiet_minutes"):
        house.digest(W08)
    house.set_time(MONDAY + 15 * DAY)
    assert house.titles(W08) == ["The week after"]


def test_what_its_author_took_back_stays_out(house: PublicationHarness) -> None:
    """Withdrawn before the seal it is left out, with the reason; what scrolled off the end is not."""
    house.digest(W07)
    house.fetch(SOUP, entry("An old post", MONDAY - 20 * DAY))
    assert house.titles(W07) == ["Soup for a wet day"]
    assert house.reason(W07, "Bread on a stone") == "out: removed from its feed"
    house.fetch(SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    house.fetch(NEXT, SOUP)
    assert "Bread on a stone" in house.titles(W07)


def test_what_comes_back_to_its_feed_comes_back(house: PublicationHarness) -> None:
    """Withdrawn when its week was sealed, in the feed again later: the next digest takes it."""
    house.digest(W07)
    house.fetch(SOUP, entry("An old post", MONDAY - 20 * DAY))
    house.publish(W07)
    house.fetch(NEXT, SOUP, BREAD, entry("An old post", MONDAY - 20 * DAY))
    assert house.set_time_after_closing(W08).titles(W08) == ["Bread on a stone", "The week after"]


def test_the_editor_chooses(house: PublicationHarness) -> None:
    """Left out, put back, put in order, led: each as asked; what is left out goes nowhere by itself."""
    house.overrides["2026-W07"] = Overrides(leave_out=(f"blog {BREAD.guid}",))
    assert house.titles(W07) == ["Soup for a wet day"]
    assert house.reason(W07, "Bread on a stone") == "out: left out by the editor"
    house.publish(W07)
    house.fetch(NEXT, SOUP, BREAD)
    house.set_time_after_closing(W08)
    assert house.titles(W08) == ["The week after"]
    assert house.reason(W08, "Bread on a stone") == "out: left out of 2026-W07 by the editor"
    house.overrides["2026-W08"] = Overrides(
        put_back=(f"blog {BREAD.guid}", f"blog {SOUP.guid}"), lead=f"blog {NEXT.guid}", order=(f"blog {BREAD.url}",)
    )
    assert house.titles(W08) == ["The week after", "Bread on a stone"]
    assert "was sent with No. 1 (2026-W07); nothing is published twice" in house.reason(W08, "Soup for a wet day")


# What counts as carried


@pytest.mark.parametrize("leave", ["send", "hand_over"])
def test_carried_is_what_was_sent_or_handed_over(house: PublicationHarness, leave: str) -> None:
    """From then on no digest takes it, and each says in which edition it went out."""
    house.digest(W07)
    house.approve(W07)
    standing = getattr(house, leave)(W07)
    assert (standing.state, standing.number) == ("sent", 1)
    assert house.reason(W08, "Bread on a stone").endswith("was sent with No. 1 (2026-W07); nothing is published twice")


def test_what_is_approved_is_reserved(house: PublicationHarness) -> None:
    """Until it is sent it is nobody else's, whatever the editor of another week asks for."""
    house.approve(W07)
    house.overrides["2026-W06"] = Overrides(put_back=(f"blog {BREAD.guid}",))
    with pytest.raises(NothingToPublishError):
        house.digest(W06)
    assert "is in No. 1 (2026-W07), which is approved" in house.reason(W06, "Bread on a stone")


@pytest.mark.parametrize("move", ["hold", "skip"])
@pytest.mark.parametrize("state", ["nothing", "draft", "approved"])
def test_what_a_week_gives_up_goes_into_the_next_digest(house: PublicationHarness, move: str, state: str) -> None:
    """Held or skipped, before it was made, as a draft or approved: its entries roll on, and are told from where."""
    if state != "nothing":
        house.digest(W07)
    if state == "approved":
        house.approve(W07)
    getattr(house, move)(W07)
    house.fetch(NEXT, SOUP, BREAD)
    house.set_time_after_closing(W08)
    assert house.titles(W08) == ["Bread on a stone", "Soup for a wet day", "The week after"]
    which = "is held" if move == "hold" else "was skipped"
    assert f"carried over from 2026-W07, which {which}" in house.reason(W08, "Bread on a stone")
    with pytest.raises(RefusedError, match="2026-W07 " + which):
        house.digest(W07)


def test_the_backlog_rolls_on_too(house: PublicationHarness) -> None:
    """Even what came with a feed's first read: the week that had it was skipped."""
    new = (
        PublicationHarness(house.folder / "new", house.context.theme)
        if (house.folder / "new").mkdir() is None
        else house
    )
    new.set_time(MONDAY + 3 * DAY).fetch(BREAD)
    new.set_time_after_closing(W07).skip(W07)
    new.fetch(NEXT, BREAD)
    assert new.set_time_after_closing(W08).titles(W08) == ["Bread on a stone", "The week after"]
    new.store.close()


def test_resumed_it_is_as_it_was(house: PublicationHarness) -> None:
    """Nobody took its entries: approved again, the very seal."""
    before = house.approve(W07)
    house.hold(W07)
    after = house.resume(W07)
    assert (after.state, after.content_hash, after.number) == ("approved", before.content_hash, 1)
    assert house.send(W07).state == "sent"


def test_resumed_it_takes_back_what_no_other_edition_has(house: PublicationHarness) -> None:
    """What another has sealed stays there; what is in a draft comes back; it has to be approved anew."""
    house.approve(W07)
    house.hold(W07)
    house.fetch(NEXT, SOUP, BREAD)
    house.set_time_after_closing(W08).overrides["2026-W08"] = Overrides(leave_out=(f"blog {SOUP.guid}",))
    house.publish(W08)
    assert house.sealed_titles(W08) == ["Bread on a stone", "The week after"]
    assert house.resume(W07).state == "draft"
    assert house.titles(W07) == ["Soup for a wet day"]
    assert house.approve(W07).number == 1


def test_a_failed_send_lets_its_entries_go(house: PublicationHarness) -> None:
    """Nothing left the house: the edition is held, says why, and its entries roll on; resumed, it is sent once."""
    house.approve(W07)
    (house.folder / "outbox" / "Maildir" / "tmp").mkdir(parents=True)
    sealed = house.store.editions.sealed("2026-W07")
    assert sealed is not None
    name = sealed.edition.eml.split(b"Message-ID: <")[1].split(b">")[0].decode()
    (house.folder / "outbox" / "Maildir" / "tmp" / name).mkdir()
    with pytest.raises(DeliveryFailedError):
        house.send(W07)
    standing = house.store.editions.get("2026-W07")
    assert standing.state == "held"
    assert standing.note.startswith("sending failed: ")
    house.fetch(NEXT, SOUP, BREAD)
    assert "Bread on a stone" in house.set_time_after_closing(W08).titles(W08)
    (house.folder / "outbox" / "Maildir" / "tmp" / name).rmdir()
    assert house.resume(W07).state == "approved"
    assert house.send(W07).state == "sent"
    assert house.titles(W08) == ["The week after"]


# A story is told once


@pytest.mark.parametrize("beside", [(), (NEXT,)], ids=["alone", "beside others"])
def test_its_halves_in_two_weeks(house: PublicationHarness, beside: tuple[Entry, ...]) -> None:
    """The post went out; the episode of the next week is its other half, and stays out for good."""
    house.publish(W07)
    house.set_time(MONDAY + 9 * DAY).fetch(episode("Bread on a stone", MONDAY + 8 * DAY), feed="podcast")
    house.fetch(*beside, SOUP, BREAD)
    house.set_time_after_closing(W08)
    if beside:
        house.publish(W08)
    else:
        with pytest.raises(NothingToPublishError):
            house.digest(W08)
    said = [each.reason for each in house.decisions(W08) if each.feed_id == "podcast"]
    assert "was sent with No. 1 (2026-W07); " in said[0]
    for week in (W09, W09.next(), W09.next(5)):
        house.set_time_after_closing(week)
        with pytest.raises(NothingToPublishError):
            house.digest(week)


def test_its_pairing_found_only_after_one_was_told(house: PublicationHarness) -> None:
    """A half in a draft of its own leaves it once it is known for what it is."""
    house.publish(W07)
    stranger = episode("Something else", MONDAY + 8 * DAY)
    house.set_time(MONDAY + 9 * DAY).fetch(stranger, feed="podcast")
    house.fetch(NEXT, SOUP, BREAD)
    house.set_time_after_closing(W08)
    assert house.titles(W08) == ["The week after", "Something else"]
    house.fetch(replace(stranger, title="Bread on a stone"), feed="podcast")
    assert house.titles(W08) == ["The week after"]


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [(W07, W08, ["The week after"]), (W08, W07, ["Soup for a wet day"])],
    ids=["in their order", "the later one first"],
)
def test_its_pairing_found_only_after_both_were_approved(
    house: PublicationHarness, first: Week, second: Week, left: list[str]
) -> None:
    """The first to be sent tells it; the second is refused, and says how to go on."""
    stranger = episode("Something else", MONDAY + 8 * DAY)
    house.approve(W07)
    house.set_time(MONDAY + 9 * DAY).fetch(stranger, feed="podcast")
    house.fetch(NEXT, SOUP, BREAD)
    house.set_time_after_closing(W08).approve(W08)
    house.fetch(replace(stranger, title="Bread on a stone"), feed="podcast")
    house.send(first)
    for leave in (house.send, house.hand_over):
        with pytest.raises(
            RefusedError, match=rf"published in No\. \d \({first}\): run `pipeline approve {second}` again"
        ):
            leave(second)
    house.approve(second)
    assert house.send(second).state == "sent"
    assert house.sealed_titles(second) == left
    with pytest.raises(NothingToPublishError):
        house.set_time_after_closing(W09).digest(W09)


@pytest.mark.parametrize(
    "change",
    [
        lambda post: replace(post, guid="another guid"),
        lambda post: replace(post, title="Bread, revised", body_html="<p>All new.</p>"),
        lambda post: replace(post, guid="another guid", url="https://new.example/bread-on-a-stone"),
    ],
    ids=["guid", "edited", "moved"],
)
def test_under_another_name(house: PublicationHarness, change: Callable) -> None:
    """Another guid, another text, another address: it went out, and does not come again."""
    house.publish(W07)
    house.fetch(NEXT, SOUP, change(BREAD))
    assert house.set_time_after_closing(W08).titles(W08) == ["The week after"]


def test_a_wrong_pairing_is_the_editors_to_undo(house: PublicationHarness) -> None:
    """Put back, the half that was thought to be told is told as a story of its own."""
    house.publish(W07)
    half = episode("Bread on a stone", MONDAY + 8 * DAY)
    house.set_time(MONDAY + 9 * DAY).fetch(half, feed="podcast")
    house.fetch(NEXT, SOUP, BREAD)
    house.set_time_after_closing(W08).digest(W08)
    house.overrides["2026-W08"] = Overrides(put_back=(f"podcast {half.guid}",))
    house.publish(W08)
    assert sorted(house.sealed_titles(W08)) == ["Bread on a stone", "The week after"]


def test_a_story_waits_whole(house: PublicationHarness) -> None:
    """When one half is fresh the other waits with it: what is told once is told whole."""
    house.set_quiet_period(60)
    house.set_time(MONDAY + 7 * DAY + 5.5 * HOUR).fetch(episode("Bread on a stone", MONDAY + 6 * DAY), feed="podcast")
    house.set_time_after_closing(W07)
    assert house.titles(W07) == ["Soup for a wet day"]
    assert house.set_time_after_closing(W08).titles(W08) == ["Bread on a stone"]
    assert len(json.loads(house.digest(W08).edition.manifest)["stories"][0]["entries"]) == 2


# Refusals


def test_what_is_sent_stays_sent(house: PublicationHarness) -> None:
    """No move leads on, and the digest goes on writing the sealed bytes."""
    house.publish(W07)
    for move in (house.approve, house.hold, house.resume, house.skip, house.send, house.hand_over):
        with pytest.raises(RefusedError, match="has been sent and can no longer change"):
            move(W07)
    sealed = house.store.editions.sealed("2026-W07")
    assert sealed is not None
    house.fetch(SOUP, replace(BREAD, title="Other"), entry("An old post", MONDAY - 20 * DAY))
    made = house.digest(W07)
    assert (made.edition.state, made.edition.html, made.edition.changes) == ("sent", sealed.edition.html, ())
    assert story_titles(made.paths[3].read_bytes()) == ["Bread on a stone", "Soup for a wet day"]


def test_what_is_interrupted_is_finished_by_the_next_send(house: PublicationHarness) -> None:
    """Between ``sending`` and ``sent`` the mail may be out: nothing else is allowed, and send completes it."""
    house.digest(W07)
    seen = house.approve(W07)
    house.store.editions.change_state(seen, "sending", now=house.now, actor="ann")
    for move in (house.approve, house.hold, house.skip, house.hand_over):
        with pytest.raises(RefusedError, match="to finish"):
            move(W07)
    assert house.send(W07).state == "sent"
    assert len(list((house.folder / "outbox").glob("*.eml"))) == 1


def test_what_is_explained_of_a_sent_week_is_what_went_out(house: PublicationHarness) -> None:
    """Whatever the editor's file, the feeds and config.toml say by now: the ledger is that of the mail."""
    house.overrides["2026-W07"] = Overrides(leave_out=(f"blog {SOUP.guid}",))
    house.publish(W07)
    told = {each.title: (each.included, each.reason) for each in house.decisions(W07)}
    assert told["Bread on a stone"] == (True, "dated Tue 10 Feb 2026, in 2026-W07")
    assert told["Soup for a wet day"] == (False, "left out by the editor")
    house.overrides["2026-W07"] = Overrides(leave_out=(f"blog {BREAD.guid}",), put_back=(f"blog {NEXT.guid}",))
    house.context = replace(
        house.context,
        feeds=(replace(house.context.feeds[0], exclude=FilterRule(pattern="Bread")), house.context.feeds[1]),
    )
    house.fetch(NEXT, SOUP, entry("An old post", MONDAY - 20 * DAY))  # and the bread is taken back
    again = {each.title: (each.included, each.reason) for each in house.decisions(W07)}
    assert {title: again[title] for title in told} == told
    assert not again["The week after"][0]
