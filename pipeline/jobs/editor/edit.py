"""Change the editor's file from a form, without overwriting a change of somebody else.

A form names the version of the file it was made from. If the file has another version by now, nothing is written and
ConflictError is raised.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from pipeline.digest.editor.parse import FENCE
from pipeline.digest.editor.write import rewrite
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.selection import select_entries
from pipeline.jobs.editor.files import EditorFiles
from pipeline.jobs.maintenance.atomic_file import as_write_error
from pipeline.model.digest import Edition
from pipeline.model.edition import Overrides, refusal
from pipeline.model.errors import ConflictError, NothingToPublishError, RefusedError
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.text.urls import url_key

OverridesChange = Callable[[Overrides], Overrides]
_KEPT = ("lead", "leave_out", "order", "brief", "full", "split", "join", "notes", "stories", "related")
"""Fields of Overrides that a round trip through the file keeps exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedOverrides:
    """The overrides of a week and the version of the file they are from."""

    version: str
    """Empty if there is no file."""
    overrides: Overrides


@dataclass(frozen=True, slots=True, kw_only=True)
class OverridesEditor:
    """Reads, previews and saves changes of the editor's files."""

    store: Store
    context: DigestContext
    files: EditorFiles

    def read(self, week: Week, *, now: datetime) -> VersionedOverrides:
        """Return a week's overrides; raise EditorFileError if its file cannot be parsed."""
        version = self.version(week)
        overrides = select_entries(self.store, self.context, week, now=now).overrides
        return VersionedOverrides(version=version, overrides=overrides)

    def preview(self, week: Week, change: OverridesChange, *, now: datetime) -> Edition:
        """Return the draft as it would be built after a change; write nothing."""
        read_overrides = self.context.read_overrides
        context = replace(self.context, read_overrides=lambda week, entries: change(read_overrides(week, entries)))
        return build_draft(self.store, context, week, now=now).edition

    def save(self, week: Week, change: OverridesChange, version: str, *, now: datetime) -> None:
        """Write a change to a week's file, which is created if necessary.

        Raise ConflictError if the file no longer has this version, RefusedError if the edition has been sent.
        """
        if reason := refusal("skip", self.store.editions.get(str(week))):
            raise RefusedError(reason)
        overrides = self.read(week, now=now).overrides
        self._require_version(week, version)
        changed = change(overrides)
        if changed == overrides:
            return
        text = rewrite(self._text(week, now), overrides, changed)
        self._verify_round_trip(week, text, overrides, changed, now)
        with self.store.editions.lock():  # of two processes that get here, only the first one may write
            self._require_version(week, version)
            self._write(week, text)

    def restore(self, week: Week, text: str | None, version: str) -> None:
        """Write the text that a week's file had before a change; without text, remove the file.

        Raise ConflictError if the file no longer has this version, RefusedError if the edition has been sent.
        """
        if reason := refusal("skip", self.store.editions.get(str(week))):
            raise RefusedError(reason)
        with self.store.editions.lock():
            self._require_version(week, version)
            if text is None:
                self.files.path(week).unlink(missing_ok=True)
            else:
                self._write(week, text)

    def text(self, week: Week) -> str | None:
        """Return the text of a week's file; None if there is no file, or none that can be read."""
        try:
            return self.files.path(week).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def version(self, week: Week) -> str:
        """Return the version of a week's file: 16 hexadecimal digits, or an empty string if there is no file."""
        try:
            return sha256(self.files.path(week).read_bytes()).hexdigest()[:16]
        except OSError:
            return ""

    def _require_version(self, week: Week, version: str) -> None:
        if self.version(week) != version:
            raise ConflictError(f"Somebody else has changed {week}.md since you opened it: your change was not saved.")

    def _text(self, week: Week, now: datetime) -> str:
        """Return the text of a week's file, or of a new one."""
        try:
            return self.files.path(week).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            pass
        try:
            draft = build_draft(self.store, self.context, week, now=now)
        except NothingToPublishError:
            return f"{FENCE}\n{FENCE}\n"
        return self.files.initial_text(draft.edition, draft.selection)

    def _verify_round_trip(self, week: Week, text: str, old: Overrides, new: Overrides, now: datetime) -> None:
        """Raise RefusedError if parsing the new text does not give the new overrides."""
        context = replace(self.context, read_overrides=lambda week, entries: self.files.parse(text, week, entries))
        parsed = select_entries(self.store, context, week, now=now).overrides
        added = set(new.put_back) - set(old.put_back)  # one of the editor's links may put back further entries
        if _comparable(parsed) != _comparable(new) or not added <= set(parsed.put_back):
            raise RefusedError(
                "This text would be read differently from how you wrote it: leave out “<!--” and headings named "
                f"“Useful links”, or edit {week}.md yourself."
            )

    def _write(self, week: Week, text: str) -> None:
        path = self.files.path(week)
        temporary = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, path)
        except OSError as error:
            raise as_write_error(path, error) from error


def _comparable(overrides: Overrides) -> tuple[object, ...]:
    """Return what must survive a round trip unchanged, apart from insignificant white space."""
    lines = (" ".join(line.split()) for line in (overrides.subject, overrides.preheader))
    links = tuple((url_key(link.url), " ".join(link.title.split())) for link in overrides.links)
    introduction = overrides.introduction_md.replace("\r\n", "\n").strip()
    kept = (getattr(overrides, name) for name in _KEPT)
    return (*lines, introduction, links, *kept)
