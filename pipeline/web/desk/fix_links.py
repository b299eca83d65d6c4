"""Where on the desk a check's result can be fixed, and what the checks are called there."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

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


@dataclass(frozen=True, slots=True)
class FixLink:
    """A link to where something is fixed; a hint without a link if ``url`` is empty."""

    text: str
    url: str = ""


def fix_link(fix_target: str, week: str, *, editable: bool = True) -> FixLink:
    """Return the link for a ``CheckResult.fix_target``; without text for a field of an edition that cannot be edited.

    >>> fix_link("subject", "2026-W07")
    FixLink(text='Edit the subject', url='/week/2026-W07/edit#subject')
    >>> fix_link("setting publication.tagline", "2026-W07").text
    'In config.toml: tagline, under [publication]'
    >>> fix_link("feed my blog", "2026-W07").url, fix_link("subject", "2026-W07", editable=False).url
    ('/feeds#feed-my%20blog', '')
    """
    target, _, name = fix_target.partition(" ")
    if target in _FIELD_LINKS:
        return FixLink(_FIELD_LINKS[target], f"/week/{week}/edit#{target}") if editable else FixLink("")
    stories, (section, _, key) = f"/week/{week}?view=decisions", name.partition(".")
    links = {
        "story": FixLink("Go to the story", f"{stories}#{entry_anchor(name)}"),
        "stories": FixLink("Choose the stories", stories),
        "feed": FixLink("Go to the feed", f"/feeds#feed-{quote(name)}"),
        "setting": FixLink(f"In config.toml: {key}, under [{section}]"),
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
