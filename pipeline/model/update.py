"""What a freshly read document changes in the store.

In: plain values. Out: a frozen record. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.model.entry import EntryChange
from pipeline.model.feed import FeedState


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedUpdate:
    """All that is to be written of one feed, at once or not at all."""

    state: FeedState
    changes: Sequence[EntryChange] = ()
    """Their entries are in the document, so they need not be named in ``reappeared``."""
    vanished: Sequence[int] = ()
    """Stored entries that left the document."""
    reappeared: Sequence[int] = ()
    """Stored entries that came back to it."""
    withdrawn: Sequence[int] = ()
    """Those of the vanished that were taken out."""
    archived: bool = False
    """The new entries are no news: they came with the first read of the feed, or wait to be accepted."""
    quarantined: bool = False
    """The new entries wait until they are accepted."""
