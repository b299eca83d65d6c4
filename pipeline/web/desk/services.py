"""The desk over the real publication: its config.toml, its store, its templates, its editor's files.

In: the path of config.toml and a clock. Out: what the pages show. Looking only reads, and composes exactly as the
command line does; what is changed goes through the same jobs.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.app import App
from pipeline.app.delivery import build_backend, build_mailer
from pipeline.app.digests import build_digest_context, template_folders
from pipeline.jobs.digests.build import build_draft, current_edition
from pipeline.jobs.digests.context import DigestContext, no_overrides
from pipeline.jobs.digests.selection import explain_decisions
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.jobs.editor.edit import OverridesEditor
from pipeline.jobs.editor.files import EditorFiles
from pipeline.jobs.monitoring.status import changes_since_approval, recent_weeks
from pipeline.model.check import LinkCheck
from pipeline.model.digest import BuildFailure, Decision, Edition, WeekSummary
from pipeline.model.edition import EditionRecord, EditorLink
from pipeline.model.errors import ConfigError, EditorFileError, TemplateError, UsageError
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.model.schedule import Clock
from pipeline.model.week import Week
from pipeline.web.desk.background import BackgroundTasks
from pipeline.web.desk.perform import perform_action
from pipeline.web.desk.ports import (
    Action,
    ActionOptions,
    EditorState,
    FeedRow,
    FetchProgress,
    FoundFeed,
    OverridesChange,
)
from pipeline.web.desk.updates import NewEntry, PageVersion

MAX_WEEKS = 26
MAX_NEW_ENTRIES = 100
SOURCE_CONTEXT_LINES = 3
_PICTURE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")


class PublicationDesk:
    """A ``Desk``; config.toml is read again once it has changed. Use as a context manager."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._read_at_mark = _stamp(path)
        self.app = App.load(path)
        self._broken: ConfigError | None = None
        self._errands = BackgroundTasks(path, clock)
        self._pressed: tuple[App, str, DigestContext] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.app.close()

    def default_week(self) -> str | None:
        """Name the week to open first: the newest closed one with entries, else the running one."""
        weeks = self.weeks()
        return next((each.week for each in (*(week for week in weeks if not week.is_open), *weeks)), None)

    def weeks(self) -> tuple[WeekSummary, ...]:
        """As Desk."""
        app = self._fresh_app()
        now = self._clock()
        changes = changes_since_approval(app.store, lambda: self._press(app), now=now)
        return recent_weeks(app.store, app.feeds, app.calendar, now=now, max_weeks=MAX_WEEKS, changes=changes)

    def edition(self, week: str) -> Edition | BuildFailure:
        """As Desk."""
        return self._made(lambda app: current_edition(app.store, self._press(app), _week(week), now=self._clock()))

    def draft(self, week: str) -> Edition | BuildFailure:
        """As Desk."""
        return self._made(lambda app: build_draft(app.store, self._press(app), _week(week), now=self._clock()).edition)

    def approved_edition(self, week: str) -> Edition | None:
        """As Desk."""
        sealed = self._fresh_app().store.editions.sealed(str(_week(week)))
        return sealed.edition if sealed else None

    def edition_record(self, week: str) -> EditionRecord:
        """As Desk."""
        return self._fresh_app().store.editions.get(str(_week(week)))

    def decisions(self, week: str) -> tuple[Decision, ...]:
        """As Desk: of all the weeks' entries, those around this one."""
        app = self._fresh_app()
        try:
            return explain_decisions(app.store, self._press(app), _week(week), now=self._clock(), max_entries=0)
        except EditorFileError:  # the edition says so; what the program would choose is of use meanwhile
            press = replace(self._press(app), read_overrides=no_overrides)
            return explain_decisions(app.store, press, _week(week), now=self._clock(), max_entries=0)

    def editor_state(self, week: str) -> EditorState:
        """As Desk."""
        found = self._manuscripts(self._fresh_app()).read(_week(week), now=self._clock())
        return EditorState(version=found.version, overrides=found.overrides)

    def version(self, week: str) -> str:
        """As Desk."""
        return self._manuscripts(self._fresh_app()).version(_week(week))

    def preview(self, week: str, change: OverridesChange) -> Edition | BuildFailure:
        """As Desk."""
        return self._made(lambda app: self._manuscripts(app).preview(_week(week), change, now=self._clock()))

    def save(self, week: str, change: OverridesChange, version: str) -> None:
        """As Desk."""
        self._manuscripts(self._fresh_app()).save(_week(week), change, version, now=self._clock())

    def perform(self, week: str, action: Action, options: ActionOptions) -> str:
        """As Desk."""
        app = self._fresh_app()
        publisher = EditionWorkflow(store=app.store, context=self._press(app), actor=_login())
        return perform_action(
            publisher, build_backend(app), build_mailer(app), _week(week), action, options, now=self._clock()
        )

    def preview_link(self, url: str) -> EditorLink:
        """As Desk."""
        return self._errands.preview_link(url)

    def feeds(self) -> Sequence[FeedRow]:
        """As Desk."""
        return self._errands.feeds()

    def find_feeds(self, url: str) -> Sequence[FoundFeed]:
        """As Desk."""
        return self._errands.find_feeds(url)

    def add_feed(self, url: str) -> str:
        """As Desk."""
        return self._errands.add_feed(url)

    def remove_feed(self, feed_id: str) -> str:
        """As Desk."""
        return self._errands.remove_feed(feed_id)

    def start_fetch(self) -> None:
        """As Desk."""
        self._errands.start_fetch()

    def fetch_progress(self) -> FetchProgress:
        """As Desk."""
        return self._errands.fetch_progress()

    def link_check(self, edition: Edition) -> LinkCheck | None:
        """As Desk."""
        return self._fresh_app().store.editions.link_check(edition.content_hash)

    def ensure_links_checked(self, week: str, overridden: Sequence[str]) -> None:
        """As Desk."""
        self._errands.ensure_links_checked(_week(week), overridden)

    def start_link_check(self, week: str) -> None:
        """As Desk."""
        self._errands.start_link_check(_week(week))

    def is_checking_links(self, week: str) -> bool:
        """As Desk."""
        return self._errands.is_checking_links(_week(week))

    def page_version(self) -> PageVersion:
        """As Desk."""
        app = self._fresh_app()
        return PageVersion(
            config=_stamp(self._path),
            templates=_all_stamps(template_folders(app)),
            editor_files=" ".join(_stamps(app.editions_folder, ending=".md", deep=False)),
            store=app.store.revision(),
            background_tasks=self._errands.activity,
            newest_entry_id=app.store.newest_entry_id(),
            closed_week=str(app.calendar.newest_closed(self._clock())),
        )

    def new_entries(self, after: int, until: int) -> Sequence[NewEntry]:
        """As Desk: the newest first."""
        stored = self._fresh_app().store.entries_by_id(range(max(after, until - MAX_NEW_ENTRIES) + 1, until + 1))
        return [NewEntry(feed_id=each.entry.feed_id, title=each.entry.title) for each in reversed(stored)]

    def local_image(self, url: str) -> tuple[str, bytes] | None:
        """As Desk: the demo's pictures come from where its feeds come from."""
        app = self._fresh_app()
        if not app.config.fetch.fixtures:
            return None
        outcome = asyncio.run(_fetch(app, url, self._clock()))
        return (outcome.content_type, outcome.body) if outcome.content_type in _PICTURE_TYPES else None

    def _made(self, make: Callable[[App], Edition]) -> Edition | BuildFailure:
        """Make an edition, or say what stands in its way and in which file."""
        app = self._fresh_app()
        if self._broken:
            return BuildFailure(message=str(self._broken), file=str(self._path))
        try:
            return make(app)
        except (TemplateError, EditorFileError) as trouble:
            around = _around(trouble.file, trouble.line)
            return BuildFailure(message=str(trouble), file=trouble.file, line=trouble.line, context_lines=around)

    def _manuscripts(self, app: App) -> OverridesEditor:
        press = self._press(app)
        files = EditorFiles(
            folder=app.editions_folder, store=app.store, link_feed_ids=press.link_feed_ids, calendar=press.calendar
        )
        return OverridesEditor(store=app.store, context=press, files=files)

    def _press(self, app: App) -> DigestContext:
        """Set up the press again only once a template has changed: compiling them takes longer than all the rest."""
        stamps = _all_stamps(template_folders(app))
        if self._pressed is None or self._pressed[:2] != (app, stamps):
            self._pressed = (app, stamps, build_digest_context(app))
        return self._pressed[2]

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
        return await fetcher.fetch(FetchRequest(key="picture", url=url), now=now)


def _week(key: str) -> Week:
    try:
        return Week.parse(key)
    except ValueError as bad:
        raise UsageError(f"{key!r} is no week: give one such as 2026-W07.") from bad


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"  # a container may run under a number that has no name


def _around(file: str, line: int) -> tuple[tuple[int, str], ...]:
    """Read the lines around one, to be shown; none when no single line is to blame, or nobody can read it."""
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines() if line else []
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(enumerate(lines, 1))[max(0, line - 1 - SOURCE_CONTEXT_LINES) : line + SOURCE_CONTEXT_LINES]


def _stamps(folder: str | Path, *, ending: str = "", deep: bool = True) -> Iterator[str]:
    """Give a text for each file in a folder; every keystroke asks, and this asks the disk no more than it must."""
    with suppress(OSError), os.scandir(folder) as found:
        for each in sorted(found, key=lambda each: each.name):
            if each.is_dir() and deep:
                yield from _stamps(each.path, ending=ending)
            elif each.name.endswith(ending) and each.is_file():
                yield f"{each.name}-{each.stat().st_mtime_ns}-{each.stat().st_size}"


def _all_stamps(folders: Iterable[Path]) -> str:
    return " ".join(stamp for folder in folders for stamp in _stamps(folder))


def _stamp(path: Path) -> str:
    """A text that differs once the file has changed."""
    try:
        found = path.stat()
    except OSError:
        return "absent"
    return f"{found.st_mtime_ns}-{found.st_size}"
