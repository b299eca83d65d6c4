"""Where on the desk a finding is mended.

In: what a check says (``CheckResult.mend``), a week. Out: a few words and, where a page of the desk can mend it, its address.
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

_FIELDS = {
    "subject": "Write another subject",
    "preheader": "Write another preheader",
    "introduction": "Write the introduction",
    "links": "Change the links",
}

_CALLED = {
    "changed-since": "changed since approval",
    "contrast": "colours that are hard to read",
    "todo-note": "note to oneself",
    "link-text": "text of a link",
    "message-format": "format of the message",
    "image-alt": "description of an image",
    "image-size": "size of an image",
    "relative-url": "incomplete URL",
    "shortcode": "WordPress shortcode",
    "short-url": "shortened URL",
    "text-part": "plain-text version",
    "merge-tag": "placeholder",
    "unsubscribe-link": "unsubscribe link",
}
"""Those whose names mean little to who is no programmer; the others say it themselves, without their hyphens."""


@dataclass(frozen=True, slots=True)
class FixLink:
    """How to get there; without an address it is told in words alone."""

    words: str
    address: str = ""


def fix_link(fix: str, week: str, *, editable: bool = True) -> FixLink:
    """Find the way to where something is mended; of an edition that is out there is none to its words.

    >>> fix_link("subject", "2026-W07")
    FixLink(words='Write another subject', address='/week/2026-W07/edit#subject')
    >>> fix_link("setting publication.tagline", "2026-W07").words
    'In config.toml: tagline, under [publication]'
    >>> fix_link("feed my blog", "2026-W07").address, fix_link("subject", "2026-W07", editable=False).address
    ('/feeds#feed-my%20blog', '')
    """
    place, _, which = fix.partition(" ")
    if place in _FIELDS:
        return FixLink(_FIELDS[place], f"/week/{week}/edit#{place}") if editable else FixLink("")
    stories, (section, _, key) = f"/week/{week}?view=why", which.partition(".")
    ways = {
        "story": FixLink("Go to the story", f"{stories}#{entry_anchor(which)}"),
        "stories": FixLink("Choose among the stories", stories),
        "feed": FixLink("Look at the feed", f"/feeds#feed-{quote(which)}"),
        "setting": FixLink(f"In config.toml: {key}, under [{section}]"),
        "theme": FixLink("Mend it in the templates; here is the source", f"/week/{week}?view=source"),
        "changes": FixLink("See what has changed", f"/week/{week}?view=changes"),
        "network": FixLink("Ask again", f"/week/{week}#look"),
        "program": FixLink("This is a fault of the program"),
    }
    return ways.get(place, FixLink(""))


def check_title(name: str) -> str:
    """Call a kind of finding by words an editor knows.

    >>> check_title("image-alt"), check_title("dead-link")
    ('description of an image', 'dead link')
    """
    return _CALLED.get(name, name.replace("-", " "))


def entry_anchor(reference: str) -> str:
    """Name an entry's line in the ledger, whatever its guid is made of.

    >>> entry_anchor("blog https://blog.example/?p=7")
    'entry-a88e5ecd'
    """
    return f"entry-{sha256(reference.encode()).hexdigest()[:8]}"
