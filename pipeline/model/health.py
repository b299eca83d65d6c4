"""Results of health checks, and the metrics of a running daemon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pipeline.model.subscriber import PersonMailQueue

HealthLevel = Literal["ok", "warning", "error"]
HEALTH_LEVELS: tuple[HealthLevel, ...] = ("ok", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthResult:
    """The result of one health check. ``message`` and ``fix`` are parts of sentences without a full stop."""

    category: str
    """The heading it is listed under, for example ``store``."""
    name: str
    """The part that was checked: a feed, a folder, a DNS record."""
    level: HealthLevel
    message: str
    """The state of that part; follows ``name`` in a sentence."""
    fix: str = ""
    """Advice; empty if there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The publication that a database or an outbox belongs to."""

    publication: str
    """Its name and home page."""
    config: str
    """The path of its config.toml."""

    def is_same(self, other: Owner) -> bool:
        """Check whether two are one publication, which may have been renamed or moved since, but not both.

        >>> bread = Owner("Bread (https://b.example/)", "/srv/bread/config.toml")
        >>> bread.is_same(Owner("Rye (https://b.example/)", bread.config)), bread.is_same(Owner("Rye", "/srv/rye.toml"))
        (True, False)
        """
        return self.publication == other.publication or self.config == other.config


def worst_level(results: Iterable[HealthResult]) -> HealthLevel:
    """Return the worst level of any result; ``ok`` if there is none.

    >>> worst_level([HealthResult(category="disk", name="store", level="warning", message="is nearly full")])
    'warning'
    """
    return max((result.level for result in results), key=HEALTH_LEVELS.index, default="ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """A snapshot of all counts. The number of keys does not grow with feeds, entries or people."""

    feeds_by_outcome: Mapping[str, int] = field(default_factory=dict)
    """Feeds by the outcome of their last fetch (``model.fetch.OutcomeKind``, or ``never``)."""
    entries: int = 0
    """Entries in the store."""
    entries_ingested: int = 0
    """Entries ever stored; only grows."""
    runs_by_status: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Runs by task id and status."""
    last_finished_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each task last ended, with whatever status; aware UTC."""
    last_succeeded_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each task last succeeded; aware UTC."""
    editions_by_state: Mapping[str, int] = field(default_factory=dict)
    """Editions by state (``model.digest.EditionState``)."""
    newest_edition_number: int = 0
    """The number of the newest edition; 0 if there is none."""
    person_mails: PersonMailQueue = field(default_factory=PersonMailQueue)
    """The confirmations, guides and the like that wait to be sent."""
    dispatches_by_state: Mapping[str, int] = field(default_factory=dict)
    """Dispatches by state (``model.delivery.DispatchState``), of the newest editions and of all that are not ended."""
    deliveries_by_state: Mapping[str, int] = field(default_factory=dict)
    """Their deliveries by state (``model.delivery.DeliveryState``)."""
    failures_by_reason: Mapping[str, int] = field(default_factory=dict)
    """Those that failed, by reason (``model.delivery.FailureReason``)."""
    deliveries_per_minute: float = 0.0
    """How many deliveries a minute got an outcome lately."""
    sending_ends_at: datetime | None = None
    """When all that is being sent will have an outcome; None if nothing is sent, or it cannot be known."""
    delivery_events: Mapping[str, int] = field(default_factory=dict)
    """From how many deliveries of the newest editions there was an event of each kind."""
