"""Fetching from loopback servers: every host name resolves to 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)


async def to_loopback(host: str, port: int) -> Sequence[str]:
    """Resolve every name to this machine."""
    return ["127.0.0.1"]


def limits(**changes: Any) -> FetchLimits:
    """Return limits for tests: no pauses, private networks allowed. A busy machine has time to answer."""
    usual: dict[str, Any] = {"allow_private_networks": True, "host_gap_seconds": 0.0, "timeout_seconds": 30.0}
    return FetchLimits(**(usual | changes))


def request(url: str, **rest: Any) -> FetchRequest:
    """Return a request whose key is its URL."""
    return FetchRequest(key=url, url=url, **rest)


def fetch_all(
    requests: Iterable[FetchRequest], within: FetchLimits | None = None, **options: Any
) -> list[FetchOutcome]:
    """Fetch all requests with one fetcher; return the outcomes in the order of arrival."""

    async def run() -> list[FetchOutcome]:
        async with HttpFetcher(within or limits(), **({"resolve": to_loopback} | options)) as fetcher:
            return [outcome async for outcome in fetcher.fetch_all(requests, now=NOW)]

    return asyncio.run(run())


def fetch(
    url: str, within: FetchLimits | None = None, *, options: dict[str, Any] | None = None, **rest: Any
) -> FetchOutcome:
    """Fetch one document."""
    (outcome,) = fetch_all([request(url, **rest)], within, **(options or {}))
    return outcome
