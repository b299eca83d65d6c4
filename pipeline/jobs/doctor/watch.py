"""The clock: held against the Date that a web server sends with its answer (RFC 9110, 6.6.1).

In: a way to ask a server, the moment it is here. Out: Signs. What is asked, and how, others decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pipeline.model.health import Sign

TOLERANCE = timedelta(minutes=2)
"""A Date has whole seconds, an answer may take some, and servers are a little wrong themselves."""
MEND = "let the system keep its time by itself, e.g. `timedatectl set-ntp true`"


def watch(host: str, date: str, now: datetime) -> Iterator[Sign]:
    """Compare the clock with a server's; ``date`` is its header, empty where it sent none.

    >>> now = datetime(2026, 2, 9, 7, 0, tzinfo=UTC)
    >>> [sign.finding for sign in watch("a.example", "Mon, 09 Feb 2026 07:00:01 GMT", now)]
    ['agrees with a.example']
    >>> [(sign.level, sign.finding) for sign in watch("a.example", "Mon, 09 Feb 2026 08:00:00 GMT", now)]
    [('trouble', 'is 60 min behind the one of a.example')]
    """
    theirs = _instant(date)
    if theirs is None:
        finding = f"could not be compared, since {host} sent no date"
        yield Sign(group="time", name="clock", level="warning", finding=finding, mend="try again later")
        return
    off = now - theirs
    minutes = round(abs(off) / timedelta(minutes=1))
    if abs(off) <= TOLERANCE:
        yield Sign(group="time", name="clock", level="well", finding=f"agrees with {host}")
    else:
        finding = f"is {minutes} min {'ahead of' if off > timedelta() else 'behind'} the one of {host}"
        yield Sign(group="time", name="clock", level="trouble", finding=finding, mend=MEND)


def _instant(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
