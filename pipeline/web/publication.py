"""The desk over the real publication: its config.toml, its store, its templates.

In: the path of config.toml and a clock. Out: what the pages show. Reads only, and composes exactly as the
command line does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.app import App
from pipeline.jobs.gather import explain
from pipeline.jobs.press import nothing_asked
from pipeline.jobs.status import changes_waiting, recent_weeks
from pipeline.jobs.weekly import show
from pipeline.model.digest import Decision, Edition, Trouble, WeekSummary
from pipeline.model.errors import ConfigError, EditorFileError, TemplateError, UsageError
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.model.week import Week

WEEKS_SHOWN = 26
_PICTURE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")


class PublicationDesk:
    """A ``Desk``; config.toml is read again once it has changed. Use as a context manager."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._read_at_mark = _stamp(path)
        self.app = App.load(path)
        self._broken: ConfigError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.app.close()

    def best_week(self) -> str | None:
        """Name the week to open first: the newest closed one with entries, else the running one."""
        weeks = self.weeks()
        return next((each.week for each in (*(week for week in weeks if not week.running), *weeks)), None)

    def weeks(self) -> tuple[WeekSummary, ...]:
        """As Desk."""
        app = self._fresh_app()
        now = self._clock()
        changes = changes_waiting(app.store, lambda: app.press, now=now)
        return recent_weeks(app.store, app.feeds, app.clock, now=now, most=WEEKS_SHOWN, changes=changes)

    def edition(self, week: str) -> Edition | Trouble:
        """As Desk."""
        app = self._fresh_app()
        if self._broken:
            return Trouble(message=str(self._broken), file=str(self._path))
        try:
            return show(app.store, app.press, _week(week), now=self._clock())
        except (TemplateError, EditorFileError) as trouble:
            return Trouble(message=str(trouble), file=trouble.file, line=trouble.line)

    def decisions(self, week: str) -> tuple[Decision, ...]:
        """As Desk: of all the weeks' entries, those around this one."""
        app = self._fresh_app()
        try:
            return explain(app.store, app.press, _week(week), now=self._clock(), most=0)
        except EditorFileError:  # the edition says so; what the program would choose is of use meanwhile
            press = replace(app.press, asks=nothing_asked)
            return explain(app.store, press, _week(week), now=self._clock(), most=0)

    def mark(self) -> str:
        """As Desk."""
        app = self._fresh_app()
        files = [*_templates(app.template_folders), *sorted(app.editions.glob("*.md"))]
        return " ".join((_stamp(self._path), app.store.change_mark(), *map(_stamp, files)))

    def picture(self, url: str) -> tuple[str, bytes] | None:
        """As Desk: the demo's pictures come from where its feeds come from."""
        app = self._fresh_app()
        if not app.config.fetch.fixtures:
            return None
        outcome = asyncio.run(_fetch(app, url, self._clock()))
        return (outcome.content_type, outcome.body) if outcome.content_type in _PICTURE_TYPES else None

    def _fresh_app(self) -> App:
        """Read config.toml again when it has changed; a broken one leaves the old in place until it is mended."""
        stamp = _stamp(self._path)
        if stamp != self._read_at_mark:
            self._read_at_mark = stamp
            try:
                fresh = App.load(self._path)
            except ConfigError as broken:
                self._broken = broken
            else:
                self.app.close()
                self.app, self._broken = fresh, None
        return self.app


async def _fetch(app: App, url: str, now: datetime) -> FetchOutcome:
    async with app.fetcher() as fetcher:
        return await fetcher.fetch(FetchRequest(feed_id="picture", url=url), now=now)


def _week(key: str) -> Week:
    try:
        return Week.parse(key)
    except ValueError as bad:
        raise UsageError(f"{key!r} is no week: give one such as 2026-W07.") from bad


def _templates(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _stamp(path: Path) -> str:
    """A text that differs once the file has changed."""
    try:
        found = path.stat()
    except OSError:
        return "absent"
    return f"{found.st_mtime_ns}-{found.st_size}"
