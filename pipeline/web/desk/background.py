"""What takes its time and goes out to the network: looking for feeds, reading them, looking up a link.

In: the path of config.toml, a clock. Out: what was found, in words for the pages. Each errand opens the publication
for itself, so that the pages go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from threading import Lock, Thread

from pipeline.app import App
from pipeline.app.digests import build_digest_context
from pipeline.app.feeds import build_link_collection, build_refresher
from pipeline.jobs.digests.build import build_draft, current_edition
from pipeline.jobs.editions.check_links import check_and_save_links, is_fresh
from pipeline.jobs.feeds.add import FeedOptions, FeedRegistry, discover_feed
from pipeline.jobs.feeds.probe import FeedProbe, probe_url
from pipeline.jobs.feeds.refresh import FeedReport
from pipeline.jobs.monitoring.status import FeedStatus, load_feed_status
from pipeline.model.digest import Edition
from pipeline.model.edition import EditorLink
from pipeline.model.errors import PipelineError, RefusedError, UsageError
from pipeline.model.schedule import Clock
from pipeline.model.week import Week
from pipeline.text.format import format_day, pluralize
from pipeline.text.urls import clean_url
from pipeline.web.desk.ports import FeedRow, FetchProgress, FoundFeed

MAX_NEWEST_TITLES = 3


@dataclass(slots=True)
class BackgroundTasks:
    """Errands for one publication; one fetch at a time."""

    path: Path
    clock: Clock
    _lock: Lock = field(default_factory=Lock)
    _fetching: FetchProgress = field(default_factory=FetchProgress)
    _looking: set[Week] = field(default_factory=set)

    def feeds(self) -> Sequence[FeedRow]:
        """List the feeds."""
        with App.load(self.path) as app:
            return [_line(each, app.calendar.zone) for each in load_feed_status(app.store, app.feeds)]

    def find_feeds(self, url: str) -> Sequence[FoundFeed]:
        """Look at an address as a feed reader would."""
        with App.load(self.path) as app:
            url = _whole(url)
            findings = probe_url(url, app.fetcher, now=self.clock(), headers=app.headers_for_url(url))
            return [_found(each, app.calendar.zone) for each in findings]

    def add_feed(self, url: str) -> str:
        """Write the feed at an address into config.toml."""
        with App.load(self.path) as app:
            known = FeedRegistry(feeds=app.feeds, states=app.store.feed_states())
            found = discover_feed(_whole(url), known, app.fetcher, now=self.clock(), options=FeedOptions())
            app.add_feeds([found.feed])
        return f"Added {found.feed.id} ({found.feed.kind}): {found.feed.url}"

    def remove_feed(self, feed_id: str) -> str:
        """Take a feed out of config.toml."""
        with App.load(self.path) as app:
            (feed,) = app.select_feeds([feed_id])
            if len(app.feeds) == 1:
                raise RefusedError(
                    f"{feed.id} is the only feed, and without one there is nothing to read: add another first."
                )
            app.remove_feed(feed.id)
        return f"Removed {feed.id}. What it has brought stays stored and appears in no digest any more."

    def preview_link(self, url: str) -> EditorLink:
        """Look what a page calls itself and says about itself; refuse one that was told before."""
        asked = clean_url(_whole(url))
        if not asked:
            raise UsageError(f"{url!r} is no address of a web page: give one that begins with https://.")
        with App.load(self.path) as app:
            found = build_link_collection(app, self.clock()).preview(asked, app.fetcher)
        return EditorLink(url=found.url, title=found.title, note_md=found.note)

    def ensure_links_checked(self, week: Week, overridden: Sequence[str]) -> None:
        """Ask for the links and pictures of what would be approved, unless what was said holds."""
        with App.load(self.path) as app:
            edition = _to_approve(app, week, self.clock())
            if not is_fresh(app.store.editions.link_check(edition.content_hash), overridden, now=self.clock()):
                check_and_save_links(app.store, edition, app.link_fetcher, now=self.clock())

    def is_checking_links(self, week: Week) -> bool:
        """Tell whether a week's links and pictures are being asked for."""
        with self._lock:
            return week in self._looking

    @property
    def activity(self) -> str:
        """A text that differs as errands come along."""
        with self._lock:
            looking = " ".join(sorted(map(str, self._looking)))
            return f"{self._fetching.running}-{self._fetching.done}-{looking}"

    def start_link_check(self, week: Week) -> None:
        """Begin to ask for a week's links and pictures, unless that is being done."""
        with self._lock:
            if week in self._looking:
                return
            self._looking.add(week)
        Thread(target=self._look, args=(week,), daemon=True).start()

    def _look(self, week: Week) -> None:
        try:
            with suppress(PipelineError), App.load(self.path) as app:  # what is wrong, the page itself says
                check_and_save_links(
                    app.store, _to_approve(app, week, self.clock()), app.link_fetcher, now=self.clock()
                )
        finally:
            with self._lock:
                self._looking.discard(week)

    def fetch_progress(self) -> FetchProgress:
        """Tell how reading the feeds comes along."""
        with self._lock:
            return self._fetching

    def start_fetch(self) -> None:
        """Begin to read the feeds, unless they are being read."""
        with self._lock:
            if self._fetching.running:
                return
            self._fetching = FetchProgress(running=True)
        Thread(target=self._fetch, daemon=True).start()

    def _fetch(self) -> None:
        try:
            with App.load(self.path) as app:
                self._tell(total=len(app.feeds))
                build_refresher(app).refresh(app.feeds, now=self.clock(), on_report=self._reported)
        except PipelineError as trouble:
            self._tell(lines=(*self.fetch_progress().lines, (False, str(trouble))))
        finally:
            self._tell(running=False)

    def _reported(self, report: FeedReport) -> None:
        new = f" ({report.applied.new} new)" if report.applied.new else ""
        line = (report.ok, f"{report.feed_id}: {report.message}{new}")
        known = self.fetch_progress()
        self._tell(done=known.done + 1, lines=(*known.lines, line))

    def _tell(self, **known: object) -> None:
        with self._lock:
            self._fetching = replace(self._fetching, **known)  # type: ignore[arg-type]  # its own fields


def _to_approve(app: App, week: Week, now: datetime) -> Edition:
    """Give what an approval would seal; of an edition that is out, its bytes."""
    if app.store.editions.get(str(week)).state == "approved":
        return build_draft(app.store, build_digest_context(app), week, now=now).edition
    return current_edition(app.store, build_digest_context(app), week, now=now)


def _whole(url: str) -> str:
    return url.strip() if "://" in url else f"https://{url.strip()}"


def _line(each: FeedStatus, zone: tzinfo) -> FeedRow:
    if each.state.failures:
        about = each.state.detail
    elif each.count.newest_at:
        about = f"{each.count.entries:,} entries, the newest of {format_day(each.count.newest_at, zone)}"
    else:
        about = "nothing in it yet" if each.state.read_at else "not read yet"
    return FeedRow(
        id=each.feed.id, kind=each.feed.kind, url=each.feed.url, about=about, healthy=not each.state.failures
    )


def _found(finding: FeedProbe, zone: tzinfo) -> FoundFeed:
    if not finding.parsed:
        return FoundFeed(url=finding.feed_url, ok=False, about=finding.message)
    newest = sorted(finding.entries, key=lambda each: each.published_at, reverse=True)
    count = pluralize(len(newest), "entry", "entries")
    return FoundFeed(
        url=finding.feed_url,
        ok=finding.ok,
        kind=finding.kind,
        title=finding.parsed.channel.title,
        about=f"{count}, the newest of {format_day(newest[0].published_at, zone)}" if newest else "empty so far",
        newest=tuple(each.title or "(no title)" for each in newest[:MAX_NEWEST_TITLES]),
        warnings=tuple(map(str, finding.warnings)),
    )
