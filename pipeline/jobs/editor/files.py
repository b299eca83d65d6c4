"""Read and create the editor's files on disk: one Markdown file per edition, ``editions/2026-W07.md``.

An existing file is never overwritten here, not even an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.digest.editor.parse import parse
from pipeline.digest.editor.write import initial_text
from pipeline.digest.selection.select import Selection
from pipeline.jobs.digests.selection import entries_by_reference
from pipeline.jobs.maintenance.atomic_file import as_write_error
from pipeline.model.digest import Edition
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.errors import EditorFileError
from pipeline.model.week import Week, WeekCalendar
from pipeline.store import Store

OFFER_LEFT_OUT_FOR = timedelta(days=7)
"""How long before its week an entry that was left out may be and still be offered to be put back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorFiles:
    """The editor's files of a publication."""

    folder: Path
    store: Store
    link_feed_ids: Sequence[str]
    calendar: WeekCalendar

    def read_overrides(self, week: Week, entries: Sequence[StoredEntry]) -> Overrides:
        """Return the overrides in a week's file, none if there is no file; ``entries`` are those around the week.

        Raise EditorFileError, with the line and a fix, if the file cannot be parsed.
        """
        path = self.path(week)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return Overrides()
        except (OSError, UnicodeDecodeError) as error:
            message = f"{path}: cannot be read as a UTF-8 text file; save it as one."
            raise EditorFileError(message, file=str(path)) from error
        return self.parse(text, week, entries)

    def links(self) -> Iterator[tuple[str, datetime, EditorLink]]:
        """Yield the useful links in all files, each with its week and when that opens; skip files with errors."""
        for path in sorted(self.folder.glob("*.md")):
            try:
                week = Week.parse(path.stem)
                overrides = self.read_overrides(week, ())
            except (ValueError, EditorFileError):  # another file, or one whose error `pipeline digest` reports
                continue
            for link in overrides.links:
                yield str(week), self.calendar.bounds(week)[0], link

    def parse(self, text: str, week: Week, entries: Sequence[StoredEntry]) -> Overrides:
        """Return the overrides that a week's file would have with this text."""
        return parse(
            text,
            str(self.path(week)),
            [stored.entry for stored in entries],
            link_feed_ids=self.link_feed_ids,
            find_entry=self._find_entry,
        )

    def create(self, edition: Edition, selection: Selection, out: Path) -> Path | None:
        """Create the file of an edition and return its path; None if there is one.

        A file is only created if the edition was written to the folder of the editor's files.
        """
        path = self.path(edition.week)
        if path.parent.absolute() != out.absolute():
            return None
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(self.initial_text(edition, selection))
        except FileExistsError:
            return None
        except OSError as error:
            path.unlink(missing_ok=True)  # a file cut short by a full disk would be parsed
            raise as_write_error(path, error) from error
        return path

    def initial_text(self, edition: Edition, selection: Selection) -> str:
        """Return the text of a new file: every setting as a comment, with the entries it can refer to."""
        opens_at, closes_at = self.calendar.bounds(Week.parse(edition.week))
        since = opens_at - OFFER_LEFT_OUT_FOR
        left_out = [decision for decision in selection.left_out if since <= decision.published_at < closes_at]
        return initial_text(edition, selection.stories, left_out, link_feed_ids=self.link_feed_ids)

    def path(self, week: Week | str) -> Path:
        """Return the path of a week's file."""
        return self.folder / f"{week}.md"

    def _find_entry(self, feed_id: str, name: str) -> Entry | None:
        entries = entries_by_reference(self.store, [f"{feed_id} {name}"])
        return entries[0].entry if entries else None
