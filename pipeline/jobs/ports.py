"""Protocols of what jobs need from outside: fetchers, mailers, delivery backends and DNS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.fetch import FetchOutcome, FetchRequest


class Fetcher(Protocol):
    """Fetches documents. ``ingest.http.fetcher.HttpFetcher`` implements it."""

    def fetch(self, request: FetchRequest, *, now: datetime) -> Awaitable[FetchOutcome]:
        """Return the outcome of one request; a failure is an outcome, not an exception."""
        ...

    def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        """Yield the outcome of each request as soon as it is known, in no particular order."""
        ...


OpenFetcher = Callable[[], AbstractAsyncContextManager[Fetcher]]
"""Opens a fetcher for one batch of requests."""


class OpenFeedFetcher(Protocol):
    """Opens a fetcher that respects hosts which asked for a pause (Retry-After)."""

    def __call__(self, *, blocked_hosts: Mapping[str, datetime]) -> AbstractAsyncContextManager[Fetcher]:
        """Open a fetcher. ``blocked_hosts`` maps ``name`` or ``name:port`` to the end of its pause, aware UTC."""
        ...


class Mailer(Protocol):
    """Sends single messages to one person: proofs, test copies, alerts."""

    name: str
    outcome: str
    """What has become of a message then, in words: ``sent``."""

    def send(self, message: bytes, address: str) -> Path | None:
        """Send a message (RFC 5322) to one address and return the file it was written to, if any.

        Raises DeliveryFailedError if nothing was sent and DeliveryUncertainError if that is unknown.
        """
        ...


class Backend(Protocol):
    """Delivers sealed editions."""

    name: str
    outcome: str
    """What has become of an edition then, in words: ``sent``."""

    def lock(self) -> AbstractContextManager[None]:
        """Keep other processes from delivering while the context is open."""
        ...

    def deliver(self, message: bytes) -> Path:
        """Deliver a message exactly once, however often it is called, and return where it was written.

        Raises DeliveryFailedError if nothing was sent, AlreadyDeliveredError if another message of its Message-ID was.
        """
        ...

    def delivered(self) -> Mapping[str, Path]:
        """Return the delivered messages that can still be read, by Message-ID without angle brackets."""
        ...


CommitFinal = Callable[[Sequence[Copy]], Sequence[Copy]]
"""Records copies as ``final``, durably, and returns those that may be completed: the others belong to another process
or to nobody any more."""


class DeliveryConnection(Protocol):
    """A connection to a mail server or service, used by one thread. It connects again by itself when it must."""

    def send(self, copies: Sequence[Copy], commit: CommitFinal) -> Sequence[DeliveryResult]:
        """Send copies, at most ``max_batch``, and return the result of each, in their order.

        ``commit`` is called once, when all has been sent but what makes the server accept (the dot of SMTP, the request
        to a mail service), with the copies that were not refused before. Only those it returns are completed; the
        result of the others is ``lost``. Errors of network, server or service are results: nothing is raised but bugs
        and what ``commit`` raises.
        """
        ...

    def close(self) -> None:
        """End the connection, if there is one."""
        ...


class DeliveryJobs(Protocol):
    """The copies that workers send, and where they report what became of them; all methods are safe in any thread."""

    def take(self, most: int) -> Sequence[Copy]:
        """Wait for copies to send and return them, at most ``most``; none if there will be no more."""
        ...

    def commit(self, copies: Sequence[Copy]) -> Sequence[Copy]:
        """Record copies as CommitFinal does."""
        ...

    def finish(self, copy: Copy, result: DeliveryResult) -> None:
        """Report the result of a copy."""
        ...


class DeliveryWorker(Protocol):
    """A sender of copies, in one thread, over one connection or many."""

    def run(self, jobs: DeliveryJobs) -> None:
        """Send copies until there are no more.

        ``jobs.commit`` is called for each when all of it has been sent but what makes the server accept it; only what
        that returns is completed, and the result of the others is ``lost``. Errors of network, server or service are
        results: nothing is raised but bugs and what ``commit`` raises.
        """
        ...

    def close(self) -> None:
        """End the connections."""
        ...


class DeliveryBackend(Protocol):
    """Delivers copies of editions to subscribers. One file of ``delivery/`` each."""

    @property
    def name(self) -> str:
        """Its name in config.toml."""
        ...

    @property
    def max_batch(self) -> int:
        """How many copies are completed at once."""
        ...

    def open_workers(self, connections: int) -> Sequence[DeliveryWorker]:
        """Return workers that together use this number of connections, none of which is open yet.

        Each runs in a thread of its own.
        """
        ...


class OpenMailbox(Protocol):
    """The messages of a mailbox, as long as it is open."""

    def unseen(self) -> Iterator[tuple[str, bytes | None]]:
        """Yield the name and content of each message that was not seen, the oldest first; None if it is unreadable."""
        ...

    def set_seen(self, name: str) -> None:
        """Mark a message as seen, so that it is not read again."""
        ...


class ReturnMailbox(Protocol):
    """Holds the messages that came back. Each method, and those of ``OpenMailbox``, may raise MailboxError."""

    @property
    def name(self) -> str:
        """The mailbox in words."""
        ...

    def open(self) -> AbstractContextManager[OpenMailbox]:
        """Open the mailbox."""
        ...


class DnsLookup(Protocol):
    """DNS queries. ``delivery.dns.Resolver`` implements them; each may raise DNSUnavailableError."""

    def exists(self, name: str) -> bool:
        """Check whether a name exists."""
        ...

    def txt(self, name: str) -> tuple[str, ...]:
        """Return a name's TXT records."""
        ...

    def mx(self, name: str) -> tuple[str, ...]:
        """Return the hosts of a name's MX records, the preferred first."""
        ...

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return a host's addresses."""
        ...
