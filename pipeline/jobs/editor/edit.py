"""The editor's file, changed from a form: read, tried, saved; never over somebody else's words.

In: a store, what digests are made with, the editor's files, a week, a change of what is asked for. Out: Manuscripts,
and drafts as they would be. A form names the version it was made from: when the file is another one by now, Overtaken
says so, and nothing is written.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedOverrides:
    """What the editor asks of a week, and the version of the file that says so."""

    version: str
    """Empty while there is no file."""
    overrides: Overrides


@dataclass(frozen=True, slots=True, kw_only=True)
class OverridesEditor:
    """The editor's files, open for changes."""

    store: Store
    context: DigestContext
    files: EditorFiles

    def read(self, week: Week, *, now: datetime) -> VersionedOverrides:
        """Read a week's file; EditorFileError says what to mend in it."""
        version = self.version(week)
        return VersionedOverrides(
            version=version, overrides=select_entries(self.store, self.context, week, now=now).overrides
        )

    def preview(self, week: Week, change: OverridesChange, *, now: datetime) -> Edition:
        """Make the draft that a change would lead to, writing nothing."""
        press = replace(
            self.context, read_overrides=lambda week, stored: change(self.context.read_overrides(week, stored))
        )
        return build_draft(self.store, press, week, now=now).edition

    def save(self, week: Week, change: OverridesChange, version: str, *, now: datetime) -> None:
        """Write a change into a week's file; a file is begun where there is none.

        Overtaken when the file is no longer of this version; Refused once the edition is out.
        """
        if reason := refusal("skip", self.store.editions.get(str(week))):
            raise RefusedError(reason)
        manuscript = self.read(week, now=now)
        self._still(week, version)
        new = change(manuscript.overrides)
        if new == manuscript.overrides:
            return
        text = rewrite(self._text(week, now), manuscript.overrides, new)
        self._prove(week, text, manuscript.overrides, new, now)
        with (
            self.store.editions.lock()
        ):  # of two processes that have come this far, one writes and the other one sees it
            self._still(week, version)
            self._write(week, text)

    def version(self, week: Week) -> str:
        """Name the version of a week's file; empty while there is none."""
        try:
            return sha256(self.files.path(week).read_bytes()).hexdigest()[:16]
        except OSError:
            return ""

    def _still(self, week: Week, version: str) -> None:
        if self.version(week) != version:
            raise ConflictError(f"Somebody else has changed {week}.md since you opened it: nothing of theirs was lost.")

    def _text(self, week: Week, now: datetime) -> str:
        try:
            return self.files.path(week).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            pass
        try:
            draft = build_draft(self.store, self.context, week, now=now)
        except NothingToPublishError:
            return f"{FENCE}\n{FENCE}\n"
        return self.files.initial_text(draft.edition, draft.selection)

    def _prove(self, week: Week, text: str, old: Overrides, new: Overrides, now: datetime) -> None:
        """Read the new text as it will be read from the file: it must ask for what it was written for."""
        press = replace(self.context, read_overrides=lambda week, stored: self.files.parse(text, week, stored))
        found = select_entries(self.store, press, week, now=now).overrides
        asked_in = set(new.put_back) - set(old.put_back)  # others come in with a link of the editor's, and go with it
        if _words(found) != _words(new) or not asked_in <= set(found.put_back):
            raise RefusedError(
                "These words would be read otherwise than you wrote them: leave out “<!--” and headings called "
                f"“Useful links”, or write into {week}.md yourself."
            )

    def _write(self, week: Week, text: str) -> None:
        path = self.files.path(week)
        fresh = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(text, encoding="utf-8")
            os.replace(fresh, path)
        except OSError as trouble:
            raise as_write_error(path, trouble) from trouble


def _words(asked: Overrides) -> tuple[object, ...]:
    """Give what must come back letter by letter."""
    words = (" ".join(each.split()) for each in (asked.subject, asked.preheader))
    links = tuple((url_key(link.url), " ".join(link.title.split())) for link in asked.links)
    introduction = asked.introduction_md.replace("\r\n", "\n").strip()
    return (*words, introduction, links, asked.lead, asked.leave_out, asked.order, dict(asked.notes))
