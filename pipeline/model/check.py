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
    "dangling-mark",
    "dead-link",
    "few-links",
    "furniture",
    "half-sentence",
    "html-size",
    "image-alt",
    "image-format",
    "image-size",
    "introduction",
    "language",
    "link-text",
    "merge-tag",
    "message-format",
    "mixed-languages",
    "moved-link",
    "no-text",
    "possible-repeat",
    "postal-address",
    "preheader",
    "raw-markup",
    "relative-url",
    "repeated-link",
    "repeated-picture",
    "short-url",
    "shortcode",
    "shortened",
    "stale-feed",
    "subject",
    "subject-length",
    "text-part",
    "todo-note",
    "tracking-link",
    "unsafe",
    "unsubscribe-link",
    "variants",
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
    quote: str = ""
    """The words concerned, so that results of several stories can have the same message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """Results that say the same of one or more stories, settings or parts."""

    name: str
    level: CheckLevel
    message: str
    results: tuple[CheckResult, ...]

    @property
    def locations(self) -> tuple[str, ...]:
        """Where each result is, with the words it concerns in quotation marks.

        >>> tag = CheckResult(name="raw-markup", level="warning", message="Correct it.", where="Bread", quote="</b>")
        >>> check_lines([tag, tag])[0].locations
        ('Bread (“</b>”)', 'Bread (“</b>”)')
        """
        return tuple(filter(None, map(_location, self.results)))


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


def check_lines(results: Iterable[CheckResult]) -> tuple[CheckLine, ...]:
    """Return results with the same check, level and message together, in the order of the first of each."""
    same: dict[tuple[str, CheckLevel, str], list[CheckResult]] = {}
    for result in results:
        same.setdefault((result.name, result.level, result.message), []).append(result)
    return tuple(
        CheckLine(name=name, level=level, message=message, results=tuple(alike))
        for (name, level, message), alike in same.items()
    )


def _location(result: CheckResult) -> str:
    where = "" if result.where == result.name else result.where
    quoted = f"“{result.quote}”" if result.quote else ""
    return f"{where} ({quoted})" if where and quoted else where or quoted
