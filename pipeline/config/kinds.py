"""What a setting may hold: one ``Kind`` each, from a TOML value to ours.

In: values as tomllib gives them. Out: checked plain values, or ValueError with nothing but what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.model.schedule import Schedule, parse_schedule
from pipeline.model.week import WeekClock


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: how it is called, and how a TOML value becomes one."""

    words: str
    """What is allowed, for error messages and the reference: ``a whole number from 1 to 200``."""
    read: Callable[[Any], Any]
    """Returns the value, or raises ValueError (or TypeError)."""


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


def _store_url(value: Any) -> str:
    parts = urlsplit(value)
    if parts.scheme != "sqlite" or len(parts.path) < 2:
        raise ValueError
    return str(value)


def _listen(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise TypeError
    return tuple((str(name).strip(), _http_url(url)) for name, url in value.items())


FLAG = Kind("true or false", _flag)
URL = Kind("an address that begins with http:// or https://", _http_url)
OPTIONAL_URL = Kind('an address that begins with http:// or https://, or ""', _optional_url)
ZONE = Kind('a time zone of the IANA database such as "Europe/London"', _zone)
OPTIONAL_MAILBOX = Kind('an address such as "Name <name@example.org>", or ""', lambda value: value and _mailbox(value))
MAILBOX = Kind('an address such as "Name <name@example.org>"', _mailbox)
WEEK_CLOSES = Kind('a weekday and a time such as "mon 00:00" or "fri 06:00"', _week_closes)
STORE_URL = Kind('the address of a database such as "sqlite:///pipeline.db"', _store_url)
SCHEDULE = Kind('a rhythm such as "every 30 minutes", "daily 06:30" or "mon 07:00"', _schedule)
LISTEN = Kind('names and addresses such as { "Apple Podcasts" = "https://…" }', _listen)
LANGUAGE = text('a language tag such as "en-GB"', pattern=r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
NAME = text("text that is not empty", empty=False)
