"""The tasks that fetch feeds and write drafts: which feeds they fetch, when they retry, what they report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.jobs.feeds.refresh import FeedReport, Refresher
from pipeline.jobs.tasks import NewFeedsSchedule, draft_task, fetch_task, first_fetch_task, never_fetched
from pipeline.model.errors import FeedsFailedError
from pipeline.model.fetch import FetchOutcome, FetchRequest, OutcomeKind
from pipeline.model.run import LEASE_TTL, claim, finish
from pipeline.model.schedule import Every, parse_schedule
from pipeline.model.update import UpdateCounts
from pipeline.scheduler.engine import Deferred, Done, Task
from pipeline.store import Store
from tests.empty_store import empty_store
from tests.factories import MONDAY, entry
from tests.publication import CLOCK, FEEDS, W06, W07, PublicationHarness, shared_theme

HALF_HOUR = Every(timedelta(minutes=30))
MINUTE = timedelta(minutes=1)
DOCUMENT = b"<rss version='2.0'><channel><title>x</title></channel></rss>"


@dataclass
class Network:
    """A network that answers each feed with an outcome, and records the requests."""

    kinds: dict[str, OutcomeKind] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, *, blocked_hosts: Mapping[str, datetime]) -> AsyncIterator[Network]:
        yield self

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        for request in requests:
            self.requested.append(request.key)
            kind = self.kinds.get(request.key, "ok")
            body = DOCUMENT if kind == "ok" else b""
            yield FetchOutcome(key=request.key, url=request.url, kind=kind, detail="answered", body=body)


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
        return message(task.run("", now))
    except FeedsFailedError as error:
        return error


def message(outcome: str | Done | Deferred) -> str:
    assert isinstance(outcome, Done)
    return outcome.message


def test_a_fetch_that_reached_no_feed_is_retried(store: Store, network: Network) -> None:
    """The network is to blame then: all feeds are fetched a minute later, whatever their own retry times."""
    network.kinds = dict.fromkeys(("blog", "podcast"), "unreachable")
    task = fetch_task(HALF_HOUR, refresher(store, network), FEEDS)
    failed = run(task, MONDAY)
    assert isinstance(failed, FeedsFailedError)
    assert failed.retry
    network.kinds = {}
    assert run(task, MONDAY + MINUTE) == "2 of 2 feeds fetched, 0 new entries"
    assert network.requested == ["blog", "podcast"] * 2


def test_a_fetch_in_which_one_feed_failed_is_not_retried(store: Store, network: Network) -> None:
    """The failed feed has a retry time of its own; the others were fetched."""
    network.kinds = {"podcast": "unreachable"}
    task = fetch_task(HALF_HOUR, refresher(store, network), FEEDS)
    failed = run(task, MONDAY)
    assert isinstance(failed, FeedsFailedError)
    assert (failed.retry, failed.feeds) == (False, ("podcast",))
    assert run(task, MONDAY + MINUTE) == "0 of 2 feeds fetched, 0 new entries"


def test_server_errors_do_not_count_as_unreachable(store: Store, network: Network) -> None:
    """Two feeds with a server error each keep their own retry time."""
    network.kinds = dict.fromkeys(("blog", "podcast"), "server_error")
    failed = run(fetch_task(HALF_HOUR, refresher(store, network), FEEDS), MONDAY)
    assert isinstance(failed, FeedsFailedError)
    assert not failed.retry


def test_a_new_or_moved_feed_is_fetched_at_once(store: Store, network: Network) -> None:
    """Only that feed is fetched, once; before the very first fetch nothing is due."""
    job = refresher(store, network)
    schedule = NewFeedsSchedule(store=store, feeds=FEEDS)
    assert schedule.period(MONDAY, UTC) == ""
    first = claim("fetch", "now", None, claimed_by="here", now=MONDAY)
    store.runs.advance(None, first)
    assert schedule.period(MONDAY, UTC) == ""
    run(fetch_task(HALF_HOUR, job, FEEDS[:1]), MONDAY)
    store.runs.advance(first, finish(first, "succeeded", "", MONDAY))
    assert never_fetched(store, FEEDS) == FEEDS[1:]
    assert schedule.period(MONDAY, UTC)
    assert run(first_fetch_task(job, FEEDS), MONDAY) == "1 of 1 feeds fetched, 0 new entries"
    assert schedule.period(MONDAY, UTC) == ""
    moved = replace(FEEDS[0], url="https://elsewhere.example/")
    assert never_fetched(store, [moved]) == (moved,)
    assert network.requested == ["blog", "podcast"]


def test_a_dead_process_in_the_first_fetch_does_not_delay_new_feeds(store: Store) -> None:
    """Its lease expires."""
    store.runs.advance(None, claim("fetch", "now", None, claimed_by="here", now=MONDAY))
    assert NewFeedsSchedule(store=store, feeds=FEEDS).period(MONDAY + LEASE_TTL, UTC)


def test_quarantined_entries_are_not_counted_as_new(store: Store) -> None:
    """The summary counts them separately."""

    class FakeRefresher(Refresher):
        def refresh(self, feeds: object, **_: object) -> tuple[FeedReport, ...]:  # type: ignore[override]
            quarantined, new = UpdateCounts(quarantined=8), UpdateCounts(new=2)
            report = FeedReport(feed_id="blog", outcome="ok", message="", ok=True, applied=quarantined)
            return report, replace(report, feed_id="podcast", applied=new)

    job = FakeRefresher(store=store, open_fetcher=Network().open, interval=HALF_HOUR.interval)
    assert run(fetch_task(HALF_HOUR, job, FEEDS), MONDAY) == "2 of 2 feeds fetched, 2 new entries, 8 quarantined"


def test_a_late_draft_is_of_the_week_that_had_closed_when_it_was_due(tmp_path: Path) -> None:
    """If the next week closed in the meantime, the draft is still of the earlier week."""
    publication = PublicationHarness(tmp_path, shared_theme())
    publication.set_time(CLOCK.bounds(W06)[0]).fetch()
    for week in (W06, W07):
        at = CLOCK.bounds(week)[0] + timedelta(days=1)
        publication.set_time(at).fetch(entry(guid=str(week), published_at=at))
    task = draft_task(
        parse_schedule("sun 20:00"), publication.store, lambda: publication.context, tmp_path / "editions"
    )
    outcome = task.run("", CLOCK.bounds(W07)[1] + timedelta(hours=3))
    assert isinstance(outcome, Done)
    assert outcome.week == str(W06)
    assert outcome.message.startswith(f"{W06}: ")
    publication.store.close()


def test_the_draft_of_an_empty_week_is_deferred(tmp_path: Path) -> None:
    """Its reason says that there is nothing to publish."""
    publication = PublicationHarness(tmp_path, shared_theme())
    task = draft_task(
        parse_schedule("mon 06:00"), publication.store, lambda: publication.context, tmp_path / "editions"
    )
    outcome = task.run("", MONDAY)
    assert isinstance(outcome, Deferred)
    assert "has nothing to publish" in outcome.reason
    publication.store.close()
