"""What a setting may hold: one ``SettingType`` each, from a TOML value to ours.

In: values as tomllib gives them. Out: checked plain values, or ValueError; an ``InvalidValueError`` says more than what is allowed.
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

from pipeline.model.feed import FilterRule
from pipeline.model.schedule import At, Every, Schedule, parse_schedule
from pipeline.model.week import WeekCalendar
from pipeline.text.safe_regex import compile_pattern

SECRET_HEADER_NAME = re.compile(r"auth|cookie|token|secret|passw|key|session|credential", re.IGNORECASE)
RESERVED_HEADERS = re.compile(
    r"(accept-encoding|connection|content-length|expect|host|keep-alive|proxy-connection|range|te|trailer"
    r"|transfer-encoding|upgrade|user-agent|if-.*)",
    re.IGNORECASE,
)
"""Headers that the program writes itself."""


class InvalidValueError(ValueError):
    """A value that is not allowed for a reason of its own: the words say what to do instead."""


@dataclass(frozen=True, slots=True)
class SettingType:
    """A kind of value: how it is called, and how a TOML value becomes one."""

    description: str
    """What is allowed, for error messages and the reference: ``a whole number from 1 to 200``."""
    parse: Callable[[Any], Any]
    """Returns the value, or raises ValueError (or TypeError)."""
    secret: bool = False
    """True where a mistake may have put a secret: messages do not show the value."""


def string(description: str = "text", *, empty: bool = True, pattern: str = "") -> SettingType:
    """Allow a string without line breaks; ``pattern`` narrows it (whole match)."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or re.search(r"[\r\n\0]", value) or not (empty or value.strip()):
            raise ValueError
        if pattern and not re.fullmatch(pattern, value):
            raise ValueError
        return value.strip()

    return SettingType(description, read)


def number(low: float, high: float, unit: str = "") -> SettingType:
    """Allow a number of ``low`` to ``high``."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError
        return float(value)

    return SettingType(f"a number from {low:,g} to {high:,g}{unit and ' ' + unit}", read)


def integer(low: int, high: int, unit: str = "") -> SettingType:
    """Allow a whole number of ``low`` to ``high``."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return SettingType(f"a whole number from {low:,} to {high:,}{unit and ' ' + unit}", read)


def choice(*options: str) -> SettingType:
    """Allow one of a few words."""

    def read(value: Any) -> str:
        if value not in options:
            raise ValueError
        return str(value)

    return SettingType("one of " + ", ".join(f'"{option}"' for option in options), read)


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
        raise InvalidValueError(
            "take user name and password out of it; a feed that asks for them has username and password_env"
        )
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
    WeekCalendar.parse(value, UTC)
    return str(value)


def _schedule(value: Any) -> Schedule:
    return parse_schedule(value)


def _send_time(value: Any) -> At | None:
    schedule = parse_schedule(value) if value else None
    if isinstance(schedule, Every):
        raise InvalidValueError('a letter goes out on a day: name it, as in "fri 07:00"')
    return schedule


def _late_limit(value: Any) -> timedelta:
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
        raise InvalidValueError(
            "take the password out of it, and give it by $PGPASSWORD or in the file that $PGPASSFILE names"
        )
    return str(value)


def _retention(value: Any) -> timedelta | None:
    """Read ``2 years``; a year counts 366 days and a month 31, so that nothing goes too early."""
    if value == "":
        return None
    found = re.fullmatch(r"(\d{1,5}) (day|week|month|year)s?", " ".join(value.split()))
    days = int(found[1]) * {"day": 1, "week": 7, "month": 31, "year": 366}[found[2]] if found else 0
    if not 30 <= days <= 36_600:
        raise ValueError
    return timedelta(days=days)


def _listen_links(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise TypeError
    return tuple((str(name).strip(), _http_url(url)) for name, url in value.items())


def _host_and_port(value: Any) -> str:
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
    if RESERVED_HEADERS.fullmatch(name):
        raise InvalidValueError(f"leave {name} out, the program writes that header itself")
    if name.lower() == "authorization":
        raise InvalidValueError("leave Authorization out and give token_env, or username and password_env")
    if SECRET_HEADER_NAME.search(name) and not ENV_REFERENCE.fullmatch(said):
        raise InvalidValueError(
            f'{name} looks like a secret: write "$NAME", and its value into the environment variable NAME'
        )
    if not re.fullmatch(r"[\x20-\x7e]+", said) or said.strip() != said:
        raise ValueError
    return said


def _filter_rule(value: Any) -> FilterRule:
    if not isinstance(value, Mapping):
        raise TypeError
    if unknown := set(value) - {"categories", "pattern"}:
        raise InvalidValueError(f"{min(unknown)} is none of its keys, which are categories and pattern")
    categories, pattern = value.get("categories", []), value.get("pattern", "")
    if not isinstance(categories, list) or not all(isinstance(each, str) and each.strip() for each in categories):
        raise InvalidValueError('categories is a list of texts such as ["Sponsored"]')
    if not isinstance(pattern, str):
        raise InvalidValueError('pattern is a text such as "(?i)advert"')
    try:
        compile_pattern(pattern)
    except ValueError as wrong:
        raise InvalidValueError(f"correct the pattern, {wrong}") from wrong
    return FilterRule(categories=tuple(each.strip() for each in categories), pattern=pattern)


ENV_NAME = r"[A-Z][A-Z0-9_]{0,99}"
"""In capitals only, so that a password written by mistake is hardly ever taken for a name."""
ENV_REFERENCE = re.compile(rf"\$({ENV_NAME})")
"""``$NAME``: a header's value that the environment gives."""
FLAG = SettingType("true or false", _flag)
COLOUR = string('a colour of six hexadecimal digits such as "#1d5c63", or ""', pattern=r"(#[0-9a-fA-F]{6})?")
URL = SettingType("an address that begins with http:// or https://", _http_url)
OPTIONAL_URL = SettingType('an address that begins with http:// or https://, or ""', _optional_url)
ZONE = SettingType('a time zone of the IANA database such as "Europe/London"', _zone)
OPTIONAL_MAILBOX = SettingType(
    'an address such as "Name <name@example.org>", or ""', lambda value: value and _mailbox(value)
)
MAILBOX = SettingType('an address such as "Name <name@example.org>"', _mailbox)
WEEK_CLOSES = SettingType('a weekday and a time such as "mon 00:00" or "fri 06:00"', _week_closes)
STORE_URL = SettingType(
    'the address of a database such as "sqlite:///pipeline.db" or "postgresql+psycopg://user@host/name"',
    _store_url,
    secret=True,
)
RETENTION = SettingType('a span such as "2 years", "18 months" or "90 days", 30 days at least, or ""', _retention)
SEND_TIME = SettingType('a day and a time such as "fri 07:00", or ""', _send_time)
LATE_LIMIT = SettingType('a time from 15 minutes to 6 days, such as "12 hours"', _late_limit)
OPTIONAL_SCHEDULE = SettingType(
    'a rhythm such as "wed 16:00", or ""', lambda value: _schedule(value) if value else None
)
SCHEDULE = SettingType('a rhythm such as "every 30 minutes", "daily 06:30" or "mon 07:00"', _schedule)
LISTEN_LINKS = SettingType('names and addresses such as { "Apple Podcasts" = "https://…" }', _listen_links)
HOST_AND_PORT = SettingType('an address and a port such as "127.0.0.1:8026", or ""', _host_and_port)
LANGUAGE = string('a language tag such as "en-GB"', pattern=r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
NON_EMPTY = string("text that is not empty", empty=False)
OPTIONAL_LANGUAGE = SettingType(f'{LANGUAGE.description}, or ""', lambda value: value and LANGUAGE.parse(value))
INTERVAL = SettingType('an interval such as "every 6 hours", from 1 minute to 24 hours, or ""', _interval)
ENV_VAR = SettingType(
    'the name of an environment variable, in capitals, such as "BLOG_PASSWORD"',
    string(pattern=f"({ENV_NAME})?").parse,
    secret=True,
)
HEADERS = SettingType(
    'names and values such as { Accept-Language = "de", X-Api-Key = "$BLOG_KEY" }', _headers, secret=True
)
FILTER_RULE = SettingType(
    'categories, a pattern or both, such as { categories = ["Sponsored"], pattern = "(?i)advert" }', _filter_rule
)
