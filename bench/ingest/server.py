"""The server of the feeds: one process on the loopback interface, with an address for each feed.

In: ``/feed/NUMBER``, and ``/mode/MODE/PUBLISHED/BUILT`` to say how it answers from now on. Out: documents, 304s, or
whatever ails servers. Prints its port; ends when its standard input does, so that it never outlives who started it.

    cold       every document whole, whatever the request says      304       not modified, to who has been here
    faulty     one feed in ten each is silent, answers 500, cuts the connection, sends a web page, gzip, or broken XML
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import sys

from bench.ingest.documents import document

FAULTS = ("silent", "error", "reset", "page", "gzip", "broken")
PAGE = b"<!DOCTYPE html><html><head><title>Parked</title></head><body>Nothing here.</body></html>"


def address(number: int) -> str:
    """Return the loopback address of a feed: no two feeds share a host.

    >>> address(0), address(9_999)
    ('127.1.0.1', '127.1.39.250')
    """
    return f"127.1.{number // 250}.{1 + number % 250}"


def fault(number: int) -> str:
    """Return the fault of a feed in the faulty mode; four in ten have none, and two more are only unusual.

    >>> [fault(number) for number in (0, 1, 6)]
    ['silent', 'error', '']
    """
    return dict(enumerate(FAULTS)).get(number % 10, "")


def readable(number: int) -> bool:
    """Check whether a feed can be read in the faulty mode."""
    return fault(number) in ("", "gzip", "broken")


class Answering(asyncio.Protocol):
    """One connection; requests have no body, so the head is all there is to read."""

    mode, published, built = "cold", 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """Respond once the head is complete."""
        self._head += data
        while b"\r\n\r\n" in self._head:
            head, _, self._head = self._head.partition(b"\r\n\r\n")
            self._answer(head.decode("latin-1").lower())

    def _answer(self, head: str) -> None:
        path = head.split(" ", 2)[1].split("/")[1:]
        if path[0] == "mode":
            Answering.mode, Answering.published, Answering.built = path[1], int(path[2]), int(path[3])
            self._send("200 OK", b"")
        elif self.mode == "304" and "\r\nif-none-match:" in head:
            self._send("304 Not Modified", None)
        else:
            self._feed(int(path[1]), head)

    def _feed(self, number: int, head: str) -> None:
        ailing = fault(number) if self.mode == "faulty" else ""
        body = document(number, self.published, self.built)
        etag = f'ETag: "{number}-{self.published}-{self.built}"\r\n'
        if ailing == "error":
            self._send("500 Internal Server Error", b"")
        elif ailing == "page":
            self._send("200 OK", PAGE, "Content-Type: text/html\r\n")
        elif ailing == "reset":
            self._send("200 OK", body, etag, cut=len(body) // 2)
        elif ailing == "gzip" and "gzip" in head:
            self._send("200 OK", gzip.compress(body, 1), f"{etag}Content-Encoding: gzip\r\n")
        elif ailing == "broken":
            self._send("200 OK", body.replace(b"</description>", b"&nbsp;&eacute;</description>", 1), etag)
        elif ailing != "silent":
            self._send("200 OK", body, etag)

    def _send(self, status: str, body: bytes | None, headers: str = "", cut: int = 0) -> None:
        kind = "" if "Content-Type" in headers else "Content-Type: application/rss+xml; charset=UTF-8\r\n"
        length = "" if body is None else f"{kind}Content-Length: {len(body)}\r\n"
        sent = body or b""
        self._transport.write(f"HTTP/1.1 {status}\r\n{headers}{length}\r\n".encode() + (sent[:cut] if cut else sent))
        if cut:
            self._transport.close()


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")  # every 127.x.y.z, and nothing else
    listening.bind(("0.0.0.0", 0))
    listening.listen(1024)
    await loop.create_server(Answering, sock=listening)
    print(listening.getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
