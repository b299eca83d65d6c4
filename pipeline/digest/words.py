"""The words of the mail that are not the publication's own: minutes, bylines, dates, buttons. English.

In: plain values. Out: short phrases; empty where there is nothing to say, so that nothing leaves a stray separator.
Pure. The one place to translate.
"""

from __future__ import annotations

from datetime import date
from unicodedata import bidirectional

from pipeline.model.digest import SectionKind, Story

HEADINGS: dict[SectionKind, str] = {
    "posts": "From the blog",
    "episodes": "From the podcast",
    "links": "Useful links",
    "archive": "From the archive",
}
UNTITLED = "Untitled"
TRANSCRIPT = "Transcript"
READ_IN_BROWSER = "Read in your browser"
UNSUBSCRIBE = "Unsubscribe"
PREFERENCES = "Change what you get"
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
_RTL = {"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"}


def direction(language: str) -> str:
    """Say which way a language is written, by its BCP 47 tag: ``ltr`` or ``rtl``.

    >>> direction("ar-EG"), direction("en-GB")
    ('rtl', 'ltr')
    """
    return "rtl" if language.split("-")[0].lower() in _RTL else "ltr"


def number(edition: int | None) -> str:
    """Number an edition, once it has a number.

    >>> number(7), number(None)
    ('No. 7', '')
    """
    return "" if edition is None else f"No. {edition}"


def day(at: date) -> str:
    """Write a date in full.

    >>> day(date(2026, 2, 16))
    '16 February 2026'
    """
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def duration(seconds: int | None) -> str:
    """Write how long an episode is, in minutes and hours.

    >>> duration(2520), duration(4320), duration(3600), duration(20), duration(None)
    ('42 min', '1 h 12 min', '1 h', '1 min', '')
    """
    if not seconds or seconds < 0:
        return ""
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


def byline(story: Story) -> tuple[str, ...]:
    """Say who made a story and what it asks of a reader, each part on its own."""
    guest, author = _isolated(story.guest), _isolated(story.author)
    heard = duration(story.duration_seconds)
    with_guest = f"with {guest}" if guest else ""
    by = f"By {author}" if author else ""
    read = f"{story.reading_minutes} min read" if story.reading_minutes else ""
    explicit = "Explicit language" if story.explicit else ""
    parts = {
        "post": (f"Guest post by {guest}" if guest else by, read),
        "episode": (_episode(story), heard, with_guest, explicit),
        "read-or-listen": (_episode(story), with_guest or by, explicit),
        "link": (story.source,),
    }[story.kind]
    return tuple(part for part in parts if part)


def _isolated(name: str) -> str:
    """Keep a name written from right to left from turning its neighbours round (Unicode isolates, UAX #9)."""
    return f"\u2068{name}\u2069" if any(bidirectional(char) in ("R", "AL") for char in name) else name


def _episode(story: Story) -> str:
    if story.episode is None:
        return ""
    return f"Season {story.season}, episode {story.episode}" if (story.season or 0) > 1 else f"Episode {story.episode}"


def read_button(story: Story) -> str:
    """Invite to read; beside something to hear, say how long it takes."""
    minutes = f" ({story.reading_minutes} min)" if story.reading_minutes else ""
    return f"Read the post{minutes if story.kind == 'read-or-listen' else ''}"


def listen_button(story: Story) -> str:
    """Invite to listen, and say how long it takes."""
    heard = duration(story.duration_seconds)
    words = "Listen now" if story.kind == "read-or-listen" else "Listen to the episode"
    return f"{words} ({heard})" if heard else words


def reason(name: str) -> str:
    """Say why somebody gets this mail, when the publication does not."""
    return f"You are getting this because you asked for the newsletter of {name}."
