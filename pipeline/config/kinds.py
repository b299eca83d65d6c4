"""What a setting may hold: one ``Kind`` each, from a TOML value to ours.

In: values as tomllib gives them. Out: checked plain values, or ValueError; an ``Unfit`` says more than what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.model.feed import Rule
from pipeline.model.schedule import At, Every, Schedule, parse_schedule
from pipeline.model.week import WeekClock
from pipeline.text.patterns import compile_pattern

SECRET_NAME = re.compile(r"auth|cookie|token|secret|passw|key|session|credential", re.IGNORECASE)
OWN_HEADERS = re.compile(
    r"(accept-encoding|connection|content-length|expect|host|keep-alive|proxy-connection|range|te|trailer"
    r"|transfer-encoding|upgrade|user-agent|if-.*)",
    re.IGNORECASE,
)
"""Headers that the program writes itself."""


class Unfit(ValueError):
    """A value that is not allowed for a reason of its own: the words say what to do instead."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: how it is called, and how a TOML value becomes one."""

    words: str
    """What is allowed, for error messages and the reference: ``a whole number from 1 to 200``."""
    read: Callable[[Any], Any]
    """Returns the value, or raises ValueError (or TypeError)."""
    secret: bool = False
    """True where a mistake may have put a secret: messages do not show the value."""


def text(words: str = "text", *, empty: bool = True, pattern: str = "") -> Kind:
    """Allow a string without line breaks; ``pattern`` narrows it (whole match)."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or re.search(r"[\r\n\0]", value) or not (empty or value.strip()):
            raise ValueError
        if pattern and not re.fullmatch(pattern, value):
            raise ValueError
        return value.strip()

    return Kind(words, read)


def number(low: float, high: float, unit: str = "") -> Kind:
    """Allow a number of ``low`` to ``high``."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError
        return float(value)

    return Kind(f"a number from {low:,g} to {high:,g}{unit and ' ' + unit}", read)


def whole(low: int, high: int, unit: str = "") -> Kind:
    """Allow a whole number of ``low`` to ``high``."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return Kind(f"a whole number from {low:,} to {high:,}{unit and ' ' + unit}", read)


def choice(*options: str) -> Kind:
    """Allow one of a few words."""

    def read(value: Any) -> str:
        if value not in options:
            raise ValueError
        return str(value)

    return Kind("one of " + ", ".join(f'"{option}"' for option in options), read)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _http_url(value: Any) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
        raise ValueError
    if parts.port == 0:  # asking for an impossible port raises ValueError, and nothing before this does
        raise ValueError
    if "@" in parts.netloc:
        raise Unfit("take user name and password out of it; a feed that asks for them has username and password_env")
    return str(value)


def _optional_url(value: Any) -> str:
    return "" if value == "" else _http_url(value)


def _zone(value: Any) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, OSError) as unknown:
        raise ValueError from unknown
    return str(value)


def _mailbox(value: Any) -> str:
    name, address = parseaddr(value)
    user, _, host = address.rpartition("@")
    if not user or "." not in host.strip(".") or re.search(r"[\r\n\0]", value):
        raise ValueError
    Address(display_name=name, addr_spec=address)
    return str(value)


def _week_closes(value: Any) -> str:
    WeekClock.parse(value, UTC)
    return str(value)


def _schedule(value: Any) -> Schedule:
    return parse_schedule(value)


def _send_time(value: Any) -> At | None:
    schedule = parse_schedule(value) if value else None
    if isinstance(schedule, Every):
        raise Unfit('a letter goes out on a day: name it, as in "fri 07:00"')
    return schedule


def _lateness(value: Any) -> timedelta:
    found = re.fullmatch(r"(\d{1,4}) (minute|hour|day)s?", " ".join(value.split()))
    lateness = timedelta(**{f"{found[2]}s": int(found[1])}) if found else timedelta()
    if not timedelta(minutes=15) <= lateness <= timedelta(days=6):
        raise ValueError
    return lateness


def _store_url(value: Any) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("sqlite", "postgresql+psycopg") or len(parts.path) < 2:
        raise ValueError
    if parts.password is not None or "password=" in parts.query:
        raise Unfit("take the password out of it, and give it by $PGPASSWORD or in the file that $PGPASSFILE names")
    return str(value)


def _span(value: Any) -> timedelta | None:
    """Read ``2 years``; a year counts 366 days and a month 31, so that nothing goes too early."""
    if value == "":
        return None
    found = re.fullmatch(r"(\d{1,5}) (day|week|month|year)s?", " ".join(value.split()))
    days = int(found[1]) * {"day": 1, "week": 7, "month": 31, "year": 366}[found[2]] if found else 0
    if not 30 <= days <= 36_600:
        raise ValueError
    return timedelta(days=days)


def _listen(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise TypeError
    return tuple((str(name).strip(), _http_url(url)) for name, url in value.items())


def _listening(value: Any) -> str:
    host, colon, port = value.rpartition(":")
    if value and not (host and colon and port.isascii() and port.isdecimal() and int(port) <= 65_535):
        raise ValueError
    return str(value)


def _interval(value: Any) -> timedelta | None:
    if value == "":
        return None
    schedule = parse_schedule(value)
    if not isinstance(schedule, Every):
        raise ValueError
    return schedule.interval


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, _header(name, said)) for name, said in value.items())


def _header(name: str, said: Any) -> str:
    """Check one header (RFC 9110, 5.1 and 5.5); ``$NAME`` stands for a value that the environment gives."""
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not isinstance(said, str):
        raise ValueError
    if OWN_HEADERS.fullmatch(name):
        raise Unfit(f"leave {name} out, the program writes that header itself")
    if name.lower() == "authorization":
        raise Unfit("leave Authorization out and give token_env, or username and password_env")
    if SECRET_NAME.search(name) and not VARIABLE_VALUE.fullmatch(said):
        raise Unfit(f'{name} looks like a secret: write "$NAME", and its value into the environment variable NAME')
    if not re.fullmatch(r"[\x20-\x7e]+", said) or said.strip() != said:
        raise ValueError
    return said


def _rule(value: Any) -> Rule:
    if not isinstance(value, Mapping):
        raise TypeError
    if unknown := set(value) - {"categories", "pattern"}:
        raise Unfit(f"{min(unknown)} is none of its keys, which are categories and pattern")
    categories, pattern = value.get("categories", []), value.get("pattern", "")
    if not isinstance(categories, list) or not all(isinstance(each, str) and each.strip() for each in categories):
        raise Unfit('categories is a list of texts such as ["Sponsored"]')
    if not isinstance(pattern, str):
        raise Unfit('pattern is a text such as "(?i)advert"')
    try:
        compile_pattern(pattern)
    except ValueError as wrong:
        raise Unfit(f"mend the pattern, {wrong}") from wrong
    return Rule(categories=tuple(each.strip() for each in categories), pattern=pattern)


ENVIRONMENT = r"[A-Z][A-Z0-9_]{0,99}"
"""In capitals only, so that a password written by mistake is hardly ever taken for a name."""
VARIABLE_VALUE = re.compile(rf"\$({ENVIRONMENT})")
"""``$NAME``: a header's value that the environment gives."""
FLAG = Kind("true or false", _flag)
COLOUR = text('a colour of six hexadecimal digits such as "#1d5c63", or ""', pattern=r"(#[0-9a-fA-F]{6})?")
URL = Kind("an address that begins with http:// or https://", _http_url)
OPTIONAL_URL = Kind('an address that begins with http:// or https://, or ""', _optional_url)
ZONE = Kind('a time zone of the IANA database such as "Europe/London"', _zone)
OPTIONAL_MAILBOX = Kind('an address such as "Name <name@example.org>", or ""', lambda value: value and _mailbox(value))
MAILBOX = Kind('an address such as "Name <name@example.org>"', _mailbox)
WEEK_CLOSES = Kind('a weekday and a time such as "mon 00:00" or "fri 06:00"', _week_closes)
STORE_URL = Kind(
    'the address of a database such as "sqlite:///pipeline.db" or "postgresql+psycopg://user@host/name"',
    _store_url,
    secret=True,
)
SPAN = Kind('a span such as "2 years", "18 months" or "90 days", 30 days at least, or ""', _span)
SEND_TIME = Kind('a day and a time such as "fri 07:00", or ""', _send_time)
LATENESS = Kind('a time from 15 minutes to 6 days, such as "12 hours"', _lateness)
WATCH = Kind('a rhythm such as "wed 16:00", or ""', lambda value: _schedule(value) if value else None)
SCHEDULE = Kind('a rhythm such as "every 30 minutes", "daily 06:30" or "mon 07:00"', _schedule)
LISTEN = Kind('names and addresses such as { "Apple Podcasts" = "https://…" }', _listen)
LISTENING = Kind('an address and a port such as "127.0.0.1:8026", or ""', _listening)
LANGUAGE = text('a language tag such as "en-GB"', pattern=r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
NAME = text("text that is not empty", empty=False)
OPTIONAL_LANGUAGE = Kind(f'{LANGUAGE.words}, or ""', lambda value: value and LANGUAGE.read(value))
INTERVAL = Kind('an interval such as "every 6 hours", from 1 minute to 24 hours, or ""', _interval)
VARIABLE = Kind(
    'the name of an environment variable, in capitals, such as "BLOG_PASSWORD"',
    text(pattern=f"({ENVIRONMENT})?").read,
    secret=True,
)
HEADERS = Kind('names and values such as { Accept-Language = "de", X-Api-Key = "$BLOG_KEY" }', _headers, secret=True)
RULE = Kind('categories, a pattern or both, such as { categories = ["Sponsored"], pattern = "(?i)advert" }', _rule)
