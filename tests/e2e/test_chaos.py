"""A month among feeds with every vice: fetcher, schedule, parser and store together, against a real server.

Nothing is missed, nothing doubled, nobody annoyed. Thirty days pass in seconds, for the moment is an argument. The
small month runs with all the tests, the month of 300 feeds with the slow ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from pipeline.ingest import polling
from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.jobs.feeds.refresh import FeedReport, Refresher
from pipeline.model.feed import Feed
from pipeline.model.fetch import FetchLimits
from pipeline.store import Store
from tests.contract.loopback_fetch import to_loopback
from tests.e2e.chaos import FAULTS, START, TIMEOUT_SECONDS, FaultyWeb, Site
from tests.http_server import HttpServer

pytestmark = [pytest.mark.loopback, pytest.mark.xdist_group("chaos")]

TICK = timedelta(hours=6)
LIMITS = FetchLimits(
    allow_private_networks=True,
    timeout_seconds=TIMEOUT_SECONDS,
    deadline_seconds=2 * TIMEOUT_SECONDS,
    max_bytes=10**6,
    host_gap_seconds=0.02,
)


def open_fetcher(*, blocked_hosts: Mapping[str, datetime]) -> AbstractAsyncContextManager[HttpFetcher]:
    return HttpFetcher(LIMITS, resolve=to_loopback, blocked_hosts=blocked_hosts)


@dataclass(frozen=True, slots=True)
class Month:
    """What became of it."""

    web: FaultyWeb
    titles: Mapping[str, Counter[str]]
    """Feed id to the titles that are stored."""
    reports: Mapping[str, list[FeedReport]]
    quarantined: Mapping[str, int]
    addresses: Mapping[str, str]
    """Feed id to the address it is asked at instead of the one in config."""
    unread: frozenset[tuple[str, datetime]]
    """Feed ids, and when an answer of each came too late to be read: on a busy machine that happens to any."""

    def served(self, site: Site) -> set[str]:
        """Return the titles of entries in healthy answers that were read."""
        answers = (titles for at, titles in site.served.items() if (site.id, at) not in self.unread)
        return set().union(*answers)

    def of(self, *vices: str) -> list[Site]:
        return [site for site in self.web.sites if site.fault in vices]

    def outcomes(self, site: Site) -> set[str]:
        return {report.outcome for report in self.reports[site.id]}


def live_through(web: FaultyWeb, store: Store, days: int) -> Month:
    """Ask whoever is due, tick after tick, and look at what is stored in the end."""
    feeds = [Feed(id=site.id, url=web.server.url(site.path, site.host), kind="blog") for site in web.sites]
    refresher = Refresher(store=store, open_fetcher=open_fetcher, interval=TICK)
    reports: dict[str, list[FeedReport]] = {feed.id: [] for feed in feeds}
    unread = set()
    for tick in range(days * (timedelta(days=1) // TICK)):
        web.now = START + tick * TICK
        for report in refresher.refresh(feeds, now=web.now, is_due=polling.is_due):
            reports[report.feed_id].append(report)
            if report.outcome == "timeout":
                unread.add((report.feed_id, web.now))
    titles = {feed.id: Counter[str]() for feed in feeds}
    for stored in store.entries.between(START - timedelta(days=99), START + timedelta(days=99), list(titles)):
        titles[stored.entry.feed_id][stored.entry.title] += 1
    waiting = {feed_id: count.quarantined for feed_id, count in store.feeds.stats().items()}
    addresses = {feed_id: state.current_url for feed_id, state in store.feeds.states().items()}
    return Month(
        web=web,
        titles=titles,
        reports=reports,
        quarantined=waiting,
        addresses=addresses,
        unread=frozenset(unread),
    )


@pytest.fixture(
    scope="module",
    params=[pytest.param((len(FAULTS), 12), id="small"), pytest.param((300, 30), id="whole", marks=pytest.mark.slow)],
)
def month(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """The month is lived through once; each test looks at it from another side."""
    feeds, days = request.param
    folder: Path = tmp_path_factory.mktemp("chaos")
    with HttpServer() as server, Store.open(f"sqlite:///{folder / 'pipeline.db'}") as store:
        yield live_through(FaultyWeb.of(server, feeds), store, days)


def test_what_was_published_is_stored_exactly_once(month: Month) -> None:
    """Every entry that ever went out in a healthy answer, whatever went out before and after it."""
    for site in month.web.sites:
        served = month.served(site)
        assert len(served) > 3, site
        missed = served - set(month.titles[site.id])
        doubled = {title: times for title, times in month.titles[site.id].items() if times > 1}
        assert (missed, doubled) == (set(), {}), (site.id, site.fault)


def test_nothing_is_stored_that_nobody_published(month: Month) -> None:
    """No fragment of a broken document becomes an entry of its own."""
    for site in month.web.sites:
        ever = {site.title(entry) for entry in range(site.published(month.web.now)[0] + 1)}
        assert set(month.titles[site.id]) <= ever, (site.id, site.fault)


def test_nobody_is_asked_twice_at_once(month: Month) -> None:
    """In real time, no host sees a second request before the first is answered, or given up."""
    seen = sorted(month.web.server.requests, key=lambda each: (each.host, each.started))
    for host, requests in groupby(seen, key=lambda each: each.host):
        for before, after in pairwise(requests):
            # Who asks begins to count before the server hears of it: on a busy machine that is a while.
            given_up = before.started + TIMEOUT_SECONDS - 0.25
            assert min(before.ended, given_up) <= after.started, host


def test_nobody_is_asked_inside_their_wait(month: Month) -> None:
    """In simulated time, and for all feeds of the host, whichever of them was told."""
    waits = [
        (site.host, since, until)
        for site in month.web.sites
        for since, until in site.retry_after
        if (site.id, since) not in month.unread
    ]
    assert len(waits) > len(month.web.sites) / 10
    for host, since, until in waits:
        moments = [at for site in month.web.sites if site.host == host for at in site.requested_at]
        assert [at for at in moments if since < at < until] == []


def test_hosts_are_shared_and_told_apart(month: Month) -> None:
    """The test would not notice a neighbour's wait if nobody had one."""
    hosts = Counter(site.host for site in month.web.sites)
    assert max(hosts.values()) == 2
    shared = {site.host for site in month.web.sites if site.retry_after} & {
        host for host, feeds in hosts.items() if feeds == 2
    }
    assert shared


@pytest.mark.parametrize(
    ("vice", "outcome"),
    [
        ("half", "partial"),
        ("short", "partial"),
        ("stalling", "timeout"),
        ("lost", "redirect_loop"),
        ("gone", "gone"),
        ("resets", "protocol_error"),
        ("longer", "protocol_error"),
        ("errors", "server_error"),
        ("page", "not_a_feed"),
        ("bomb", "too_large"),
        ("waits in seconds", "rate_limited"),
        ("waits until a date", "rate_limited"),
        ("is overloaded", "rate_limited"),
        ("asleep", "not_modified"),
    ],
)
def test_every_vice_was_met_and_named(month: Month, vice: str, outcome: str) -> None:
    """A month without trouble would prove nothing."""
    assert all(outcome in month.outcomes(site) for site in month.of(vice))


def test_no_vice_is_left_out(month: Month) -> None:
    """There is a feed for each."""
    assert {site.fault for site in month.web.sites} == set(FAULTS)


def test_names_that_change_are_seen_through(month: Month) -> None:
    """Other guids, and other addresses too, are repaired: nothing turns new, so nothing waits in quarantine."""
    assert sum(month.quarantined.values()) == 0
    for site in month.of("new guids", "renamed"):
        assert sum(report.applied.changed for report in month.reports[site.id]) >= 6


def test_moved_feeds_are_asked_where_they_live(month: Month) -> None:
    """Those that moved for good, and no others."""
    moved = {site.id for site in month.of("moved")}
    assert {feed_id for feed_id, address in month.addresses.items() if "//new." in address} == moved
    assert {feed_id for feed_id, address in month.addresses.items() if address} == moved


def test_a_feed_that_is_gone_is_asked_no_more(month: Month) -> None:
    """After the first 410 there is silence."""
    for site in month.of("gone"):
        assert max(site.requested_at) < START + timedelta(days=7)
