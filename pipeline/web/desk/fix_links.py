"""Where on the desk a check's result can be fixed, and what the checks are called there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from urllib.parse import quote

from pipeline.model.check import LEVELS, CheckLevel, CheckLine, CheckResult, check_lines
from pipeline.web.desk.settings.fields import FIELDS

_FIELD_LINKS = {
    "subject": "Edit the subject",
    "preheader": "Edit the preheader",
    "introduction": "Edit the introduction",
    "links": "Edit the links",
}

_TITLES = {
    "changed-since": "changed since approval",
    "dangling-mark": "open bracket or stray mark",
    "furniture": "part of the site in the text",
    "mixed-languages": "another language",
    "contrast": "text that is hard to read",
    "message-format": "message format",
    "image-alt": "image without alt text",
    "image-size": "image size",
    "merge-tag": "text like a placeholder",
    "no-text": "only a title",
    "possible-repeat": "perhaps published before",
    "raw-markup": "markup shown as text",
    "relative-url": "incomplete address",
    "shortcode": "WordPress shortcode",
    "short-url": "shortened address",
    "text-part": "plain-text part",
    "todo-note": "leftover note",
    "variants": "what subscribers want",
}
"""Titles of checks whose names mean little to an editor; other names are shown without their hyphens."""
_PLURALS = {
    "broken-image": "broken images",
    "dangling-mark": "open brackets or stray marks",
    "dead-link": "dead links",
    "furniture": "parts of the site in texts",
    "half-sentence": "half sentences",
    "image-alt": "images without alt text",
    "image-size": "images of a wrong size",
    "merge-tag": "texts like a placeholder",
    "mixed-languages": "texts in another language",
    "moved-link": "moved links",
    "no-text": "stories with only a title",
    "possible-repeat": "stories perhaps published before",
    "raw-markup": "texts with markup",
    "relative-url": "incomplete addresses",
    "repeated-link": "repeated links",
    "repeated-picture": "repeated pictures",
    "short-url": "shortened addresses",
    "shortcode": "WordPress shortcodes",
    "stale-feed": "stale feeds",
    "todo-note": "leftover notes",
    "tracking-link": "tracking links",
}
"""Titles of several results of a check; of others the title is counted."""


@dataclass(frozen=True, slots=True)
class FixLink:
    """A link to where something is fixed; a hint without a link if ``url`` is empty."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSummary:
    """All results of one check."""

    name: str
    level: CheckLevel
    title: str
    """With their number if there are several: ``18 images without alt text``."""
    lines: tuple[CheckLine, ...]

    @property
    def result(self) -> CheckResult | None:
        """The result if there is only one."""
        return self.lines[0].results[0] if len(self.lines) == 1 and len(self.lines[0].results) == 1 else None


def summarize_checks(results: Iterable[CheckResult]) -> tuple[CheckSummary, ...]:
    """Return results by check, the most severe first.

    >>> poor = CheckResult(name="image-alt", level="hint", message="Describe it.", where="Bread")
    >>> dead = CheckResult(name="dead-link", level="error", message="Correct it.", where="Salt")
    >>> [summary.title for summary in summarize_checks([poor, dead, poor])]
    ['dead link', '2 images without alt text']
    """
    by_check: dict[tuple[CheckLevel, str], list[CheckResult]] = {}
    for result in results:
        by_check.setdefault((result.level, result.name), []).append(result)
    return tuple(
        CheckSummary(name=name, level=level, title=_count_title(name, len(alike)), lines=check_lines(alike))
        for (level, name), alike in sorted(by_check.items(), key=lambda check: LEVELS.index(check[0][0]))
    )


def _count_title(name: str, count: int) -> str:
    if count == 1:
        return check_title(name)
    return f"{count} {_PLURALS[name]}" if name in _PLURALS else f"{check_title(name)}, {count} times"


def fix_link(
    fix_target: str, week: str, *, editable: bool = True, titles: Mapping[str, str] = MappingProxyType({})
) -> FixLink:
    """Return the link for a ``CheckResult.fix_target``; without text for a field of an edition that cannot be edited.

    ``titles`` are those of the week's entries, by reference: the link to a story names it.

    >>> fix_link("subject", "2026-W07")
    FixLink(text='Edit the subject', url='/week/2026-W07/edit#subject')
    >>> fix_link("setting publication.tagline", "2026-W07")
    FixLink(text='Change the tagline', url='/settings#publication-tagline')
    >>> fix_link("setting publication.url", "2026-W07").text
    'In config.toml: url, under [publication]'
    >>> fix_link("feed my blog", "2026-W07").url, fix_link("subject", "2026-W07", editable=False).url
    ('/feeds#feed-my%20blog', '')
    """
    target, _, name = fix_target.partition(" ")
    if target in _FIELD_LINKS:
        return FixLink(_FIELD_LINKS[target], f"/week/{week}/edit#{target}") if editable else FixLink("")
    stories, (section, _, key) = f"/week/{week}?view=decisions", name.partition(".")
    links = {
        "story": FixLink(
            f"Go to “{titles[name]}”" if titles.get(name) else "Go to the story", f"{stories}#{entry_anchor(name)}"
        ),
        "stories": FixLink("Choose the stories", stories),
        "feed": FixLink("Go to the feed", f"/feeds#feed-{quote(name)}"),
        "setting": FixLink(f"Change the {FIELDS[name].label.lower()}", f"/settings#{FIELDS[name].anchor}")
        if name in FIELDS
        else FixLink(f"In config.toml: {key}, under [{section}]"),
        "theme": FixLink("Fix the template (see the source)", f"/week/{week}?view=source"),
        "changes": FixLink("Show the changes", f"/week/{week}?view=changes"),
        "network": FixLink("Check again", f"/week/{week}#link-check"),
        "program": FixLink("This is a bug in the program"),
    }
    return links.get(target, FixLink(""))


def check_title(name: str) -> str:
    """Return the title of a check for editors.

    >>> check_title("image-alt"), check_title("dead-link")
    ('image without alt text', 'dead link')
    """
    return _TITLES.get(name, name.replace("-", " "))


def entry_anchor(reference: str) -> str:
    """Return the HTML id of an entry's row, whatever characters its guid contains.

    >>> entry_anchor("blog https://blog.example/?p=7")
    'entry-a88e5ecd'
    """
    return f"entry-{sha256(reference.encode()).hexdigest()[:8]}"
