"""Parse dates and running times in the formats feeds use."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier enero gennaio janeiro januari ene gen",
            "feb february februar février fevrier febrero febbraio fevereiro februari fév fev",
            "mar march märz marz mars marzo março maart mär mrz",
            "apr april avril abril aprile avr abr",
            "may mai mayo maggio maio mei mag",
            "jun june juni juin junio giugno junho giu",
            "jul july juli juillet julio luglio julho juil lug",
            "aug august août aout agosto augustus aoû ago",
            "sep sept september septembre septiembre settembre setembro set",
            "oct october oktober octobre octubre ottobre outubro okt ott out",
            "nov november novembre noviembre novembro",
            "dec december dezember décembre decembre diciembre dicembre dezembro déc dez dic",
        ),
        start=1,
    )
    for name in names.split()
}
# fmt: off
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0,
    "bst": 60, "ist": 60, "west": 60, "cet": 60, "met": 60, "mez": 60, "cest": 120, "mesz": 120, "eet": 120,
    "eest": 180, "msk": 180, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
    "ast": -240, "adt": -180, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600,
}
# fmt: on
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[ap]\.?m\.?)?"
_ZONE = r"(?:\s*(?P<zone>(?:gmt|utc)?[+-]\d{1,2}:?\d{2}|[+-]\d{1,2}|[a-z]{1,5})\b)?(?:\s*\([^)]*\))?"
_WEEKDAY = r"(?:[^\W\d_]{2,12}\.?[,\s]\s*)?"
_FORMATS = tuple(
    re.compile(pattern)
    for pattern in (
        # RFC 3339, ISO 8601 and W3C-DTF; a space may replace the T, or it may be missing
        rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})(?:[t\s,]+{_TIME}{_ZONE})?",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:t?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2}))?(?P<zone>z)?",
        r"(?P<year>\d{4})(?:-(?P<month>\d{2}))?",
        # RFC 822 and 2822 and their variants: no weekday, full month names, dashes, no zone
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s-]+(?P<name>[^\W\d_]{{3,12}})\.?,?[\s-]+"
        rf"(?P<year>\d{{4}}|\d{{2}})(?:[\s,t]+(?:at\s+)?{_TIME}{_ZONE})?",
        # "May 3, 2024 9:05 pm", asctime "Fri May  3 09:05:00 2024"
        rf"{_WEEKDAY}(?P<name>[^\W\d_]{{3,12}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})"
        rf"(?:[\s,]+(?:at\s+)?{_TIME}{_ZONE})?",
        rf"{_WEEKDAY}(?P<name>[^\W\d_]{{3,12}})\s+(?P<day>\d{{1,2}})\s+{_TIME}{_ZONE}\s+(?P<year>\d{{4}})",
    )
)
MAX_SECONDS = 100 * 3600
"""Longer values are mistakes, such as milliseconds or a byte count."""

_CLOCK_TIME = re.compile(r"(?:(?P<h>\d{1,3}):)?(?P<m>\d{1,4}):(?P<s>\d{1,2})(?:[.,]\d+)?")
_NUMBER = re.compile(r"(\d{1,9})(?:[.,]\d+)?")
_THOUSANDS = re.compile(r"\d{1,3}(?:[,’']\d{3})+|\d{1,2}(?:\.\d{3})+")
"""Thousands, as in ``1,234``: nothing runs for one second and a quarter."""
_UNITS = re.compile(
    r"(?:pt)?\s*(?:(?P<h>\d{1,3}(?:[.,]\d+)?)\s*(?:hours?|hrs?|h|std\.?|stunden?|heures?)\s*)?[,:]?\s*(?:and\s+)?"
    r"(?:(?P<m>\d{1,4}(?:[.,]\d+)?)\s*(?:minutes?|mins?|minuten|min\.|m|′|')\s*)?[,:]?\s*(?:and\s+)?"
    r"(?:(?P<s>\d{1,6}(?:[.,]\d+)?)\s*(?:seconds?|secs?|sekunden|s|″|\")\s*)?\.?"
)


def parse_date(text: str) -> datetime | None:
    """Return the date and time in ``text`` as aware UTC, or None if it cannot be parsed.

    Supports RFC 822/2822, RFC 3339, ISO 8601, asctime and their common misspellings. A missing zone means UTC, a date
    without a year is None. All-numeric dates must be year-month-day: 03/04 is ambiguous.

    >>> parse_date("Fri, 03 May 2024 09:05:00 +0200")
    datetime.datetime(2024, 5, 3, 7, 5, tzinfo=datetime.timezone.utc)
    >>> parse_date("2024-05-03T09:05:00-04:00").isoformat(), parse_date("tomorrow")
    ('2024-05-03T13:05:00+00:00', None)
    """
    text = " ".join(text.lower().split())[:80]
    for pattern in _FORMATS:
        if match := pattern.fullmatch(text):
            return _datetime({key: value or "" for key, value in match.groupdict().items()})
    return None


def _datetime(part: dict[str, str]) -> datetime | None:
    month = _MONTHS.get(part["name"]) if part.get("name") else int(part["month"] or 1)
    if month is None:
        return None
    year, hour = int(part["year"]), int(part.get("hour") or 0)
    if len(part["year"]) == 2:
        year += 2000 if year < 70 else 1900
    if half := part.get("half"):
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    second = min(int(part.get("second") or 0), 59)  # a leap second has no datetime
    zone = timezone(timedelta(minutes=_offset_minutes(part.get("zone") or "z")))
    try:
        day = datetime(year, month, int(part.get("day") or 1), tzinfo=zone)
        return (day + timedelta(hours=hour, minutes=int(part.get("minute") or 0), seconds=second)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset_minutes(zone: str) -> int:
    """Parse ``+0200``, ``-4``, ``gmt+01:00`` or a zone name; an unknown name means UTC (RFC 2822, section 4.3)."""
    digits = zone.removeprefix("gmt").removeprefix("utc").replace(":", "")
    if not digits.startswith(("+", "-")):
        return _ZONES.get(zone, 0)
    hours, minutes = (digits[1:-2], digits[-2:]) if len(digits) > 3 else (digits[1:], "0")
    total = int(hours) * 60 + int(minutes)
    return (-total if digits.startswith("-") else total) if total < 24 * 60 else 0


def parse_duration(text: str) -> int | None:
    """Return the whole seconds in ``text``, or None if it cannot be parsed or is zero.

    >>> [parse_duration(text) for text in ("2520", "42:00", "0:42:00", "42 min", "PT42M", "0h 42m", "42m0.4s")]
    [2520, 2520, 2520, 2520, 2520, 2520, 2520]
    >>> parse_duration("soon") is None
    True
    """
    text = text.strip().lower()[:60]
    if _THOUSANDS.fullmatch(text):
        seconds = float("".join(filter(str.isdecimal, text)))
    elif number := _NUMBER.fullmatch(text):
        seconds = float(number[1])
    elif match := _CLOCK_TIME.fullmatch(text) or _UNITS.fullmatch(text):
        seconds = sum(
            float((match[unit] or "0").replace(",", ".")) * size for unit, size in (("h", 3600), ("m", 60), ("s", 1))
        )
    else:
        return None
    return int(seconds) if 1 <= seconds <= MAX_SECONDS else None
