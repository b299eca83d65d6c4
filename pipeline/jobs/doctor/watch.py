"""The clock: held against the Date that a web server sends with its answer (RFC 9110, 6.6.1).

In: a fetcher, addresses to ask, the moment it is here. Out: Signs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from pipeline.jobs.check import OpenProber
from pipeline.model.fetch import FetchRequest
from pipeline.model.health import Sign

TOLERANCE = timedelta(minutes=2)
"""A Date has whole seconds, an answer may take some, and servers are a little wrong themselves."""
MEND = "let the system keep its time by itself, e.g. `timedatectl set-ntp true`"


def watch(open_fetcher: OpenProber, urls: Sequence[str], now: datetime) -> Iterator[Sign]:
    """Compare the clock with that of the first server that tells its own."""
    requests = [FetchRequest(feed_id=url, url=url, method="HEAD") for url in dict.fromkeys(urls)]
    dates = asyncio.run(_dates(open_fetcher, requests, now))
    told = next((url for url in urls if dates.get(url)), "")
    if told:
        yield compared(urlsplit(told).hostname or told, dates[told], now)
    else:
        finding = "could not be compared, since no server that was asked told the time"
        mend = "look at the network, or try again later"
        yield Sign(group="time", name="clock", level="warning", finding=finding, mend=mend)


async def _dates(open_fetcher: OpenProber, requests: Sequence[FetchRequest], now: datetime) -> dict[str, str]:
    async with open_fetcher() as fetcher:
        return {outcome.feed_id: outcome.date async for outcome in fetcher.fetch_all(requests, now=now)}


def compared(host: str, date: str, now: datetime) -> Sign:
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
        return Sign(group="time", name="clock", level="warning", finding=finding, mend="try again later")
    off = now - theirs
    if abs(off) <= TOLERANCE:
        return Sign(group="time", name="clock", level="well", finding=f"agrees with {host}")
    minutes = round(abs(off) / timedelta(minutes=1))
    finding = f"is {minutes} min {'ahead of' if off > timedelta() else 'behind'} the one of {host}"
    return Sign(group="time", name="clock", level="trouble", finding=finding, mend=MEND)


def _instant(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
