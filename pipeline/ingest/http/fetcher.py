"""Fetching documents over HTTP: conditional, bounded and polite.

In: requests, limits and ``now``. Out: one outcome for each request; trouble is a value, only a bug is raised. It parses
nothing and stores nothing; the one clock it reads is the event loop's, to tell how long it has been since ``now``.

    fetch       who is asked when, and for how long
    ├── politeness   turns, gaps, waits
    ├── spool        what waits to be read
    ├── errand       one request with its redirects, up to its outcome
    ├── answers      what statuses and headers mean
    ├── inflate      compressed bodies within bounds
    └── network      HTTP/1.1 over what dial connected to
        └── dial     names to checked addresses (addresses)
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

import httpcore
import httpx

from pipeline.ingest.http import semantics as answers
from pipeline.ingest.http.connect import Resolve, SafeConnector, allow_all, resolve
from pipeline.ingest.http.decompress import BoundedBody, content_encodings, too_large_error
from pipeline.ingest.http.ip_filter import unsafe_reason
from pipeline.ingest.http.rate_limit import HostLimiter, interleave
from pipeline.ingest.http.request import FetchAttempt
from pipeline.ingest.http.spool import Spool
from pipeline.ingest.http.transport import NetworkTransport
from pipeline.model.errors import FetchError
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest
from pipeline.model.schedule import Clock

SLOW_AFTER_SECONDS = 1.0
"""A host that has not answered by then waits beside the others instead of in front of them."""
MAX_SLOW_FACTOR = 8
"""So many times the usual number of requests may be under way while hosts keep silent."""
_NO_HOLDS: Mapping[str, datetime] = {}


class _Underway(NamedTuple):
    """A request that was started, and when, on the event loop's clock."""

    errand: FetchAttempt
    started: float


class _Crowd:
    """Requests under way."""

    def __init__(self) -> None:
        self.running: dict[asyncio.Task[FetchOutcome], _Underway] = {}
        self._ended: deque[asyncio.Task[FetchOutcome]] = deque()
        self._end = asyncio.Event()

    def start(self, run: Coroutine[Any, Any, FetchOutcome], underway: _Underway) -> None:
        """Send one on its way."""
        task = asyncio.create_task(run)
        self.running[task] = underway
        task.add_done_callback(self._ends)

    def _ends(self, task: asyncio.Task[FetchOutcome]) -> None:
        del self.running[task]
        self._ended.append(task)
        self._end.set()

    def outcomes(self) -> Iterator[FetchOutcome]:
        """Give what came of those that have ended since."""
        while self._ended:
            yield self._ended.popleft().result()

    async def next_end(self, patience_seconds: float) -> None:
        """Wait for one to end, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                await self._end.wait()
        self._end.clear()

    async def disperse(self) -> None:
        """Give up those that are still under way."""
        running = list(self.running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class HttpFetcher:
    """Fetches documents, and keeps to each host's wishes for as long as it is open.

    ``transport`` stands in for the network (``replay``); ``resolve`` and ``ssl_context`` replace how names become
    addresses and which certificates are trusted; ``holds`` says which hosts asked not to be asked before when.
    """

    def __init__(
        self,
        limits: FetchLimits,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
        ssl_context: ssl.SSLContext | None = None,
        blocked_hosts: Mapping[str, datetime] = _NO_HOLDS,
    ) -> None:
        dialler = SafeConnector(resolve, address_filter=allow_all if limits.allow_private_networks else unsafe_reason)
        self._limits = limits
        self._transport = transport or NetworkTransport(dialler, ssl_context)
        self._turnstile = HostLimiter(0.0 if transport else limits.host_gap_seconds, blocked_hosts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        """Fetch documents, many at once, and yield each outcome in the order in which they came.

        ``now`` is aware UTC. ``limits.concurrency`` are under way at once, however slowly they are taken: what waits to
        be taken lies in a spool, and only when that is full is nobody asked. Hosts that keep silent do not count after
        a while, so that they hold up nobody but themselves.
        """
        clock, loop = _clock_from(now), asyncio.get_running_loop()
        waiting = interleave(requests, _first_host)
        crowd = _Crowd()
        with Spool() as spool:
            try:
                while True:
                    for outcome in crowd.outcomes():
                        spool.put(outcome)
                    free = 0 if spool.full else self._free(crowd.running.values(), loop.time())
                    for request in islice(waiting, free):
                        errand = FetchAttempt(request, self._limits)
                        crowd.start(self._run(errand, clock), _Underway(errand, loop.time()))
                    if spool:
                        yield spool.take()
                        await asyncio.sleep(
                            0
                        )  # the reader may have taken long: let answers in before time-outs are told
                    elif crowd.running:
                        await crowd.next_end(SLOW_AFTER_SECONDS)
                    else:
                        break
            finally:
                await crowd.disperse()

    async def fetch(self, request: FetchRequest, *, now: datetime) -> FetchOutcome:
        """Fetch one document. ``now`` is aware UTC."""
        return await self._run(FetchAttempt(request, self._limits), _clock_from(now))

    def _free(self, running: Collection[_Underway], time: float) -> int:
        """Count the requests that may be started besides those that run."""
        silent = sum(time - each.started >= SLOW_AFTER_SECONDS and not each.errand.answered for each in running)
        most = self._limits.concurrency * MAX_SLOW_FACTOR
        return max(0, min(self._limits.concurrency - (len(running) - silent), most - len(running)))

    async def _run(self, errand: FetchAttempt, clock: Clock) -> FetchOutcome:
        try:
            return await self._follow(errand, clock)
        except FetchError as problem:
            return errand.outcome(problem.kind, str(problem))

    async def _follow(self, errand: FetchAttempt, clock: Clock) -> FetchOutcome:
        errand.start()
        while True:
            async with self._turnstile.slot(errand.host, gap=errand.is_new_host):
                if until := self._turnstile.blocked_until(errand.host, clock()):
                    return errand.rate_limited("was not asked, since its host wants to be left alone", until)
                response, body = await self._exchange(errand)
                words = answers.status_text(response.status_code)
                retry_after = response.headers.get("retry-after", "")
                if until := answers.rate_limited_until(response.status_code, retry_after, clock()):
                    self._turnstile.back_off(errand.host, until)
                    return errand.rate_limited(f"answered {words}", until)
            if response.status_code not in answers.REDIRECTS:
                return errand.finish(response, body)
            errand.redirect(response)

    async def _exchange(self, errand: FetchAttempt) -> tuple[httpx.Response, bytes]:
        """Ask once, within what is left of the errand's time. Raises FetchProblem."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(errand.seconds_left):
                return await self._ask(errand)
        except TimeoutError as error:
            seconds = self._limits.deadline_seconds
            raise FetchError("timeout", f"was not finished after {seconds:g} seconds") from error
        except (httpcore.TimeoutException, httpx.TimeoutException) as error:
            raise FetchError("timeout", f"did not answer for {self._limits.timeout_seconds:g} seconds") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError) as error:
            raise FetchError("protocol_error", "broke off in the middle of its answer") from error
        finally:
            errand.seconds_left -= loop.time() - started

    async def _ask(self, errand: FetchAttempt) -> tuple[httpx.Response, bytes]:
        request = errand.build_request()
        response = await self._transport.handle_async_request(request)
        errand.answered = True
        try:
            wanted = response.is_success and request.method != "HEAD"
            return response, await self._read(response, errand.first_bytes) if wanted else b""
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response, first_bytes: int) -> bytes:
        declared = answers.parse_length(response.headers.get("content-length", "")) or 0
        if declared > self._limits.max_bytes and not first_bytes:
            raise too_large_error(self._limits.max_bytes)
        body = BoundedBody(content_encodings(response.headers.get("content-encoding", "")), self._limits.max_bytes)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - every asynchronous transport's is
        async for piece in response.stream:
            body.add(piece)
            if 0 < first_bytes <= len(body):
                return body.prefix(first_bytes)
        return body.finish()


def _clock_from(now: datetime) -> Clock:
    """Return a clock that shows ``now`` and goes on from there."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    return lambda: now + timedelta(seconds=loop.time() - started)


def _first_host(request: FetchRequest) -> str:
    return "/".join(request.url.split("/", 3)[2:3]).lower()
