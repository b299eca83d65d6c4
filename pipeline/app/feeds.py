"""What reads: fetchers, what brings feeds up to date, what reads their archives, the links an editor keeps.

In: a House. Out: jobs of the reading kind. Reads the environment for the feeds' passwords and tokens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.app.app import House
from pipeline.config import feed_headers, secret_values
from pipeline.model.errors import ConfigError
from pipeline.model.feed import Feed
from pipeline.model.fetch import Headers

if TYPE_CHECKING:
    from pipeline.config.sections.feeds import FeedSettings
    from pipeline.ingest.http.fetcher import HttpFetcher
    from pipeline.jobs.editor.links import LinkCollection
    from pipeline.jobs.feeds.backfill import Backfiller
    from pipeline.jobs.feeds.refresh import Refresher
    from pipeline.model.archive import ArchivePosition
    from pipeline.model.fetch import FetchLimits


class Reading(House):
    """A house that can read."""

    def feed_headers(self, feed_id: str) -> Headers:
        """Give the extra headers of a feed's requests; SecretMissing when the environment lacks one it names."""
        return feed_headers(self._feed_settings[feed_id], os.environ)

    @cached_property
    def _feed_settings(self) -> dict[str, FeedSettings]:
        return {each.id: each for each in self.config.feeds}  # asked for every feed of a run

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Every secret that config.toml names, as far as the environment gives it: to be kept out of the log."""
        return secret_values(self.config, os.environ)

    def headers_for_url(self, url: str) -> Headers:
        """Give the extra headers of the feed that has an address; none when there is no such feed."""
        known = next((feed for feed in self.feeds if feed.url == url), None)
        return self.feed_headers(known.id) if known else ()

    def fetcher(self, *, blocked_hosts: Mapping[str, datetime] = MappingProxyType({})) -> HttpFetcher:
        """Make a fetcher: of the network, or of the folder that stands in for it; ``holds``: hosts to leave alone."""
        return self._fetcher(self._limits, blocked_hosts)

    def link_fetcher(self) -> HttpFetcher:
        """Make a fetcher that only looks whether pages and pictures are there: as careful as the other, soon done."""
        from pipeline.jobs.editions.check_links import fast_limits

        return self._fetcher(fast_limits(self._limits))

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

    def _fetcher(self, limits: FetchLimits, holds: Mapping[str, datetime] = MappingProxyType({})) -> HttpFetcher:
        from pipeline.ingest.http.fetcher import HttpFetcher

        if not self.config.fetch.fixtures:
            return HttpFetcher(limits, blocked_hosts=holds)
        from pipeline.ingest.http.replay import ReplayTransport

        return HttpFetcher(limits, transport=ReplayTransport(self.fixtures_folder), blocked_hosts=holds)

    @cached_property
    def fixtures_folder(self) -> Path:
        """The folder that answers instead of the network."""
        folder = self.folder / self.config.fetch.fixtures
        if not folder.is_dir():
            raise ConfigError(
                f"{self.config.path}: [fetch] fixtures: there is no folder {folder}; delete the line to go live."
            )
        return folder

    @property
    def refresher(self) -> Refresher:
        """What brings feeds up to date."""
        from pipeline.jobs.feeds.refresh import Refresher
        from pipeline.model.schedule import Every

        rhythm = self.config.schedule.fetch
        interval = rhythm.interval if isinstance(rhythm, Every) else timedelta(hours=1)
        return Refresher(store=self.store, open_fetcher=self.fetcher, interval=interval, headers=self.feed_headers)

    def link_collection(self, now: datetime) -> LinkCollection:
        """The useful links an editor collects."""
        from pipeline.jobs.editor.links import LinkCollection

        return LinkCollection(store=self.store, feeds=self.feeds, now=now)

    def backfiller(self, feed: Feed, now: datetime, on_page: Callable[[ArchivePosition], None]) -> Backfiller:
        """What reads the archive behind a feed."""
        from pipeline.jobs.feeds.backfill import Backfiller

        return Backfiller(
            store=self.store,
            feed=feed,
            now=now,
            archive_before=self.calendar.bounds(self.calendar.newest_closed(now))[0],
            headers=self.feed_headers(feed.id),
            on_page=on_page,
        )
