"""Doctor checks of the clock and of the time zone data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.jobs.ports import OpenFetcher
from pipeline.model.fetch import FetchRequest
from pipeline.model.health import HealthLevel, HealthResult

MAX_CLOCK_DIFFERENCE = timedelta(minutes=2)
"""A Date header has whole seconds, a response takes some, and servers are a little wrong themselves."""
CLOCK_FIX = "let the system set its clock automatically, for example with `timedatectl set-ntp true`"
MAX_AGE_YEARS = 2
"""Governments change time zones several times a year."""
_RELEASE = re.compile(r"# version (\d{4}\w?)")


def check_clock(open_fetcher: OpenFetcher, urls: Sequence[str], now: datetime) -> Iterator[HealthResult]:
    """Compare the clock with the Date header of the first server that sends one (RFC 9110, 6.6.1)."""
    requests = [FetchRequest(key=url, url=url, method="HEAD") for url in dict.fromkeys(urls)]
    dates = asyncio.run(_server_dates(open_fetcher, requests, now))
    if url := next((url for url in urls if dates.get(url)), ""):
        yield compare_clock(urlsplit(url).hostname or url, dates[url], now)
    else:
        message = "could not be compared, since no server sent its time"
        yield _result("clock", "warning", message, "check the network connection, or try again later")


async def _server_dates(open_fetcher: OpenFetcher, requests: Sequence[FetchRequest], now: datetime) -> dict[str, str]:
    async with open_fetcher() as fetcher:
        return {outcome.key: outcome.server_date async for outcome in fetcher.fetch_all(requests, now=now)}


def compare_clock(host: str, date: str, now: datetime) -> HealthResult:
    """Compare the clock with a server's Date header.

    >>> now = datetime(2026, 2, 9, 7, 0, tzinfo=UTC)
    >>> compare_clock("a.example", "Mon, 09 Feb 2026 07:00:01 GMT", now).message
    'agrees with a.example'
    >>> compare_clock("a.example", "Mon, 09 Feb 2026 08:00:00 GMT", now).message
    'is 60 min behind a.example'
    """
    server_time = _parse_date(date)
    if server_time is None:
        message = f"could not be compared, since {host} sent {date!r} as its date"
        return _result("clock", "warning", message, "try again later")
    difference = now - server_time
    if abs(difference) <= MAX_CLOCK_DIFFERENCE:
        return _result("clock", "ok", f"agrees with {host}")
    minutes = round(abs(difference) / timedelta(minutes=1))
    direction = "ahead of" if difference > timedelta() else "behind"
    return _result("clock", "error", f"is {minutes} min {direction} {host}", CLOCK_FIX)


def _parse_date(date: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(date)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def check_time_zone(name: str, folders: Iterable[str], now: datetime) -> Iterator[HealthResult]:
    """Check that a time zone is known and its data recent. ``folders`` are those zoneinfo searches."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        yield _result(name, "error", "is not in the time zone data", "install the Python package tzdata")
        return
    release = _release(folders)
    message = f"time zone data of release {release}" if release else "time zone data of an unknown release"
    if release and now.year - int(release[:4]) >= MAX_AGE_YEARS:
        yield _result(name, "warning", f"{message} is old", "upgrade tzdata, the system's or the Python package")
    else:
        yield _result(name, "ok", message)


def _release(folders: Iterable[str]) -> str:
    """Return the release of the time zone data in use: the system's if there is any, else the package's."""
    for folder in map(Path, folders):
        if (file := folder / "tzdata.zi").is_file():
            with file.open(encoding="ascii", errors="replace") as lines:
                match = _RELEASE.match(lines.readline())
            return match[1] if match else ""
        if folder.is_dir():
            return ""
    try:
        return version("tzdata")
    except PackageNotFoundError:
        return ""


def _result(name: str, level: HealthLevel, message: str, fix: str = "") -> HealthResult:
    return HealthResult(category="time", name=name, level=level, message=message, fix=fix)
