"""Delete the texts of old entries that no edition contains, and old excerpts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.model.schedule import parse_schedule
from pipeline.scheduler.engine import Task
from pipeline.store import Store
from pipeline.text.format import format_bytes, pluralize

SCHEDULE = parse_schedule("sun 04:30")
"""When nobody edits and no edition is about to be sent."""
KEEP_EXCERPTS = timedelta(days=400)
"""How long the excerpts of published stories are kept; later they are computed again if needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneResult:
    """The result of pruning."""

    before: datetime
    entries: int
    freed_bytes: int
    excerpts: int = 0

    @property
    def summary(self) -> str:
        """One sentence.

        >>> from datetime import UTC
        >>> PruneResult(before=datetime(2024, 11, 21, tzinfo=UTC), entries=1_204, freed_bytes=12_300_000).summary
        '1,204 texts from before 2024-11-21 deleted, 12.3 MB'
        >>> PruneResult(before=datetime(2024, 11, 21, tzinfo=UTC), entries=1, freed_bytes=4_200, excerpts=8).summary
        '1 text from before 2024-11-21 deleted, 4 kB, and 8 old Markdown excerpts'
        """
        more = f", and {pluralize(self.excerpts, 'old Markdown excerpt')}" if self.excerpts else ""
        texts, size = pluralize(self.entries, "text"), format_bytes(self.freed_bytes)
        return f"{texts} from before {self.before:%Y-%m-%d} deleted, {size}{more}"


def prune(store: Store, keep: timedelta, *, now: datetime) -> PruneResult:
    """Delete the texts of entries that were published and last changed longer than ``keep`` ago.

    Titles, fingerprints and plain excerpts stay, and so do the texts of entries in editions or coming digests.
    """
    before = now - keep
    entries, freed_bytes = store.maintenance.drop_bodies(before)
    excerpts = store.excerpts.prune(now - KEEP_EXCERPTS)
    return PruneResult(before=before, entries=entries, freed_bytes=freed_bytes, excerpts=excerpts)


def prune_task(store: Store, keep: timedelta) -> Task:
    """Return the task that prunes once a week."""
    return Task(id="prune", schedule=SCHEDULE, run=lambda period, now: prune(store, keep, now=now).summary)
