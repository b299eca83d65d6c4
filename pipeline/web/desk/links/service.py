"""The desk's service for useful links. Each task opens its own ``App``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from threading import Lock

from pipeline.app import App
from pipeline.app.feeds import build_link_collection
from pipeline.jobs.editor.links import ADDED_LINKS_FEED_ID, CollectedLink
from pipeline.model.errors import RefusedError
from pipeline.model.schedule import Clock
from pipeline.text.format import format_day
from pipeline.text.urls import url_key
from pipeline.web.desk.links.ports import LinkRow

MAX_REMOVED = 5


@dataclass(slots=True)
class PublicationLinks:
    """``LinksService`` of a publication; remembers the links that were removed since it was started."""

    path: Path
    clock: Clock
    _lock: Lock = field(default_factory=Lock)
    _removed: list[CollectedLink] = field(default_factory=list)

    def all(self) -> Sequence[LinkRow]:
        """Return all links; those that wait are in the order in which they go out."""
        with App.load(self.path) as app:
            return [_row(link, app.calendar.zone) for link in build_link_collection(app, self.clock()).all()]

    def max_links(self) -> int:
        """Return how many links an edition has at most."""
        with App.load(self.path) as app:
            return app.config.digest.max_links

    def public_url(self) -> str:
        """Return the address of the desk in the settings; empty if there is none."""
        with App.load(self.path) as app:
            return app.config.web.url

    def add(self, url: str, *, title: str = "", note: str = "") -> str:
        """Add a link, with the title and the description of its page where none are given."""
        with App.load(self.path) as app:
            link = build_link_collection(app, self.clock()).add(url, app.fetcher, note=note, title=title)
        self._forget(link)
        return f"Added: {link.title}"

    def remove(self, url: str) -> str:
        """Remove a link that was added by hand."""
        with App.load(self.path) as app:
            link = build_link_collection(app, self.clock()).remove(url)
        with self._lock:
            self._removed = [link, *self._removed][:MAX_REMOVED]
        return f"Removed: {link.title}"

    def removed(self) -> Sequence[LinkRow]:
        """Return the links that were removed last and can be restored, the last one first."""
        with self._lock:
            links = tuple(self._removed)
        return [LinkRow(url=link.url, title=link.title, note=link.note) for link in links]

    def restore(self, url: str) -> str:
        """Put a removed link back, with its title, note and date; its page is not read again."""
        with self._lock:
            link = next((link for link in self._removed if link.url == url), None)
        if link is None:
            raise RefusedError("This link can no longer be put back: add it again by its address.")
        with App.load(self.path) as app:
            build_link_collection(app, self.clock()).restore(link)
        self._forget(link)
        return f"Back in the list: {link.title}"

    def _forget(self, link: CollectedLink) -> None:
        """Offer no more to restore a link that is in the list."""
        with self._lock:
            self._removed = [one for one in self._removed if url_key(one.url) != url_key(link.url)]


def _row(link: CollectedLink, zone: tzinfo) -> LinkRow:
    is_added = link.feed_id == ADDED_LINKS_FEED_ID
    origin = "added" if is_added else f"from {link.feed_id}"
    return LinkRow(
        url=link.url,
        title=link.title,
        note=link.note,
        origin=f"{origin} on {format_day(link.added_at, zone)}",
        week=link.file.removesuffix(".md"),
        used_in=link.used_in,
        removable=is_added and not link.used_in,
    )
