"""Health: what a look at the house finds, and what its instruments show.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

HealthLevel = Literal["well", "warning", "trouble"]
HEALTH_LEVELS: tuple[HealthLevel, ...] = ("well", "warning", "trouble")
"""From nothing to do, over what wants a look, to what needs mending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthResult:
    """One thing that was looked at: what was found and, where it is not well, how to mend it."""

    category: str
    """What it belongs to, e.g. ``store``; lists are grouped by it."""
    name: str
    """Which thing: a feed, a folder, a record."""
    level: HealthLevel
    message: str
    """One sentence's end without a full stop: what was found."""
    fix: str = ""
    """One sentence's end without a full stop: what to do; empty where there is nothing to do."""


def health_result_of(sentence: str, *, category: str, name: str, level: HealthLevel, fix: str = "") -> HealthResult:
    """Make a sign of a sentence that ends with what to do, after a colon or a semicolon; ``mend`` where it does not.

    >>> sign = sign_of("answered 404 Not Found: check the address", group="feeds", name="blog", level="trouble")
    >>> sign.finding, sign.mend
    ('answered 404 Not Found', 'check the address')
    """
    parts = re.fullmatch(r"(?P<finding>.*)[:;] (?P<mend>.+?)\.?", sentence, re.DOTALL)
    finding, said = (parts["finding"], parts["mend"]) if parts else (sentence.rstrip("."), fix)
    return HealthResult(category=category, name=name, level=level, message=finding, fix=said)


def worst_level(results: Iterable[HealthResult]) -> HealthLevel:
    """Give the gravest level there is; ``well`` when there is no sign at all.

    >>> worst([Sign(group="disk", name="store", level="warning", finding="is nearly full")])
    'warning'
    """
    return max((each.level for each in results), key=HEALTH_LEVELS.index, default="well")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What the instruments show at one moment. Counts never grow with feeds, entries or readers: labels are words."""

    feeds_by_outcome: Mapping[str, int] = field(default_factory=dict)
    """How many feeds had which outcome last (``model.fetch.OutcomeKind``, or ``never``)."""
    entries: int = 0
    """How many entries are kept."""
    entries_ingested: int = 0
    """How many entries ever came in; only ever grows."""
    runs_by_status: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Task and outcome, and how many of its runs ended so."""
    last_finished_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each task last ended, well or not; aware UTC."""
    last_succeeded_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each task last did all of its work; aware UTC."""
    editions_by_state: Mapping[str, int] = field(default_factory=dict)
    """How many editions stand where (``model.digest.State``)."""
    newest_edition_number: int = 0
    """The newest edition's number; 0 while there is none."""
