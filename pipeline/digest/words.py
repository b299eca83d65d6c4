"""The words of the mail that are not the publication's own: minutes, bylines, dates, buttons.

In: plain values and a Voice, which says English words in its language. Out: short phrases; empty where there is nothing
to say, so that nothing leaves a stray separator. Pure: catalogs are read in ``language.py``.

Every English word a reader may meet is the argument of ``say`` or ``count``, here, in ``page.py``, in ``piece.py`` or
in ``compose.py``; ``make locale`` collects them from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from gettext import NullTranslations
from unicodedata import bidirectional

from pipeline.model.digest import SectionKind, Story

_RTL = {"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Says English words in the language of a publication.

    >>> Voice().say("with {guest}", guest="Ada"), Voice().count("a link", "{n} links", 2)
    ('with Ada', '2 links')
    """

    language: str = "en"
    """BCP 47, as the publication wrote it."""
    catalog: NullTranslations = field(default_factory=NullTranslations)

    @property
    def direction(self) -> str:
        """Which way the language is written, ``ltr`` or ``rtl``.

        >>> Voice(language="ar-EG").direction, Voice(language="en-GB").direction
        ('rtl', 'ltr')
        """
        return "rtl" if self.language.split("-")[0].lower() in _RTL else "ltr"

    def say(self, words: str, **values: object) -> str:
        """Translate words and fill in their ``{names}``; unknown words stay English."""
        return self.catalog.gettext(words).format(**values)

    def count(self, one: str, many: str, n: int) -> str:
        """Translate words about a number, ``{n}``, in the plural form that the language has for it."""
        return self.catalog.ngettext(one, many, n).format(n=n)


ENGLISH = Voice()


def heading(kind: SectionKind, voice: Voice) -> str:
    """Name a section whose feed has no name for it."""
    return {
        "posts": voice.say("From the blog"),
        "episodes": voice.say("From the podcast"),
        "links": voice.say("Useful links"),
        "archive": voice.say("From the archive"),
    }[kind]


def number(edition: int | None, voice: Voice = ENGLISH) -> str:
    """Number an edition, once it has a number.

    >>> number(7), number(None)
    ('No. 7', '')
    """
    return "" if edition is None else voice.say("No. {number}", number=edition)


def colon(voice: Voice = ENGLISH) -> str:
    """Write what stands between a label and an address, with its blanks."""
    # Translators: between a label and an address, with its blanks.
    return voice.say(": ")


def day(at: date, voice: Voice = ENGLISH) -> str:
    """Write a date in full.

    >>> day(date(2026, 2, 16))
    '16 February 2026'
    """
    # Translators: the order and the punctuation of a date; its month comes from the twelve words below.
    return voice.say("{day} {month} {year}", day=at.day, month=_months(voice)[at.month - 1], year=at.year)


def month(at: date, voice: Voice = ENGLISH) -> str:
    """Write a month of a year.

    >>> month(date(2024, 3, 12))
    'March 2024'
    """
    return voice.say("{month} {year}", month=_months(voice)[at.month - 1], year=at.year)


def _months(voice: Voice) -> tuple[str, ...]:
    return (
        # Translators: as it stands within a date.
        voice.say("January"),
        voice.say("February"),
        voice.say("March"),
        voice.say("April"),
        voice.say("May"),
        voice.say("June"),
        voice.say("July"),
        voice.say("August"),
        voice.say("September"),
        voice.say("October"),
        voice.say("November"),
        voice.say("December"),
    )


def duration(seconds: int | None, voice: Voice = ENGLISH) -> str:
    """Write how long an episode is: in minutes and hours, what is under two minutes in seconds.

    >>> duration(2520), duration(4320), duration(3600), duration(92), duration(None)
    ('42 min', '1 h 12 min', '1 h', '90 sec', '')
    """
    if not seconds or seconds < 0:
        return ""
    if seconds < 120:
        return voice.count("{n} sec", "{n} sec", max(5, round(seconds / 5) * 5))
    hours, minutes = divmod(round(seconds / 60), 60)
    long = voice.count("{n} h", "{n} h", hours) if hours else ""
    short = voice.count("{n} min", "{n} min", minutes) if minutes else ""
    return voice.say("{hours} {minutes}", hours=long, minutes=short) if long and short else long or short


def byline(story: Story, voice: Voice = ENGLISH) -> tuple[str, ...]:
    """Say who made a story and what it asks of a reader, each part on its own."""
    guest, author = isolated(story.guest, voice), isolated(story.author, voice)
    minutes = story.reading_minutes
    heard = duration(story.duration_seconds, voice)
    with_guest = voice.say("with {guest}", guest=guest) if guest else ""
    by = voice.say("By {author}", author=author) if author else ""
    read = voice.count("{n} min read", "{n} min read", minutes) if minutes else ""
    explicit = voice.say("Explicit language") if story.explicit else ""
    parts = {
        "post": (voice.say("Guest post by {guest}", guest=guest) if guest else by, read),
        "episode": (_episode(story, voice), heard, with_guest, explicit),
        "read-or-listen": (_episode(story, voice), with_guest or by, explicit),
        "link": (story.source,),
    }[story.kind]
    return tuple(part for part in parts if part)


def isolated(name: str, voice: Voice = ENGLISH) -> str:
    """Keep a name written the other way from turning its neighbours round (Unicode isolates, UAX #9).

    >>> isolated("Ada"), isolated("عمر"), isolated("Ada", Voice(language="ar"))
    ('Ada', '\u2068عمر\u2069', '\u2068Ada\u2069')
    """
    against = ("L",) if voice.direction == "rtl" else ("R", "AL")
    return f"\u2068{name}\u2069" if any(bidirectional(char) in against for char in name) else name


def _episode(story: Story, voice: Voice) -> str:
    if story.episode is None:
        return ""
    if (story.season or 0) > 1:
        return voice.say("Season {season}, episode {episode}", season=story.season, episode=story.episode)
    return voice.say("Episode {episode}", episode=story.episode)


def read_button(story: Story, voice: Voice = ENGLISH) -> str:
    """Invite to read; beside something to hear, say how long it takes where it takes a while."""
    if story.kind == "read-or-listen" and story.reading_minutes > 1:
        minutes = duration(60 * story.reading_minutes, voice)
        return voice.say("Read the post ({duration})", duration=minutes)
    return voice.say("Read the post")


def listen_button(story: Story, voice: Voice = ENGLISH) -> str:
    """Invite to listen, and say how long it takes."""
    heard = duration(story.duration_seconds, voice)
    if story.kind == "read-or-listen":
        return voice.say("Listen now ({duration})", duration=heard) if heard else voice.say("Listen now")
    if heard:
        return voice.say("Listen to the episode ({duration})", duration=heard)
    return voice.say("Listen to the episode")


def reason(name: str, voice: Voice = ENGLISH) -> str:
    """Say why somebody gets this mail, when the publication does not."""
    return voice.say("You are getting this because you asked for the newsletter of {name}.", name=isolated(name, voice))
