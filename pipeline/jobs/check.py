"""Look an edition over: what its manifest says of it, and what the network says of its links and pictures.

In: an edition, a fetcher, a store, the moment. Out: Checks. What the network said is kept in the store, named by the
very bytes it is about, so that an approval can go by it; nothing else is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.digest.checks import ordered, recorded
from pipeline.digest.checks.reached import MOST_ADDRESSES, MOST_PICTURE_BYTES, NO_HEAD, Address, addresses, verdicts
from pipeline.digest.checks.since import changed_since
from pipeline.model.check import Check, Look, blocking
from pipeline.model.digest import Edition
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest
from pipeline.store import Store

ALL_IN_SECONDS = 10.0
HOLDS_FOR = timedelta(hours=1)
"""So long nobody asks again what a page answered, unless it stands in the way of an approval."""


class Prober(Protocol):
    """What this job needs of ``ingest.fetch.Fetcher``."""

    def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        """Fetch documents, and yield each outcome as it comes."""
        ...


def brisk(limits: FetchLimits) -> FetchLimits:
    """Make limits for a look: no document is read further than a picture may weigh, nobody is waited for long."""
    return replace(
        limits,
        timeout_seconds=min(limits.timeout_seconds, ALL_IN_SECONDS / 2),
        deadline_seconds=min(limits.deadline_seconds, ALL_IN_SECONDS),
        max_bytes=MOST_PICTURE_BYTES,
        host_gap_seconds=0.0,
    )


OpenProber = Callable[[], AbstractAsyncContextManager[Prober]]


def findings(edition: Edition, look: Look | None = None) -> tuple[Check, ...]:
    """Give all that is known of an edition: what needs no network, and what the network said when it was asked."""
    known = (*recorded(edition.manifest), *changed_since(edition.changes))
    return ordered((*known, *(look.checks if look else ())))


def check(
    edition: Edition, open_prober: OpenProber, *, now: datetime, seconds: float = ALL_IN_SECONDS
) -> tuple[Check, ...]:
    """Ask for an edition's links and pictures, at most 100 of them and ``seconds`` long in all; say what came of it."""
    wanted = addresses(edition.html.decode(), edition.manifest)
    asked = asyncio.run(_ask(wanted[:MOST_ADDRESSES], open_prober, now, seconds))
    pairs = [(address, asked[address.url]) for address in wanted if address.url in asked]
    unasked = [address for address in wanted if address.url not in asked]
    return ordered(verdicts(pairs, unasked))


def look_over(store: Store, edition: Edition, open_prober: OpenProber, *, now: datetime) -> Look:
    """Ask for an edition's links and pictures, and keep what came of it."""
    look = Look(content_hash=edition.content_hash, looked_at=now, checks=check(edition, open_prober, now=now))
    store.editions.keep_look(look)
    return look


def settled(look: Look | None, overridden: Collection[str], *, now: datetime) -> bool:
    """Tell whether what the network said may decide about an approval, or is to be asked again first.

    It is asked again when it was long ago, and when it said something that stops: that may be mended by now.
    """
    return look is not None and now - look.looked_at < HOLDS_FOR and not blocking(look.checks, overridden)


async def _ask(
    wanted: Iterable[Address], open_prober: OpenProber, now: datetime, seconds: float
) -> dict[str, FetchOutcome]:
    """Ask for each address; what is not answered in time is not in the answer."""
    outcomes: dict[str, FetchOutcome] = {}
    async with open_prober() as prober:
        try:
            async with asyncio.timeout(seconds):
                requests = [_request(address) for address in wanted]
                while requests:
                    again = []
                    async for outcome in prober.fetch_all(requests, now=now):
                        outcomes[outcome.feed_id] = outcome
                        if outcome.status in NO_HEAD:
                            again.append(outcome.feed_id)
                    requests = [_as_get(each) for each in requests if each.url in again and each.method == "HEAD"]
        except TimeoutError:
            pass  # what came in time is known; the rest is said to be unasked
    return outcomes


def _request(address: Address) -> FetchRequest:
    return FetchRequest(feed_id=address.url, url=address.url, method="GET" if address.picture else "HEAD")


def _as_get(request: FetchRequest) -> FetchRequest:
    return replace(request, method="GET")
