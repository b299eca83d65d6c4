"""Preflight: what was found wrong with a mail before anyone gets it, and the facts it takes to find it.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

CheckLevel = Literal["error", "warning", "hint"]
LEVELS: tuple[CheckLevel, ...] = ("error", "warning", "hint")
"""The gravest first. An error stops approval, a warning wants a look, a hint is a matter of taste."""

FIX_TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "subject": "a field of the editor's",
        "preheader": "a field of the editor's",
        "introduction": "a field of the editor's",
        "links": "the editor's useful links",
        "story": "the story of an entry, named by its reference",
        "stories": "which stories are told",
        "feed": "a feed, named by its id",
        "setting": "a key of config.toml, such as publication.tagline",
        "theme": "the templates",
        "changes": "what has changed since the approval",
        "network": "nowhere: it is to be asked again",
        "program": "nowhere: it is a fault of the program",
    }
)
"""Where something can be mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One thing to mend, or to accept."""

    name: str
    """The kind of thing, e.g. ``picture-alt``; an error is overridden by it."""
    level: CheckLevel
    message: str
    """One sentence that says what to do."""
    where: str = ""
    """The story, setting or part it concerns, in words the editor knows."""
    fix_target: str = ""
    """Where it is mended: one of ``PLACES``, and after a blank which one of them, e.g. ``story blog 7``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCheck:
    """What the network said about the links and pictures of one edition, the very bytes of it."""

    content_hash: str
    checked_at: datetime
    results: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleFeed:
    """A feed that has had nothing new for long."""

    feed_id: str
    newest_at: datetime | None
    """When its newest entry was published; None when it never had one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightContext:
    """What preflight must know besides the mail itself."""

    published_urls: Mapping[str, str] = field(default_factory=dict)
    """``text.urls.url_key`` of a page, and the week of the earlier edition that led there."""
    stale_feeds: tuple[StaleFeed, ...] = ()
    min_links: int = 0
    """With fewer useful links than this, an edition looks bare; 0: never."""


def blocking_results(checks: Iterable[CheckResult], overridden: Collection[str] = ()) -> tuple[CheckResult, ...]:
    """Give the errors that stop approval: all whose name nobody overrode.

    >>> poor = Check(name="contrast", level="error", message="Darken the accent.")
    >>> blocking([poor]), blocking([poor], {"contrast"})
    ((Check(name='contrast', level='error', message='Darken the accent.', where='', mend=''),), ())
    """
    return tuple(check for check in checks if check.level == "error" and check.name not in overridden)
