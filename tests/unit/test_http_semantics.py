"""The meaning of a response's status and headers, and of a head that is not written as it should be."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.ingest.http.head import clean_head
from pipeline.ingest.http.semantics import (
    DEFAULT_RETRY_AFTER,
    MAX_RETRY_AFTER,
    outcome_kind,
    parse_length,
    parse_max_age,
    parse_retry_after,
    rate_limited_until,
    status_text,
    usable_validator,
)
from pipeline.model.errors import FetchError

NOW = datetime(2026, 2, 9, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "ok"), (206, "ok"), (299, "ok"), (304, "not_modified"), (404, "not_found"), (410, "gone"),
        (429, "rate_limited"), (400, "blocked"), (451, "blocked"), (499, "blocked"), (500, "server_error"),
        (599, "server_error"), (100, "protocol_error"), (199, "protocol_error"), (600, "protocol_error"),
        (0, "protocol_error"),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int, kind: str) -> None:
    """Some statuses by themselves, the others by their class."""
    assert outcome_kind(status) == kind
    assert status_text(status).startswith(str(status))
    assert (status_text(200), status_text(599)) == ("200 OK", "599")


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", 0 * SECOND),
        (" 120 ", 120 * SECOND),
        ("604800", MAX_RETRY_AFTER),
        ("604801", MAX_RETRY_AFTER),
        ("9" * 30, MAX_RETRY_AFTER),
        ("٣", None),
        ("-1", None),
        ("", None),
        ("soon", None),
        ("Mon, 09 Feb 2026 12:00:05 GMT", 5 * SECOND),
        ("Mon, 09 Feb 2026 12:00:05 -0000", 5 * SECOND),
        ("Mon, 09 Feb 2026 13:00:05 +0100", 5 * SECOND),
        ("Mon, 09 Feb 2026 11:00:00 GMT", 0 * SECOND),
        ("Mon, 09 Feb 2099 11:00:00 GMT", MAX_RETRY_AFTER),
        ("Mon, 99 Feb 2026 11:00:00 GMT", None),
    ],
)
def test_how_long_a_host_asks_to_wait(value: str, wait: timedelta | None) -> None:
    """Seconds or a date, from now on and a week at most; of a 429 a quarter of an hour if it does not say."""
    until = None if wait is None else NOW + wait
    assert parse_retry_after(value, NOW) == until
    assert rate_limited_until(503, value, NOW) == until
    assert rate_limited_until(429, value, NOW) == (until or NOW + DEFAULT_RETRY_AFTER)
    assert rate_limited_until(500, value, NOW) is rate_limited_until(200, value, NOW) is None
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    assert parse_retry_after(value, elsewhere) == until


def test_a_date_without_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in UTC, wherever this machine is."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert parse_retry_after("Mon, 09 Feb 2026 12:00:05 -0000", NOW) == NOW + 5 * SECOND
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("max-age=60", 60), ("Max-Age = 60", 60), ('public,max-age="60"', 60), ("public max-age=60, s-maxage=5", 60),
        ("s-max-age=60", None), ("max-age=", None), ("", None), ("max-age=12345678901", 1234567890), ("max-age=0", 0),
    ],
)  # fmt: skip
def test_max_age(header: str, seconds: int | None) -> None:
    """In any letters, among other directives, with quotation marks or without."""
    assert parse_max_age(header) == seconds


@pytest.mark.parametrize(
    ("length", "content_range", "whole"),
    [
        ("1200", "", 1200), ("0", "", 0), ("", "", None), ("-5", "", None), ("12 kB", "", None),
        ("9" * 19, "", 10**19 - 1), ("9" * 20, "", None), ("100", "bytes 0-99/1200", 1200),
        ("100", "bytes 0-99/*", None), ("100", "1200", 1200),
    ],
)  # fmt: skip
def test_length_of_the_whole_document(length: str, content_range: str, whole: int | None) -> None:
    """Of a part the range says it; a number of twenty digits is none."""
    assert parse_length(length, content_range) == whole


@pytest.mark.parametrize("value", ['"a"', 'W/"a b"', "Mon, 09 Feb 2026 12:00:05 GMT", ""])
def test_validators_are_sent_back_as_they_came(value: str) -> None:
    """Unless they have characters that a header cannot have."""
    assert usable_validator(value) == value
    assert usable_validator(value + "é") == usable_validator(value + "\t") == usable_validator(value + "\n") == ""


@pytest.mark.parametrize(
    ("line", "cleaned"),
    [
        (b"ETag: 1", b"ETag: 1"),
        (b"ETag :1", b"ETag: 1"),
        (b" ETag:\t1 \r", b"ETag: 1"),
        (b"ETag:", b"ETag: "),
        (b"X: a:b", b"X: a:b"),
        (b"X: a\x00\x01b", b"X: a b"),
        (b"X: a\n  b\n\tc", b"X: a b c"),
        (b"welcome", b""),
        (b": 1", b""),
        (b"two words: 1", b""),
        (b"n\xc3\xa4me: 1", b""),
        (b"Content-Length: 12", b"Content-Length: 12"),
        (b"Content-Length: 12, 12", b"Content-Length: 12, 12"),
        (b"Content-Length: 12, x", b""),
        (b"content-length: many", b""),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: Identity", b""),
        (b"transfer-encoding:", b""),
        (b"X-Transfer-Encoding: identity", b"X-Transfer-Encoding: identity"),
    ],
)
def test_header_lines(line: bytes, cleaned: bytes) -> None:
    """As RFC 9112 prescribes them; a line that says nothing is left out, and the next one stays."""
    lines = [b"HTTP/1.1 200", *filter(None, [cleaned]), b"Y: 2", b"", b""]
    assert clean_head(b"HTTP/1.1 200 OK\r\n" + line + b"\nY: 2\r\n\r\n") == b"\r\n".join(lines)


@pytest.mark.parametrize(
    ("line", "cleaned"),
    [
        (b"HTTP/1.0 404 Not Found", b"HTTP/1.0 404"),
        (b"http/1.1\t200", b"HTTP/1.1 200"),
        (b"HTTP/2 200", b"HTTP/2.0 200"),
        (b"HTTP/1.1 200", b"HTTP/1.1 200"),
    ],
)
def test_status_lines(line: bytes, cleaned: bytes) -> None:
    """The phrase is left out, and a missing minor version is 0."""
    assert clean_head(line + b"\r\n\r\n") == cleaned + b"\r\n\r\n"


@pytest.mark.parametrize(
    "line", [b"", b"ICY 200 OK", b"HTTP/1.1 2000", b"HTTP/1.1 20", b"HTTP/1.1200 OK", b" HTTP/1.1 200"]
)
def test_what_is_not_http(line: bytes) -> None:
    """It is an error of the protocol, in words for people."""
    with pytest.raises(FetchError, match=r"^answered with something that is not HTTP$") as caught:
        clean_head(line + b"\r\n\r\n")
    assert caught.value.kind == "protocol_error"
