"""What every job needs: the publication, its feeds, its weeks, the store.

In: a Config. Out: plain records and an open store. The store is imported when it is first needed, as all heavy rooms
are, so that a command pays for what it uses only.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from pipeline.config import Config, add_feeds, load_config, parse_config, remove_feed
from pipeline.model.digest import Publication
from pipeline.model.errors import ConfigError, UsageError
from pipeline.model.feed import Feed
from pipeline.model.week import WeekCalendar

if TYPE_CHECKING:
    from pipeline.store import Store


def resources_folder() -> Path:
    """Find the folder of what comes with the program: templates/, fixtures/, config.toml.

    Inside the package once it is installed, at the top level of the repository before.
    """
    packaged = Path(__file__).parents[1] / "_data"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]


class House:
    """A publication's settings and its store. Use as a context manager: it closes the store it opened."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.folder = config.path.parent.absolute()

    @classmethod
    def without_config(cls) -> Self:
        """Make one that has no config.toml: good for looking at addresses, and nothing else."""
        nobody = {"name": "nobody", "url": "https://example.org/", "sender": "nobody@example.org"}
        feed = {"id": "none", "url": "https://example.org/feed/", "kind": "blog"}
        return cls(parse_config({"publication": nobody, "feeds": [feed]}, Path("config.toml")))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read config.toml; ConfigError when it cannot be used."""
        return cls(load_config(path))

    def __enter__(self) -> Self:
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
            call_to_action_md=said.call_to_action,
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

    def select_feeds(self, ids: Sequence[str]) -> tuple[Feed, ...]:
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

    def add_feeds(self, feeds: Sequence[Feed]) -> None:
        """Write feeds into config.toml; what is there stays as it is."""
        wanted = ({"id": feed.id, "url": feed.url, "kind": feed.kind, "section": feed.section} for feed in feeds)
        add_feeds(self.config.path, [{key: value for key, value in each.items() if value} for each in wanted])

    def remove_feed(self, feed_id: str) -> None:
        """Take a feed out of config.toml."""
        remove_feed(self.config.path, feed_id)

    @cached_property
    def calendar(self) -> WeekCalendar:
        """When weeks close."""
        return WeekCalendar.parse(self.config.digest.week_closes, ZoneInfo(self.config.publication.timezone))

    @cached_property
    def store(self) -> Store:
        """The store, opened and brought to this version's schema at first use."""
        from pipeline.store import Store

        return Store.open(self._store_url())

    def _store_url(self) -> str:
        return f"sqlite:///{self.store_file}" if self.store_file else self.config.store.url

    @property
    def store_file(self) -> Path | None:
        """The file the store lies in; None where a server keeps it."""
        scheme, _, path = self.config.store.url.partition(":///")
        return self.folder / path if scheme.startswith("sqlite") else None

    @property
    def editions_folder(self) -> Path:
        """Where editions are written when nothing else is said."""
        return self.folder / "editions"
