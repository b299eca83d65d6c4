"""What takes its time and goes out to the network: looking for feeds, reading them, looking up a link.

In: the path of config.toml, a clock. Out: what was found, in words for the pages. Each errand opens the publication
for itself, so that the pages go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from threading import Lock, Thread

from pipeline.app import App
from pipeline.jobs.check import look_over, settled
from pipeline.jobs.feeds import Known, Wishes, find
from pipeline.jobs.inspect import Finding, inspect
from pipeline.jobs.refresh import FeedReport
from pipeline.jobs.status import FeedStatus, feeds_status
from pipeline.jobs.weekly import draft, show
from pipeline.model.digest import Edition
from pipeline.model.edition import EditorLink
from pipeline.model.errors import PipelineError, Refused, UsageError
from pipeline.model.week import Week
from pipeline.text.urls import clean_url
from pipeline.web.desk import FeedLine, Fetching, FoundFeed

NEWEST_SHOWN = 3


@dataclass(slots=True)
class Errands:
    """Errands for one publication; one fetch at a time."""

    path: Path
    clock: Callable[[], datetime]
    _lock: Lock = field(default_factory=Lock)
    _fetching: Fetching = field(default_factory=Fetching)
    _looking: set[Week] = field(default_factory=set)

    def feeds(self) -> Sequence[FeedLine]:
        """List the feeds."""
        with App.load(self.path) as app:
            return [_line(each, app.clock.zone) for each in feeds_status(app.store, app.feeds)]

    def find(self, url: str) -> Sequence[FoundFeed]:
        """Look at an address as a feed reader would."""
        with App.load(self.path) as app:
            url = _whole(url)
            findings = inspect(url, app.fetcher, now=self.clock(), headers=app.headers_for(url))
            return [_found(each, app.clock.zone) for each in findings]

    def add(self, url: str) -> str:
        """Write the feed at an address into config.toml."""
        with App.load(self.path) as app:
            known = Known(feeds=app.feeds, states=app.store.feed_states())
            found = find(_whole(url), known, app.fetcher, now=self.clock(), wishes=Wishes())
            app.add_feeds([found.feed])
        return f"Added {found.feed.id} ({found.feed.kind}): {found.feed.url}"

    def remove(self, feed_id: str) -> str:
        """Take a feed out of config.toml."""
        with App.load(self.path) as app:
            (feed,) = app.feeds_named([feed_id])
            if len(app.feeds) == 1:
                raise Refused(
                    f"{feed.id} is the only feed, and without one there is nothing to read: add another first."
                )
            app.remove_feed(feed.id)
        return f"Removed {feed.id}. What it has brought stays stored and appears in no digest any more."

    def look_up(self, url: str) -> EditorLink:
        """Look what a page calls itself and says about itself; refuse one that was told before."""
        asked = clean_url(_whole(url))
        if not asked:
            raise UsageError(f"{url!r} is no address of a web page: give one that begins with https://.")
        with App.load(self.path) as app:
            found = app.links(self.clock()).look_up(asked, app.fetcher)
        return EditorLink(url=found.url, title=found.title, note_md=found.note)

    def look_over(self, week: Week, overridden: Sequence[str]) -> None:
        """Ask for the links and pictures of what would be approved, unless what was said holds."""
        with App.load(self.path) as app:
            edition = _to_approve(app, week, self.clock())
            if not settled(app.store.editions.look(edition.content_hash), overridden, now=self.clock()):
                look_over(app.store, edition, app.prober, now=self.clock())

    def looking(self, week: Week) -> bool:
        """Tell whether a week's links and pictures are being asked for."""
        with self._lock:
            return week in self._looking

    @property
    def busy(self) -> str:
        """A text that differs as errands come along."""
        with self._lock:
            looking = " ".join(sorted(map(str, self._looking)))
            return f"{self._fetching.running}-{self._fetching.done}-{looking}"

    def begin_look(self, week: Week) -> None:
        """Begin to ask for a week's links and pictures, unless that is being done."""
        with self._lock:
            if week in self._looking:
                return
            self._looking.add(week)
        Thread(target=self._look, args=(week,), daemon=True).start()

    def _look(self, week: Week) -> None:
        try:
            with suppress(PipelineError), App.load(self.path) as app:  # what is wrong, the page itself says
                look_over(app.store, _to_approve(app, week, self.clock()), app.prober, now=self.clock())
        finally:
            with self._lock:
                self._looking.discard(week)

    def fetching(self) -> Fetching:
        """Tell how reading the feeds comes along."""
        with self._lock:
            return self._fetching

    def fetch(self) -> None:
        """Begin to read the feeds, unless they are being read."""
        with self._lock:
            if self._fetching.running:
                return
            self._fetching = Fetching(running=True)
        Thread(target=self._fetch, daemon=True).start()

    def _fetch(self) -> None:
        try:
            with App.load(self.path) as app:
                self._tell(total=len(app.feeds))
                app.refresher.refresh(app.feeds, now=self.clock(), on_report=self._reported)
        except PipelineError as trouble:
            self._tell(lines=(*self.fetching().lines, (False, str(trouble))))
        finally:
            self._tell(running=False)

    def _reported(self, report: FeedReport) -> None:
        new = f" ({report.applied.new} new)" if report.applied.new else ""
        line = (report.ok, f"{report.feed_id}: {report.sentence}{new}")
        known = self.fetching()
        self._tell(done=known.done + 1, lines=(*known.lines, line))

    def _tell(self, **known: object) -> None:
        with self._lock:
            self._fetching = replace(self._fetching, **known)  # type: ignore[arg-type]  # its own fields


def _to_approve(app: App, week: Week, now: datetime) -> Edition:
    """Give what an approval would seal; of an edition that is out, its bytes."""
    if app.store.editions.standing(str(week)).state == "approved":
        return draft(app.store, app.press, week, now=now)[0]
    return show(app.store, app.press, week, now=now)


def _whole(url: str) -> str:
    return url.strip() if "://" in url else f"https://{url.strip()}"


def _line(each: FeedStatus, zone: tzinfo) -> FeedLine:
    if each.state.failures:
        about = each.state.detail
    elif each.count.newest_at:
        about = f"{each.count.entries:,} entries, the newest of {_day(each.count.newest_at, zone)}"
    else:
        about = "nothing in it yet" if each.state.read_at else "not read yet"
    return FeedLine(id=each.feed.id, kind=each.feed.kind, url=each.feed.url, about=about, well=not each.state.failures)


def _found(finding: Finding, zone: tzinfo) -> FoundFeed:
    if not finding.parsed:
        return FoundFeed(url=finding.address, ok=False, about=finding.sentence)
    newest = sorted(finding.entries, key=lambda each: each.published_at, reverse=True)
    count = f"{len(newest)} {'entry' if len(newest) == 1 else 'entries'}"
    return FoundFeed(
        url=finding.address,
        ok=finding.ok,
        kind=finding.kind,
        title=finding.parsed.channel.title,
        about=f"{count}, the newest of {_day(newest[0].published_at, zone)}" if newest else "empty so far",
        newest=tuple(each.title or "(no title)" for each in newest[:NEWEST_SHOWN]),
        oddities=tuple(map(str, finding.oddities)),
    )


def _day(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"
