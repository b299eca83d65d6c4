"""How the house is doing, seen by its daemon: what web/health.py shows.

In: a house and the pulse of its beat. Out: reasons and instruments. Only reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.app.house import House
from pipeline.model.errors import StoreError
from pipeline.model.health import Vitals

if TYPE_CHECKING:
    from pipeline.jobs.pulse import Pulse


class Sight:
    """Looks at a house; ``house`` gives the one of now, since a daemon may read its config anew."""

    def __init__(self, house: Callable[[], House], pulse: Pulse) -> None:
        self._house = house
        self._pulse = pulse

    @property
    def beat_age_seconds(self) -> float:
        """How long ago the daemon last showed that it lives."""
        return self._pulse.age_seconds

    def reasons(self) -> tuple[str, ...]:
        """Say why the daemon is not well, a sentence each; nothing when it is."""
        try:
            self._house().store.change_mark()
            store = ""
        except StoreError as trouble:
            store = str(trouble)
        return tuple(filter(None, (self._pulse.trouble(), store)))

    def vitals(self) -> Vitals:
        """Read the instruments; StoreError when the store does not answer."""
        house = self._house()
        gauges = house.store.gauges
        kept, seen = gauges.entries()
        editions, newest = gauges.editions()
        return Vitals(
            feeds=gauges.feeds([feed.id for feed in house.feeds]),
            entries=kept,
            entries_seen=seen,
            runs=gauges.runs(),
            ended_at=gauges.ended_at(),
            succeeded_at=gauges.ended_at("done"),
            editions=editions,
            newest_number=newest,
        )
