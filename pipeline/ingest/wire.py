"""Bytes to and from an address, plain or under TLS, and none taken in before somebody asks for them.

In: an address that was checked, a port. Out: a wire. What nobody has read yet stays with the operating system, so that
hundreds of hosts can be waited for without holding what they say: asyncio's own streams read ahead, a quarter of a
megabyte at a time. Knows neither names nor HTTP. Raises OSError, ssl.SSLError among them.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

_RECORD_BYTES = 16_384
"""The largest TLS record (RFC 8446, 5.1)."""
_Done = TypeVar("_Done")


class Wire(Protocol):
    """What bytes travel on."""

    async def receive(self, most: int) -> bytes:
        """Wait for bytes; none at the end."""
        ...

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        ...

    def close(self) -> None:
        """Hang up at once."""
        ...


async def connect(address: str, port: int, *, tls: ssl.SSLContext | None, name: str) -> Wire:
    """Connect to an IP address; under TLS the other side proves that it is ``name``."""
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, (address, port))
        plain = _Plain(opened)
        return await _proven(plain, tls, name) if tls else plain
    except BaseException:
        opened.close()
        raise


async def _proven(plain: _Plain, tls: ssl.SSLContext, name: str) -> _Sealed:
    sealed = _Sealed(plain, tls, name)
    try:
        await sealed.shake_hands()
    except ssl.SSLEOFError as error:
        raise ConnectionResetError from error
    return sealed


class _Plain:
    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened

    async def receive(self, most: int) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._socket, most)

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    def close(self) -> None:
        self._socket.close()


class _Sealed:
    """TLS on a plain wire."""

    def __init__(self, plain: _Plain, tls: ssl.SSLContext, name: str) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    async def shake_hands(self) -> None:
        await self._carry_out(self._tls.do_handshake)

    async def receive(self, most: int) -> bytes:
        with suppress(ssl.SSLZeroReturnError, ssl.SSLEOFError):  # many servers hang up without a word; HTTP counts
            return await self._carry_out(lambda: self._tls.read(most))
        return b""

    async def send(self, data: bytes) -> None:
        await self._carry_out(lambda: self._tls.write(data))

    def close(self) -> None:
        self._plain.close()

    async def _carry_out(self, step: Callable[[], _Done]) -> _Done:
        """Take a step as soon as enough has come in for it, and send what it has to say."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                pass
            finally:
                if said := self._outgoing.read():
                    await self._plain.send(said)
            if heard := await self._plain.receive(_RECORD_BYTES):
                self._incoming.write(heard)
            else:
                self._incoming.write_eof()
