"""Limits on the connections of the web server, so that idle and slow clients hold neither it nor the process.

uvicorn limits how long a connection may be idle between two requests, and no more: a client that sends nothing, half a
request or a byte a minute, or that does not read its response, is served for ever, and each takes one of the open files
that feeds and the store need as well.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_DEFAULT_FILES = 512
"""Assumed number of files that a process may open where the system does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits on connections; the times in seconds."""

    max_connections: int = 200
    request_seconds: float = 15.0
    """Maximum time from the connection, or from a further request's first byte, to the request's last byte, ..."""
    min_upload_rate: int = 20_000
    """... unless at least this many bytes arrive per second: a large picture over a slow connection."""
    idle_seconds: int = 5
    """Maximum time between two requests."""
    stalled_seconds: float = 30.0
    """Maximum time for which a client reads nothing of a response that waits for it."""

    @property
    def max_accepted_at_once(self) -> int:
        """How many connections are accepted before the limit is applied to them; uvicorn's ``backlog``."""
        return max(8, self.max_connections // 3)

    @classmethod
    def for_this_process(cls) -> ConnectionLimits:
        """Return limits that leave most of the files the process may open to feeds and the store."""
        try:
            import resource
        except ImportError:  # Windows
            files = _DEFAULT_FILES
        else:
            files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return cls() if files < 0 else cls(max_connections=max(16, min(cls().max_connections, files // 4)))


class LimitedConnection(H11Protocol):
    """A connection with time limits. One too many ends the one that has been idle for longest.

    A new client usually sends its request at once. So a request is served while any number of connections are idle.
    """

    def __init__(self, *args: Any, limits: ConnectionLimits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._waiting_since = self.loop.time()
        """When it began to wait for a request, on the loop's clock."""
        self._request_timer: asyncio.TimerHandle | None = None
        self._received_bytes = 0
        """Since the timer of the request was set."""
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for the connection if there are too many, and wait for its first request."""
        super().connection_made(transport)
        self._limit_request()
        if len(self.connections) > self._limits.max_connections:
            others = (other for other in self.connections if isinstance(other, LimitedConnection) and other._waits)
            oldest = min(others, key=lambda other: other._waiting_since)
            self.connections.discard(oldest)  # at once: more may be accepted before it is closed
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read a part of a request, or a whole one."""
        self._end_stall()
        self._received_bytes += len(data)
        super().data_received(data)
        if self._waits:
            self._limit_request()
        elif self._request_timer:
            self._request_timer.cancel()
            self._request_timer = None

    def on_response_complete(self) -> None:
        """Wait for the client to take the rest of the response, and for its next request."""
        self._waiting_since = self.loop.time()
        self._limit_stall()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the client to take a part of the response."""
        super().pause_writing()
        self._limit_stall()

    def resume_writing(self) -> None:
        """Send more of the response."""
        self._end_stall()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._end_stall()
        if self._request_timer:
            self._request_timer.cancel()
        super().connection_lost(exc)

    @property
    def _waits(self) -> bool:
        """Whether a request, or the rest of one, is still to come."""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _limit_request(self) -> None:
        if self._request_timer is None:
            self._waiting_since = self.loop.time()
            self._set_request_timer()

    def _set_request_timer(self) -> None:
        self._received_bytes = 0
        self._request_timer = self.loop.call_later(self._limits.request_seconds, self._abort_if_slow)

    def _abort_if_slow(self) -> None:
        if self._received_bytes < self._limits.min_upload_rate * self._limits.request_seconds:
            self.transport.abort()
        else:
            self._set_request_timer()

    def _limit_stall(self) -> None:
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(self._limits.stalled_seconds, self._abort_if_stalled)

    def _end_stall(self) -> None:
        if self._stall_timer:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _abort_if_stalled(self) -> None:
        self._stall_timer = None
        if self.transport.get_write_buffer_size():
            self.transport.abort()
