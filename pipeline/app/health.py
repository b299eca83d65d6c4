"""How the house is doing, seen by its daemon: what web/health.py shows.

In: a house and the pulse of its beat. Out: reasons and instruments. Only reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.app.app import House
from pipeline.model.errors import StoreError
from pipeline.model.health import Metrics

if TYPE_CHECKING:
    from pipeline.scheduler.heartbeat import Heartbeat


class HealthProbe:
    """Looks at a house; ``house`` gives the one of now, since a daemon may read its config anew."""

    def __init__(self, get_app: Callable[[], House], heartbeat: Heartbeat) -> None:
        self._house = get_app
        self._pulse = heartbeat

    @property
    def heartbeat_age_seconds(self) -> float:
        """How long ago the daemon last showed that it lives."""
        return self._pulse.age_seconds

    def problems(self) -> tuple[str, ...]:
        """Say why the daemon is not well, a sentence each; nothing when it is."""
        try:
            self._house().store.revision()
            store = ""
        except StoreError as trouble:
            store = str(trouble)
        return tuple(filter(None, (self._pulse.problem(), store)))

    def metrics(self) -> Metrics:
        """Read the instruments; StoreError when the store does not answer."""
        house = self._house()
        gauges = house.store.metrics
        kept, seen = gauges.entry_counts()
        editions, newest = gauges.editions_by_state()
        return Metrics(
            feeds_by_outcome=gauges.feeds_by_outcome([feed.id for feed in house.feeds]),
            entries=kept,
            entries_ingested=seen,
            runs_by_status=gauges.runs_by_outcome(),
            last_finished_at=gauges.last_finished_at(),
            last_succeeded_at=gauges.last_finished_at("done"),
            editions_by_state=editions,
            newest_edition_number=newest,
        )
