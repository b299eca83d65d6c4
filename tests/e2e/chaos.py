"""Feeds with every fault there is, for ``test_chaos.py``.

Every fault begins healthy, so that its feed is known, and what it does on which day is the same in every run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

from tests.http_server import CannedResponse, HttpServer, ReceivedRequest, gzip_bomb, gzipped, redirect

START = datetime(2026, 2, 9, tzinfo=UTC)
PUBLISH_INTERVAL = timedelta(hours=36)
"""Interval between two entries of a feed."""
WINDOW = 8
"""Number of entries in a document, newest first: twelve days. A truncated document has one only, so that what is not
read from the next complete one is lost.
"""
TIMEOUT_SECONDS = 1.0
_BOMB = gzip_bomb(16)
_PAGE = b"<!doctype html><html><title>Down for maintenance</title><p>Back soon.</p></html>"


@dataclass(slots=True)
class Site:
    """One feed: its name, entries and fault, and what was requested so far."""

    number: int
    fault: str
    host: str
    served: dict[datetime, set[str]] = field(default_factory=dict)
    """Titles of entries in healthy responses, by the time of the request."""
    requested_at: list[datetime] = field(default_factory=list)
    retry_after: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"feed{self.number}"

    @property
    def path(self) -> str:
        return f"/{self.id}.xml"

    def published(self, now: datetime) -> list[int]:
        """Return the numbers of the published entries, newest first, as many as a document holds."""
        first = START - 6 * PUBLISH_INTERVAL + self.number % 36 * timedelta(hours=1)
        return list(range((now - first) // PUBLISH_INTERVAL, -1, -1))[: 1 if self.fault == "half" else WINDOW]

    def title(self, entry: int) -> str:
        return f"Story {entry} of site {self.number}"

    def document(self, now: datetime, naming: Callable[[int], tuple[str, str]] | None = None) -> bytes:
        """Return the document; ``naming`` returns an entry's guid and the path of its page."""
        first = START - 6 * PUBLISH_INTERVAL + self.number % 36 * timedelta(hours=1)
        items = []
        for entry in self.published(now):
            guid, page = naming(entry) if naming else (f"{self.id}-{entry}", f"/{entry}/")
            date = format_datetime(first + entry * PUBLISH_INTERVAL)
            items.append(
                f"<item><title>{self.title(entry)}</title><link>http://{self.host}{page}</link>"
                f"<guid isPermaLink='false'>{guid}</guid><pubDate>{date}</pubDate>"
                f"<description>&lt;p&gt;Words of story {entry}.&lt;/p&gt;</description></item>"
            )
        head = f"<title>Site {self.number}</title><link>http://{self.host}/</link><description>x</description>"
        return f"<rss version='2.0'><channel>{head}{''.join(items)}</channel></rss>".encode()


Fault = Callable[[Site, ReceivedRequest, datetime, random.Random], CannedResponse]


def healthy(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Return a correct response; the ETag names the newest entry."""
    site.served[now] = {site.title(entry) for entry in site.published(now)}
    return CannedResponse(body=site.document(now), headers={"ETag": _etag(site, now)})


def unconditional(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    return replace(healthy(site, seen, now, chance), headers={})


def last_modified_only(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Support Last-Modified only."""
    newest = START + site.published(now)[0] * PUBLISH_INTERVAL
    stamp = format_datetime(newest, usegmt=True)
    if seen.headers.get("if-modified-since") == stamp:
        return CannedResponse(status=304, body=b"")
    return replace(healthy(site, seen, now, chance), headers={"Last-Modified": stamp})


def always_not_modified(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Return 304 to every conditional request."""
    return CannedResponse(status=304, body=b"") if "if-none-match" in seen.headers else healthy(site, seen, now, chance)


def compressed(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    return gzipped(healthy(site, seen, now, chance).body)


def dripping(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Return the body slowly."""
    return replace(healthy(site, seen, now, chance), drip_bytes=400, drip_seconds=0.005)


def truncated(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Return half a document with the ETag of the complete one; complete items count as published."""
    body = site.document(now)
    return CannedResponse(body=body[: chance.randrange(len(body))], headers={"ETag": _etag(site, now)})


def understates_length(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Announce less than there is, so that the client stops in the middle."""
    return replace(
        truncated(site, seen, now, chance), body=site.document(now), content_length=chance.randrange(100, 900)
    )


def empty(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    return CannedResponse(
        body=b"<rss version='2.0'><channel><title>x</title></channel></rss>", headers={"ETag": '"empty"'}
    )


def new_guids(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Return other guids in every response."""
    site.served[now] = {site.title(entry) for entry in site.published(now)}
    salt = chance.random()
    return CannedResponse(body=site.document(now, lambda entry: (f"{salt}-{entry}", f"/{entry}/")))


def changes_identity(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Return other guids and URLs from the second week on, as after a change of software."""
    site.served[now] = {site.title(entry) for entry in site.published(now)}
    return CannedResponse(body=site.document(now, lambda entry: (f"uuid-{site.number}-{entry}", f"/?page={entry}")))


def times_out(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    return CannedResponse(delay_seconds=TIMEOUT_SECONDS + 0.3)


def moved(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Redirect permanently to another host."""
    if seen.host.startswith("new."):
        return healthy(site, seen, now, chance)
    return redirect(f"http://new.{seen.headers['host']}{seen.path}", 301)


def redirect_loop(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
    """Redirect between two hosts without end."""
    host = seen.headers["host"]
    return redirect(f"http://{host.removeprefix('lost.') if 'lost.' in host else f'lost.{host}'}{seen.path}")


def _wait(status: int, hours: int, *, as_date: bool) -> Fault:
    def answer(site: Site, seen: ReceivedRequest, now: datetime, chance: random.Random) -> CannedResponse:
        until = now + timedelta(hours=hours)
        site.retry_after.append((now, until))
        value = format_datetime(until, usegmt=True) if as_date else str(hours * 3600)
        return CannedResponse(status=status, headers={"Retry-After": value})

    return answer


def _always(answer: CannedResponse) -> Fault:
    return lambda site, seen, now, chance: answer


def _etag(site: Site, now: datetime) -> str:
    return f'"{site.published(now)[0]}"'


# Fault: the response on its days, the response on the others, and which days. The first two days are always healthy.
FAULTS: Mapping[str, tuple[Fault, Fault, int]] = {
    "healthy": (healthy, healthy, 1),
    "unconditional": (unconditional, unconditional, 1),
    "dated": (last_modified_only, last_modified_only, 1),
    "asleep": (always_not_modified, always_not_modified, 1),
    "zipped": (compressed, compressed, 1),
    "dripping": (dripping, healthy, 2),
    "half": (truncated, healthy, 2),
    "short": (understates_length, healthy, 2),
    "empty": (empty, healthy, 4),
    "new guids": (new_guids, healthy, 1),
    "renamed": (changes_identity, healthy, -4),
    "stalling": (times_out, healthy, 9),
    "moved": (moved, healthy, -4),
    "lost": (redirect_loop, healthy, 3),
    "gone": (_always(CannedResponse(status=410)), healthy, -6),
    "resets": (_always(CannedResponse(reset_after_bytes=30)), healthy, 2),
    "longer": (_always(CannedResponse(content_length=10**6)), healthy, 3),
    "errors": (_always(CannedResponse(status=500)), healthy, 2),
    "page": (_always(CannedResponse(body=_PAGE, headers={"ETag": '"page"'})), healthy, 3),
    "bomb": (_always(_BOMB), compressed, 4),
    "waits in seconds": (_wait(429, 30, as_date=False), healthy, 5),
    "waits until a date": (_wait(429, 20, as_date=True), healthy, 4),
    "is overloaded": (_wait(503, 9, as_date=True), unconditional, 3),
}


SHARED_HOST_FAULTS = frozenset({"is overloaded", "waits in seconds", "unconditional"})
"""Faults whose site shares its host with another one."""


@dataclass(slots=True)
class FaultyWeb:
    """All sites behind one server, at a simulated time."""

    server: HttpServer
    sites: list[Site]
    now: datetime = START

    @classmethod
    def of(cls, server: HttpServer, feeds: int) -> FaultyWeb:
        """Build sites, each fault as often as the others; some share their host with the one before."""
        faults = list(FAULTS)
        sites = [Site(number, faults[number % len(faults)], f"site{number}.example") for number in range(feeds)]
        for before, site in pairwise(sites):
            if before.fault in SHARED_HOST_FAULTS:
                site.host = before.host
        web = cls(server, sites)
        for site in sites:
            server.respond(site.path, web.answer)
        return web

    def answer(self, seen: ReceivedRequest) -> CannedResponse:
        """Return the response of the site whose path was requested."""
        site = next(site for site in self.sites if site.path == seen.path)
        site.requested_at.append(self.now)
        bad, good, every = FAULTS[site.fault]
        day = (self.now - START).days
        turns_bad = day >= -every if every < 0 else day >= 2 and (day + site.number) % every == 0
        chance = random.Random(f"{site.number} {self.now}")
        return (bad if turns_bad else good)(site, seen, self.now, chance)
