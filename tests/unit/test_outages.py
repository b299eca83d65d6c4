"""What was away comes back: no week that nobody drafted keeps its stories, no process that was quicker stops others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.ingest.dedupe import decide
from pipeline.ingest.parse.parser import parse_incrementally
from pipeline.ingest.parse.result import PreviousDocument
from pipeline.jobs.tasks import draft_task
from pipeline.model.entry import Entry
from pipeline.model.feed import FeedState
from pipeline.model.run import claim, finish
from pipeline.model.schedule import parse_schedule
from pipeline.model.update import FeedUpdate
from pipeline.scheduler.engine import run_due
from pipeline.scheduler.lease import RunLeases
from tests.factories import entry
from tests.publication import CLOCK, FEEDS, W06, W07, W08, W09, PublicationHarness, shared_theme

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OPENS = {week: CLOCK.bounds(week)[0] for week in (W06, W07, W08, W09)}
POSTS = {week: entry(f"Of {week}", opens_at + 2 * DAY) for week, opens_at in OPENS.items()}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[PublicationHarness]:
    """A house whose feed was read before the first of these weeks."""
    house = PublicationHarness(tmp_path, shared_theme())
    house.set_time(OPENS[W06]).fetch(entry("Old", OPENS[W06] - 90 * DAY))
    yield house
    house.store.close()


def beat(house: PublicationHarness, now: datetime, words: str = "mon 06:00") -> list[tuple[str, str]]:
    """Beat once, with nothing to do but the draft."""
    house.set_time(now)
    task = draft_task(parse_schedule(words), house.store, lambda: house.context, house.folder / "editions")
    ledger = RunLeases(house.store.runs, "here", lambda: now)
    return [(each.status, each.message) for each in run_due([task], ledger, lambda: now, UTC)]


def test_away_over_two_closings_the_next_draft_tells_both_weeks(house: PublicationHarness) -> None:
    """What was read in time for the draft that nobody made is told in the first one after it."""
    for week in (W06, W07):
        house.set_time(OPENS[week] + 3 * DAY).fetch(POSTS[week])
        if week == W06:
            assert beat(house, CLOCK.bounds(W06)[1] + 6 * HOUR)[0][0] == "succeeded"
    back = CLOCK.bounds(W08)[1] + 7 * HOUR
    house.set_time(back).fetch(POSTS[W08])
    beat(house, back)
    assert house.titles(W08) == [POSTS[W07].title, POSTS[W08].title]
    assert house.reason(W08, POSTS[W07].title).endswith(f"carried over: not in the digest of {W07}")


def test_a_week_that_nobody_drafted_can_be_made_while_nobody_took_its_stories(house: PublicationHarness) -> None:
    """It is at home there as long as it was told nowhere; then it is where it was told."""
    house.set_time(OPENS[W07] + 3 * DAY).fetch(POSTS[W07])
    house.set_time(OPENS[W08] + 3 * DAY).fetch(POSTS[W08], POSTS[W07])
    house.set_time(OPENS[W09] + 3 * DAY).fetch(POSTS[W09], POSTS[W08], POSTS[W07])
    house.set_time_after_closing(W09)
    assert house.titles(W07) == [POSTS[W07].title]
    assert house.titles(W09) == [POSTS[W08].title, POSTS[W09].title]
    assert house.reason(W08, POSTS[W08].title).endswith(f"is in the digest of {W09}")


def test_the_running_week_leaves_the_closed_one_its_stories(house: PublicationHarness) -> None:
    """Between closing and draft a story is still at home."""
    house.set_time(OPENS[W07] + 3 * DAY).fetch(POSTS[W07])
    house.set_time_after_closing(W07)
    assert house.reason(W08, POSTS[W07].title).endswith(f"belongs to {W07}")


def news(house: PublicationHarness, now: datetime, *document: Entry) -> None:
    """Read the feed as a round does."""
    house.set_time(now).fetch(*document)
    house.store.feeds.save(replace(house.store.feeds.states()["blog"], new_content_at=now))


def test_a_draft_waits_for_entries_of_its_week(house: PublicationHarness) -> None:
    """Feeds that failed when it was due, and are read half an hour later, still give a draft, at once."""
    due = CLOCK.bounds(W07)[1] + 6 * HOUR
    assert [outcome for outcome, _ in beat(house, due)] == ["deferred"]
    assert beat(house, due + timedelta(seconds=30)) == []
    news(house, due + timedelta(seconds=40), POSTS[W07])
    assert [outcome for outcome, _ in beat(house, due + timedelta(seconds=45))] == ["succeeded"]
    assert beat(house, due + 6 * DAY) == []


def test_another_weekday_gives_another_draft(house: PublicationHarness) -> None:
    """Monday's draft is made; the schedule is moved to Thursdays, and this Thursday's is made too."""
    house.set_time(OPENS[W07] + 3 * DAY).fetch(POSTS[W07])
    monday = CLOCK.bounds(W07)[1] + 6 * HOUR
    assert len(beat(house, monday)) == 1
    assert len(beat(house, monday + 3 * DAY + 10 * HOUR, "thu 16:00")) == 1


def test_an_older_name_of_a_period_costs_one_more_draft_and_no_more(house: PublicationHarness) -> None:
    """Runs used to be named after ISO weeks: the first beat makes the same draft again, the next does nothing."""
    house.set_time(OPENS[W07] + 3 * DAY).fetch(POSTS[W07])
    monday = CLOCK.bounds(W07)[1] + 6 * HOUR
    house.set_time(monday).digest(W07)
    run = claim("draft", "2026-W08", None, claimed_by="before", now=monday)
    house.store.runs.advance(None, run)
    house.store.runs.advance(run, finish(run, "succeeded", "", monday))
    assert len(beat(house, monday + HOUR)) == 1
    assert beat(house, monday + 2 * HOUR) == []
    assert house.titles(W07) == [POSTS[W07].title]


def decided(house: PublicationHarness, feed: str, *document: Entry) -> FeedUpdate:
    verdict = decide(document, house.store.entries.identities(feed))
    return FeedUpdate(state=FeedState(feed_id=feed), changes=verdict, archived=False)


def test_a_guid_that_another_process_was_quicker_to_take_stops_nobody(house: PublicationHarness) -> None:
    """The other feeds are written, the repair is left out, and what the next read says is done."""
    here, other = entry("Here", guid="a"), entry("Quite another", guid="b")
    house.store.entries.apply([decided(house, "x", replace(here, feed_id="x"))], now=house.now)
    renamed, stays = replace(here, feed_id="x", guid="b"), replace(here, feed_id="x")
    repair = decided(house, "x", renamed)
    assert [each.kind for each in repair.changes.entries] == ["repaired"]
    house.store.entries.apply([decided(house, "x", replace(other, feed_id="x"), stays)], now=house.now)
    elsewhere = decided(house, "y", entry("Elsewhere", feed="y"))
    found = house.store.entries.apply([elsewhere, repair], now=house.now)
    assert [(each.new, each.changed) for each in found] == [(1, 0), (0, 0)]
    assert {each.guid for each in house.store.entries.identities("x")} == {"a", "b"}


def test_what_an_items_base_does_to_its_neighbour_does_not_depend_on_what_is_known() -> None:
    """An edited item keeps its guid, whether the one before it is read with it or was read before."""
    based = "<item xml:base='https://b.example/'><guid>g0</guid><title>One</title></item>"
    odd = "<item><guid>g1</guid><title>Two</title><b>odd</b></item>"
    first = parse_incrementally(written(based, odd), PreviousDocument(), url=FEEDS[0].url)
    later = parse_incrementally(
        written(based, odd.replace("Two", "Three")), PreviousDocument(raw_hashes=first.hashes), url=FEEDS[0].url
    )
    assert [each.guid for each in first.parsed.entries][1] in [each.guid for each in later.parsed.entries]


@pytest.mark.parametrize("root", ["<rss version='2.0' xml:base='https://o.example/'>", "<rss version='2.0'>"])
def test_where_no_item_changes_the_base_only_news_is_read(root: str) -> None:
    """A base around all items is the same for each."""
    based = " xml:base='https://b.example/'" if "base" in root else ""
    first = parse_incrementally(written(f"<item><guid{based}>1</guid></item>", root=root), PreviousDocument())
    both = written("<item><guid>2</guid></item>", f"<item><guid{based}>1</guid></item>", root=root)
    assert len(parse_incrementally(both, PreviousDocument(raw_hashes=first.hashes)).known_hashes) == 1


def written(*items: str, root: str = "<rss version='2.0'>") -> bytes:
    return f"{root}<channel><title>Notes</title>{''.join(items)}</channel></rss>".encode()
