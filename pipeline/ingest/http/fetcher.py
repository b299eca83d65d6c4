"""Fetches documents over HTTP: conditional requests, bounded responses, one request per host at a time.

`request` follows one request through its redirects, `head` cleans what comes before a body, `semantics` reads statuses
and headers, `decompress` bounds bodies, `rate_limit` spaces the requests to a host, `spool` buffers outcomes, and
`transport` speaks HTTP/1.1 over connections that `connect` opens to checked addresses.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

from pipeline.ingest.http import semantics
from pipeline.ingest.http.connect import Resolve, SafeConnector, allow_all, resolve
from pipeline.ingest.http.decompress import BoundedBody, too_large_error
from pipeline.ingest.http.ip_filter import unsafe_reason
from pipeline.ingest.http.rate_limit import MAX_TIMEOUTS, HostLimiter, interleave
from pipeline.ingest.http.request import FetchAttempt
from pipeline.ingest.http.spool import Spool
from pipeline.ingest.http.transport import NetworkTransport, ProxyTransport
from pipeline.model.errors import FetchError
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest, Proxy
from pipeline.model.schedule import Clock

SLOW_AFTER_SECONDS = 1.0
"""A request without a response after this time no longer counts against ``FetchLimits.concurrency``."""
MAX_SLOW_FACTOR = 8
"""Maximum number of requests in flight, slow ones included, as a multiple of ``FetchLimits.concurrency``."""
_CATCH_UP_ITERATIONS = 12
"""Iterations of the event loop that take a request from its start to its outcome if nothing has to be waited for."""
_NO_BLOCKED_HOSTS: Mapping[str, datetime] = {}


class _Running(NamedTuple):
    """A started attempt, with its start on the event loop's clock."""

    attempt: FetchAttempt
    started: float


class _TaskPool:
    """The requests in flight."""

    def __init__(self) -> None:
        self.running: dict[asyncio.Task[FetchOutcome], _Running] = {}
        self.finished: deque[asyncio.Task[FetchOutcome]] = deque()
        self._wake = asyncio.Event()

    def start(self, coroutine: Coroutine[Any, Any, FetchOutcome], running: _Running) -> None:
        task = asyncio.create_task(coroutine)
        self.running[task] = running
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[FetchOutcome]) -> None:
        del self.running[task]
        self.finished.append(task)
        self._wake.set()

    def outcomes(self) -> Iterator[FetchOutcome]:
        """Yield the outcomes of the requests that finished since the last call."""
        while self.finished:
            yield self.finished.popleft().result()

    async def wait(self, timeout_seconds: float) -> None:
        """Return once a request finishes, or after the timeout."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._wake.wait()
        self._wake.clear()

    async def cancel(self) -> None:
        """Cancel the requests still in flight, and wait for them to end."""
        running = list(self.running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class HttpFetcher:
    """Fetches documents and observes each host's rate limit for as long as it is open.

    ``transport`` replaces the network (see `replay`), ``resolve`` name resolution, and ``ssl_context`` the trusted
    certificates. ``blocked_hosts`` maps a host to the time before which it must not be contacted.
    """

    def __init__(
        self,
        limits: FetchLimits,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        proxy: Proxy | None = None,
        resolve: Resolve = resolve,
        ssl_context: ssl.SSLContext | None = None,
        blocked_hosts: Mapping[str, datetime] = _NO_BLOCKED_HOSTS,
    ) -> None:
        address_filter = allow_all if limits.allow_private_networks else unsafe_reason
        self._limits = limits
        self._limiter = HostLimiter(0.0 if transport else limits.host_gap_seconds, blocked_hosts)
        self._transport = transport or NetworkTransport(SafeConnector(resolve, address_filter), ssl_context)
        if proxy and not transport:
            self._transport = ProxyTransport(proxy, self._transport, address_filter, ssl_context)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        """Fetch documents concurrently and yield each outcome as it arrives. ``now`` is aware UTC.

        ``limits.concurrency`` requests stay in flight even while the caller processes an outcome: outcomes wait in a
        spool, and requests pause only when it is full. Before each outcome is yielded, what arrived while the caller
        was busy is read, so that no timeout fires on it, and the next requests are sent. Slow hosts stop counting
        after ``SLOW_AFTER_SECONDS``, so that they do not delay the others.
        """
        clock, loop = _clock_from(now), asyncio.get_running_loop()
        waiting = interleave(requests, _first_host)
        pool = _TaskPool()
        with Spool() as spool:
            try:
                while True:
                    for iteration in range(_CATCH_UP_ITERATIONS):
                        await asyncio.sleep(0)
                        if iteration and not pool.finished:
                            continue
                        for outcome in pool.outcomes():
                            spool.put(outcome)
                        free = 0 if spool.full else self._free_slots(pool.running.values(), loop.time())
                        for request in islice(waiting, free):
                            attempt = FetchAttempt(request, self._limits)
                            pool.start(self._run(attempt, clock), _Running(attempt, loop.time()))
                        if not pool.running:
                            break
                    if spool:
                        yield spool.take()
                    elif pool.running:
                        await pool.wait(SLOW_AFTER_SECONDS)
                    else:
                        break
            finally:
                await pool.cancel()

    async def fetch(self, request: FetchRequest, *, now: datetime) -> FetchOutcome:
        """Fetch one document. ``now`` is aware UTC."""
        return await self._run(FetchAttempt(request, self._limits), _clock_from(now))

    def _free_slots(self, running: Collection[_Running], time: float) -> int:
        """Return how many more requests may be started."""
        slow = sum(time - started >= SLOW_AFTER_SECONDS and not attempt.answered for attempt, started in running)
        maximum = self._limits.concurrency * MAX_SLOW_FACTOR
        return max(0, min(self._limits.concurrency - (len(running) - slow), maximum - len(running)))

    async def _run(self, attempt: FetchAttempt, clock: Clock) -> FetchOutcome:
        try:
            outcome = await self._follow(attempt, clock)
        except FetchError as error:
            outcome = attempt.outcome(error.kind, str(error))
        self._limiter.count(attempt.host, timed_out=outcome.kind == "timeout")
        return outcome

    async def _follow(self, attempt: FetchAttempt, clock: Clock) -> FetchOutcome:
        attempt.start()
        while True:
            async with self._limiter.slot(attempt.host, gap=attempt.is_new_host):
                if until := self._limiter.blocked_until(attempt.host, clock()):
                    return attempt.rate_limited("was not fetched: its host accepts no requests", until)
                if self._limiter.is_given_up(attempt.host):
                    raise FetchError("timeout", f"was not fetched: {attempt.host} was too slow {MAX_TIMEOUTS} times")
                response, body = await self._exchange(attempt)
                status = response.status_code
                retry_after = response.headers.get("retry-after", "")
                if until := semantics.rate_limited_until(status, retry_after, clock()):
                    self._limiter.back_off(attempt.host, until)
                    return attempt.rate_limited(
                        f"answered {semantics.status_text(status)}, and accepts no requests", until
                    )
            if status not in semantics.REDIRECTS:
                return attempt.finish(response, body)
            attempt.redirect(response)

    async def _exchange(self, attempt: FetchAttempt) -> tuple[httpx.Response, bytes]:
        """Send one request and read the body, within the attempt's remaining time. Raise FetchError."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(attempt.seconds_left):
                return await self._send(attempt)
        except TimeoutError as error:
            seconds = self._limits.deadline_seconds
            raise FetchError("timeout", f"did not finish within {seconds:g} seconds") from error
        except httpx.TimeoutException as error:
            raise FetchError("timeout", f"did not answer for {self._limits.timeout_seconds:g} seconds") from error
        except httpx.ProtocolError as error:
            raise FetchError("protocol_error", f"broke the rules of HTTP ({error})") from error
        except httpx.HTTPError as error:
            raise FetchError("protocol_error", "closed the connection in the middle of the response") from error
        finally:
            attempt.seconds_left -= loop.time() - started

    async def _send(self, attempt: FetchAttempt) -> tuple[httpx.Response, bytes]:
        request = attempt.build_request()
        response = await self._transport.handle_async_request(request)
        attempt.answered = True
        try:
            has_body = response.is_success and request.method != "HEAD"
            return response, await self._read(response, attempt.first_bytes) if has_body else b""
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response, first_bytes: int) -> bytes:
        declared = semantics.parse_length(response.headers.get("content-length", "")) or 0
        if declared > self._limits.max_bytes and not first_bytes:
            raise too_large_error(self._limits.max_bytes)
        body = BoundedBody(response.headers.get("content-encoding", ""), self._limits.max_bytes)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - true of every asynchronous transport
        async for chunk in response.stream:
            body.add(chunk)
            if 0 < first_bytes <= len(body):
                return body.prefix(first_bytes)
        return body.finish()


def _clock_from(now: datetime) -> Clock:
    """Return a clock that starts at ``now`` and advances with the event loop's."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    return lambda: now + timedelta(seconds=loop.time() - started)


def _first_host(request: FetchRequest) -> str:
    return "/".join(request.url.split("/", 3)[2:3]).lower()
