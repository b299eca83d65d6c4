"""Settings of [fetch]."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.declare import setting
from pipeline.config.types import FLAG, PROXY_URL, integer, number, string


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """How feeds are fetched."""

    fixtures: str = setting(
        "Folder with answers to use instead of the network. Delete the line to go live.", string(), ""
    )
    concurrency: int = setting("Maximum number of requests at a time; one for each host.", integer(1, 500), 50)
    timeout_seconds: float = setting("How long a server may stay silent.", number(0.1, 600, "seconds"), 20.0)
    deadline_seconds: float = setting(
        "How long one feed may take in total, redirects included.", number(0.1, 3600, "seconds"), 60.0
    )
    host_gap_seconds: float = setting("Pause between two requests to the same host.", number(0, 60, "seconds"), 1.0)
    max_bytes: int = setting(
        "Maximum size of a feed, uncompressed.", integer(1_000, 1_000_000_000, "bytes"), 16_000_000
    )
    allow_private_networks: bool = setting(
        "Allow addresses in private networks. Only for tests and intranets.", FLAG, False
    )
    proxy: str = setting(
        "HTTP proxy for feeds, pages and links; the one in `HTTPS_PROXY` if empty, except for hosts in `NO_PROXY`. It "
        "resolves host names, so private networks have to be blocked there, too.",
        PROXY_URL,
        "",
    )
