"""Drop old texts: what no edition tells, and nobody will ask for; and what was made of texts long ago.

In: a store, how long texts are kept, an instant. Out: how many went, and the room they took.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.model.schedule import parse_schedule
from pipeline.scheduler.engine import Task
from pipeline.store import Store
from pipeline.text.format import format_bytes, pluralize

SCHEDULE = parse_schedule("sun 04:30")
"""When nobody edits, and no mailing is due anywhere near."""
KEEP_EXCERPTS = timedelta(days=400)
"""How long the excerpts that digests told are kept: a year and some weeks later they are made anew, if at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneResult:
    """What went."""

    before: datetime
    entries: int
    freed_bytes: int
    excerpts: int = 0

    @property
    def summary(self) -> str:
        """Say it.

        >>> from datetime import UTC
        >>> Pruned(before=datetime(2024, 11, 21, tzinfo=UTC), entries=1_204, freed_bytes=12_300_000).line
        '1,204 texts from before 2024-11-21 dropped, 12.3 MB'
        >>> Pruned(before=datetime(2024, 11, 21, tzinfo=UTC), entries=1, freed_bytes=4_200, excerpts=8).line
        '1 text from before 2024-11-21 dropped, 4 kB, and 8 Markdown excerpts made long ago'
        """
        also = f", and {pluralize(self.excerpts, 'Markdown excerpt')} made long ago" if self.excerpts else ""
        texts, size = pluralize(self.entries, "text"), format_bytes(self.freed_bytes)
        return f"{texts} from before {self.before:%Y-%m-%d} dropped, {size}{also}"


def prune(store: Store, keep: timedelta, *, now: datetime) -> PruneResult:
    """Drop the texts of entries that were published and last changed longer ago than that.

    Their names, fingerprints and plain excerpts stay; so does every text that an edition tells, or may still tell.
    """
    before = now - keep
    entries, freed_bytes = store.maintenance.drop_bodies(before)
    excerpts = store.excerpts.prune(now - KEEP_EXCERPTS)
    return PruneResult(before=before, entries=entries, freed_bytes=freed_bytes, excerpts=excerpts)


def prune_task(store: Store, keep: timedelta) -> Task:
    """Prune once a week."""
    return Task(id="prune", schedule=SCHEDULE, run=lambda period, now: prune(store, keep, now=now).summary)
