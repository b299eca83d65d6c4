"""The editions that pages have shown, so that each is built once per page version."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from threading import RLock

from pipeline.jobs.editor.stories import StorySection
from pipeline.model.digest import BuildFailure, Edition, WeekSummary
from pipeline.web.desk.overview.navigation import Navigation, build_navigation
from pipeline.web.desk.ports import Desk, OverridesChange
from pipeline.web.desk.updates import describe_changes, encode_version

MAX_SHOWN_EDITIONS = 24
"""How many shown editions are kept, to describe later what has changed since."""


class EditionCache:
    """Builds an edition once per page version, and keeps editions that were shown.

    One page takes several requests (the page, the HTML in its frame, the text), and all must show the same edition.
    Requests run in threads; a handler holds ``lock`` while it uses ``desk.editions``, ``desk.editor`` or
    ``desk.updates``. ``desk.feeds`` and ``desk.link_checks.ensure_checked`` need no lock.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.lock = RLock()
        self._version = ""
        self._weeks: tuple[WeekSummary, ...] = ()
        self._editions: dict[tuple[str, str], Edition | BuildFailure] = {}
        self._stories: dict[str, tuple[StorySection, ...]] = {}
        self._shown: dict[str, Edition] = {}
        self._reviewed: dict[str, None] = {}

    def page_version(self) -> str:
        """Return the page version as a short text; it is part of every page and every request for updates."""
        with self.lock:
            return encode_version(self.desk.updates.page_version())

    def changes_since(self, version: str) -> dict[str, str]:
        """Return a sentence for each kind of change since a page version."""
        with self.lock:
            return describe_changes(version, self.page_version(), self.desk.updates.new_entries)

    def weeks(self) -> tuple[WeekSummary, ...]:
        """Return all weeks, newest first, loaded once per page version."""
        with self.lock:
            self._clear_if_outdated()
            self._weeks = self._weeks or self.desk.editions.weeks()
            return self._weeks

    def navigation(self, path: str) -> Navigation:
        """Return the navigation of the page at a path."""
        with self.lock:
            return build_navigation(self.desk.overview, path)

    def edition(self, week: str) -> Edition | BuildFailure:
        """Return a week's edition, built once per page version."""
        return self._cached("edition", week, self.desk.editions.edition)

    def draft(self, week: str) -> Edition | BuildFailure:
        """Return a week's draft, built once per page version and shared with ``edition`` while nothing is sealed."""
        with self.lock:
            if not self.desk.editions.record(week).is_sealed:
                return self.edition(week)
            return self._cached("draft", week, self.desk.editions.draft)

    def stories(self, week: str) -> tuple[StorySection, ...]:
        """Return a week's stories as an editor can change them, loaded once per page version.

        Raise EditorFileError if the editor's file is invalid.
        """
        with self.lock:
            self._clear_if_outdated()
            if week not in self._stories:
                self._stories[week] = self.desk.editor.stories(week)
            return self._stories[week]

    def preview(self, week: str, change: OverridesChange) -> Edition | BuildFailure:
        """Return the draft that a change would produce; ``shown_edition`` finds it later."""
        with self.lock:
            return self._keep(self.desk.editor.preview(week, change))

    def show(self, edition: Edition) -> None:
        """Save an edition that a page shows: ``shown_edition`` finds it later."""
        with self.lock:
            self._keep(edition)

    def shown_edition(self, edition_fingerprint: str) -> Edition | None:
        """Return an edition that was shown, by its fingerprint."""
        with self.lock:
            return self._shown.get(edition_fingerprint)

    def record_review(self, edition_fingerprint: str) -> None:
        """Remember that a browser has shown the HTML of an edition."""
        with self.lock:
            self._reviewed.pop(edition_fingerprint, None)
            self._reviewed[edition_fingerprint] = None
            for outdated in list(self._reviewed)[:-MAX_SHOWN_EDITIONS]:
                del self._reviewed[outdated]

    def is_reviewed(self, edition_fingerprint: str) -> bool:
        """Return whether a browser has shown the HTML of an edition since the program was started."""
        with self.lock:
            return edition_fingerprint in self._reviewed

    def clear(self) -> None:
        """Build editions anew, whatever the page version; those that were shown are kept."""
        with self.lock:
            self._version = ""

    def _cached(self, kind: str, week: str, build: Callable[[str], Edition | BuildFailure]) -> Edition | BuildFailure:
        with self.lock:
            self._clear_if_outdated()
            if (kind, week) not in self._editions:
                self._editions[kind, week] = self._keep(build(week))
            return self._editions[kind, week]

    def _clear_if_outdated(self) -> None:
        if (version := self.page_version()) != self._version:
            self._editions, self._stories, self._weeks, self._version = {}, {}, (), version

    def _keep(self, built: Edition | BuildFailure) -> Edition | BuildFailure:
        if isinstance(built, Edition):
            self._shown.pop(fingerprint(built), None)
            self._shown[fingerprint(built)] = built
            for outdated in list(self._shown)[:-MAX_SHOWN_EDITIONS]:
                del self._shown[outdated]
        return built


def fingerprint(edition: Edition) -> str:
    """Return the content hash of an edition; of one without, the SHA-256 of its HTML."""
    return edition.content_hash or sha256(edition.html).hexdigest()
