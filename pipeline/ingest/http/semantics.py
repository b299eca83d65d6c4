"""What an HTTP answer means, read from its status and headers alone.

In: a status, header values, ``now``. Out: the outcome's word, times and durations. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from pipeline.model.fetch import OutcomeKind

MAX_RETRY_AFTER = timedelta(days=7)
"""A Retry-After beyond this is a mistake; the host is tried again then."""
DEFAULT_RETRY_AFTER = timedelta(minutes=15)
"""For a 429 that names no time."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT_REDIRECTS = frozenset({301, 308})

_NAMED: dict[int, OutcomeKind] = {304: "not_modified", 404: "not_found", 410: "gone", 429: "rate_limited"}
_MAX_AGE = re.compile(r'(?:^|[,\s])max-age\s*=\s*"?(\d{1,10})', re.IGNORECASE)


def outcome_kind(status: int) -> OutcomeKind:
    """Give the word for a status (RFC 9110, 15) that is not a redirect.

    >>> kind_of(200), kind_of(403), kind_of(503), kind_of(999)
    ('ok', 'blocked', 'server_error', 'broken_answer')
    """
    classes: dict[int, OutcomeKind] = {2: "ok", 4: "blocked", 5: "server_error"}
    return _NAMED.get(status) or classes.get(status // 100, "protocol_error")


def status_text(status: int) -> str:
    """Write a status as people know it.

    >>> status_in_words(404), status_in_words(526)
    ('404 Not Found', '526')
    """
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def rate_limited_until(status: int, retry_after: str, now: datetime) -> datetime | None:
    """Tell until when the host wants to be left alone; None when it does not say so.

    >>> now = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
    >>> wait_until(503, "", now), wait_until(200, "120", now)
    (None, None)
    >>> wait_until(429, "", now) - now
    datetime.timedelta(seconds=900)
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return parse_retry_after(retry_after, now) or now + DEFAULT_RETRY_AFTER
    return parse_retry_after(retry_after, now) if status == HTTPStatus.SERVICE_UNAVAILABLE else None


def parse_retry_after(value: str, now: datetime) -> datetime | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds or an HTTP date; None when it is neither. Aware UTC.

    >>> now = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
    >>> retry_at("120", now)
    datetime.datetime(2026, 2, 9, 12, 2, tzinfo=datetime.timezone.utc)
    >>> retry_at("Mon, 09 Feb 2026 13:00:00 GMT", now)
    datetime.datetime(2026, 2, 9, 13, 0, tzinfo=datetime.timezone.utc)
    >>> retry_at("soon", now)
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        wait = timedelta(seconds=min(int(value[:10]), MAX_RETRY_AFTER.total_seconds()))
        return now + wait
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(now, min(moment.astimezone(UTC), now + MAX_RETRY_AFTER))


def parse_max_age(cache_control: str) -> int | None:
    """Read max-age of Cache-Control (RFC 9111, 5.2.2.1); None when it is absent.

    >>> max_age_seconds("public, max-age=3600"), max_age_seconds("no-cache"), max_age_seconds("s-max-age=5")
    (3600, None, None)
    """
    match = _MAX_AGE.search(cache_control)
    return int(match[1]) if match else None


def parse_length(content_length: str, content_range: str = "") -> int | None:
    """Read how long the whole document is (RFC 9110, 8.6 and 14.4); None when the answer does not say.

    >>> length_bytes("1200"), length_bytes("100", "bytes 0-99/1200"), length_bytes("100", "bytes 0-99/*")
    (1200, 1200, None)
    """
    said = content_range.rpartition("/")[2] if content_range else content_length
    return int(said) if said.isdecimal() and len(said) < 20 else None


def usable_validator(value: str) -> str:
    """Keep an ETag or Last-Modified only if it can be sent back exactly as it came.

    >>> validator('W/"abc"'), validator('"caf\\u00e9"')
    ('W/"abc"', '')
    """
    return value if value.isascii() and value.isprintable() else ""
