"""One publication: its settings as records, its store, and fetchers for it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from pipeline import __version__
from pipeline.config import (
    Config,
    ConfigChange,
    add_feeds,
    feed_headers,
    fetch_proxy,
    load_config,
    parse_config,
    read_changes,
    remove_feed,
    secret_values,
    undo_change,
)
from pipeline.model.digest import Publication
from pipeline.model.errors import ConfigError, RefusedError, UsageError
from pipeline.model.feed import Feed
from pipeline.model.fetch import FetchLimits, Headers
from pipeline.model.week import WeekCalendar

if TYPE_CHECKING:
    from pipeline.ingest.http.fetcher import HttpFetcher
    from pipeline.store import Store


def resources_folder() -> Path:
    """Return the folder of the files shipped with the program: ``templates/``, ``fixtures/``, ``config.toml``.

    An installed package holds them itself; in a checkout they are at the top level of the repository.
    """
    packaged = Path(__file__).parents[1] / "_data"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]


def user_name() -> str:
    """Return the name of the user who runs the program, ``somebody`` if it is unknown."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"  # in a container, the user id may have no name


class App:
    """A publication, ready for the builder functions of this package. A context manager: it closes its store.

    Packages that are slow to import (the store, the fetcher) are imported when they are first needed, so that a command
    pays only for what it uses.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.folder = config.path.parent.absolute()
        self.publication = _publication(config)
        self.feeds = _feeds(config)
        self.calendar = WeekCalendar.parse(config.digest.week_closes, ZoneInfo(config.publication.timezone))
        self.secrets = secret_values(config, os.environ)
        """Every secret that config.toml names and the environment holds; the log leaves them out."""
        self._store: Store | None = None
        self._feed_settings = {feed.id: feed for feed in config.feeds}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the App of a config.toml; ConfigError if it is not valid."""
        return cls(load_config(path))

    @classmethod
    def without_config(cls) -> Self:
        """Return an App without a config.toml, which can only fetch."""
        publication = {"name": "none", "url": "https://example.org/", "sender": "none@example.org"}
        feed = {"id": "none", "url": "https://example.org/feed/", "kind": "blog"}
        return cls(parse_config({"publication": publication, "feeds": [feed]}, Path("config.toml")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store if it was opened."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def store(self) -> Store:
        """Return the store, opened and migrated by the first call."""
        if self._store is None:
            from pipeline.store import Store

            self._store = Store.open(f"sqlite:///{self.store_file}" if self.store_file else self.config.store.url)
        return self._store

    @property
    def store_file(self) -> Path | None:
        """The file of an SQLite store; None if a server keeps it."""
        scheme, _, path = self.config.store.url.partition(":///")
        return self.folder / path if scheme.startswith("sqlite") else None

    @property
    def editions_folder(self) -> Path:
        """The default folder for editions and editor files."""
        return self.folder / "editions"

    def select_feeds(self, ids: Sequence[str]) -> tuple[Feed, ...]:
        """Return the feeds with these ids, or all feeds if there are no ids.

        UsageError for an id that is not in config.toml; ConfigError if config.toml names no feed at all.
        """
        feeds = {feed.id: feed for feed in self.feeds}
        if not feeds:
            raise ConfigError(f"{self.config.path} names no feed: add one with `pipeline feeds add URL`.")
        for feed_id in ids:
            if feed_id not in feeds:
                raise UsageError(
                    f"there is no feed {feed_id!r} in {self.config.path}; its feeds are {', '.join(feeds)}."
                )
        return tuple(feeds[feed_id] for feed_id in dict.fromkeys(ids)) or self.feeds

    def add_feeds(self, feeds: Sequence[Feed]) -> None:
        """Add feeds to config.toml and leave the rest of the file as it is."""
        tables = ({"id": feed.id, "url": feed.url, "kind": feed.kind, "section": feed.section} for feed in feeds)
        add_feeds(self.config.path, [{key: value for key, value in table.items() if value} for table in tables])

    def remove_feed(self, feed_id: str) -> None:
        """Remove a feed from config.toml; ``restore_feed`` undoes this."""
        remove_feed(self.config.path, feed_id)

    def removed_feeds(self) -> dict[str, str]:
        """Return the ids and URLs of removed feeds that can be restored, the one removed last first."""
        return {change.name: change.detail for change in self._removals().values()}

    def restore_feed(self, feed_id: str) -> None:
        """Put a removed feed back into config.toml, exactly as it was and in its place. Raise RefusedError."""
        removal = self._removals().get(feed_id)
        if removal is None:
            raise RefusedError(f"{feed_id!r} is not among the feeds that were removed, so nothing was restored.")
        undo_change(self.config.path, removal.id)

    def _removals(self) -> dict[str, ConfigChange]:
        """Return the newest removal of each feed that is not configured now, by its id, the last one first."""
        configured = {feed.id for feed in self.feeds}
        removals: dict[str, ConfigChange] = {}
        for change in reversed(read_changes(self.config.path)):
            if change.kind == "feed removed" and change.name not in configured:
                removals.setdefault(change.name, change)
        return removals

    def feed_headers(self, feed_id: str) -> Headers:
        """Return a feed's extra request headers; MissingSecretError if the environment lacks a secret they name."""
        return feed_headers(self._feed_settings[feed_id], os.environ)

    def headers_for_url(self, url: str) -> Headers:
        """Return the extra request headers of the feed at a URL; none if there is no such feed."""
        feed_id = next((feed.id for feed in self.feeds if feed.url == url), None)
        return self.feed_headers(feed_id) if feed_id else ()

    def fetcher(self, *, blocked_hosts: Mapping[str, datetime] = MappingProxyType({})) -> HttpFetcher:
        """Build a fetcher for feeds. ``blocked_hosts`` maps each to the time before which it must not be contacted."""
        return self._fetcher(self._fetch_limits(), blocked_hosts)

    def link_fetcher(self) -> HttpFetcher:
        """Build a fetcher that checks links and images: the same protections, shorter time limits."""
        from pipeline.jobs.editions.check_links import fast_limits

        return self._fetcher(fast_limits(self._fetch_limits()))

    def fixtures_folder(self) -> Path | None:
        """Return the folder whose files replace the network; None if [fetch] fixtures is empty.

        ConfigError if there is no such folder.
        """
        if not self.config.fetch.fixtures:
            return None
        folder = self.folder / self.config.fetch.fixtures
        if not folder.is_dir():
            raise ConfigError(
                f"{self.config.path}: [fetch] fixtures: there is no folder {folder}; "
                "delete the line to use the network."
            )
        return folder

    def _fetcher(
        self, limits: FetchLimits, blocked_hosts: Mapping[str, datetime] = MappingProxyType({})
    ) -> HttpFetcher:
        from pipeline.ingest.http.fetcher import HttpFetcher

        if (folder := self.fixtures_folder()) is None:
            proxy = fetch_proxy(self.config.fetch, os.environ)
            return HttpFetcher(limits, proxy=proxy, blocked_hosts=blocked_hosts)
        from pipeline.ingest.http.replay import ReplayTransport

        return HttpFetcher(limits, transport=ReplayTransport(folder), blocked_hosts=blocked_hosts)

    def _fetch_limits(self) -> FetchLimits:
        settings = self.config.fetch
        return FetchLimits(
            concurrency=settings.concurrency,
            timeout_seconds=settings.timeout_seconds,
            deadline_seconds=settings.deadline_seconds,
            max_bytes=settings.max_bytes,
            host_gap_seconds=settings.host_gap_seconds,
            allow_private_networks=settings.allow_private_networks,
            user_agent=f"newsletter-pipeline/{__version__} (+{self.config.publication.url})",
        )


def _publication(config: Config) -> Publication:
    settings = config.publication
    return Publication(
        name=settings.name,
        url=settings.url,
        timezone=settings.timezone,
        language=settings.language,
        sender=settings.sender,
        editor=settings.editor or settings.sender,
        postal_address=settings.postal_address,
        tagline=settings.tagline,
        logo_url=settings.logo_url,
        reason=settings.reason,
        accent=settings.accent,
        fonts=settings.fonts,
        call_to_action_md=settings.call_to_action,
        signature=settings.signature,
        portrait_url=settings.portrait_url,
        feedback_links=settings.feedback_links,
    )


def _feeds(config: Config) -> tuple[Feed, ...]:
    return tuple(
        Feed(
            id=feed.id,
            url=feed.url,
            kind=feed.kind,  # type: ignore[arg-type]  # config checked that it is one of FEED_KINDS
            section=feed.section,
            listen=feed.listen,
            interval=feed.interval,
            include=feed.include,
            exclude=feed.exclude,
            full_text=feed.full_text,
            language=feed.language,
        )
        for feed in config.feeds
    )
