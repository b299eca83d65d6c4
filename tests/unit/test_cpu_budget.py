"""A document that takes too much CPU time is given up with its reason, and the others go on. The clock is a counter."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from pipeline.ingest.full_text import MAX_PAGE_TAGS
from pipeline.jobs.digests.enrich import fetch_episode_details
from pipeline.jobs.feeds.backfill import Backfiller
from pipeline.jobs.feeds.probe import probe_outcome
from pipeline.jobs.feeds.refresh import FeedReport, Refresher
from pipeline.model.cpu_budget import MAX_CPU_SECONDS, check_cpu_budget, cpu_budget
from pipeline.model.entry import Transcript
from pipeline.model.errors import ExpensiveDocumentError
from pipeline.model.feed import Feed
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.store import Store
from tests.empty_store import empty_store
from tests.factories import MONDAY, episode, stored

STEPS = int(MAX_CPU_SECONDS)
ENTRIES = "".join(f"<item><guid>{n}</guid><title>Tide {n}</title></item>" for n in range(2 * STEPS))
RSS = b"<rss version='2.0'><channel><title>x</title>%b</channel></rss>"
LONG, SHORT = RSS % ENTRIES.encode(), RSS % b"<item><guid>s</guid><title>Salt</title></item>"
ATOM_ENTRIES = ENTRIES.replace("item>", "entry>").replace("guid>", "id>")
LONG_FORMATS = {
    "RSS, simple": LONG,
    "RSS, for feedparser": LONG.replace(b"<guid>", b"<guid x='1'>"),
    "RSS, broken": LONG.replace(b"</channel></rss>", b"<b>"),
    "Atom": f"<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title>{ATOM_ENTRIES}</feed>".encode(),
    "JSON": b'{"version": "https://jsonfeed.org/version/1.1", "items": [%b]}'
    % b",".join(b'{"id": "%d", "title": "x"}' % n for n in range(2 * STEPS)),
}


@dataclass
class Network:
    """A network that answers each request with the document of its key."""

    bodies: Mapping[str, bytes]

    @asynccontextmanager
    async def open(self, **options: object) -> AsyncIterator[Network]:
        yield self

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        for request in requests:
            yield self.answer(request)

    async def fetch(self, request: FetchRequest, *, now: datetime) -> FetchOutcome:
        return self.answer(request)

    def answer(self, request: FetchRequest) -> FetchOutcome:
        body = self.bodies[request.url]
        return FetchOutcome(
            key=request.key, url=request.url, kind="ok", detail="answered 200 OK", body=body, final_url=request.url
        )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(empty_store(tmp_path)) as store:
        yield store


def ticking() -> Callable[[], float]:
    """Return a clock on which a second goes by at each look."""
    return map(float, count()).__next__


def feed(feed_id: str, **rest: object) -> Feed:
    return replace(Feed(id=feed_id, url=f"https://{feed_id}.example/feed", kind="blog"), **rest)


def refresh(store: Store, *feeds_and_bodies: tuple[Feed, bytes]) -> dict[str, FeedReport]:
    network = Network({feed.url: body for feed, body in feeds_and_bodies})
    job = Refresher(store=store, open_fetcher=network.open, interval=timedelta(hours=1), cpu_clock=ticking())  # type: ignore[arg-type]
    return {report.feed_id: report for report in job.refresh([feed for feed, _ in feeds_and_bodies], now=MONDAY)}


@pytest.mark.parametrize("body", LONG_FORMATS.values(), ids=LONG_FORMATS)
def test_an_expensive_feed_is_given_up_and_the_others_go_on(store: Store, body: bytes) -> None:
    """Its report and its state name the reason, nothing of it is stored, and the feeds before and after it are read."""
    reports = refresh(store, (feed("first"), SHORT), (feed("dear"), body), (feed("last"), SHORT))
    assert {feed_id: report.ok for feed_id, report in reports.items()} == {"first": True, "dear": False, "last": True}
    assert reports["dear"].outcome == "too_expensive"
    assert reports["dear"].message.startswith("takes more than 60 seconds of CPU time to read: ")
    state = store.feeds.states()["dear"]
    assert (state.outcome, state.failures, state.first_read_at) == ("too_expensive", 1, None)
    assert [len(store.entries.identities(feed_id)) for feed_id in ("first", "dear", "last")] == [1, 0, 1]


def test_each_document_has_a_budget_of_its_own(store: Store) -> None:
    """Many cheap feeds together may take longer than one expensive feed."""
    reports = refresh(store, *((feed(f"feed-{number}"), SHORT) for number in range(STEPS)))
    assert all(report.ok for report in reports.values())


def test_an_expensive_page_leaves_the_excerpt(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """The page of one entry is given up with a warning; the feed is read."""
    page = "https://blog.example/salt"
    body = RSS % f"<item><guid>1</guid><link>{page}</link><description>Salt first.</description></item>".encode()
    network = Network({"https://blog.example/feed": body, page: b"<p>x" * (MAX_PAGE_TAGS + 1)})
    job = Refresher(store=store, open_fetcher=network.open, interval=timedelta(hours=1))  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        (report,) = job.refresh([feed("blog", full_text=True)], now=MONDAY)
    assert (report.ok, report.applied.new) == (True, 1)
    assert f"{page} has more than 20,000 tags; the excerpt stays" in caplog.text


@pytest.mark.parametrize("name", ["transcript", "chapters"])
def test_an_expensive_transcript_is_given_up_for_good(
    store: Store, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """The episode goes without it, the log says so, and the next digest does not read it again."""
    urls = {"dear": f"https://podcast.example/{name}.dear", "cheap": f"https://podcast.example/{name}.cheap"}
    chapters = b'{"chapters": [%b]}' % b",".join(b'{"title": "Salt %d"}' % n for n in range(9))
    body = chapters if name == "chapters" else b"WEBVTT\n\n00:01.000 --> 00:02.000\nSalt."
    stories = [
        [stored(replace(episode(guid), transcripts=(Transcript(url=url, media_type="text/vtt"),)))]
        for guid, url in urls.items()
    ]
    ticks = iter([0.0, MAX_CPU_SECONDS + 1, *[0.0] * 99])
    network = Network(dict.fromkeys(urls.values(), body))
    with caplog.at_level(logging.WARNING):
        fetch_episode_details(store, stories, network.open, now=MONDAY, cpu_clock=ticks.__next__)  # type: ignore[arg-type]
    details = store.media.episode_details(tuple(urls.values()))
    assert details[urls["dear"]] == ()
    assert details[urls["cheap"]]
    assert f"{urls['dear']} takes more than 60 seconds of CPU time to read; the episode goes without it" in caplog.text
    assert fetch_episode_details(store, stories, network.open, now=MONDAY, cpu_clock=ticking()) == 0  # type: ignore[arg-type]


def test_a_budget_applies_to_its_context_only() -> None:
    """Without a budget nothing is given up, also after one that was used up."""
    check_cpu_budget()
    with pytest.raises(ExpensiveDocumentError, match="takes more than 1 seconds"), cpu_budget(iter((0, 2)).__next__, 1):
        check_cpu_budget()
    check_cpu_budget()


def test_probing_and_backfilling_have_a_budget(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """`feeds check` and `backfill` say why they give a document up."""
    refresh(store, (feed("blog"), SHORT))
    monkeypatch.setattr("time.thread_time", ticking())
    outcome = FetchOutcome(key="x", url="https://x.example/feed", kind="ok", body=LONG)
    probe = probe_outcome(outcome, now=MONDAY)
    assert (probe.ok, probe.outcome) == (False, "too_expensive")
    network = Network({"https://blog.example/feed": LONG})
    backfiller = Backfiller(store=store, feed=feed("blog"), now=MONDAY, archive_before=MONDAY)
    result = backfiller.run(network.open)  # type: ignore[arg-type]
    assert not result.ok
    assert "page 1 takes more than 60 seconds of CPU time to read" in result.message
