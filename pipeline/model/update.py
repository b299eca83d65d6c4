"""Updates: what a fetched document changes in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.model.entry import Entry
from pipeline.model.feed import FeedState

ChangeKind = Literal["new", "changed", "same", "repaired"]
"""``new``: insert it. ``changed``: keep the stored guid, replace the content. ``same``: nothing to write.
``repaired``: the document has another guid for a stored entry; replace its guid, URL and content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChange:
    """The decision about one entry of a document."""

    kind: ChangeKind
    entry: Entry
    fingerprint: str
    entry_id: int | None = None
    """The stored entry that it is; None for a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedChanges:
    """The difference between a document and what is stored of its feed."""

    entries: Sequence[EntryChange] = ()
    """One for each parsed entry, in document order."""
    untouched: int = 0
    """Number of entries that were not parsed because they are unchanged."""
    vanished: Sequence[int] = ()
    """Ids of stored entries that were in the last document and are not in this one."""
    withdrawn: Sequence[int] = ()
    """Those of the vanished that were removed by the publisher, and did not merely scroll off the end."""
    reappeared: Sequence[int] = ()
    """Ids of stored entries that had vanished and are back."""
    quarantine_reason: str = ""
    """A sentence that says why the new entries must be accepted by an editor first; "" if they need not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedUpdate:
    """Everything to write for one feed, in one transaction."""

    state: FeedState
    changes: FeedChanges = field(default_factory=FeedChanges)
    archived: bool = False
    """Store the new entries as archive: they came with the feed's first document, or are quarantined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCounts:
    """Numbers of entries written for one feed."""

    new: int = 0
    quarantined: int = 0
    """Those of the new ones that wait to be accepted."""
    changed: int = 0
    """Replaced, repaired ones included."""
    same: int = 0
