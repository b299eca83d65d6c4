"""Results of the preflight checks, and what the checks need to know besides the message itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, get_args

CheckLevel = Literal["error", "warning", "hint"]
LEVELS: tuple[CheckLevel, ...] = ("error", "warning", "hint")
"""Most severe first. An error stops approval, a warning deserves attention, a hint is a matter of taste."""

CheckName = Literal[
    "broken-image",
    "changed-since",
    "contrast",
    "dead-link",
    "few-links",
    "html-size",
    "image-alt",
    "image-format",
    "image-size",
    "introduction",
    "language",
    "link-text",
    "merge-tag",
    "message-format",
    "moved-link",
    "possible-repeat",
    "postal-address",
    "preheader",
    "relative-url",
    "repeated-link",
    "short-url",
    "shortcode",
    "shortened",
    "stale-feed",
    "subject",
    "subject-length",
    "text-part",
    "todo-note",
    "unsafe",
    "unsubscribe-link",
    "wrong-encoding",
]
CHECK_NAMES: tuple[CheckName, ...] = get_args(CheckName)
"""The names of all checks, by which errors are ignored."""
FIX_TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "subject": "a field of the editor's file",
        "preheader": "a field of the editor's file",
        "introduction": "a field of the editor's file",
        "links": "the useful links of the editor's file",
        "story": "the story of an entry, named by its reference",
        "stories": "the choice of stories",
        "feed": "a feed, named by its id",
        "setting": "a key of config.toml, such as publication.tagline",
        "theme": "the templates",
        "changes": "the list of changes since the approval",
        "network": "nothing: check again",
        "program": "nothing: this is a bug",
    }
)
"""Names of the things to edit to fix a problem, with their meanings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One problem to fix, or to ignore."""

    name: str
    """The check, e.g. ``image-alt``; an error is ignored by this name."""
    level: CheckLevel
    message: str
    """One sentence that says what to do."""
    where: str = ""
    """The story, setting or part concerned, in words the editor knows."""
    fix_target: str = ""
    """The thing to edit: one of ``FIX_TARGETS`` and, after a space, which one, e.g. ``story blog 7``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCheck:
    """The results of checking the links and images of one edition, identified by its exact bytes."""

    content_hash: str
    checked_at: datetime
    results: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleFeed:
    """A feed without a new entry for a long time."""

    feed_id: str
    newest_at: datetime | None
    """When its newest entry was published; None if it never had one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleRepeat:
    """An entry that stays out because it may repeat a story; the editor decides."""

    feed_id: str
    guid: str
    title: str
    reason: str
    """The decision's reason, the end of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightContext:
    """Facts the checks need besides the message itself."""

    published_urls: Mapping[str, str] = field(default_factory=dict)
    """``text.urls.url_key`` of a page to the week of the earlier edition that linked to it."""
    stale_feeds: tuple[StaleFeed, ...] = ()
    possible_repeats: tuple[PossibleRepeat, ...] = ()
    min_links: int = 0
    """Fewer useful links than this get a hint; 0 disables it."""


def blocking_results(checks: Iterable[CheckResult], overridden: Collection[str] = ()) -> tuple[CheckResult, ...]:
    """Return the errors that stop approval: those whose check is not among ``overridden``.

    >>> poor = CheckResult(name="contrast", level="error", message="Darken the accent.")
    >>> [result.name for result in blocking_results([poor])], blocking_results([poor], {"contrast"})
    (['contrast'], ())
    """
    return tuple(check for check in checks if check.level == "error" and check.name not in overridden)
