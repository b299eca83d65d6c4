"""A publication that stays open while its config.toml and its templates change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from pipeline.app import App
from pipeline.app.digests import build_digest_context, template_folders
from pipeline.app.reload import ReloadingApp
from pipeline.jobs.digests.context import DigestContext
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.errors import EditorFileError, TemplateError
from pipeline.model.schedule import Clock
from pipeline.web.desk.updates import PageVersion

CONTEXT_LINES = 3
"""How many lines are shown above and below a mistake in a file."""


class LivePublication:
    """A ``ReloadingApp`` with the digest context of its current templates. Use as a context manager."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self._app = ReloadingApp(path, unattended=False)
        self._context: tuple[App, str, DigestContext] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._app.app.close()

    def current_app(self) -> App:
        """Return the app of the newest valid config.toml."""
        return self._app.current()

    def digest_context(self) -> DigestContext:
        """Return the digest context of the current app, rebuilt only if a template has changed.

        Compiling the templates takes longer than all the rest of a request.
        """
        app = self.current_app()
        stamps = _template_stamps(app)
        if self._context is None or self._context[:2] != (app, stamps):
            self._context = (app, stamps, build_digest_context(app))
        return self._context[2]

    def build(self, build_edition: Callable[[App, DigestContext], Edition]) -> Edition | BuildFailure:
        """Return an edition, or the reason why it cannot be built, with the file and line to fix."""
        app = self.current_app()
        if self._app.error:
            return BuildFailure(message=str(self._app.error), file=str(self.path))
        try:
            return build_edition(app, self.digest_context())
        except (TemplateError, EditorFileError) as error:
            lines = _surrounding_lines(error.file, error.line)
            return BuildFailure(message=str(error), file=error.file, line=error.line, context_lines=lines)

    def page_version(self, background_tasks: str) -> PageVersion:
        """Return the page version. ``background_tasks`` is a text that differs with their progress."""
        app = self.current_app()
        return PageVersion(
            config=_file_stamp(self.path),
            templates=_template_stamps(app),
            editor_files=" ".join(_folder_stamps(app.editions_folder, suffix=".md", recursive=False)),
            store=app.store().revision(),
            background_tasks=background_tasks,
            newest_entry_id=app.store().entries.newest_id(),
            closed_week=str(app.calendar.newest_closed(self.clock())),
        )


def _surrounding_lines(file: str, line: int) -> tuple[tuple[int, str], ...]:
    """Return (number, text) of the lines around one; empty without a line number or a readable file."""
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines() if line else []
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(enumerate(lines, 1))[max(0, line - 1 - CONTEXT_LINES) : line + CONTEXT_LINES]


def _file_stamp(path: Path) -> str:
    """Return a text that differs once the file has been written or replaced."""
    try:
        status = path.stat()
    except OSError:
        return "absent"
    return f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"


def _template_stamps(app: App) -> str:
    return " ".join(stamp for folder in template_folders(app) for stamp in _folder_stamps(folder))


def _folder_stamps(folder: str | Path, *, suffix: str = "", recursive: bool = True) -> Iterator[str]:
    """Yield a stamp for each file in a folder. Runs at every keystroke, so it uses scandir's cached file types."""
    with suppress(OSError), os.scandir(folder) as children:
        for child in sorted(children, key=lambda child: child.name):
            if child.is_dir() and recursive:
                yield from _folder_stamps(child.path, suffix=suffix)
            elif child.name.endswith(suffix) and child.is_file():
                yield f"{child.name}-{child.stat().st_mtime_ns}-{child.stat().st_size}"
