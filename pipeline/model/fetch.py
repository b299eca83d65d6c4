"""Fetching: requests, limits, outcomes, and the advice that goes with each outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Headers = tuple[tuple[str, str], ...]
"""HTTP header fields as (name, value) pairs."""

OutcomeKind = Literal[
    "ok",
    "moved",
    "not_modified",
    "unchanged",
    "partial",
    "gone",
    "rate_limited",
    "blocked",
    "not_found",
    "server_error",
    "too_large",
    "not_a_feed",
    "too_expensive",
    "protocol_error",
    "invalid_url",
    "unsafe_address",
    "timeout",
    "unreachable",
    "tls_error",
    "redirect_loop",
    "no_secret",
]

ADVICE: dict[OutcomeKind, str] = {
    "ok": "nothing to do",
    "moved": "write the new address into config.toml",
    "not_modified": "nothing to do",
    "unchanged": "nothing to do",
    "partial": "the readable entries were stored; tell the publisher of the feed",
    "gone": "the feed is no longer fetched; remove it from config.toml or enter its new address",
    "rate_limited": "nothing to do, it is fetched again after that",
    "blocked": "check whether the feed needs a password, or ask its publisher to let this program in",
    "not_found": "check the address",
    "server_error": "nothing to do, it is fetched again later",
    "too_large": "check that the address is a feed, or raise max_bytes under [fetch] in config.toml",
    "not_a_feed": "enter the address of the feed itself; `pipeline feeds check` finds it",
    "too_expensive": "tell the publisher of the feed, or remove it from config.toml",
    "protocol_error": "nothing to do, it is fetched again later",
    "invalid_url": "enter an address that starts with https:// or http://",
    "unsafe_address": "use a public address, or set allow_private_networks = true under [fetch] for an intranet",
    "timeout": "nothing to do, it is fetched again later",
    "unreachable": "check the address and the connection to the internet",
    "tls_error": "check the address; if it is right, the publisher has to fix the site's certificate",
    "redirect_loop": "open the address in a browser and enter the one where it ends",
    "no_secret": "set it in the environment of the program, never in config.toml",
}
"""Advice for each outcome: the second half of ``FetchOutcome.message``."""

LASTING_ADVICE: dict[str, str] = {
    "server_error": "tell the publisher of the feed",
    "protocol_error": "tell the publisher of the feed",
    "timeout": "raise timeout_seconds under [fetch]",
}
"""Advice for outcomes that are usually temporary, in case they do not."""

PROBE_ADVICE: dict[str, str] = {
    "moved": "its new address is used",
    "partial": "the readable entries are used; tell the publisher of the feed",
    "gone": "look for its new address on the publisher's site",
    "rate_limited": "try again after that",
    "server_error": "try again later",
    "protocol_error": "try again later",
    "timeout": "try again later",
    "blocked": "if it needs a password or a token, write its table into config.toml yourself, with username and "
    "password_env, or with token_env; if not, ask its publisher to let this program in",
}
"""Advice that differs while a feed is not in config.toml: nothing of it is stored, and it is not fetched again."""

BLOCKED_ADVICE: dict[int, str] = {
    401: "enter the feed's user name and password, or its token, in config.toml",
    402: "ask its publisher how paying subscribers read the feed",
    451: "ask its publisher: the feed is blocked by law where this program runs",
}
"""More specific advice for some statuses of kind ``blocked``."""

SUCCESSFUL: frozenset[OutcomeKind] = frozenset({"ok", "moved", "not_modified", "unchanged", "partial"})
WITH_BODY: frozenset[OutcomeKind] = frozenset({"ok", "moved", "partial"})
NO_ADVICE: frozenset[OutcomeKind] = frozenset({"ok", "not_modified", "unchanged"})
"""Kinds with nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy for all requests but those to ``bypass``."""

    url: str
    """``http://host:port``, with the user name and password if it needs them."""
    bypass: tuple[str, ...] = ()
    """Host names that are contacted directly, with their subdomains; ``*`` for all (the format of NO_PROXY)."""

    def bypasses(self, host: str) -> bool:
        """Check whether a host is contacted directly.

        >>> Proxy(url="http://proxy:3128", bypass=(".intranet.example",)).bypasses("wiki.intranet.example")
        True
        """
        names = (name.strip().lstrip(".").lower() for name in self.bypass)
        return any(name == "*" or f".{host}".endswith(f".{name}") for name in names if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Limits on each request, and on how often a host is contacted."""

    concurrency: int = 50
    """Maximum number of requests in flight, over all hosts."""
    timeout_seconds: float = 20.0
    """For connecting, and again for each read."""
    deadline_seconds: float = 60.0
    """For one document with all its redirects, not counting the wait for the host's slot."""
    max_bytes: int = 16_000_000
    """Maximum size of a document, decompressed."""
    max_redirects: int = 10
    allow_private_networks: bool = False
    """True only for tests and intranets."""
    host_gap_seconds: float = 1.0
    """Pause between the end of a request and the start of the next to the same host."""
    user_agent: str = "newsletter-pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One document to fetch, with the validators of the last response."""

    key: str
    """Returned with the outcome, so that the caller can match the two: a feed id, a URL, a guid …"""
    url: str
    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""
    """SHA-256 of the last decompressed body, hexadecimal; the same body again is ``unchanged``."""
    method: Literal["GET", "HEAD"] = "GET"
    first_bytes: int = 0
    """Read only this many bytes from the start of the document; 0 for all of it."""
    headers: Headers = ()
    """Extra headers, e.g. Authorization. They may be secret and are sent to the host of ``url`` only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOutcome:
    """The result of one request. Failures are values here, never exceptions."""

    key: str
    """The request's ``key``."""
    url: str
    """The requested URL, without user name and password."""
    kind: OutcomeKind
    detail: str = ""
    """The event as the start of a sentence: ``answered 404 Not Found``."""
    specific_advice: str = ""
    """Advice for this very outcome, if more is known than ``ADVICE`` says."""
    final_url: str = ""
    """The URL after all redirects; relative URLs in the document are relative to it."""
    status: int = 0
    """The HTTP status; 0 without a response."""
    body: bytes = b""
    """The decompressed document; empty unless ``has_body``."""
    body_sha256: str = ""
    content_type: str = ""
    server_date: str = ""
    """The Date header as sent; empty without one."""
    length_bytes: int | None = None
    """Length of the whole document as transferred, if the server states it."""
    etag: str = ""
    last_modified: str = ""
    moved_to: str = ""
    """The target of a chain of permanent redirects only (301, 308); empty otherwise."""
    retry_at: datetime | None = None
    """The host refuses requests before this time; aware UTC."""
    retry_host: str = ""
    """The host that set ``retry_at``."""
    max_age_seconds: int | None = None
    """max-age of Cache-Control, if the response has one."""

    @property
    def ok(self) -> bool:
        """True when the feed sent a document or confirmed that nothing changed."""
        return self.kind in SUCCESSFUL

    @property
    def has_body(self) -> bool:
        """True when there is a document to parse."""
        return self.kind in WITH_BODY

    @property
    def advice(self) -> str:
        """Advice as a part of a sentence; empty if there is nothing to do."""
        if self.kind in NO_ADVICE:
            return ""
        advice = self.specific_advice or (self.kind == "blocked" and BLOCKED_ADVICE.get(self.status))
        lasting = LASTING_ADVICE.get(self.kind)
        return (advice or ADVICE[self.kind]) + (f"; if it lasts, {lasting}" if lasting else "")

    @property
    def message(self) -> str:
        """The event and the advice in one sentence.

        >>> FetchOutcome(key="blog", url="", kind="not_found", detail="answered 404 Not Found").message
        'answered 404 Not Found: check the address'
        """
        return f"{self.detail}: {self.advice}" if self.advice else self.detail

    @property
    def probe_message(self) -> str:
        """The event and the advice for a feed that is not in config.toml, in one sentence.

        >>> FetchOutcome(key="blog", url="", kind="server_error", detail="answered 503").probe_message
        'answered 503: try again later; if it lasts, tell the publisher of the feed'
        """
        own = "" if self.kind == "blocked" and self.status in (402, 451) else PROBE_ADVICE.get(self.kind, "")
        return replace(self, specific_advice=self.specific_advice or own).message
