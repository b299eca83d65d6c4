"""Look an edition over: what its manifest says of it, and what the network says of its links and pictures.

In: an edition, a fetcher, a store, the moment. Out: Checks. What the network said is kept in the store, named by the
very bytes it is about, so that an approval can go by it; nothing else is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.digest.checks import by_severity, manifest_results
from pipeline.digest.checks.freshness import changed_since
from pipeline.digest.checks.reachability import (
    HEAD_REFUSED_STATUSES,
    MAX_IMAGE_BYTES,
    MAX_URLS,
    CheckedUrl,
    collect_urls,
    judge_outcomes,
)
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.check import CheckResult, LinkCheck, blocking_results
from pipeline.model.digest import Edition
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest
from pipeline.store import Store

MAX_CHECK_SECONDS = 10.0
RESULT_TTL = timedelta(hours=1)
"""So long nobody asks again what a page answered, unless it stands in the way of an approval."""


def fast_limits(limits: FetchLimits) -> FetchLimits:
    """Make limits for a look: no document is read further than a picture may weigh, nobody is waited for long."""
    return replace(
        limits,
        timeout_seconds=min(limits.timeout_seconds, MAX_CHECK_SECONDS / 2),
        deadline_seconds=min(limits.deadline_seconds, MAX_CHECK_SECONDS),
        max_bytes=MAX_IMAGE_BYTES,
        host_gap_seconds=0.0,
    )


def check_results(edition: Edition, link_check: LinkCheck | None = None) -> tuple[CheckResult, ...]:
    """Give all that is known of an edition: what needs no network, and what the network said when it was asked."""
    known = (*manifest_results(edition.manifest), *changed_since(edition.changes))
    return by_severity((*known, *(link_check.results if link_check else ())))


def check_links(
    edition: Edition, open_fetcher: OpenFetcher, *, now: datetime, max_seconds: float = MAX_CHECK_SECONDS
) -> tuple[CheckResult, ...]:
    """Ask for an edition's links and pictures, at most 100 of them and ``seconds`` long in all; say what came of it."""
    wanted = collect_urls(edition.html.decode(), edition.manifest)
    asked = asyncio.run(_ask(wanted[:MAX_URLS], open_fetcher, now, max_seconds))
    pairs = [(address, asked[address.url]) for address in wanted if address.url in asked]
    unasked = [address for address in wanted if address.url not in asked]
    return by_severity(judge_outcomes(pairs, unasked))


def check_and_save_links(store: Store, edition: Edition, open_fetcher: OpenFetcher, *, now: datetime) -> LinkCheck:
    """Ask for an edition's links and pictures, and keep what came of it."""
    look = LinkCheck(
        content_hash=edition.content_hash, checked_at=now, results=check_links(edition, open_fetcher, now=now)
    )
    store.editions.save_link_check(look)
    return look


def is_fresh(link_check: LinkCheck | None, overridden: Collection[str], *, now: datetime) -> bool:
    """Tell whether what the network said may decide about an approval, or is to be asked again first.

    It is asked again when it was long ago, and when it said something that stops: that may be mended by now.
    """
    return (
        link_check is not None
        and now - link_check.checked_at < RESULT_TTL
        and not blocking_results(link_check.results, overridden)
    )


async def _ask(
    wanted: Iterable[CheckedUrl], open_prober: OpenFetcher, now: datetime, seconds: float
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
                        outcomes[outcome.key] = outcome
                        if outcome.status in HEAD_REFUSED_STATUSES:
                            again.append(outcome.key)
                    requests = [_as_get(each) for each in requests if each.url in again and each.method == "HEAD"]
        except TimeoutError:
            pass  # what came in time is known; the rest is said to be unasked
    return outcomes


def _request(address: CheckedUrl) -> FetchRequest:
    return FetchRequest(key=address.url, url=address.url, method="GET" if address.is_image else "HEAD")


def _as_get(request: FetchRequest) -> FetchRequest:
    return replace(request, method="GET")
