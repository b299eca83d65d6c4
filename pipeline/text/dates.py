"""Parse dates and running times in the formats feeds use."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

MAX_DATE_CHARS = 100
_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTHS = {name[:length]: i for i, name in enumerate(_MONTH_NAMES, start=1) for length in (3, len(name))} | {"sept": 9}
_LANGUAGES = {
    "LATIN": ("es", "fr", "de", "pt", "it", "nl", "id", "pl", "tr", "vi", "ro", "cs", "sv", "sw", "hu", "da", "nb"),
    "CYRILLIC": ("ru", "uk", "bg"),
    "ARABIC": ("ar", "fa", "ur"),
    "DEVANAGARI": ("hi", "mr"),
    "BENGALI": ("bn",),
    "TELUGU": ("te",),
    "TAMIL": ("ta",),
    "GREEK": ("el",),
    "HEBREW": ("he",),
    "THAI": ("th",),
    "CJK": ("zh", "ja"),
    "HANGUL": ("ko",),
}
"""By script: the first word of a character's Unicode name. No name is a different month in two languages."""
_DAY_HALVES = {"上午": "am", "下午": "pm", "午前": "am", "午後": "pm", "오전": "am", "오후": "pm"}
_OTHER_MONTHS = {"mrz": "mar", "aou": "aug"}
"""German and French abbreviations that CLDR does not have."""
_CONNECTIVES = (
    "a", "alle", "ao", "as", "at", "de", "del", "den", "der", "di", "dne", "el", "kl", "klo", "le", "luc", "nam",
    "ngay", "o", "of", "om", "ora", "ore", "pukul", "saat", "the", "uhr", "um", "v", "ve", "в", "г", "о", "об", "р",
    "у", "ч",
)  # fmt: skip
"""Words between the parts of a date, without accents; CLDR has only few of them."""
_EAST_ASIAN_UNITS = {
    **dict.fromkeys("年년月월", "-"),
    **dict.fromkeys("日일号號秒초", " "),
    **dict.fromkeys("時时点點시分분", ":"),
}
# fmt: off
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0,
    "bst": 60, "ist": 60, "west": 60, "cet": 60, "met": 60, "mez": 60, "cest": 120, "mest": 120, "mesz": 120,
    "eet": 120, "sast": 120, "eest": 180, "eat": 180, "msk": 180, "pkt": 300, "wib": 420, "hkt": 480, "sgt": 480,
    "awst": 480, "jst": 540, "kst": 540, "acst": 570, "acdt": 630, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
    "nst": -210, "ndt": -150, "brt": -180, "art": -180, "clt": -240, "ast": -240, "adt": -180, "est": -300, "edt": -240,
    "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480,
    "hst": -600,
}
# fmt: on
_MAX_OFFSET = timedelta(hours=14)
_ZONE = "|".join(_ZONES)

_PUNCTUATION = str.maketrans(
    {**dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"), "\u060c": ",", "\u2019": "'"}
)
_INVISIBLE = re.compile("[\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_WORD = re.compile(r"(?<!\d)[^\W\d_][^\s\d.,:;/()\[\]+-]*\.?")
_EAST_ASIAN_UNIT = re.compile(rf"(?<=\d)\s?([{''.join(_EAST_ASIAN_UNITS)}])")
_COMMENT = re.compile(r"\([^()]*\)")
_EPOCH = re.compile(r"(\d{10})(?:\d{3}|\.\d+)?")
_COMPACT_TIME = re.compile(r"(\d{8})[t ]?(\d\d)(\d\d)(\d\d)?(?:[.,]\d+)?(?![\d:])")
_CLOCK = (
    r"(?:(?P<half_before>[ap]m) )?"
    r"(?P<hour>\d{1,2})(?:(?: ?h ?|[:.])(?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d+)?)?:?"
    r"|(?= ?[ap]\.?m\b(?! ?\d)))(?!\.?\d)"
    r"(?: ?(?P<half>[ap]\.? ?m\b)\.?)?"
    # "+02:00", "GMT+2"; Go, Java and Ruby write a name, a region or a clock after it
    r"(?: ?(?:z|ut|utc|gmt)?[ ]?(?P<plus_minus>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?(?![\d:])"
    r"(?: (?:[a-z]{1,5}|[+-]\d{2,4})\b)?(?: m=[+-][\d.]+)?(?:\[[^\]]*\])?"
    rf"| ?\(?(?P<zone>{_ZONE})\b\)?(?:\[[^\]]*\])?)?"
)
_TIME = re.compile(rf"(?:(?<=\d)t|(?<![\d+:./-])){_CLOCK}")
_WEEKDAY = r"(?:[^\W\d_]{2,12}\.?[, ] ?)?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|[.o])?"
_MONTH = r"(?P<name>[a-z]{3,9})\.?"
_DAY_FIRST = rf"{_WEEKDAY}{_DAY}[ ,-]*{_MONTH}[ ,-]*(?P<year>\d{{4}}|\d{{2}})"
_YEAR_FIRST = r"(?P<year>\d{4})[-/.] ?(?P<month>\d{1,2})[-/.] ?(?P<day>\d{1,2})"
_RFC_2822 = re.compile(rf"{_DAY_FIRST},? {_CLOCK}")
_ISO_8601 = re.compile(rf"{_YEAR_FIRST}[ t]{_CLOCK}")
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        _DAY_FIRST,
        _YEAR_FIRST,
        rf"{_WEEKDAY}{_MONTH} {_DAY}[ ,]+(?P<year>\d{{4}})",  # American, asctime
        rf"(?P<year>\d{{4}})[ ,.-]*{_MONTH}[ ,-]*{_DAY}",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<year>\d{4})-?w(?P<week>\d{2})-?(?P<weekday>[1-7])",
        r"(?P<year>\d{4})-(?P<year_day>\d{3})",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}}) ?\. ?(?P<month>\d{{1,2}})[.,]? ?(?P<year>\d{{4}})",
        rf"{_WEEKDAY}(?P<first>\d{{1,2}})[-/] ?(?P<second>\d{{1,2}})[-/] ?(?P<year>\d{{4}})",
    )
)
MAX_SECONDS = 100 * 3600
"""Longer values are mistakes, such as milliseconds or a byte count."""

_CLOCK_TIME = re.compile(r"(?:(?P<h>\d{1,3}):)?(?P<m>\d{1,4}):(?P<s>\d{1,2})(?:[.,]\d+)?")
_NUMBER = re.compile(r"(\d{1,9})(?:[.,]\d+)?")
_THOUSANDS = re.compile(r"\d{1,3}(?:[,’']\d{3})+|\d{1,2}(?:\.\d{3})+")
"""Thousands, as in ``1,234``: no recording lasts 1.234 seconds."""
_UNITS = re.compile(
    r"(?:pt)?\s*+(?:(?P<h>\d{1,3}(?:[.,]\d+)?)\s*+(?:hours?|hrs?|h|std\.?|stunden?|heures?)\s*+)?[,:]?\s*+(?:and\s++)?"
    r"(?:(?P<m>\d{1,4}(?:[.,]\d+)?)\s*+(?:minutes?|mins?|minuten|min\.|m|′|')\s*+)?[,:]?\s*+(?:and\s++)?"
    r"(?:(?P<s>\d{1,6}(?:[.,]\d+)?)\s*+(?:seconds?|secs?|sekunden|s|″|\")\s*+)?\.?"
)


def parse_date(text: str) -> datetime | None:
    """Return the date and time in ``text`` as aware UTC, or None if any part of it cannot be read.

    Supports RFC 822/2822, RFC 3339, ISO 8601, asctime, Unix time, their common variants, and the months and days of the
    languages in ``_LANGUAGES``. A missing time means midnight and a missing zone UTC, but a date without a day or year
    is None, and so are an unknown zone and an ambiguous date such as 03/04/2026.

    >>> parse_date("Fri, 03 May 2024 09:05:00 +0200")
    datetime.datetime(2024, 5, 3, 7, 5, tzinfo=datetime.timezone.utc)
    >>> [str(parse_date(text)) for text in ("2024-05-03T09:05:00-04:00", "3 de mayo de 2024", "May 2024", "tomorrow")]
    ['2024-05-03 13:05:00+00:00', '2024-05-03 00:00:00+00:00', 'None', 'None']
    """
    text = " ".join(text.split()).lower().translate(_PUNCTUATION)
    if len(text) > MAX_DATE_CHARS or not any(map(str.isdecimal, text)):
        return None
    if instant := _parse_english(text):
        return instant
    translated = _translate(text)
    return _parse_english(translated) if translated != text else None


def _parse_english(text: str) -> datetime | None:
    if usual := _RFC_2822.fullmatch(text) or _ISO_8601.fullmatch(text):
        return _instant(usual, usual)
    if epoch := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(epoch[1]), UTC)
    text = _COMPACT_TIME.sub(r"\1 \2:\3:\4", text)
    time = _TIME.search(text)
    rest = f"{text[: time.start()]} {text[time.end() :]}" if time else text.removesuffix("z")
    rest = " ".join(_COMMENT.sub(" ", rest).split()).strip(" ,-/|.")
    return next((_instant(match, time) for pattern in _DATES if (match := pattern.fullmatch(rest))), None)


def _instant(day: re.Match[str], time: re.Match[str] | None) -> datetime | None:
    """Return the time in UTC, or None if it does not exist."""
    try:
        midnight = _midnight(day.groupdict())
        offset, clock = (_offset(time), _clock(time)) if time else (timedelta(0), timedelta(0))
        return None if midnight is None or clock is None else midnight + clock - offset
    except (ValueError, OverflowError):
        return None


def _midnight(part: Mapping[str, str]) -> datetime | None:
    """Return the beginning of a day in UTC, or None if it is ambiguous; raise ValueError if there is no such day."""
    year = int(part["year"])
    if len(part["year"]) == 2:
        year += 2000 if year < 70 else 1900
    if "week" in part:
        return datetime.fromisocalendar(year, int(part["week"]), int(part["weekday"])).replace(tzinfo=UTC)
    if "year_day" in part:
        midnight = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=int(part["year_day"]) - 1)
        return midnight if midnight.year == year else None
    if "first" in part:
        month, day = sorted((int(part["first"]), int(part["second"])))
        return datetime(year, month, day, tzinfo=UTC) if day > 12 or month == day else None
    month = int(part["month"]) if "month" in part else _MONTHS.get(part["name"], 0)
    return datetime(year, month, int(part["day"]), tzinfo=UTC)


def _clock(time: re.Match[str]) -> timedelta | None:
    hour, minute, second = (int(time[name] or 0) for name in ("hour", "minute", "second"))
    if half := time["half"] or time["half_before"]:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second):
        return None
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59))  # a leap second has no datetime


def _offset(time: re.Match[str]) -> timedelta:
    """Return the offset from UTC; an impossible one means UTC, as unknown zones do in RFC 2822, section 4.3."""
    if not time["plus_minus"]:
        return timedelta(minutes=_ZONES[time["zone"] or "utc"])
    offset = timedelta(hours=int(time["hours"]), minutes=int(time["minutes"] or 0))
    if offset > _MAX_OFFSET:
        return timedelta(0)
    return -offset if time["plus_minus"] == "-" else offset


def _translate(text: str) -> str:
    """Return a date with its months in English and without its days of the week and connectives."""
    text = _EAST_ASIAN_UNIT.sub(lambda match: _EAST_ASIAN_UNITS[match[1]], _fold(text))
    return " ".join(_WORD.sub(lambda match: _english(match[0]), text).split())


def _english(word: str) -> str:
    """Return the English for a word, "" for a day of the week or a connective, and any other word as it is."""
    name = word.rstrip(".")
    script = unicodedata.name(name[0], "").partition(" ")[0]
    if name in _ZONES or name in _MONTHS:
        return word
    for language in _LANGUAGES.get(script, ()):
        if (english := _names(language).get(name)) is not None:
            return f" {english} "
    return word


@cache
def _names(language: str) -> Mapping[str, str]:
    """Return the English for names in a language; "." for a word before the number of a month."""
    from babel import Locale  # only few feeds need it

    locale = Locale.parse(language)
    names = dict.fromkeys(_CONNECTIVES, "") | _DAY_HALVES | _OTHER_MONTHS
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for day in locale.days[context][width].values():
                words = (word.rstrip(".") for word in _WORD.findall(_fold(day)))
                names |= {word: "" for word in words if len(word) > 1 or not word.isascii()}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, month in locale.months[context][width].items():
                word = _fold(month).rstrip(".").partition(" ")
                names[word[0]] = "." if word[2] else _MONTH_NAMES[number - 1]
    return names


def _fold(text: str) -> str:
    """Return text in lower case, in compatible characters without accents and invisible characters."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", unicodedata.normalize("NFKD", text.lower())))


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
