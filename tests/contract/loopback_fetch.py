"""What the fetch tests share: names that all lead to 127.0.0.1, and fetching without an event loop in sight."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)


async def to_loopback(host: str, port: int) -> Sequence[str]:
    """Lead every name to this machine."""
    return ["127.0.0.1"]


def limits(**changes: Any) -> FetchLimits:
    """Limits that suit a test: short waits, this machine allowed."""
    short: dict[str, Any] = {"allow_private_networks": True, "host_gap_seconds": 0.0, "timeout_seconds": 5.0}
    return FetchLimits(**(short | changes))


def request(url: str, **rest: Any) -> FetchRequest:
    """Ask for an address, as a feed of that name."""
    return FetchRequest(key=url, url=url, **rest)


def fetch_all(
    requests: Iterable[FetchRequest], within: FetchLimits | None = None, **options: Any
) -> list[FetchOutcome]:
    """Fetch all requests with one fetcher; the outcomes in the order they came."""

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
