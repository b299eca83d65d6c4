"""imaplib's client with a time limit for the whole conversation, and limits on what a server may send.

imaplib starts its timeout again with each byte that arrives, and reads as much as a server announces.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
import time
from contextlib import suppress

from pipeline.lookup import lookups

MAX_REPLY_BYTES = 4 << 20
"""Maximum length of a server's whole reply to a command."""
_CHUNK_BYTES = 1 << 16
_MAX_ADDRESSES = 4


class ImapConnection(imaplib.IMAP4):
    """A connection that ends in time: TimeoutError if it does not, OSError if the server sends too much."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext | None, *, step_seconds: float, total_seconds: float
    ) -> None:
        self._step_seconds = step_seconds
        self._context = context
        self._buffer = bytearray()
        self._reply_bytes_left = MAX_REPLY_BYTES
        self.limit(total_seconds)
        super().__init__(host, port)

    def limit(self, seconds: float) -> None:
        """Set the time limit for all that follows."""
        self._ends_at = time.monotonic() + seconds

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect, with TLS if there is a context for it."""
        self.host, self.port = host, port
        addresses = lookups.resolve_within(host, port, self._seconds_left())[:_MAX_ADDRESSES]
        failure: OSError = OSError("it has no address")
        for number, address in enumerate(addresses):
            try:
                patience = self._seconds_left() / (len(addresses) - number)
                self.sock = socket.create_connection((address, port), patience)
                break
            except OSError as error:
                failure = error
        else:
            raise failure
        if self._context is not None:
            self._secure(self._context)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Encrypt the connection; what the server sent before is not believed."""
        status, _ = self.xatom("STARTTLS") if "STARTTLS" in self.capabilities else ("NO", None)
        if status != "OK" or self._buffer:
            raise ssl.SSLError(0, "it does not offer STARTTLS")
        self._secure(context)
        status, replies = self.capability()
        self.capabilities = tuple(replies[-1].decode("ascii", "replace").upper().split())

    def read(self, size: int) -> bytes:
        """Return this number of bytes of the server's reply."""
        while len(self._buffer) < size:
            if size - len(self._buffer) > self._reply_bytes_left:
                raise OSError("its reply is too long")
            self._receive()
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        return content

    def readline(self) -> bytes:
        """Return the next line of the server's reply."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            self._receive()
        return self.read(end + 1)

    def send(self, data: bytes) -> None:  # type: ignore[override]  # typeshed says bytes-like
        """Send a command, or a part of one."""
        self._reply_bytes_left = MAX_REPLY_BYTES
        self.sock.settimeout(self._seconds_left())
        self.sock.sendall(data)

    def interrupt(self) -> None:
        """End the connection from another thread, in which whatever waits for the server then fails."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def shutdown(self) -> None:
        """Close the connection."""
        with suppress(OSError, AttributeError):  # AttributeError: it was never open
            self.sock.close()

    def wait_for_message(self, seconds: float) -> bool:
        """Wait with IDLE (RFC 2177) until the server reports a message, or some seconds; return whether it did.

        Call ``limit`` first. The server must have the capability.
        """
        self.send(b"WAIT IDLE\r\n")
        if not self.readline().startswith(b"+"):
            raise OSError("it refuses to wait")
        self._ends_waiting_at = time.monotonic() + seconds
        has_arrived = False
        with suppress(_NothingArrivedError):
            while not has_arrived:
                line = self._readline_until(self._ends_waiting_at).upper()
                has_arrived = line.rstrip().endswith((b" EXISTS", b" RECENT"))
                if line.startswith(b"* BYE"):
                    raise OSError("it ends the connection")
        self.send(b"DONE\r\n")
        while not self.readline().startswith(b"WAIT "):
            pass
        return has_arrived

    def _readline_until(self, ends_at: float) -> bytes:
        while b"\n" not in self._buffer:
            patience = ends_at - time.monotonic()
            if patience <= 0:
                raise _NothingArrivedError
            with suppress(TimeoutError):
                self._receive(patience)
        return self.readline()

    def _receive(self, patience: float | None = None) -> None:
        self.sock.settimeout(min(patience or self._step_seconds, self._seconds_left()))
        data = self.sock.recv(_CHUNK_BYTES)
        if not data:
            raise OSError("it ended the connection")
        self._reply_bytes_left -= len(data)
        if self._reply_bytes_left < 0:
            raise OSError("its reply is too long")
        self._buffer += data

    def _secure(self, context: ssl.SSLContext) -> None:
        self.sock.settimeout(min(self._step_seconds, self._seconds_left()))
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)

    def _seconds_left(self) -> float:
        seconds = self._ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("timed out")
        return seconds


class _NothingArrivedError(Exception):
    """Nothing arrived in time."""
