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
class Translator:
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

    def gettext(self, message: str, **values: object) -> str:
        """Translate words and fill in their ``{names}``; unknown words stay English."""
        return self.catalog.gettext(message).format(**values)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Translate words about a number, ``{n}``, in the plural form that the language has for it."""
        return self.catalog.ngettext(singular, plural, n).format(n=n)


ENGLISH = Translator()


def section_heading(kind: SectionKind, translator: Translator) -> str:
    """Name a section whose feed has no name for it."""
    return {
        "posts": translator.gettext("From the blog"),
        "episodes": translator.gettext("From the podcast"),
        "links": translator.gettext("Useful links"),
        "archive": translator.gettext("From the archive"),
    }[kind]


def edition_number(edition: int | None, voice: Translator = ENGLISH) -> str:
    """Number an edition, once it has a number.

    >>> number(7), number(None)
    ('No. 7', '')
    """
    return "" if edition is None else voice.gettext("No. {number}", number=edition)


def label_separator(voice: Translator = ENGLISH) -> str:
    """Write what stands between a label and an address, with its blanks."""
    # Translators: between a label and an address, with its blanks.
    return voice.gettext(": ")


def format_date(at: date, voice: Translator = ENGLISH) -> str:
    """Write a date in full.

    >>> day(date(2026, 2, 16))
    '16 February 2026'
    """
    # Translators: the order and the punctuation of a date; its month comes from the twelve words below.
    return voice.gettext("{day} {month} {year}", day=at.day, month=_months(voice)[at.month - 1], year=at.year)


def format_month(at: date, voice: Translator = ENGLISH) -> str:
    """Write a month of a year.

    >>> month(date(2024, 3, 12))
    'March 2024'
    """
    return voice.gettext("{month} {year}", month=_months(voice)[at.month - 1], year=at.year)


def _months(voice: Translator) -> tuple[str, ...]:
    return (
        # Translators: as it stands within a date.
        voice.gettext("January"),
        voice.gettext("February"),
        voice.gettext("March"),
        voice.gettext("April"),
        voice.gettext("May"),
        voice.gettext("June"),
        voice.gettext("July"),
        voice.gettext("August"),
        voice.gettext("September"),
        voice.gettext("October"),
        voice.gettext("November"),
        voice.gettext("December"),
    )


def format_duration(seconds: int | None, voice: Translator = ENGLISH) -> str:
    """Write how long an episode is: in minutes and hours, what is under two minutes in seconds.

    >>> duration(2520), duration(4320), duration(3600), duration(92), duration(None)
    ('42 min', '1 h 12 min', '1 h', '90 sec', '')
    """
    if not seconds or seconds < 0:
        return ""
    if seconds < 120:
        return voice.ngettext("{n} sec", "{n} sec", max(5, round(seconds / 5) * 5))
    hours, minutes = divmod(round(seconds / 60), 60)
    long = voice.ngettext("{n} h", "{n} h", hours) if hours else ""
    short = voice.ngettext("{n} min", "{n} min", minutes) if minutes else ""
    return voice.gettext("{hours} {minutes}", hours=long, minutes=short) if long and short else long or short


def byline(story: Story, voice: Translator = ENGLISH) -> tuple[str, ...]:
    """Say who made a story and what it asks of a reader, each part on its own."""
    guest, author = isolate(story.guest, voice), isolate(story.author, voice)
    minutes = story.reading_minutes
    heard = format_duration(story.duration_seconds, voice)
    with_guest = voice.gettext("with {guest}", guest=guest) if guest else ""
    by = voice.gettext("By {author}", author=author) if author else ""
    read = voice.ngettext("{n} min read", "{n} min read", minutes) if minutes else ""
    explicit = voice.gettext("Explicit language") if story.explicit else ""
    parts = {
        "post": (voice.gettext("Guest post by {guest}", guest=guest) if guest else by, read),
        "episode": (_episode(story, voice), heard, with_guest, explicit),
        "read-or-listen": (_episode(story, voice), with_guest or by, explicit),
        "link": (story.link_domain,),
    }[story.kind]
    return tuple(part for part in parts if part)


def isolate(name: str, voice: Translator = ENGLISH) -> str:
    """Keep a name written the other way from turning its neighbours round (Unicode isolates, UAX #9).

    >>> isolated("Ada"), isolated("عمر"), isolated("Ada", Voice(language="ar"))
    ('Ada', '\u2068عمر\u2069', '\u2068Ada\u2069')
    """
    against = ("L",) if voice.direction == "rtl" else ("R", "AL")
    return f"\u2068{name}\u2069" if any(bidirectional(char) in against for char in name) else name


def _episode(story: Story, voice: Translator) -> str:
    if story.episode is None:
        return ""
    if (story.season or 0) > 1:
        return voice.gettext("Season {season}, episode {episode}", season=story.season, episode=story.episode)
    return voice.gettext("Episode {episode}", episode=story.episode)


def read_button_label(story: Story, voice: Translator = ENGLISH) -> str:
    """Invite to read; beside something to hear, say how long it takes where it takes a while."""
    if story.kind == "read-or-listen" and story.reading_minutes > 1:
        minutes = format_duration(60 * story.reading_minutes, voice)
        return voice.gettext("Read the post ({duration})", duration=minutes)
    return voice.gettext("Read the post")


def listen_button_label(story: Story, voice: Translator = ENGLISH) -> str:
    """Invite to listen, and say how long it takes."""
    heard = format_duration(story.duration_seconds, voice)
    if story.kind == "read-or-listen":
        return voice.gettext("Listen now ({duration})", duration=heard) if heard else voice.gettext("Listen now")
    if heard:
        return voice.gettext("Listen to the episode ({duration})", duration=heard)
    return voice.gettext("Listen to the episode")


def subscription_reason(name: str, voice: Translator = ENGLISH) -> str:
    """Say why somebody gets this mail, when the publication does not."""
    return voice.gettext(
        "You are getting this because you asked for the newsletter of {name}.", name=isolate(name, voice)
    )
