"""Fetching documents over HTTP: conditional, bounded and polite.

In: requests, limits and ``now``. Out: one outcome for each request; trouble is a value, only a bug is raised. It parses
nothing and stores nothing; the one clock it reads is the event loop's, to tell how long it has been since ``now``.

    fetch       who is asked when, and for how long
    ├── politeness   turns, gaps, waits
    ├── errand       one request with its redirects, up to its outcome
    ├── answers      what statuses and headers mean
    ├── inflate      compressed bodies within bounds
    └── network      HTTP/1.1 over what dial connected to
        └── dial     names to checked addresses (addresses)
            └── wire     bytes, plain or under TLS
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Self, TypeVar

import httpcore
import httpx

from pipeline.ingest import answers
from pipeline.ingest.addresses import unsafe_reason
from pipeline.ingest.dial import Dialler, Resolve, anything, resolve
from pipeline.ingest.errand import Errand
from pipeline.ingest.inflate import Body, codings, too_large
from pipeline.ingest.network import NetworkTransport
from pipeline.ingest.politeness import Turnstile, interleave
from pipeline.model.errors import FetchProblem
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest

_Found = TypeVar("_Found")
_Clock = Callable[[], datetime]
PATIENCE = 1 / 40
"""Of the time-out: who has not answered by then no longer keeps others from being asked."""
ASKED_AHEAD = 20
"""So many times the documents read at once may be asked for: a host that keeps silent holds up nobody else."""
MOST_ASKED = 500
"""Each takes a connection, and a few kilobytes of what its host has sent already."""
_NO_HOLDS: Mapping[str, datetime] = {}


class _Slot:
    """One of a number that is bounded: taken once, given back once."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._taken = False

    async def take(self) -> None:
        """Wait for one to be free."""
        self._taken = await self._slots.acquire()

    def give_back(self) -> None:
        """Let the next one in."""
        if self._taken:
            self._taken = False
            self._slots.release()


class Fetcher:
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
        holds: Mapping[str, datetime] = _NO_HOLDS,
    ) -> None:
        dialler = Dialler(resolve, refuse=anything if limits.allow_private_networks else unsafe_reason)
        self._limits = limits
        self._transport = transport or NetworkTransport(dialler, ssl_context)
        self._asking = asyncio.Semaphore(limits.concurrency)
        self._turnstile = Turnstile(0.0 if transport else limits.host_gap_seconds, holds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        """Fetch documents, many at once, and yield each outcome as it comes.

        ``now`` is aware UTC. No more documents are being read or waiting to be taken than ``limits.concurrency`` says,
        so a slow reader slows the fetching down instead of filling the memory. Far more may be asked for: hosts that
        keep silent hold up nobody but themselves.
        """
        clock, slots = _clock_from(now), asyncio.Semaphore(self._limits.concurrency)
        waiting = interleave(requests, _first_host)
        running: dict[asyncio.Task[FetchOutcome], _Slot] = {}
        ended: asyncio.Queue[asyncio.Task[FetchOutcome]] = asyncio.Queue()

        def start(number: int) -> None:
            for request in islice(waiting, number):
                slot = _Slot(slots)
                task = asyncio.create_task(self._run(Errand(request, self._limits), clock, slot))
                task.add_done_callback(ended.put_nowait)
                running[task] = slot

        try:
            start(_most_asked(self._limits.concurrency))
            while running:
                task = await ended.get()
                running.pop(task).give_back()
                start(1)
                yield task.result()
                await asyncio.sleep(0)  # the reader may have taken long: let answers in before time-outs are told
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def fetch(self, request: FetchRequest, *, now: datetime) -> FetchOutcome:
        """Fetch one document. ``now`` is aware UTC."""
        return await self._run(Errand(request, self._limits), _clock_from(now), _Slot(asyncio.Semaphore()))

    async def _run(self, errand: Errand, clock: _Clock, slot: _Slot) -> FetchOutcome:
        try:
            return await self._follow(errand, clock, slot)
        except FetchProblem as problem:
            return errand.outcome(problem.kind, str(problem))

    async def _follow(self, errand: Errand, clock: _Clock, slot: _Slot) -> FetchOutcome:
        errand.start()
        while True:
            async with self._turnstile.turn(errand.host, gap=errand.enters_host):
                if until := self._turnstile.held_until(errand.host, clock()):
                    return errand.throttled("was not asked, since its host wants to be left alone", until)
                response, body = await self._exchange(errand, slot)
                words = answers.status_in_words(response.status_code)
                retry_after = response.headers.get("retry-after", "")
                if until := answers.wait_until(response.status_code, retry_after, clock()):
                    self._turnstile.hold(errand.host, until)
                    return errand.throttled(f"answered {words}", until)
            if response.status_code not in answers.REDIRECTS:
                return errand.conclude(response, body)
            errand.redirect(response)

    async def _exchange(self, errand: Errand, slot: _Slot) -> tuple[httpx.Response, bytes]:
        """Ask once, and read a document that is wanted. Waiting for the slot takes none of the errand's time."""
        request = errand.http_request()
        response = await self._answer(errand, request)
        try:
            if not response.is_success or request.method == "HEAD":
                return response, b""
            await slot.take()
            return response, await self._in_time(errand, self._read(response, errand.first_bytes))
        finally:
            await response.aclose()

    async def _answer(self, errand: Errand, request: httpx.Request) -> httpx.Response:
        """Wait for the head of an answer: a moment in front of the others, then beside them."""
        asking = _Slot(self._asking)
        await asking.take()
        patience = asyncio.get_running_loop().call_later(self._limits.timeout_seconds * PATIENCE, asking.give_back)
        try:
            return await self._in_time(errand, self._transport.handle_async_request(request))
        finally:
            patience.cancel()
            asking.give_back()

    async def _in_time(self, errand: Errand, step: Awaitable[_Found]) -> _Found:
        """Await a step within what is left of the errand's time. Raises FetchProblem."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(errand.seconds_left):
                return await step
        except TimeoutError as error:
            seconds = self._limits.deadline_seconds
            raise FetchProblem("timeout", f"was not finished after {seconds:g} seconds") from error
        except (httpcore.TimeoutException, httpx.TimeoutException) as error:
            raise FetchProblem("timeout", f"did not answer for {self._limits.timeout_seconds:g} seconds") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError) as error:
            raise FetchProblem("broken_answer", "broke off in the middle of its answer") from error
        finally:
            errand.seconds_left -= loop.time() - started

    async def _read(self, response: httpx.Response, first_bytes: int) -> bytes:
        declared = answers.length_bytes(response.headers.get("content-length", "")) or 0
        if declared > self._limits.max_bytes and not first_bytes:
            raise too_large(self._limits.max_bytes)
        body = Body(codings(response.headers.get("content-encoding", "")), self._limits.max_bytes)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - every asynchronous transport's is
        async for piece in response.stream:
            body.add(piece)
            if 0 < first_bytes <= len(body):
                return body.beginning(first_bytes)
        return body.whole()


def _most_asked(concurrency: int) -> int:
    """Say how many may be asked at once: half of the files a process may open are left to everything else."""
    ahead = min(concurrency * ASKED_AHEAD, MOST_ASKED)
    if os.name == "posix":
        import resource

        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        ahead = ahead if files == resource.RLIM_INFINITY else min(ahead, files // 2)
    return max(concurrency, ahead)


def _clock_from(now: datetime) -> _Clock:
    """Return a clock that shows ``now`` and goes on from there."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    return lambda: now + timedelta(seconds=loop.time() - started)


def _first_host(request: FetchRequest) -> str:
    return "/".join(request.url.split("/", 3)[2:3]).lower()
