"""Fetching in words: what is asked for, within which limits, and what came of it.

In: plain values. Out: frozen records, and the sentence that explains each outcome to people. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    "partial": "what could be read was kept; tell whoever runs the feed",
    "gone": "the feed is no longer asked; remove it from config.toml or give its new address",
    "rate_limited": "nothing to do, it is asked again when the wait is over",
    "blocked": "check whether the feed needs a password, or ask its publisher to let this program in",
    "not_found": "check the address",
    "server_error": "nothing to do, it is asked again later; if it lasts, tell whoever runs the feed",
    "too_large": "check that the address is a feed, or raise max_bytes under [fetch] in config.toml",
    "not_a_feed": "give the address of the feed itself; pipeline feeds check finds it",
    "protocol_error": "nothing to do, it is asked again later; if it lasts, tell whoever runs the feed",
    "invalid_url": "write an address that starts with https:// or http://",
    "unsafe_address": "use a public address, or set allow_private_networks = true under [fetch] for an intranet",
    "timeout": "nothing to do, it is asked again later; if it lasts, raise timeout_seconds under [fetch]",
    "unreachable": "check the address and the connection to the internet",
    "tls_error": "check the address; if it is right, the site's certificate needs mending by whoever runs it",
    "redirect_loop": "open the address in a browser and write down where it ends",
    "no_secret": "set it where the program runs, it is never written into config.toml",
}
"""What somebody who reads the outcome can do about it: the second half of ``FetchOutcome.sentence``."""

BLOCKED_ADVICE: dict[int, str] = {
    401: "give the feed's user name and password, or its token, in config.toml",
    402: "ask its publisher how those who pay read the feed",
    451: "ask its publisher: where this program runs, the law keeps the feed from it",
}
"""What can be done where a status says more than ``blocked`` does."""

SUCCESSFUL: frozenset[OutcomeKind] = frozenset({"ok", "moved", "not_modified", "unchanged", "partial"})
WITH_BODY: frozenset[OutcomeKind] = frozenset({"ok", "moved", "partial"})
NO_ADVICE: frozenset[OutcomeKind] = frozenset({"ok", "not_modified", "unchanged", "not_a_feed"})
"""Where there is nothing to do, or where what happened says already what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How far a fetch may go, and how polite it is."""

    concurrency: int = 50
    """Requests under way at once, over all hosts."""
    timeout_seconds: float = 20.0
    """For each single step: to connect, and for every read after that."""
    deadline_seconds: float = 60.0
    """For one document with all its redirects, waiting for the host's turn not counted."""
    max_bytes: int = 16_000_000
    """Of the document once it is decompressed."""
    max_redirects: int = 10
    allow_private_networks: bool = False
    """True only for tests and intranets."""
    host_gap_seconds: float = 1.0
    """Between the end of one request and the start of the next to the same host."""
    user_agent: str = "newsletter-pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One document to ask for, with what is known of the last time."""

    key: str
    url: str
    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""
    """Of the last decoded body; an equal one comes back as ``unchanged``."""
    method: Literal["GET", "HEAD"] = "GET"
    """HEAD asks whether the document is there, without its body."""
    first_bytes: int = 0
    """Read no more than the document's beginning, where this is not 0."""
    headers: Headers = ()
    """Extra headers, e.g. Authorization. They may be secret: only the host of ``url`` ever sees them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOutcome:
    """What came of one request. Trouble is a value here, never an exception."""

    key: str
    url: str
    """The address asked for, without user name and password."""
    kind: OutcomeKind
    detail: str = ""
    """What happened, as a sentence's beginning: ``answered 404 Not Found``."""
    final_url: str = ""
    """Where the redirects ended; what relative addresses in the document are relative to."""
    status: int = 0
    """The HTTP status; 0 when no answer came."""
    body: bytes = b""
    """The decompressed document; empty unless ``fresh``."""
    body_sha256: str = ""
    content_type: str = ""
    server_date: str = ""
    """The server's clock as it was sent (HTTP Date); empty when no answer came or it says nothing."""
    length_bytes: int | None = None
    """Of the whole document as it was sent, where the server says it."""
    etag: str = ""
    last_modified: str = ""
    moved_to: str = ""
    """Where an unbroken chain of permanent redirects (301, 308) led; empty when there was none."""
    retry_at: datetime | None = None
    """The host asked not to be asked before this; aware UTC."""
    retry_host: str = ""
    """The host that asked it."""
    max_age_seconds: int | None = None
    """Cache-Control: max-age, where the answer has one."""

    @property
    def ok(self) -> bool:
        """True when the feed is well: it sent a document, or said that nothing changed."""
        return self.kind in SUCCESSFUL

    @property
    def has_body(self) -> bool:
        """True when there is a body to read."""
        return self.kind in WITH_BODY

    @property
    def message(self) -> str:
        """What happened and what to do about it.

        >>> FetchOutcome(feed_id="blog", url="", kind="not_found", detail="answered 404 Not Found").sentence
        'answered 404 Not Found: check the address'
        """
        advice = BLOCKED_ADVICE.get(self.status) if self.kind == "blocked" else None
        return self.detail if self.kind in NO_ADVICE else f"{self.detail}: {advice or ADVICE[self.kind]}"
