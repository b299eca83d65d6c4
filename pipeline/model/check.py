"""Preflight: what was found wrong with a mail before anyone gets it, and the facts it takes to find it.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

CheckLevel = Literal["error", "warning", "hint"]
LEVELS: tuple[CheckLevel, ...] = ("error", "warning", "hint")
"""The gravest first. An error stops approval, a warning wants a look, a hint is a matter of taste."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to mend, or to accept."""

    name: str
    """The kind of thing, e.g. ``picture-alt``; an error is overridden by it."""
    level: CheckLevel
    message: str
    """One sentence that says what to do."""
    where: str = ""
    """The story, setting or part it concerns, in words the editor knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietFeed:
    """A feed that has had nothing new for long."""

    feed_id: str
    newest_at: datetime | None
    """When its newest entry was published; None when it never had one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What preflight must know besides the mail itself."""

    told: Mapping[str, str] = field(default_factory=dict)
    """``text.urls.url_key`` of a page, and the week of the earlier edition that led there."""
    quiet: tuple[QuietFeed, ...] = ()
    links_fewest: int = 0
    """With fewer useful links than this, an edition looks bare; 0: never."""


def blocking(checks: Iterable[Check], overridden: Collection[str] = ()) -> tuple[Check, ...]:
    """Give the errors that stop approval: all whose name nobody overrode.

    >>> poor = Check(name="contrast", level="error", message="Darken the accent.")
    >>> blocking([poor]), blocking([poor], {"contrast"})
    ((Check(name='contrast', level='error', message='Darken the accent.', where=''),), ())
    """
    return tuple(check for check in checks if check.level == "error" and check.name not in overridden)
