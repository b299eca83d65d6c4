"""The changes of editor's files that this process made, so that each can be undone."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

MAX_CHANGES = 200
"""How many changes are kept; an older one cannot be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A change of a file."""

    text_before: str | None
    """None if there was no file."""
    label: str
    """A sentence, such as ``Left out “Bread”.``; empty for text that was typed."""


@dataclass(frozen=True, slots=True)
class EditHistory:
    """Changes by week and the version of the file that they made.

    Undoing a change gives the file its version of before, which the change before that one made: so that one can be
    undone next. A change by anybody else makes a version that is not known here, and is never undone.
    """

    _changes: OrderedDict[tuple[str, str], FileChange] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, week: str, version: str, change: FileChange) -> None:
        """Record the change that made a version.

        >>> history = EditHistory()
        >>> history.add("2026-W07", "v2", FileChange(text_before="+++", label="Moved."))
        >>> history.get("2026-W07", "v2").label, history.get("2026-W07", "v1")
        ('Moved.', None)
        """
        with self._lock:
            self._changes[week, version] = change
            self._changes.move_to_end((week, version))
            while len(self._changes) > MAX_CHANGES:
                self._changes.popitem(last=False)

    def get(self, week: str, version: str) -> FileChange | None:
        """Return the change that made a version; None if it is not known."""
        with self._lock:
            return self._changes.get((week, version))
