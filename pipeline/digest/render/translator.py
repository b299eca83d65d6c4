"""Translator: the texts, dates and writing direction of one language."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from gettext import NullTranslations
from typing import TYPE_CHECKING
from unicodedata import bidirectional

if TYPE_CHECKING:
    from babel import Locale

LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "tr", "ur", "zh")
"""Those that the newsletter's own words are translated into, and English, in which they are written."""
_PERHAPS_RTL = re.compile("[\u0590-\U0010ffff]")
_RTL = {"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """A translator of English messages into the language of a publication.

    >>> Translator().gettext("with {guest}", guest="Ada"), Translator().ngettext("a link", "{n} links", 2)
    ('with Ada', '2 links')
    """

    language: str = "en"
    """BCP 47, as the publication spells it."""
    catalog: NullTranslations = field(default_factory=NullTranslations)

    @property
    def direction(self) -> str:
        """The writing direction, ``ltr`` or ``rtl``.

        >>> Translator(language="ar-EG").direction, Translator(language="en-GB").direction
        ('rtl', 'ltr')
        """
        return "rtl" if self.language.split("-")[0].lower() in _RTL else "ltr"

    @property
    def is_translated(self) -> bool:
        """True if the newsletter's own words exist in the language.

        >>> Translator(language="de-AT").is_translated, Translator(language="tlh").is_translated
        (True, False)
        """
        return self.language.split("-")[0].lower() in LANGUAGES

    def gettext(self, message: str, **values: object) -> str:
        """Return a message translated, with its ``{names}`` filled in; without a translation it stays English.

        >>> Translator(language="he").gettext("{n} min", n=5)
        '\u20685 min\u2069'
        """
        translation = self.catalog.gettext(message)
        return self._isolate_english(translation.format(**values), is_english=translation == message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Return a message about ``{n}`` things, in the plural form that the language has for that number."""
        translation = self.catalog.ngettext(singular, plural, n)
        return self._isolate_english(translation.format(n=n), is_english=translation in (singular, plural))

    def format_date(self, day: date) -> str:
        """Return a date in full, as the language writes it.

        >>> day = date(2026, 2, 16)
        >>> [Translator(language=language).format_date(day) for language in ("en", "en-US", "pt-BR")]
        ['16 February 2026', 'February 16, 2026', '16 de fevereiro de 2026']
        """
        from babel.dates import format_date

        return format_date(day, "long", locale=_locale(self.language))

    def format_day(self, day: date) -> str:
        """Return the day and month of a date, as the language writes them.

        >>> Translator().format_day(date(2026, 2, 16)), Translator(language="en-US").format_day(date(2026, 2, 16))
        ('16 February', 'February 16')
        """
        from babel.dates import format_skeleton

        return format_skeleton("MMMMd", day, locale=_locale(self.language))

    def format_month(self, day: date) -> str:
        """Return the month and year of a date, as the language writes them.

        >>> Translator().format_month(date(2024, 3, 12))
        'March 2024'
        """
        from babel.dates import format_skeleton

        return format_skeleton("yMMMM", day, locale=_locale(self.language))

    def isolate(self, name: str) -> str:
        """Return a name so that, written in the other direction, it does not reorder its neighbours (UAX #9).

        >>> Translator().isolate("Ada"), Translator().isolate("عمر"), Translator(language="ar").isolate("Ada")
        ('Ada', '\u2068عمر\u2069', '\u2068Ada\u2069')
        """
        is_rtl = self.direction == "rtl"
        opposite, chars = (("L",), name) if is_rtl else (("R", "AL"), _PERHAPS_RTL.findall(name))
        return f"\u2068{name}\u2069" if any(bidirectional(char) in opposite for char in chars) else name

    def _isolate_english(self, text: str, *, is_english: bool) -> str:
        """Return a text, isolated if it is English in a newsletter from right to left: "5 min", not "min 5"."""
        return self.isolate(text) if is_english and self.direction == "rtl" else text


ENGLISH = Translator()


@cache
def _locale(language: str) -> Locale:
    """Return the Unicode locale data of a BCP 47 tag, or of its beginning; English where there is none.

    English without a region is world English, which puts the day before the month.
    """
    from babel import Locale, UnknownLocaleError

    parts = language.split("-")
    for length in range(len(parts), 0, -1):
        tag = "_".join(parts[:length])
        try:
            return Locale.parse("en_001" if tag.lower() == "en" else tag)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en_001")
