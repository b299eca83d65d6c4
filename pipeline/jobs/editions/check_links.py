"""Check the links and images of an edition over the network, and combine the results with preflight's.

Results are saved by content hash, so they always belong to exactly the bytes that were checked.
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
"""Maximum time for all requests of one check together."""
RESULT_TTL = timedelta(hours=1)
"""How long saved results are reused; blocking results are always checked again."""


def fast_limits(limits: FetchLimits) -> FetchLimits:
    """Return limits for link checks: short timeouts, no pause between requests, bodies up to ``MAX_IMAGE_BYTES``."""
    return replace(
        limits,
        timeout_seconds=min(limits.timeout_seconds, MAX_CHECK_SECONDS / 2),
        deadline_seconds=min(limits.deadline_seconds, MAX_CHECK_SECONDS),
        max_bytes=MAX_IMAGE_BYTES,
        host_gap_seconds=0.0,
    )


def check_results(edition: Edition, link_check: LinkCheck | None = None) -> tuple[CheckResult, ...]:
    """Return all known results for an edition, most severe first: preflight, changes since approval and links."""
    results = (*manifest_results(edition.manifest), *changed_since(edition.changes))
    return by_severity((*results, *(link_check.results if link_check else ())))


def check_links(
    edition: Edition, open_fetcher: OpenFetcher, *, now: datetime, max_seconds: float = MAX_CHECK_SECONDS
) -> tuple[CheckResult, ...]:
    """Request up to ``MAX_URLS`` links and images of an edition and return the results, most severe first."""
    urls = _urls(edition)
    outcomes = asyncio.run(_fetch(urls[:MAX_URLS], open_fetcher, now, max_seconds))
    checked = [(url, outcomes[url.url]) for url in urls if url.url in outcomes]
    unchecked = [url for url in urls if url.url not in outcomes]
    return by_severity(judge_outcomes(checked, unchecked))


def check_and_save_links(store: Store, edition: Edition, open_fetcher: OpenFetcher, *, now: datetime) -> LinkCheck:
    """Check an edition's links and images, save the results and return them."""
    results = check_links(edition, open_fetcher, now=now)
    link_check = LinkCheck(content_hash=edition.content_hash, checked_at=now, results=results)
    store.link_checks.save(link_check)
    return link_check


def current_link_check(
    store: Store,
    edition: Edition,
    open_fetcher: OpenFetcher | None,
    *,
    now: datetime,
    overridden: Collection[str] = (),
) -> LinkCheck | None:
    """Return the saved link check of an edition, or a new one if that is not fresh and there is a fetcher."""
    saved = store.link_checks.get(edition.content_hash)
    if open_fetcher is None or is_fresh(saved, overridden, now=now):
        return saved
    return check_and_save_links(store, edition, open_fetcher, now=now)


def is_fresh(link_check: LinkCheck | None, overridden: Collection[str], *, now: datetime) -> bool:
    """Check whether saved results are recent and none of them blocks approval; a blocking link may be fixed by now."""
    return (
        link_check is not None
        and now - link_check.checked_at < RESULT_TTL
        and not blocking_results(link_check.results, overridden)
    )


def _urls(edition: Edition) -> tuple[CheckedUrl, ...]:
    """Return the URLs of an edition and its variants, each once."""
    urls: dict[str, CheckedUrl] = {}
    for html in (edition.html, *(variant.html for variant in edition.variants)):
        for url in collect_urls(html.decode(), edition.manifest):
            urls.setdefault(url.url, url)
    return tuple(urls.values())


async def _fetch(
    urls: Iterable[CheckedUrl], open_fetcher: OpenFetcher, now: datetime, max_seconds: float
) -> dict[str, FetchOutcome]:
    """Return the outcome of each URL that was fetched in time; servers that refuse HEAD are asked again with GET."""
    outcomes: dict[str, FetchOutcome] = {}
    requests = [FetchRequest(key=url.url, url=url.url, method="GET" if url.is_image else "HEAD") for url in urls]
    async with open_fetcher() as fetcher:
        try:
            async with asyncio.timeout(max_seconds):
                while requests:
                    refused = set()
                    async for outcome in fetcher.fetch_all(requests, now=now):
                        outcomes[outcome.key] = outcome
                        if outcome.status in HEAD_REFUSED_STATUSES:
                            refused.add(outcome.key)
                    requests = [
                        replace(request, method="GET")
                        for request in requests
                        if request.url in refused and request.method == "HEAD"
                    ]
        except TimeoutError:
            pass  # URLs without an outcome are reported as unchecked
    return outcomes
