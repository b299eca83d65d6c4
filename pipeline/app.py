"""The composition root: one Config becomes the objects that jobs work with.

In: a Config. Out: feeds, a store, a fetcher, a press, a desk. The only place that joins rooms to settings.
Heavy rooms are imported when they are first needed, so that a command pays for what it uses only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline import __version__
from pipeline.config import Config, Headers, add_feeds, headers_of, load_config, parse_config, remove_feed
from pipeline.model.digest import Publication
from pipeline.model.errors import ConfigError, UsageError
from pipeline.model.feed import Feed
from pipeline.model.week import WeekClock

if TYPE_CHECKING:
    from pipeline.ingest.fetch import Fetcher
    from pipeline.jobs.backfill import Archivist
    from pipeline.jobs.links import Collection
    from pipeline.jobs.press import Press
    from pipeline.jobs.refresh import Refresher
    from pipeline.jobs.send import Backend
    from pipeline.jobs.tick import Beat, Task
    from pipeline.model.archive import ArchivePosition
    from pipeline.model.fetch import FetchLimits
    from pipeline.store import Store


def resources() -> Path:
    """Find the folder of what comes with the program: templates/, fixtures/, config.toml.

    Inside the package once it is installed, at the top level of the repository before.
    """
    packaged = Path(__file__).parent / "_data"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent


class App:
    """A publication, ready to work. Use as a context manager: it closes the store it opened."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.folder = config.path.parent.absolute()

    @classmethod
    def bare(cls) -> App:
        """Make one that has no config.toml: good for looking at addresses, and nothing else."""
        nobody = {"name": "nobody", "url": "https://example.org/", "sender": "nobody@example.org"}
        feed = {"id": "none", "url": "https://example.org/feed/", "kind": "blog"}
        return cls(parse_config({"publication": nobody, "feeds": [feed]}, Path("config.toml")))

    @classmethod
    def load(cls, path: Path) -> App:
        """Read config.toml; ConfigError when it cannot be used."""
        return cls(load_config(path))

    def __enter__(self) -> App:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened."""
        if store := self.__dict__.pop("store", None):
            store.close()

    @cached_property
    def publication(self) -> Publication:
        """Who publishes."""
        said = self.config.publication
        return Publication(
            name=said.name,
            url=said.url,
            timezone=said.timezone,
            language=said.language,
            sender=said.sender,
            editor=said.editor or said.sender,
            postal_address=said.postal_address,
            tagline=said.tagline,
            logo_url=said.logo_url,
            reason=said.reason,
            accent=said.accent,
            fonts=said.fonts,
            closing_ask_md=said.closing_ask,
        )

    @cached_property
    def feeds(self) -> tuple[Feed, ...]:
        """The feeds, in the order of config.toml."""
        return tuple(
            Feed(
                id=each.id,
                url=each.url,
                kind=each.kind,  # type: ignore[arg-type]  # one of FEED_KINDS: config has checked it
                section=each.section,
                listen=each.listen,
                interval=each.interval,
                include=each.include,
                exclude=each.exclude,
                full_text=each.full_text,
                language=each.language,
            )
            for each in self.config.feeds
        )

    def headers(self, feed_id: str) -> Headers:
        """Give the extra headers of a feed's requests; SecretMissing when the environment lacks one it names."""
        return headers_of(next(each for each in self.config.feeds if each.id == feed_id), os.environ)

    def feeds_named(self, ids: Sequence[str]) -> tuple[Feed, ...]:
        """Give the feeds of these ids, all when there are none; UsageError for an id that is not in config.toml.

        ConfigError when there is no feed at all: to read nothing is never what somebody meant.
        """
        known = {feed.id: feed for feed in self.feeds}
        if not known:
            raise ConfigError(f"{self.config.path}: no feed to read yet; `pipeline feeds add URL` adds one.")
        for each in ids:
            if each not in known:
                raise UsageError(f"there is no feed {each!r} in {self.config.path}; there are {', '.join(known)}.")
        return tuple(known[each] for each in dict.fromkeys(ids)) or self.feeds

    def headers_for(self, url: str) -> Headers:
        """Give the extra headers of the feed that has an address; none when there is no such feed."""
        known = next((feed for feed in self.feeds if feed.url == url), None)
        return self.headers(known.id) if known else ()

    def add_feeds(self, feeds: Sequence[Feed]) -> None:
        """Write feeds into config.toml; what is there stays as it is."""
        wanted = ({"id": feed.id, "url": feed.url, "kind": feed.kind, "section": feed.section} for feed in feeds)
        add_feeds(self.config.path, [{key: value for key, value in each.items() if value} for each in wanted])

    def remove_feed(self, feed_id: str) -> None:
        """Take a feed out of config.toml."""
        remove_feed(self.config.path, feed_id)

    @cached_property
    def clock(self) -> WeekClock:
        """When weeks close."""
        return WeekClock.parse(self.config.digest.week_closes, ZoneInfo(self.config.publication.timezone))

    @cached_property
    def store(self) -> Store:
        """The store, opened and brought to this version's schema at first use."""
        from pipeline.store import Store

        return Store.open(self._store_url())

    def _store_url(self) -> str:
        scheme, _, path = self.config.store.url.partition(":///")
        return f"{scheme}:///{self.folder / path}"

    def fetcher(self, *, holds: Mapping[str, datetime] = MappingProxyType({})) -> Fetcher:
        """Make a fetcher: of the network, or of the folder that stands in for it; ``holds``: hosts to leave alone."""
        return self._fetcher(self._limits, holds)

    def prober(self) -> Fetcher:
        """Make a fetcher that only looks whether pages and pictures are there: as careful as the other, soon done."""
        from pipeline.jobs.check import brisk

        return self._fetcher(brisk(self._limits))

    @property
    def _limits(self) -> FetchLimits:
        from pipeline.model.fetch import FetchLimits

        said = self.config.fetch
        return FetchLimits(
            concurrency=said.concurrency,
            timeout_seconds=said.timeout_seconds,
            deadline_seconds=said.deadline_seconds,
            max_bytes=said.max_bytes,
            host_gap_seconds=said.host_gap_seconds,
            allow_private_networks=said.allow_private_networks,
            user_agent=f"newsletter-pipeline/{__version__} (+{self.config.publication.url})",
        )

    def _fetcher(self, limits: FetchLimits, holds: Mapping[str, datetime] = MappingProxyType({})) -> Fetcher:
        from pipeline.ingest.fetch import Fetcher

        if not self.config.fetch.fixtures:
            return Fetcher(limits, holds=holds)
        from pipeline.ingest.replay import ReplayTransport

        return Fetcher(limits, transport=ReplayTransport(self.fixtures), holds=holds)

    @cached_property
    def fixtures(self) -> Path:
        """The folder that answers instead of the network."""
        folder = self.folder / self.config.fetch.fixtures
        if not folder.is_dir():
            raise ConfigError(
                f"{self.config.path}: [fetch] fixtures: there is no folder {folder}; delete the line to go live."
            )
        return folder

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """Where themes are looked for: beside config.toml first, then among those that come with the program."""
        return tuple(dict.fromkeys((self.folder / "templates", resources() / "templates")))

    @property
    def press(self) -> Press:
        """What digests are made with; TemplateError when the theme is missing or broken."""
        from pipeline.digest.render import load_theme
        from pipeline.jobs.editor import EditorFiles
        from pipeline.jobs.learn import learn
        from pipeline.jobs.links import added_feed
        from pipeline.jobs.press import Press

        theme = load_theme(self.template_folders, self.config.digest.theme)
        settle = timedelta(minutes=self.config.digest.settle_minutes)
        said = self.config.digest
        feeds = (*self.feeds, added_feed(self.feeds))
        links = [feed.id for feed in feeds if feed.kind == "links"]
        editor = EditorFiles(folder=self.editions, store=self.store, link_feeds=links, clock=self.clock)
        return Press(
            publication=self.publication,
            feeds=feeds,
            clock=self.clock,
            theme=theme,
            settle=settle,
            asks=editor.asks,
            offers=editor.offer,
            learns=lambda groups, now: learn(self.store, groups, self.fetcher, self.publication.logo_url, now=now),
            links_most=said.links_max,
            links_fewest=said.links_min,
            stories_fewest=said.min_entries,
            thin_week_waits=said.thin_week == "wait",
        )

    @property
    def backend(self) -> Backend:
        """The way out of the house."""
        from pipeline.delivery.outbox import Outbox

        return Outbox(self.folder / self.config.delivery.outbox)

    @property
    def refresher(self) -> Refresher:
        """What brings feeds up to date."""
        from pipeline.jobs.refresh import Refresher
        from pipeline.model.schedule import Every

        rhythm = self.config.schedule.fetch
        interval = rhythm.interval if isinstance(rhythm, Every) else timedelta(hours=1)
        return Refresher(store=self.store, open_fetcher=self.fetcher, interval=interval, headers=self.headers)

    def links(self, now: datetime) -> Collection:
        """The useful links an editor collects."""
        from pipeline.jobs.links import Collection

        return Collection(store=self.store, feeds=self.feeds, now=now)

    def archivist(self, feed: Feed, now: datetime, on_page: Callable[[ArchivePosition], None]) -> Archivist:
        """What reads the archive behind a feed."""
        from pipeline.jobs.backfill import Archivist

        return Archivist(
            store=self.store,
            feed=feed,
            now=now,
            before=self.clock.bounds(self.clock.newest_closed(now))[0],
            headers=self.headers(feed.id),
            on_page=on_page,
        )

    def beat(self, now: datetime) -> Iterator[Beat]:
        """Do what [schedule] says is due, each task as it is asked for."""
        from pipeline.jobs.tick import tick

        last = {schedule_id: run.period_key for schedule_id, run in self.store.last_runs().items()}
        claim = partial(self.store.claim_run, now=now)
        return tick(self.tasks, claim, last, now, self.clock.zone)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What the daemon and cron do, in this order when several are due."""
        from pipeline.jobs.planned import draft_task, fetch_task

        return (
            fetch_task(self.config.schedule.fetch, self.refresher, self.feeds),
            draft_task(self.config.schedule.draft, self.store, lambda: self.press, self.editions),
        )

    @property
    def editions(self) -> Path:
        """Where editions are written when nothing else is said."""
        return self.folder / "editions"
