"""The clock: held against the Date that a web server sends with its answer (RFC 9110, 6.6.1).

In: a fetcher, addresses to ask, the moment it is here. Out: Signs.
"""

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
from pipeline.model.health import HealthResult

MAX_CLOCK_DIFFERENCE = timedelta(minutes=2)
"""A Date has whole seconds, an answer may take some, and servers are a little wrong themselves."""
CLOCK_FIX = "let the system keep its time by itself, e.g. `timedatectl set-ntp true`"


def check_clock(open_fetcher: OpenFetcher, urls: Sequence[str], now: datetime) -> Iterator[HealthResult]:
    """Compare the clock with that of the first server that tells its own."""
    requests = [FetchRequest(key=url, url=url, method="HEAD") for url in dict.fromkeys(urls)]
    dates = asyncio.run(_dates(open_fetcher, requests, now))
    told = next((url for url in urls if dates.get(url)), "")
    if told:
        yield compare_clock(urlsplit(told).hostname or told, dates[told], now)
    else:
        finding = "could not be compared, since no server that was asked told the time"
        mend = "look at the network, or try again later"
        yield HealthResult(category="time", name="clock", level="warning", message=finding, fix=mend)


async def _dates(open_fetcher: OpenFetcher, requests: Sequence[FetchRequest], now: datetime) -> dict[str, str]:
    async with open_fetcher() as fetcher:
        return {outcome.key: outcome.server_date async for outcome in fetcher.fetch_all(requests, now=now)}


def compare_clock(host: str, date: str, now: datetime) -> HealthResult:
    """Compare the clock with a server's Date.

    >>> now = datetime(2026, 2, 9, 7, 0, tzinfo=UTC)
    >>> compared("a.example", "Mon, 09 Feb 2026 07:00:01 GMT", now).finding
    'agrees with a.example'
    >>> compared("a.example", "Mon, 09 Feb 2026 08:00:00 GMT", now).finding
    'is 60 min behind the one of a.example'
    """
    theirs = _instant(date)
    if theirs is None:
        finding = f"could not be compared, since {host} sent {date!r} for a date"
        return HealthResult(category="time", name="clock", level="warning", message=finding, fix="try again later")
    off = now - theirs
    if abs(off) <= MAX_CLOCK_DIFFERENCE:
        return HealthResult(category="time", name="clock", level="well", message=f"agrees with {host}")
    minutes = round(abs(off) / timedelta(minutes=1))
    finding = f"is {minutes} min {'ahead of' if off > timedelta() else 'behind'} the one of {host}"
    return HealthResult(category="time", name="clock", level="trouble", message=finding, fix=CLOCK_FIX)


def _instant(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


MAX_AGE_YEARS = 2
_RELEASE = re.compile(r"# version (\d{4}\w?)")


def check_time_zone(name: str, folders: Iterable[str], now: datetime) -> Iterator[HealthResult]:
    """Look whether the publication's zone is known, and from which year's release."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        mend = "install the Python package tzdata beside the program"
        yield HealthResult(
            category="time", name=name, level="trouble", message="is not in the time zone data", fix=mend
        )
        return
    release = _release(folders)
    year = int(release[:4]) if release else now.year
    old = now.year - year >= MAX_AGE_YEARS
    finding = f"time zone data of release {release}" if release else "time zone data of an unnamed release"
    yield HealthResult(
        category="time",
        name=name,
        level="warning" if old else "well",
        message=f"{finding}, which is old" if old else finding,
        fix="upgrade the system's tzdata, or the Python package of that name" if old else "",
    )


def _release(folders: Iterable[str]) -> str:
    """Name the release of the data that is used: the system's where there is any, else the package's."""
    for folder in map(Path, folders):
        if (file := folder / "tzdata.zi").is_file():
            with file.open(encoding="ascii", errors="replace") as opened:
                found = _RELEASE.match(opened.readline())
            return found[1] if found else ""
        if folder.is_dir():
            return ""
    try:
        return version("tzdata")
    except PackageNotFoundError:
        return ""
