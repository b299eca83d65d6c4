"""Checks of links in the background. Each opens its own ``App``, since it uses the network."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock, Thread

from pipeline.app import App
from pipeline.app.digests import build_digest_context
from pipeline.jobs.digests.build import build_draft, current_edition
from pipeline.jobs.editions.check_links import check_and_save_links, current_link_check
from pipeline.model.check import LinkCheck
from pipeline.model.digest import Edition
from pipeline.model.errors import PipelineError
from pipeline.model.week import Week
from pipeline.web.desk.publication import LivePublication


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
