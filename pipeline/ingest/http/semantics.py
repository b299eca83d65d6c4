"""The meaning of an HTTP response, from its status and headers alone (RFC 9110 and 9111)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from pipeline.model.fetch import OutcomeKind

MAX_RETRY_AFTER = timedelta(days=7)
"""A longer Retry-After is taken for a mistake and shortened to this."""
DEFAULT_RETRY_AFTER = timedelta(minutes=15)
"""Used for a 429 without a usable Retry-After."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT_REDIRECTS = frozenset({301, 308})

_KINDS: dict[int, OutcomeKind] = {304: "not_modified", 404: "not_found", 410: "gone", 429: "rate_limited"}
_KINDS_BY_CLASS: dict[int, OutcomeKind] = {2: "ok", 4: "blocked", 5: "server_error"}
_MAX_AGE = re.compile(r'(?:^|[,\s])max-age\s*=\s*"?(\d{1,10})', re.IGNORECASE)


def outcome_kind(status: int) -> OutcomeKind:
    """Return the outcome for a status that is not a redirect (RFC 9110, 15).

    >>> outcome_kind(200), outcome_kind(403), outcome_kind(503), outcome_kind(999)
    ('ok', 'blocked', 'server_error', 'protocol_error')
    """
    return _KINDS.get(status) or _KINDS_BY_CLASS.get(status // 100, "protocol_error")


def status_text(status: int) -> str:
    """Return a status with its standard phrase.

    >>> status_text(404), status_text(526)
    ('404 Not Found', '526')
    """
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def rate_limited_until(status: int, retry_after: str, now: datetime) -> datetime | None:
    """Return the time before which the host refuses requests (aware UTC), or None if it does not say.

    >>> now = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
    >>> rate_limited_until(503, "", now), rate_limited_until(200, "120", now)
    (None, None)
    >>> rate_limited_until(429, "", now) - now
    datetime.timedelta(seconds=900)
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return parse_retry_after(retry_after, now) or now + DEFAULT_RETRY_AFTER
    return parse_retry_after(retry_after, now) if status == HTTPStatus.SERVICE_UNAVAILABLE else None


def parse_retry_after(value: str, now: datetime) -> datetime | None:
    """Return the time in Retry-After (RFC 9110, 10.2.3: seconds or an HTTP date) as aware UTC, or None if unusable.

    >>> now = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
    >>> parse_retry_after("120", now)
    datetime.datetime(2026, 2, 9, 12, 2, tzinfo=datetime.timezone.utc)
    >>> parse_retry_after("Mon, 09 Feb 2026 13:00:00 GMT", now)
    datetime.datetime(2026, 2, 9, 13, 0, tzinfo=datetime.timezone.utc)
    >>> parse_retry_after("soon", now)
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return now + timedelta(seconds=min(int(value[:10]), MAX_RETRY_AFTER.total_seconds()))
    try:
        retry_at = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    retry_at = retry_at if retry_at.tzinfo else retry_at.replace(tzinfo=UTC)
    return max(now, min(retry_at.astimezone(UTC), now + MAX_RETRY_AFTER))


def parse_max_age(cache_control: str) -> int | None:
    """Return max-age of Cache-Control in seconds (RFC 9111, 5.2.2.1), or None if it is absent.

    >>> parse_max_age("public, max-age=3600"), parse_max_age("no-cache"), parse_max_age("s-max-age=5")
    (3600, None, None)
    """
    match = _MAX_AGE.search(cache_control)
    return int(match[1]) if match else None


def parse_length(content_length: str, content_range: str = "") -> int | None:
    """Return the length of the whole document in bytes (RFC 9110, 8.6 and 14.4), or None if it is not stated.

    >>> parse_length("1200"), parse_length("100", "bytes 0-99/1200"), parse_length("100", "bytes 0-99/*")
    (1200, 1200, None)
    """
    length = content_range.rpartition("/")[2] if content_range else content_length
    return int(length) if length.isdecimal() and len(length) < 20 else None


def usable_validator(value: str) -> str:
    """Return an ETag or Last-Modified value if it can be sent back exactly as it came, else "".

    >>> usable_validator('W/"abc"'), usable_validator('"caf\\u00e9"')
    ('W/"abc"', '')
    """
    return value if value.isascii() and value.isprintable() else ""
