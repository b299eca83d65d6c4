"""The editor's files on disk: one Markdown file per edition, ``editions/2026-W07.md``.

In: a folder, a store, the feeds. Out: what the editor asks for; and, once for each edition, a file to write it into.
What is there is never overwritten, not even where it says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.digest.editor.parse import parse
from pipeline.digest.editor.template import initial_text
from pipeline.digest.selection.select import Selection
from pipeline.jobs.digests.selection import entries_by_reference
from pipeline.jobs.maintenance.atomic_file import as_write_error
from pipeline.model.digest import Edition
from pipeline.model.edition import Overrides
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.errors import EditorFileError
from pipeline.model.week import Week, WeekCalendar
from pipeline.store import Store

_PAST = timedelta(days=7)
"""What was left out is offered to be put back when it is no older than the week before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorFiles:
    """The editor's files of a publication."""

    folder: Path
    store: Store
    link_feed_ids: Sequence[str]
    calendar: WeekCalendar

    def read_overrides(self, week: Week, stored: Sequence[StoredEntry]) -> Overrides:
        """Read what the editor asks of a week; nothing when there is no file. EditorFileError says what to mend."""
        path = self.path(week)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return Overrides()
        except (OSError, UnicodeDecodeError) as unreadable:
            why = f"{path}: cannot be read as a UTF-8 text file; save it as one."
            raise EditorFileError(why, file=str(path)) from unreadable
        return self.parse(text, week, stored)

    def parse(self, text: str, week: Week, stored: Sequence[StoredEntry]) -> Overrides:
        """Read what a week's file would ask for if this were its text."""
        entries = [each.entry for each in stored]
        return parse(text, str(self.path(week)), entries, link_feed_ids=self.link_feed_ids, find_entry=self._find)

    def create(self, edition: Edition, selection: Selection, out: Path) -> Path | None:
        """Write a file for an edition that has none; only beside the editions, wherever else they may be written."""
        path = self.path(edition.week)
        if path.parent.absolute() != out.absolute():
            return None
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(self.initial_text(edition, selection))
        except FileExistsError:
            return None
        except OSError as trouble:
            path.unlink(missing_ok=True)  # of a full disk a file that asks for half of it
            raise as_write_error(path, trouble) from trouble
        return path

    def initial_text(self, edition: Edition, selection: Selection) -> str:
        """Write what a file begins with: nothing asked for yet, but everything that could be."""
        opens_at, closes_at = self.calendar.bounds(Week.parse(edition.week))
        old = opens_at - _PAST
        missed = [each for each in selection.left_out if old <= each.published_at < closes_at]
        return initial_text(edition, selection.stories, missed, link_feed_ids=self.link_feed_ids)

    def path(self, week: Week | str) -> Path:
        """Say where a week's file lies."""
        return self.folder / f"{week}.md"

    def _find(self, feed_id: str, name: str) -> Entry | None:
        return next((each.entry for each in entries_by_reference(self.store, [f"{feed_id} {name}"])), None)
