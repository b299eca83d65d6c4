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
from pipeline.jobs.editions import Publisher
from pipeline.jobs.editor import EditorFiles
from pipeline.jobs.gather import explain
from pipeline.jobs.manuscript import Manuscripts
from pipeline.jobs.press import Press, nothing_asked
from pipeline.jobs.status import changes_waiting, recent_weeks
from pipeline.jobs.weekly import draft, show
from pipeline.model.check import Look
from pipeline.model.digest import Decision, Edition, Trouble, WeekSummary
from pipeline.model.edition import EditorLink, Standing
from pipeline.model.errors import ConfigError, EditorFileError, TemplateError, UsageError
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.model.week import Week
from pipeline.web.acts import act
from pipeline.web.desk import Action, Change, FeedLine, Fetching, FoundFeed, Script, Wish
from pipeline.web.errands import Errands
from pipeline.web.news import Arrival, Mark

WEEKS_SHOWN = 26
ARRIVALS_MOST = 100
LINES_AROUND = 3
_PICTURE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")


class PublicationDesk:
    """A ``Desk``; config.toml is read again once it has changed. Use as a context manager."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._read_at_mark = _stamp(path)
        self.app = App.load(path)
        self._broken: ConfigError | None = None
        self._errands = Errands(path, clock)
        self._pressed: tuple[App, str, Press] | None = None

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
        changes = changes_waiting(app.store, lambda: self._press(app), now=now)
        return recent_weeks(app.store, app.feeds, app.clock, now=now, most=WEEKS_SHOWN, changes=changes)

    def edition(self, week: str) -> Edition | Trouble:
        """As Desk."""
        return self._made(lambda app: show(app.store, self._press(app), _week(week), now=self._clock()))

    def draft(self, week: str) -> Edition | Trouble:
        """As Desk."""
        return self._made(lambda app: draft(app.store, self._press(app), _week(week), now=self._clock())[0])

    def approved(self, week: str) -> Edition | None:
        """As Desk."""
        sealed = self._fresh_app().store.editions.sealed(str(_week(week)))
        return sealed.edition if sealed else None

    def standing(self, week: str) -> Standing:
        """As Desk."""
        return self._fresh_app().store.editions.standing(str(_week(week)))

    def decisions(self, week: str) -> tuple[Decision, ...]:
        """As Desk: of all the weeks' entries, those around this one."""
        app = self._fresh_app()
        try:
            return explain(app.store, self._press(app), _week(week), now=self._clock(), most=0)
        except EditorFileError:  # the edition says so; what the program would choose is of use meanwhile
            press = replace(self._press(app), asks=nothing_asked)
            return explain(app.store, press, _week(week), now=self._clock(), most=0)

    def script(self, week: str) -> Script:
        """As Desk."""
        found = self._manuscripts(self._fresh_app()).read(_week(week), now=self._clock())
        return Script(version=found.version, asked=found.asked)

    def version(self, week: str) -> str:
        """As Desk."""
        return self._manuscripts(self._fresh_app()).version(_week(week))

    def tried(self, week: str, change: Change) -> Edition | Trouble:
        """As Desk."""
        return self._made(lambda app: self._manuscripts(app).tried(_week(week), change, now=self._clock()))

    def save(self, week: str, change: Change, version: str) -> None:
        """As Desk."""
        self._manuscripts(self._fresh_app()).save(_week(week), change, version, now=self._clock())

    def act(self, week: str, action: Action, wish: Wish) -> str:
        """As Desk."""
        app = self._fresh_app()
        publisher = Publisher(store=app.store, press=self._press(app), by=_login())
        return act(publisher, app.backend, app.postman, _week(week), action, wish, now=self._clock())

    def look_up(self, url: str) -> EditorLink:
        """As Desk."""
        return self._errands.look_up(url)

    def feeds(self) -> Sequence[FeedLine]:
        """As Desk."""
        return self._errands.feeds()

    def find_feeds(self, url: str) -> Sequence[FoundFeed]:
        """As Desk."""
        return self._errands.find(url)

    def add_feed(self, url: str) -> str:
        """As Desk."""
        return self._errands.add(url)

    def remove_feed(self, feed_id: str) -> str:
        """As Desk."""
        return self._errands.remove(feed_id)

    def fetch(self) -> None:
        """As Desk."""
        self._errands.fetch()

    def fetching(self) -> Fetching:
        """As Desk."""
        return self._errands.fetching()

    def look(self, edition: Edition) -> Look | None:
        """As Desk."""
        return self._fresh_app().store.editions.look(edition.content_hash)

    def look_over(self, week: str, overridden: Sequence[str]) -> None:
        """As Desk."""
        self._errands.look_over(_week(week), overridden)

    def begin_look(self, week: str) -> None:
        """As Desk."""
        self._errands.begin_look(_week(week))

    def looking(self, week: str) -> bool:
        """As Desk."""
        return self._errands.looking(_week(week))

    def mark(self) -> Mark:
        """As Desk."""
        app = self._fresh_app()
        return Mark(
            config=_stamp(self._path),
            templates=_all_stamps(app.template_folders),
            words=" ".join(_stamps(app.editions, ending=".md", deep=False)),
            store=app.store.change_mark(),
            errands=self._errands.busy,
            newest=app.store.newest_entry_id(),
            closed=str(app.clock.newest_closed(self._clock())),
        )

    def arrivals(self, after: int, until: int) -> Sequence[Arrival]:
        """As Desk: the newest first."""
        stored = self._fresh_app().store.entries_by_id(range(max(after, until - ARRIVALS_MOST) + 1, until + 1))
        return [Arrival(feed_id=each.entry.feed_id, title=each.entry.title) for each in reversed(stored)]

    def picture(self, url: str) -> tuple[str, bytes] | None:
        """As Desk: the demo's pictures come from where its feeds come from."""
        app = self._fresh_app()
        if not app.config.fetch.fixtures:
            return None
        outcome = asyncio.run(_fetch(app, url, self._clock()))
        return (outcome.content_type, outcome.body) if outcome.content_type in _PICTURE_TYPES else None

    def _made(self, make: Callable[[App], Edition]) -> Edition | Trouble:
        """Make an edition, or say what stands in its way and in which file."""
        app = self._fresh_app()
        if self._broken:
            return Trouble(message=str(self._broken), file=str(self._path))
        try:
            return make(app)
        except (TemplateError, EditorFileError) as trouble:
            around = _around(trouble.file, trouble.line)
            return Trouble(message=str(trouble), file=trouble.file, line=trouble.line, around=around)

    def _manuscripts(self, app: App) -> Manuscripts:
        press = self._press(app)
        files = EditorFiles(folder=app.editions, store=app.store, link_feeds=press.link_feed_ids, clock=press.clock)
        return Manuscripts(store=app.store, press=press, files=files)

    def _press(self, app: App) -> Press:
        """Set up the press again only once a template has changed: compiling them takes longer than all the rest."""
        stamps = _all_stamps(app.template_folders)
        if self._pressed is None or self._pressed[:2] != (app, stamps):
            self._pressed = (app, stamps, app.press)
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
        return await fetcher.fetch(FetchRequest(feed_id="picture", url=url), now=now)


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
    return tuple(enumerate(lines, 1))[max(0, line - 1 - LINES_AROUND) : line + LINES_AROUND]


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
