"""What every digest of a publication is made with.

In: what the composition root has read from the settings. Out: a Press, handed to every job that makes digests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipeline.digest.render import Theme
from pipeline.model.digest import Publication
from pipeline.model.edition import Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekClock

Asks = Callable[[Week, Sequence[StoredEntry]], Overrides]
"""What the editor asks for of a week's edition, given the entries around it."""


def nothing_asked(week: Week, stored: Sequence[StoredEntry]) -> Overrides:
    """Leave everything to the program."""
    return Overrides()


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What every digest of a publication is made with."""

    publication: Publication
    feeds: tuple[Feed, ...]
    clock: WeekClock
    theme: Theme
    settle: timedelta = timedelta(0)
    """How long news waits since it was first seen or last changed."""
    asks: Asks = nothing_asked

    @property
    def feed_ids(self) -> list[str]:
        """The feeds that count; what is stored of others is not looked at."""
        return [feed.id for feed in self.feeds]
