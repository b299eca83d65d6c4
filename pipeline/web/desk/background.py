"""Work that uses the network: discovering and fetching feeds, checking links. Each task opens its own ``App``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from threading import Lock, Thread

from pipeline.app import App
from pipeline.app.digests import build_digest_context
from pipeline.app.feeds import build_refresher
from pipeline.jobs.digests.build import build_draft, current_edition
from pipeline.jobs.editions.check_links import check_and_save_links, current_link_check
from pipeline.jobs.feeds.add import FeedOptions, FeedRegistry, discover_feed
from pipeline.jobs.feeds.probe import FeedProbe, probe_url
from pipeline.jobs.feeds.refresh import FeedReport
from pipeline.jobs.monitoring.status import FeedStatus, load_feed_status
from pipeline.model.check import LinkCheck
from pipeline.model.digest import Edition
from pipeline.model.errors import PipelineError, RefusedError
from pipeline.model.schedule import Clock
from pipeline.model.week import Week
from pipeline.text.format import format_day, pluralize
from pipeline.text.urls import with_scheme
from pipeline.web.desk.ports import FeedRow, FetchProgress, FoundFeed
from pipeline.web.desk.publication import LivePublication

MAX_NEWEST_TITLES = 3


@dataclass(slots=True)
class PublicationFeeds:
    """``FeedsService`` of a publication; runs one fetch at a time."""

    path: Path
    clock: Clock
    _lock: Lock = field(default_factory=Lock)
    _progress: FetchProgress = field(default_factory=FetchProgress)

    def rows(self) -> Sequence[FeedRow]:
        """Return all feeds in the order of config.toml."""
        with App.load(self.path) as app:
            return [_feed_row(status, app.calendar.zone) for status in load_feed_status(app.store(), app.feeds)]

    def find(self, url: str) -> Sequence[FoundFeed]:
        """Return the feeds at an address, or linked from the page there."""
        with App.load(self.path) as app:
            url = with_scheme(url)
            probes = probe_url(url, app.fetcher, now=self.clock(), headers=app.headers_for_url(url))
            return [_found_feed(probe, app.calendar.zone) for probe in probes]

    def add(self, url: str) -> str:
        """Add the feed at an address to config.toml."""
        with App.load(self.path) as app:
            registry = FeedRegistry(feeds=app.feeds, states=app.store().feeds.states())
            discovered = discover_feed(url, registry, app.fetcher, now=self.clock(), options=FeedOptions())
            app.add_feeds([discovered.feed])
        return f"Added {discovered.feed.id} ({discovered.feed.kind}): {discovered.feed.url}"

    def remove(self, feed_id: str) -> str:
        """Remove a feed from config.toml."""
        with App.load(self.path) as app:
            (feed,) = app.select_feeds([feed_id])
            if len(app.feeds) == 1:
                raise RefusedError(f"{feed.id} is the only feed; add another one before you remove it.")
            app.remove_feed(feed.id)
        return f"Removed {feed.id}. Its entries stay in the database and appear in no further digest."

    @property
    def activity(self) -> str:
        """A text that differs with the progress of a fetch."""
        progress = self.fetch_progress()
        return f"{progress.running}-{progress.done}"

    def fetch_progress(self) -> FetchProgress:
        """Return the progress of the running fetch, or the result of the last one."""
        with self._lock:
            return self._progress

    def start_fetch(self) -> None:
        """Start to fetch all feeds in a thread, unless one is running."""
        with self._lock:
            if self._progress.running:
                return
            self._progress = FetchProgress(running=True)
        Thread(target=self._fetch, daemon=True).start()

    def _fetch(self) -> None:
        try:
            with App.load(self.path) as app:
                self._update(total=len(app.feeds))
                build_refresher(app).refresh(app.feeds, now=self.clock(), on_report=self._add_report)
        except PipelineError as error:
            self._update(results=(*self.fetch_progress().results, (False, str(error))))
        finally:
            self._update(running=False)

    def _add_report(self, report: FeedReport) -> None:
        new = f" ({report.applied.new} new)" if report.applied.new else ""
        result = (report.ok, f"{report.feed_id}: {report.message}{new}")
        progress = self.fetch_progress()
        self._update(done=progress.done + 1, results=(*progress.results, result))

    def _update(self, **values: object) -> None:
        with self._lock:
            self._progress = replace(self._progress, **values)  # type: ignore[arg-type]  # fields of FetchProgress


@dataclass(slots=True)
class BackgroundLinkChecks:
    """``LinkCheckService`` of a publication; runs one check per week at a time."""

    publication: LivePublication
    _lock: Lock = field(default_factory=Lock)
    _running: set[str] = field(default_factory=set)

    def result(self, edition: Edition) -> LinkCheck | None:
        """Return the stored check of exactly this edition; None if it was never checked."""
        return self.publication.current_app().store().link_checks.get(edition.content_hash)

    def ensure_checked(self, week: str, overridden: Sequence[str]) -> None:
        """Check what an approval would seal, unless a stored check is fresh and does not block it."""
        now = self.publication.clock()
        with App.load(self.publication.path) as app:
            edition = _edition_to_approve(app, week, now)
            current_link_check(app.store(), edition, app.link_fetcher, now=now, overridden=overridden)

    @property
    def activity(self) -> str:
        """A text that differs with the running checks."""
        with self._lock:
            return " ".join(sorted(self._running))

    def is_running(self, week: str) -> bool:
        """Return whether a check of the week is running."""
        with self._lock:
            return week in self._running

    def start(self, week: str) -> None:
        """Start a check in a thread, unless one of the week is running."""
        with self._lock:
            if week in self._running:
                return
            self._running.add(week)
        Thread(target=self._check, args=(week,), daemon=True).start()

    def _check(self, week: str) -> None:
        now = self.publication.clock()
        try:
            with suppress(PipelineError), App.load(self.publication.path) as app:  # the week's page shows the error
                check_and_save_links(app.store(), _edition_to_approve(app, week, now), app.link_fetcher, now=now)
        finally:
            with self._lock:
                self._running.discard(week)


def _edition_to_approve(app: App, week: str, now: datetime) -> Edition:
    """Return what an approval would seal; of an edition that was sent, the sealed bytes."""
    if app.store().editions.get(week).state == "approved":
        return build_draft(app.store(), build_digest_context(app), Week.parse(week), now=now).edition
    return current_edition(app.store(), build_digest_context(app), Week.parse(week), now=now)


def _feed_row(feed_status: FeedStatus, zone: tzinfo) -> FeedRow:
    feed, state, stats = feed_status.feed, feed_status.state, feed_status.count
    if state.failures:
        status = state.message
    elif stats.newest_at:
        status = f"{stats.entries:,} entries, newest {format_day(stats.newest_at, zone)}"
    else:
        status = "no entries yet" if state.read_at else "not fetched yet"
    return FeedRow(id=feed.id, kind=feed.kind, url=feed.url, status=status, healthy=not state.failures)


def _found_feed(probe: FeedProbe, zone: tzinfo) -> FoundFeed:
    if not probe.parsed:
        return FoundFeed(url=probe.feed_url, ok=False, status=probe.message)
    entries = sorted(probe.entries, key=lambda entry: entry.published_at, reverse=True)
    count = pluralize(len(entries), "entry", "entries")
    return FoundFeed(
        url=probe.feed_url,
        ok=probe.ok,
        kind=probe.kind,
        title=probe.parsed.channel.title,
        status=f"{count}, newest {format_day(entries[0].published_at, zone)}" if entries else "no entries yet",
        newest_titles=tuple(entry.title or "(no title)" for entry in entries[:MAX_NEWEST_TITLES]),
        warnings=tuple(map(str, probe.warnings)),
    )
