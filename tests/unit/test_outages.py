"""Recovery from outages: missed drafts, late feeds, and processes that write at the same time."""

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
def publication(tmp_path: Path) -> Iterator[PublicationHarness]:
    """A publication whose feed was fetched before the first of these weeks."""
    publication = PublicationHarness(tmp_path, shared_theme())
    publication.set_time(OPENS[W06]).fetch(entry("Old", OPENS[W06] - 90 * DAY))
    yield publication
    publication.store.close()


def tick(publication: PublicationHarness, now: datetime, schedule: str = "mon 06:00") -> list[tuple[str, str]]:
    """Run a tick with the draft task only and return the status and message of each run."""
    publication.set_time(now)
    task = draft_task(
        parse_schedule(schedule), publication.store, lambda: publication.context, publication.folder / "editions"
    )
    leases = RunLeases(publication.store.runs, "here", lambda: now)
    return [(each.status, each.message) for each in run_due([task], leases, lambda: now, UTC)]


def test_after_two_missed_weeks_the_next_draft_contains_both(publication: PublicationHarness) -> None:
    """Entries of a week without a draft are carried over to the next draft."""
    for week in (W06, W07):
        publication.set_time(OPENS[week] + 3 * DAY).fetch(POSTS[week])
        if week == W06:
            assert tick(publication, CLOCK.bounds(W06)[1] + 6 * HOUR)[0][0] == "succeeded"
    back_at = CLOCK.bounds(W08)[1] + 7 * HOUR
    publication.set_time(back_at).fetch(POSTS[W08])
    tick(publication, back_at)
    assert publication.titles(W08) == [POSTS[W08].title, POSTS[W07].title]
    assert publication.reason(W08, POSTS[W07].title).endswith(f"carried over: not in the digest of {W07}")


def test_a_week_without_a_draft_keeps_its_stories_until_another_digest_has_them(
    publication: PublicationHarness,
) -> None:
    """A story belongs to its own week until the digest of a later week contains it."""
    publication.set_time(OPENS[W07] + 3 * DAY).fetch(POSTS[W07])
    publication.set_time(OPENS[W08] + 3 * DAY).fetch(POSTS[W08], POSTS[W07])
    publication.set_time(OPENS[W09] + 3 * DAY).fetch(POSTS[W09], POSTS[W08], POSTS[W07])
    publication.set_time_after_closing(W09)
    assert publication.titles(W07) == [POSTS[W07].title]
    assert publication.titles(W09) == [POSTS[W09].title, POSTS[W08].title]
    assert publication.reason(W08, POSTS[W08].title).endswith(f"is in the digest of {W09}")


def test_the_open_week_does_not_take_stories_of_the_closed_one(publication: PublicationHarness) -> None:
    """Between the closing and the draft a story still belongs to its week."""
    publication.set_time(OPENS[W07] + 3 * DAY).fetch(POSTS[W07])
    publication.set_time_after_closing(W07)
    assert publication.reason(W08, POSTS[W07].title).endswith(f"belongs to {W07}")


def fetch_new(publication: PublicationHarness, now: datetime, *entries: Entry) -> None:
    """Fetch the feed and record that it had new content."""
    publication.set_time(now).fetch(*entries)
    publication.store.feeds.save(replace(publication.store.feeds.states()["blog"], new_content_at=now))


def test_a_draft_waits_for_entries_of_its_week(publication: PublicationHarness) -> None:
    """A deferred draft is built at the first tick after the feeds were fetched."""
    due = CLOCK.bounds(W07)[1] + 6 * HOUR
    assert [status for status, _ in tick(publication, due)] == ["deferred"]
    assert tick(publication, due + timedelta(seconds=30)) == []
    fetch_new(publication, due + timedelta(seconds=40), POSTS[W07])
    assert [status for status, _ in tick(publication, due + timedelta(seconds=45))] == ["succeeded"]
    assert tick(publication, due + 6 * DAY) == []


def test_a_draft_on_another_weekday_is_built_too(publication: PublicationHarness) -> None:
    """If the schedule is moved from Monday to Thursday, the Thursday of the same week has a draft too."""
    publication.set_time(OPENS[W07] + 3 * DAY).fetch(POSTS[W07])
    monday = CLOCK.bounds(W07)[1] + 6 * HOUR
    assert len(tick(publication, monday)) == 1
    assert len(tick(publication, monday + 3 * DAY + 10 * HOUR, "thu 16:00")) == 1


def test_an_old_period_name_causes_one_more_draft(publication: PublicationHarness) -> None:
    """Runs used to be named after ISO weeks: the first tick builds the same draft again, the next does nothing."""
    publication.set_time(OPENS[W07] + 3 * DAY).fetch(POSTS[W07])
    monday = CLOCK.bounds(W07)[1] + 6 * HOUR
    publication.set_time(monday).digest(W07)
    run = claim("draft", "2026-W08", None, claimed_by="before", now=monday)
    publication.store.runs.advance(None, run)
    publication.store.runs.advance(run, finish(run, "succeeded", "", monday))
    assert len(tick(publication, monday + HOUR)) == 1
    assert tick(publication, monday + 2 * HOUR) == []
    assert publication.titles(W07) == [POSTS[W07].title]


def update(publication: PublicationHarness, feed: str, *entries: Entry) -> FeedUpdate:
    changes = decide(entries, publication.store.entries.identities(feed))
    return FeedUpdate(state=FeedState(feed_id=feed), changes=changes, archived=False)


def test_a_guid_taken_by_another_process_does_not_stop_the_other_feeds(publication: PublicationHarness) -> None:
    """The repair that needs the guid is skipped; the updates of other feeds are written."""
    here, other = entry("Here", guid="a"), entry("Quite another", guid="b")
    publication.store.entries.apply([update(publication, "x", replace(here, feed_id="x"))], now=publication.now)
    renamed, stays = replace(here, feed_id="x", guid="b"), replace(here, feed_id="x")
    repair = update(publication, "x", renamed)
    assert [each.kind for each in repair.changes.entries] == ["repaired"]
    publication.store.entries.apply([update(publication, "x", replace(other, feed_id="x"), stays)], now=publication.now)
    elsewhere = update(publication, "y", entry("Elsewhere", feed="y"))
    applied = publication.store.entries.apply([elsewhere, repair], now=publication.now)
    assert [(each.new, each.changed) for each in applied] == [(1, 0), (0, 0)]
    assert {each.guid for each in publication.store.entries.identities("x")} == {"a", "b"}


def test_the_base_of_an_item_affects_the_next_one_whether_or_not_it_is_known() -> None:
    """An edited item keeps its guid, whether the item before it is parsed again or not."""
    based = "<item xml:base='https://b.example/'><guid>g0</guid><title>One</title></item>"
    odd = "<item><guid>g1</guid><title>Two</title><b>odd</b></item>"
    first = parse_incrementally(document(based, odd), PreviousDocument(), url=FEEDS[0].url)
    later = parse_incrementally(
        document(based, odd.replace("Two", "Three")), PreviousDocument(raw_hashes=first.hashes), url=FEEDS[0].url
    )
    assert [each.guid for each in first.parsed.entries][1] in [each.guid for each in later.parsed.entries]


@pytest.mark.parametrize("root", ["<rss version='2.0' xml:base='https://o.example/'>", "<rss version='2.0'>"])
def test_only_new_items_are_parsed_if_no_item_changes_the_base(root: str) -> None:
    """A base declared on the root applies to all items."""
    based = " xml:base='https://b.example/'" if "base" in root else ""
    first = parse_incrementally(document(f"<item><guid{based}>1</guid></item>", root=root), PreviousDocument())
    both = document("<item><guid>2</guid></item>", f"<item><guid{based}>1</guid></item>", root=root)
    assert len(parse_incrementally(both, PreviousDocument(raw_hashes=first.hashes)).known_hashes) == 1


def document(*items: str, root: str = "<rss version='2.0'>") -> bytes:
    return f"{root}<channel><title>Notes</title>{''.join(items)}</channel></rss>".encode()
