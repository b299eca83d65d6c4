"""The tasks of reading: whom they ask, when a round is tried again, and what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.jobs.feeds.refresh import FeedReport, Refresher
from pipeline.jobs.tasks import NewFeedsSchedule, draft_task, fetch_task, first_fetch_task, never_fetched
from pipeline.model.entry import UpdateCounts
from pipeline.model.errors import FeedsFailedError
from pipeline.model.fetch import FetchOutcome, FetchRequest, OutcomeKind
from pipeline.model.run import LEASE_TTL, claim, finish
from pipeline.model.schedule import Every, parse_schedule
from pipeline.scheduler.engine import Task
from pipeline.store import Store
from tests.empty_store import empty_store
from tests.factories import MONDAY, entry
from tests.publication import CLOCK, FEEDS, W06, W07, PublicationHarness, shared_theme

HALF_HOUR = Every(timedelta(minutes=30))
MINUTE = timedelta(minutes=1)
DOCUMENT = b"<rss version='2.0'><channel><title>x</title></channel></rss>"


@dataclass
class Network:
    """Answers feeds as it is told, and remembers who was asked."""

    kinds: dict[str, OutcomeKind] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, *, blocked_hosts: Mapping[str, datetime]) -> AsyncIterator[Network]:
        yield self

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        for request in requests:
            self.asked.append(request.key)
            kind = self.kinds.get(request.key, "ok")
            body = DOCUMENT if kind == "ok" else b""
            yield FetchOutcome(key=request.key, url=request.url, kind=kind, detail="answered so", body=body)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(empty_store(tmp_path)) as store:
        yield store


@pytest.fixture
def network() -> Network:
    return Network()


def refresher(store: Store, network: Network) -> Refresher:
    return Refresher(store=store, open_fetcher=network.open, interval=HALF_HOUR.interval)


def run(task: Task, now: datetime) -> FeedsFailedError | str:
    try:
        return str(task.run("", now))
    except FeedsFailedError as failed:
        return failed


def test_a_round_in_which_no_feed_could_be_reached_is_tried_again(store: Store, network: Network) -> None:
    """Then it is the way there: all are asked a minute later, whatever each one's own wait says."""
    network.kinds = dict.fromkeys(("blog", "podcast"), "unreachable")
    task = fetch_task(HALF_HOUR, refresher(store, network), FEEDS)
    failed = run(task, MONDAY)
    assert isinstance(failed, FeedsFailedError)
    assert failed.retry
    network.kinds = {}
    assert run(task, MONDAY + MINUTE) == "2 of 2 feeds asked, 0 new entries"
    assert network.asked == ["blog", "podcast"] * 2


def test_a_round_in_which_one_feed_failed_is_over(store: Store, network: Network) -> None:
    """The feed waits as its failures say; the others were read."""
    network.kinds = {"podcast": "unreachable"}
    task = fetch_task(HALF_HOUR, refresher(store, network), FEEDS)
    failed = run(task, MONDAY)
    assert isinstance(failed, FeedsFailedError)
    assert (failed.retry, failed.feeds) == (False, ("podcast",))
    assert run(task, MONDAY + MINUTE) == "0 of 2 feeds asked, 0 new entries"


def test_feeds_that_answer_with_an_error_do_not_count_as_out_of_reach(store: Store, network: Network) -> None:
    """Two servers with a fault are two servers with a fault: they are left alone as long as usual."""
    network.kinds = dict.fromkeys(("blog", "podcast"), "server_error")
    failed = run(fetch_task(HALF_HOUR, refresher(store, network), FEEDS), MONDAY)
    assert isinstance(failed, FeedsFailedError)
    assert not failed.retry


def test_a_feed_that_was_added_or_moved_is_an_occasion(store: Store, network: Network) -> None:
    """It is asked at once, alone, and then not again; before the first round of all there is no such occasion."""
    reading = refresher(store, network)
    occasion = NewFeedsSchedule(store=store, feeds=FEEDS)
    assert occasion.period(MONDAY, UTC) == ""
    first = claim("fetch", "now", None, claimed_by="here", now=MONDAY)
    store.runs.advance(None, first)
    assert occasion.period(MONDAY, UTC) == ""
    run(fetch_task(HALF_HOUR, reading, FEEDS[:1]), MONDAY)
    store.runs.advance(first, finish(first, "done", "", MONDAY))
    assert never_fetched(store, FEEDS) == FEEDS[1:]
    assert occasion.period(MONDAY, UTC)
    assert run(first_fetch_task(reading, FEEDS), MONDAY) == "1 of 1 feeds asked, 0 new entries"
    assert occasion.period(MONDAY, UTC) == ""
    moved = replace(FEEDS[0], url="https://elsewhere.example/")
    assert never_fetched(store, [moved]) == (moved,)
    assert network.asked == ["blog", "podcast"]


def test_a_dead_process_in_the_first_round_does_not_hold_new_feeds_up(store: Store) -> None:
    """Its lease ends."""
    store.runs.advance(None, claim("fetch", "now", None, claimed_by="here", now=MONDAY))
    assert NewFeedsSchedule(store=store, feeds=FEEDS).period(MONDAY + LEASE_TTL, UTC)


def test_what_is_held_back_is_not_counted_as_new(store: Store) -> None:
    """It has not come in, and will not before somebody says so."""

    class Told(Refresher):
        def refresh(self, feeds: object, **_: object) -> tuple[FeedReport, ...]:  # type: ignore[override]
            suspicious, usual = UpdateCounts(quarantined=8), UpdateCounts(new=2)
            report = FeedReport(feed_id="blog", outcome="ok", message="", ok=True, applied=suspicious)
            return report, replace(report, feed_id="podcast", applied=usual)

    told = Told(store=store, open_fetcher=Network().open, interval=HALF_HOUR.interval)
    assert run(fetch_task(HALF_HOUR, told, FEEDS), MONDAY) == "2 of 2 feeds asked, 2 new entries, 8 held back"


def test_the_draft_is_of_the_week_that_had_closed_when_it_was_due(tmp_path: Path) -> None:
    """Late by a night in which the next week closed, it is still the older one's turn."""
    house = PublicationHarness(tmp_path, shared_theme())
    house.set_time(CLOCK.bounds(W06)[0]).fetch()
    for week in (W06, W07):
        at = CLOCK.bounds(week)[0] + timedelta(days=1)
        house.set_time(at).fetch(entry(guid=str(week), published_at=at))
    task = draft_task(parse_schedule("sun 20:00"), house.store, lambda: house.context, tmp_path / "editions")
    line = str(task.run("", CLOCK.bounds(W07)[1] + timedelta(hours=3)))
    assert line.startswith(f"{W06}: ")
    house.store.close()


def test_an_empty_week_is_no_trouble(tmp_path: Path) -> None:
    """Its sentence is the line."""
    house = PublicationHarness(tmp_path, shared_theme())
    task = draft_task(parse_schedule("mon 06:00"), house.store, lambda: house.context, tmp_path / "editions")
    assert "has nothing to publish" in str(task.run("", MONDAY))
    house.store.close()
