"""The desk's service for feeds: list, find, add, remove, restore and fetch them. Each task opens its own ``App``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from threading import Lock, Thread

from pipeline.app import App
from pipeline.app.feeds import build_refresher
from pipeline.jobs.feeds.add import FeedOptions, FeedRegistry, discover_feed
from pipeline.jobs.feeds.probe import FeedProbe, probe_address
from pipeline.jobs.feeds.quarantine import release_quarantine
from pipeline.jobs.feeds.refresh import FeedReport
from pipeline.jobs.monitoring.feed_health import FeedHealth, load_feed_health, next_fetch_at
from pipeline.jobs.monitoring.status import FeedStatus, load_feed_status
from pipeline.model.errors import PipelineError, RefusedError
from pipeline.model.feed import Channel
from pipeline.model.schedule import Clock
from pipeline.text.format import format_datetime, format_day, pluralize
from pipeline.text.urls import with_scheme
from pipeline.web.desk.feeds.ports import FeedRow, FetchProgress, FoundFeed, RemovedFeed
from pipeline.web.desk.pictures.remote import RemotePictures

MAX_NEWEST_TITLES = 3


@dataclass(slots=True)
class PublicationFeeds:
    """``FeedsService`` of a publication; runs one fetch at a time."""

    path: Path
    clock: Clock
    pictures: RemotePictures
    _lock: Lock = field(default_factory=Lock)
    _progress: FetchProgress = field(default_factory=FetchProgress)

    def rows(self) -> Sequence[FeedRow]:
        """Return all feeds in the order of config.toml."""
        now = self.clock()
        with App.load(self.path) as app:
            zone, schedule = app.calendar.zone, app.config.schedule.fetch
            health = {one.feed.id: one for one in load_feed_health(app.store(), app.feeds, zone, now=now)}
            first_at = schedule.next_at(now, zone)
            return [
                _feed_row(status, health[status.feed.id], zone, next_fetch_at(status.state, schedule, first_at, zone))
                for status in load_feed_status(app.store(), app.feeds, zone)
            ]

    def icon(self, feed_id: str) -> tuple[str, bytes] | None:
        """Return (media type, bytes) of a feed's icon, or else its picture; None if there is none to be had."""
        with App.load(self.path) as app:
            states = app.store().feeds.states() if feed_id in {feed.id for feed in app.feeds} else {}
        url = _icon_url(states[feed_id].channel) if feed_id in states else ""
        return self.pictures.get(url) if url else None

    def find(self, url: str) -> Sequence[FoundFeed]:
        """Return the feeds at an address, or linked from the page there; without a scheme, https is tried first."""
        with App.load(self.path) as app:
            registry = FeedRegistry(feeds=app.feeds, states=app.store().feeds.states())
            headers = app.headers_for_url(with_scheme(url))
            probes = probe_address(url, app.fetcher, now=self.clock(), headers=headers)
            return [_found_feed(probe, registry, app.calendar.zone) for probe in probes]

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

    def removed(self) -> Sequence[RemovedFeed]:
        """Return the feeds that were removed and can be restored, the last one first."""
        with App.load(self.path) as app:
            return [RemovedFeed(id=feed_id, url=url) for feed_id, url in app.removed_feeds().items()]

    def restore(self, feed_id: str) -> str:
        """Put a removed feed back into config.toml, as it was and where it was."""
        with App.load(self.path) as app:
            app.restore_feed(feed_id)
        return f"{feed_id} is back, with its settings and its entries."

    def accept(self, feed_id: str) -> str:
        """Release the entries of a feed that are in quarantine."""
        with App.load(self.path) as app:
            (feed,) = app.select_feeds([feed_id])
            released = release_quarantine(app.store(), feed.id, app.calendar, now=self.clock())
        new, older = pluralize(released.new, "entry", "entries"), pluralize(released.archived, "older one")
        return f"Accepted from {feed.id}: {new} for the next digest, {older}."

    @property
    def activity(self) -> str:
        """A text that differs with the progress of a fetch."""
        progress = self.fetch_progress()
        return f"{progress.running}-{progress.done}"

    def fetch_progress(self) -> FetchProgress:
        """Return the progress of the running fetch, or the result of the last one."""
        with self._lock:
            return self._progress

    def start_fetch(self, feed_id: str = "") -> None:
        """Start to fetch one feed, or all of them, in a thread, unless a fetch is running."""
        with self._lock:
            if self._progress.running:
                return
            self._progress = FetchProgress(running=True)
        Thread(target=self._fetch, args=([feed_id] if feed_id else [],), daemon=True).start()

    def _fetch(self, feed_ids: Sequence[str]) -> None:
        try:
            with App.load(self.path) as app:
                feeds = app.select_feeds(feed_ids)
                self._update(total=len(feeds))
                build_refresher(app).refresh(feeds, now=self.clock(), on_report=self._add_report)
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


def _feed_row(feed_status: FeedStatus, health: FeedHealth, zone: tzinfo, next_fetch: datetime | None) -> FeedRow:
    feed, state, stats = feed_status.feed, feed_status.state, feed_status.count
    is_read = state.checked_at is not None
    problems = [result for result in feed_status.health if result.level != "ok"] if is_read else []
    return FeedRow(
        id=feed.id,
        kind=feed.kind,
        url=feed.url,
        title=" ".join(state.channel.title.split()),
        has_icon=bool(_icon_url(state.channel)),
        status="Works" if is_read else "Not read yet: press “Read now”",
        problems=tuple(_sentence(result.message, result.fix) for result in problems),
        healthy=all(result.level != "error" for result in problems),
        last_read=format_datetime(state.read_at, zone),
        next_read=format_datetime(next_fetch, zone) if next_fetch else "no more",
        publishes=health.cadence_in_words,
        entries=stats.entries,
        newest=format_day(stats.newest_at, zone) if stats.newest_at else "",
        newest_title=stats.newest_title,
        quarantined=stats.quarantined,
    )


def _icon_url(channel: Channel) -> str:
    return channel.icon_url or channel.picture_url


def _sentence(message: str, fix: str) -> str:
    return f"{message[:1].upper()}{message[1:]}{f': {fix}' if fix else ''}."


def _found_feed(probe: FeedProbe, registry: FeedRegistry, zone: tzinfo) -> FoundFeed:
    existing = registry.feed_at(probe.feed_url) or registry.feed_at(probe.url)
    if not probe.parsed:
        return FoundFeed(url=probe.feed_url, ok=False, status=probe.message, existing=existing)
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
        existing=existing,
    )
