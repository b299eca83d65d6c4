"""Fetching documents over HTTP: conditional, bounded and polite.

In: requests, limits and ``now``. Out: one outcome for each request; trouble is a value, only a bug is raised. The only
module that speaks HTTP to feeds. It parses nothing and stores nothing; the one clock it reads is the event loop's, to
tell how long the run has taken since ``now``.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Self

import httpcore
import httpx

from pipeline.ingest import answers
from pipeline.ingest.addresses import unsafe_reason
from pipeline.ingest.dial import Dialler, Resolve, anything, resolve
from pipeline.ingest.inflate import Body, codings, too_large
from pipeline.ingest.politeness import Turnstile, interleave
from pipeline.model.errors import FetchProblem
from pipeline.model.fetch import FRESH, FetchLimits, FetchOutcome, FetchRequest, OutcomeKind

_Clock = Callable[[], datetime]
_NO_HOLDS: Mapping[str, datetime] = {}
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)


class Fetcher:
    """Fetches documents; keeps connections and each host's wishes for as long as it is open.

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
        self._turnstile = Turnstile(0.0 if transport else limits.host_gap_seconds, holds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        """Fetch documents, many at once, and yield each outcome as it comes.

        ``now`` is aware UTC. No more is under way or waiting to be taken than ``limits.concurrency`` says, so a slow
        reader slows the fetching down instead of filling the memory.
        """
        clock = _clock_from(now)
        waiting = interleave(requests, _first_host)
        running = {self._start(request, clock) for request in islice(waiting, self._limits.concurrency)}
        try:
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    running.update(self._start(request, clock) for request in islice(waiting, 1))
                    yield task.result()
                    await asyncio.sleep(0)  # the reader may have taken long: let answers in before time-outs are told
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def fetch(self, request: FetchRequest, *, now: datetime) -> FetchOutcome:
        """Fetch one document. ``now`` is aware UTC."""
        return await self._fetch(request, _clock_from(now))

    def _start(self, request: FetchRequest, clock: _Clock) -> asyncio.Task[FetchOutcome]:
        return asyncio.create_task(self._fetch(request, clock))

    async def _fetch(self, request: FetchRequest, clock: _Clock) -> FetchOutcome:
        errand = _Errand(request, self._limits)
        try:
            return await self._follow(errand, clock)
        except FetchProblem as problem:
            return errand.outcome(problem.kind, str(problem))

    async def _follow(self, errand: _Errand, clock: _Clock) -> FetchOutcome:
        errand.start()
        while True:
            async with self._turnstile.turn(errand.host, gap=errand.enters_host):
                if until := self._turnstile.held_until(errand.host, clock()):
                    return errand.throttled("was not asked, since its host wants to be left alone", until)
                response, body = await self._exchange(errand)
                words = answers.status_in_words(response.status_code)
                retry_after = response.headers.get("retry-after", "")
                if until := answers.wait_until(response.status_code, retry_after, clock()):
                    self._turnstile.hold(errand.host, until)
                    return errand.throttled(f"answered {words}", until)
            if response.status_code not in answers.REDIRECTS:
                return errand.conclude(response, body)
            errand.redirect(response)

    async def _exchange(self, errand: _Errand) -> tuple[httpx.Response, bytes]:
        """Ask once, within what is left of the errand's time. Raises FetchProblem."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(errand.seconds_left):
                return await self._ask(errand.http_request())
        except TimeoutError as error:
            seconds = self._limits.deadline_seconds
            raise FetchProblem("timeout", f"was not finished after {seconds:g} seconds") from error
        except httpx.TimeoutException as error:
            raise FetchProblem("timeout", f"did not answer for {self._limits.timeout_seconds:g} seconds") from error
        except httpx.HTTPError as error:
            raise _problem_of(error) from error
        finally:
            errand.seconds_left -= loop.time() - started

    async def _ask(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        response = await self._transport.handle_async_request(request)
        try:
            wanted = response.is_success or response.status_code == httpx.codes.NOT_MODIFIED
            return response, await self._read(response) if wanted else b""
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response) -> bytes:
        declared = response.headers.get("content-length", "")
        if declared.isdigit() and len(declared) < 20 and int(declared) > self._limits.max_bytes:
            raise too_large(self._limits.max_bytes)
        body = Body(codings(response.headers.get("content-encoding", "")), self._limits.max_bytes)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - every asynchronous transport's is
        async for piece in response.stream:
            body.add(piece)
        return body.whole()


class _Errand:
    """One request on its way: where it has been, what it may say to whom, how long it has left."""

    def __init__(self, request: FetchRequest, limits: FetchLimits) -> None:
        self.seconds_left = limits.deadline_seconds
        self.enters_host = True
        self._request = request
        self._limits = limits
        self._url = httpx.URL()
        self._home = self._url
        self._secrets: list[tuple[str, str]] = list(request.headers)
        self._been: list[httpx.URL] = []
        self._moved_to = ""

    @property
    def host(self) -> str:
        """``name`` or, where it is not the usual one, ``name:port``."""
        return self._url.netloc.decode("ascii").rstrip(".")

    def start(self) -> None:
        """Go to the address asked for; a user name and password in it become a header (RFC 7617)."""
        url = _web_address(self._request.url)
        if url is None:
            raise FetchProblem("bad_address", f"{self._request.url!r} is not an address on the web")
        if url.userinfo:
            pair = f"{url.username}:{url.password}".encode()
            self._secrets.append(("Authorization", f"Basic {b64encode(pair).decode('ascii')}"))
        self._home = self._url = _bare(url)

    def redirect(self, response: httpx.Response) -> None:
        """Go where a redirect leads. Raises FetchProblem when that is nowhere, or where it has been."""
        location = response.headers.get("location", "")
        target = _web_address(location, base=self._url)
        if not location or target is None:
            raise FetchProblem("broken_answer", f"redirects to {location!r}, which is not an address on the web")
        self._been.append(self._url)
        unbroken = self._moved_to == ("" if len(self._been) == 1 else str(self._url))
        if unbroken and response.status_code in answers.PERMANENT_REDIRECTS:
            self._moved_to = str(_bare(target))
        host, self._url = self.host, _bare(target)
        self.enters_host = self.host != host
        if self._url in self._been or len(self._been) > self._limits.max_redirects:
            raise FetchProblem("redirect_loop", f"is redirected without end, last to {self._url}")

    def http_request(self) -> httpx.Request:
        """Build the request for the address it is at."""
        headers = [
            ("User-Agent", self._limits.user_agent),
            ("Accept", _ACCEPT),
            ("Accept-Encoding", "gzip, deflate"),
            *self._validators(),
            *(self._secrets if _may_know(self._url, self._home) else ()),
        ]
        timeout = httpx.Timeout(self._limits.timeout_seconds).as_dict()
        return httpx.Request("GET", self._url, headers=headers, extensions={"timeout": timeout})

    def outcome(self, kind: OutcomeKind, detail: str) -> FetchOutcome:
        """Write down what came of it, without an answer."""
        url, final_url = str(self._home) or self._request.url, str(self._url)
        return FetchOutcome(feed_id=self._request.feed_id, url=url, kind=kind, detail=detail, final_url=final_url)

    def throttled(self, detail: str, until: datetime) -> FetchOutcome:
        """Write down that the host wants to be left alone."""
        outcome = self.outcome("throttled", f"{detail} until {until:%Y-%m-%d %H:%M} UTC")
        return replace(outcome, retry_at=until, retry_host=self.host)

    def conclude(self, response: httpx.Response, body: bytes) -> FetchOutcome:
        """Write down the answer that ended the errand."""
        words = f"answered {answers.status_in_words(response.status_code)}"
        sha256 = hashlib.sha256(body).hexdigest() if response.is_success else self._request.body_sha256
        kind, detail = self._judge(answers.kind_of(response.status_code), words, sha256)
        headers = response.headers
        return replace(
            self.outcome(kind, detail),
            status=response.status_code,
            body=body if kind in FRESH else b"",
            body_sha256=sha256,
            content_type=headers.get("content-type", ""),
            etag=answers.validator(headers.get("etag", "")) or self._kept(kind, self._request.etag),
            last_modified=answers.validator(headers.get("last-modified", ""))
            or self._kept(kind, self._request.last_modified),
            moved_to=self._moved_to,
            max_age_seconds=answers.max_age_seconds(headers.get("cache-control", "")),
        )

    def _judge(self, kind: OutcomeKind, words: str, sha256: str) -> tuple[OutcomeKind, str]:
        if kind == "not_modified" and not self._validators():
            return "broken_answer", f"{words} without having been asked for changes"
        if kind == "ok" and sha256 == self._request.body_sha256:
            return "unchanged", f"{words} with the same document as last time"
        if kind == "ok" and self._moved_to:
            return "moved", f"{words} from its new address, {self._moved_to}"
        return kind, words

    def _validators(self) -> list[tuple[str, str]]:
        pairs = (("If-None-Match", self._request.etag), ("If-Modified-Since", self._request.last_modified))
        return [(name, value) for name, value in pairs if answers.validator(value)]

    def _kept(self, kind: OutcomeKind, value: str) -> str:
        """A 304 need not repeat the validators it confirms (RFC 9110, 15.4.5)."""
        return value if kind == "not_modified" else ""


class NetworkTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over connections that only the dialler opens."""

    def __init__(self, dialler: Dialler, ssl_context: ssl.SSLContext | None) -> None:
        context = ssl_context or httpx.create_ssl_context()
        super().__init__(verify=context)
        # httpx has no parameter for the backend; its version is pinned in pyproject.toml, and a test watches this.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_connections=None, max_keepalive_connections=20, network_backend=dialler
        )


def _clock_from(now: datetime) -> _Clock:
    """Return a clock that shows ``now`` and goes on from there."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    return lambda: now + timedelta(seconds=loop.time() - started)


def _first_host(request: FetchRequest) -> str:
    return "/".join(request.url.split("/", 3)[2:3]).lower()


def _web_address(text: str, base: httpx.URL | None = None) -> httpx.URL | None:
    """Read an absolute http(s) address; None when it is anything else."""
    try:
        url = base.join(text.strip()) if base else httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError):  # ValueError: half a surrogate pair
        return None
    return url if url.scheme in ("http", "https") and url.host and (url.port or 0) < 65_536 else None


def _bare(url: httpx.URL) -> httpx.URL:
    """Leave out the fragment and whoever signs in."""
    return url.copy_with(fragment=None, username=None, password=None)


def _may_know(url: httpx.URL, home: httpx.URL) -> bool:
    """Tell whether the feed's own headers may be sent here: to its host, never from https down to http."""
    ports = {"http": 80, "https": 443}
    same = (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)
    upgraded = url.host == home.host and (home.scheme, url.scheme) == ("http", "https")
    return same or (upgraded and home.port in (None, ports["http"]) and url.port in (None, ports["https"]))


def _problem_of(error: httpx.HTTPError) -> FetchProblem:
    """Put httpx's trouble into a word and a sentence."""
    if refusal := next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None):
        why = getattr(refusal, "verify_message", "") or refusal.reason or "the handshake failed"
        return FetchProblem("tls_error", f"could not prove who it is ({why})")
    if isinstance(error, httpx.ConnectError):
        return FetchProblem("unreachable", "could not be connected to")
    return FetchProblem("broken_answer", "broke off in the middle of its answer")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
