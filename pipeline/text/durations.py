"""Parse running times in the formats podcasts use for itunes:duration."""

from __future__ import annotations

import re

MAX_SECONDS = 100 * 3600
"""Longer values are mistakes, such as milliseconds or a byte count."""

_CLOCK = re.compile(r"(?:(?P<h>\d{1,3}):)?(?P<m>\d{1,4}):(?P<s>\d{1,2})(?:[.,]\d+)?")
_NUMBER = re.compile(r"(\d{1,9})(?:[.,]\d+)?")
_UNITS = re.compile(
    r"(?:pt)?\s*(?:(?P<h>\d{1,3}(?:[.,]\d+)?)\s*(?:hours?|hrs?|h|std\.?|stunden?|heures?)\s*)?[,:]?\s*(?:and\s+)?"
    r"(?:(?P<m>\d{1,4}(?:[.,]\d+)?)\s*(?:minutes?|mins?|minuten|min\.|m|′|')\s*)?[,:]?\s*(?:and\s+)?"
    r"(?:(?P<s>\d{1,6}(?:[.,]\d+)?)\s*(?:seconds?|secs?|sekunden|s|″|\")\s*)?\.?"
)


def parse_duration(text: str) -> int | None:
    """Return the whole seconds in ``text``, or None if it cannot be parsed or is zero.

    >>> [parse_duration(text) for text in ("2520", "42:00", "0:42:00", "42 min", "PT42M", "0h 42m", "42m0.4s")]
    [2520, 2520, 2520, 2520, 2520, 2520, 2520]
    >>> parse_duration("soon") is None
    True
    """
    text = text.strip().lower()[:60]
    if number := _NUMBER.fullmatch(text):
        seconds = float(number[1])
    elif match := _CLOCK.fullmatch(text) or _UNITS.fullmatch(text):
        seconds = sum(_number(match[unit]) * size for unit, size in (("h", 3600), ("m", 60), ("s", 1)))
    else:
        return None
    return int(seconds) if 1 <= seconds <= MAX_SECONDS else None


def _number(text: str | None) -> float:
    return float(text.replace(",", ".")) if text else 0.0
