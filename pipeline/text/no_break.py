"""No line breaks within numbers with units or names such as N-23: in HTML, and where plain text is wrapped.

The text itself stays as it is: HTML gets no-break spaces and hyphens when it is written, plain text is only wrapped at
other blanks.
"""

from __future__ import annotations

import re
import textwrap

_UNITS = (
    r"min|mins|h|hr|hrs|sec|s|ms|mm|cm|m|km|mi|ft|yd|mg|g|kg|lb|lbs|oz|t|ml|cl|dl|l|mph|kmh|km/h|bytes|kB|MB|GB|TB"
    r"|Hz|kHz|MHz|GHz|W|kW|MW|GW|kWh|V|A|dB|px|pt|a\.m|p\.m|am|pm|Uhr|Std|Min|Sek|ч|мин|с|сек|км|м|см|кг|г|л|руб|saat|dk|sn"
)
_UNIT_AHEAD = rf"(?=(?:(?:{_UNITS})(?!\w)|[%‰°€$£¥₹₽₺]))"
_BEFORE_UNIT = re.compile(rf"(?<=\d) {_UNIT_AHEAD}", re.IGNORECASE)
_BETWEEN_UNITS = re.compile(rf"((?<=\d[ \u00a0])(?:{_UNITS})\.?) (?=\d{{1,2}}[ \u00a0]{_UNIT_AHEAD})", re.IGNORECASE)
_BEFORE_DOT = re.compile(r" (?=· )")
_IN_NAME = re.compile(r"(?<![\w-])([A-Z]{1,5})-(?=\d{1,4}(?![\w-]))")
_TEXT_NODE = re.compile(r">[^<>]++<")
_MAX_PHRASE_CHARS = 24
"""This much fits on a line beside an image on a phone."""
NO_BREAK_SPACE, NO_BREAK_HYPHEN = "\N{NO-BREAK SPACE}", "\N{NON-BREAKING HYPHEN}"


class NoBreakWrapper(textwrap.TextWrapper):
    """A wrapper that breaks neither words nor addresses, nor between a number and its unit."""

    wordsep_simple_re = re.compile(rf"((?!(?<=\d) {_UNIT_AHEAD})[\t\n\x0b\x0c\r ]+)", re.IGNORECASE)

    def __init__(self, width: int) -> None:
        super().__init__(width, break_long_words=False, break_on_hyphens=False)


def keep_together(text: str) -> str:
    """Return text in which no line ends before a unit or a middle dot, or within a name such as N-23 or "1 h 12 min".

    >>> keep_together("1 h 12 min on the N-23, 5 km away").encode("ascii", "backslashreplace").decode()
    '1\\\\xa0h\\\\xa012\\\\xa0min on the N\\\\u201123, 5\\\\xa0km away'
    >>> keep_together("2 millers, 5 in all, 2026-02-16, https://a.example/N-23-x")
    '2 millers, 5 in all, 2026-02-16, https://a.example/N-23-x'
    """
    text = _BEFORE_DOT.sub(NO_BREAK_SPACE, _BEFORE_UNIT.sub(NO_BREAK_SPACE, text))
    text = _BETWEEN_UNITS.sub(rf"\1{NO_BREAK_SPACE}", text)
    return _IN_NAME.sub(rf"\1{NO_BREAK_HYPHEN}", text)


def keep_together_in_html(html: str) -> str:
    """Return HTML whose texts are kept together; tags stay as they are.

    >>> keep_together_in_html('<a title="5 km">5 km</a>').encode("ascii", "backslashreplace").decode()
    '<a title="5 km">5\\\\xa0km</a>'
    """
    return _TEXT_NODE.sub(lambda node: keep_together(node[0]), html)


def keep_phrase_together(text: str) -> str:
    """Return a short phrase, such as "By Ada Marsh" or the label of a button, without line breaks; long text as it is.

    >>> keep_phrase_together("By Ada Marsh").encode("ascii", "backslashreplace").decode()
    'By\\\\xa0Ada\\\\xa0Marsh'
    >>> keep_phrase_together("Listen at podcasts.harbour.example")
    'Listen at podcasts.harbour.example'
    """
    return text.replace(" ", NO_BREAK_SPACE) if len(text) <= _MAX_PHRASE_CHARS else text
