"""Look an edition over: what its manifest says of it, and what the network says of its links and pictures.

In: an edition, a fetcher, the moment. Out: Checks. Changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from pipeline.digest.checks import ordered, recorded
from pipeline.digest.checks.reached import MOST_ADDRESSES, MOST_PICTURE_BYTES, NO_HEAD, Address, addresses, verdicts
from pipeline.digest.checks.since import changed_since
from pipeline.model.check import Check
from pipeline.model.digest import Edition
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest

ALL_IN_SECONDS = 10.0


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


def check(
    edition: Edition, open_prober: OpenProber | None, *, now: datetime, seconds: float = ALL_IN_SECONDS
) -> tuple[Check, ...]:
    """Give an edition's checks; without a prober, those that need no network.

    At most 100 addresses are asked, ``seconds`` long in all.
    """
    known = (*recorded(edition.manifest), *changed_since(edition.changes))
    if open_prober is None:
        return ordered(known)
    wanted = addresses(edition.html.decode())
    asked = asyncio.run(_ask(wanted[:MOST_ADDRESSES], open_prober, now, seconds))
    pairs = [(address, asked[address.url]) for address in wanted if address.url in asked]
    unasked = [address for address in wanted if address.url not in asked]
    return ordered((*known, *verdicts(pairs, unasked)))


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
