"""Types of settings, which validate a TOML value and convert it, and ``setting``, which declares a setting.

A parser raises ValueError or TypeError for a value that is not allowed, and InvalidValueError to say why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field
from datetime import UTC, timedelta
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pipeline.model.feed import FilterRule
from pipeline.model.schedule import At, Every, parse_schedule
from pipeline.model.week import WeekCalendar
from pipeline.text.message_headers import parse_mailbox
from pipeline.text.safe_regex import compile_pattern

SECRET_HEADER_NAME = re.compile(r"auth|cookie|token|secret|passw|key|session|credential", re.IGNORECASE)
RESERVED_HEADERS = re.compile(
    r"(accept-encoding|connection|content-length|expect|host|keep-alive|proxy-connection|range|te|trailer"
    r"|transfer-encoding|upgrade|user-agent|if-.*)",
    re.IGNORECASE,
)
"""Headers that the program sets itself."""
ENV_NAME = r"[A-Z][A-Z0-9_]{0,99}"
"""Upper case only, so that a password written by mistake is unlikely to match."""
ENV_REFERENCE = re.compile(rf"\$({ENV_NAME})")
"""``$NAME``: a header value that is read from the environment."""


class InvalidValueError(ValueError):
    """A value is not allowed; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class SettingType:
    """How the values of a setting are described and parsed."""

    description: str
    """The allowed values, for errors and the reference: ``a whole number from 1 to 200``."""
    parse: Callable[[Any], Any]
    """Returns the converted value, or raises ValueError or TypeError."""
    secret: bool = False
    """Whether the value may be a secret written by mistake, so that errors do not show it."""


def setting(doc: str, setting_type: SettingType, default: Any = MISSING, *, key: str = "") -> Any:
    """Return a dataclass field for a setting. ``default`` is a TOML value; without one the setting is required.

    ``key`` is the key in config.toml if it is not the name of the field.
    """
    value = default if default is MISSING else setting_type.parse(default)
    return field(default=value, metadata={"doc": doc, "type": setting_type, "default": default, "key": key})


def string(description: str = "text", *, empty: bool = True, pattern: str = "") -> SettingType:
    """Return the type of a string without line breaks; ``pattern`` must match all of it."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or re.search(r"[\r\n]", value) or not (empty or value.strip()):
            raise ValueError
        if pattern and not re.fullmatch(pattern, value):
            raise ValueError
        return value.strip()

    return SettingType(description, parse)


def number(low: float, high: float, unit: str = "") -> SettingType:
    """Return the type of a number from ``low`` to ``high``."""

    def parse(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError
        return float(value)

    return SettingType(f"a number from {low:,g} to {high:,g}{unit and ' ' + unit}", parse)


def integer(low: int, high: int, unit: str = "") -> SettingType:
    """Return the type of a whole number from ``low`` to ``high``."""

    def parse(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return SettingType(f"a whole number from {low:,} to {high:,}{unit and ' ' + unit}", parse)


def choice(*options: str) -> SettingType:
    """Return the type of a string that is one of ``options``."""

    def parse(value: Any) -> str:
        if value not in options:
            raise ValueError
        return str(value)

    return SettingType("one of " + ", ".join(f'"{option}"' for option in options), parse)


def optional(setting_type: SettingType, default: Any = "") -> SettingType:
    """Return a type that also allows "", which is parsed as ``default``."""
    return SettingType(
        f'{setting_type.description}, or ""',
        lambda value: default if value == "" else setting_type.parse(value),
        setting_type.secret,
    )


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _http_url(value: Any) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
        raise ValueError
    if parts.port == 0:  # reading a port that is out of range raises ValueError
        raise ValueError
    if "@" in parts.netloc:
        raise InvalidValueError("remove the user name and password; a feed has the settings username and password_env")
    return str(value)


def _proxy_url(value: Any) -> str:
    if "@" in value:
        raise InvalidValueError("set HTTPS_PROXY in the environment instead, since this URL contains a password")
    parts = urlsplit(_http_url(value))
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError
    return str(value)


def _zone(value: Any) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, TypeError, ZoneInfoNotFoundError, OSError) as error:
        similar = _similar_zone(str(value))
        hint = f'; did you mean "{similar}"?' if similar else ""
        raise InvalidValueError(f"give {ZONE.description}{hint}") from error
    return str(value)


def _similar_zone(name: str) -> str:
    """Return the time zone that was probably meant, or "": the one of a city, else one that is spelled similarly.

    >>> [_similar_zone(name) for name in ("london", "New York", "Europe/Lodon", "europe/paris", "Berlín", "xyzzy")]
    ['Europe/London', 'America/New_York', 'Europe/London', 'Europe/Paris', 'Europe/Berlin', '']
    """
    zones = sorted(available_timezones(), key=lambda zone: zone.count("/") != 1)  # Europe/London before GB or Etc/…
    spelled = {zone.lower(): zone for zone in reversed(zones)}
    cities = {zone.rpartition("/")[2]: spelled[zone] for zone in spelled}
    wanted = name.strip().lower().replace(" ", "_")
    near = (names[name] for names in (spelled, cities) for name in get_close_matches(wanted, names, cutoff=0.75))
    return next(near, "")


def _mailbox(value: Any) -> str:
    parse_mailbox(value)
    return str(value)


def _week_closes(value: Any) -> str:
    WeekCalendar.parse(value, UTC)
    return str(value)


def _send_time(value: Any) -> At:
    schedule = parse_schedule(value)
    if isinstance(schedule, Every):
        raise InvalidValueError('an edition is sent on certain days: name them, as in "fri 07:00"')
    return schedule


def _late_limit(value: Any) -> timedelta:
    match = re.fullmatch(r"(\d{1,4}) (minute|hour|day)s?", " ".join(value.split()))
    limit = timedelta(**{f"{match[2]}s": int(match[1])}) if match else timedelta()
    if not timedelta(minutes=15) <= limit <= timedelta(days=6):
        raise ValueError
    return limit


def _store_url(value: Any) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("sqlite", "postgresql+psycopg") or len(parts.path) < 2:
        raise ValueError
    if parts.password is not None or "password=" in parts.query:
        raise InvalidValueError("remove the password, and set $PGPASSWORD or $PGPASSFILE instead")
    return str(value)


def _retention(value: Any) -> timedelta:
    """Parse ``2 years``; a year has 366 days and a month 31, so that nothing is deleted too early."""
    match = re.fullmatch(r"(\d{1,5}) (day|week|month|year)s?", " ".join(value.split()))
    days = int(match[1]) * {"day": 1, "week": 7, "month": 31, "year": 366}[match[2]] if match else 0
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


def _interval(value: Any) -> timedelta:
    schedule = parse_schedule(value)
    if not isinstance(schedule, Every):
        raise ValueError
    return schedule.interval


def _header(name: str, value: Any) -> str:
    """Validate one header (RFC 9110, sections 5.1 and 5.5); ``$NAME`` refers to the environment."""
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not isinstance(value, str):
        raise ValueError
    if RESERVED_HEADERS.fullmatch(name):
        raise InvalidValueError(f"remove {name}, the program sets that header itself")
    if name.lower() == "authorization":
        raise InvalidValueError("remove Authorization, and use token_env, or username and password_env")
    if SECRET_HEADER_NAME.search(name) and not ENV_REFERENCE.fullmatch(value):
        raise InvalidValueError(f'{name} may be a secret: write "$NAME", and set the environment variable NAME')
    if not re.fullmatch(r"[\x20-\x7e]+", value) or value.strip() != value:
        raise ValueError
    return value


def _filter_rule(value: Any) -> FilterRule:
    if not isinstance(value, Mapping):
        raise TypeError
    if unknown := set(value) - {"categories", "pattern"}:
        raise InvalidValueError(f"{min(unknown)} is not one of its keys, which are categories and pattern")
    categories, pattern = value.get("categories", []), value.get("pattern", "")
    if not isinstance(categories, list) or not all(isinstance(name, str) and name.strip() for name in categories):
        raise InvalidValueError('categories must be a list of strings such as ["Sponsored"]')
    if not isinstance(pattern, str):
        raise InvalidValueError('pattern must be a string such as "(?i)advert"')
    if pattern:
        try:
            compile_pattern(pattern)
        except ValueError as error:
            raise InvalidValueError(f"correct the pattern, {error}") from error
    return FilterRule(categories=tuple(name.strip() for name in categories), pattern=pattern)


def _command(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) and "\0" not in part for part in value):
        raise ValueError
    if value and not value[0].strip():
        raise ValueError
    return tuple(value)


FLAG = SettingType("true or false", _flag)
NON_EMPTY = string("text that is not empty", empty=False)
COLOUR = string('a colour of six hexadecimal digits such as "#1d5c63", or ""', pattern=r"(#[0-9a-fA-F]{6})?")
LANGUAGE = string('a language tag such as "en-GB"', pattern=r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
URL = SettingType("a URL that starts with http:// or https://", _http_url)
PROXY_URL = optional(SettingType('a URL such as "http://proxy.example:3128"', _proxy_url))
ZONE = SettingType('a time zone of the IANA database such as "Europe/London"', _zone)
MAILBOX = SettingType('an address such as "Name <name@example.org>"', _mailbox)
WEEK_CLOSES = SettingType('a weekday and a time such as "mon 00:00" or "fri 06:00"', _week_closes)
SCHEDULE = SettingType('a schedule such as "every 30 minutes", "daily 06:30" or "mon 07:00"', parse_schedule)
OPTIONAL_SCHEDULE = optional(SettingType('a schedule such as "wed 16:00"', parse_schedule), None)
SEND_TIME = optional(SettingType('a day and a time such as "fri 07:00"', _send_time), None)
LATE_LIMIT = SettingType('a duration from 15 minutes to 6 days, such as "12 hours"', _late_limit)
INTERVAL = optional(SettingType('an interval from 1 minute to 24 hours, such as "every 6 hours"', _interval), None)
RETENTION = optional(SettingType('at least 30 days, such as "2 years", "18 months" or "90 days"', _retention), None)
LISTEN_LINKS = SettingType('names and URLs such as { "Apple Podcasts" = "https://…" }', _listen_links)
HOST_AND_PORT = SettingType('an address and a port such as "127.0.0.1:8026", or ""', _host_and_port)
COMMAND = SettingType('a program and its arguments, such as ["/usr/local/bin/tell", "--urgent"], or []', _command)
STORE_URL = SettingType(
    'a database URL such as "sqlite:///pipeline.db" or "postgresql+psycopg://user@host/name"', _store_url, secret=True
)
_ENV_VAR = 'the name of an environment variable, in capitals, such as "BLOG_PASSWORD"'
ENV_VAR = SettingType(_ENV_VAR, string(pattern=f"({ENV_NAME})?").parse, secret=True)
HEADERS = SettingType(
    'names and values such as { Accept-Language = "de", X-Api-Key = "$BLOG_KEY" }',
    lambda value: tuple((name, _header(name, content)) for name, content in value.items()),
    secret=True,
)
FILTER_RULE = SettingType(
    'categories, a pattern or both, such as { categories = ["Sponsored"], pattern = "(?i)advert" }', _filter_rule
)
