"""smtplib's client, to connect and log in, with time limits for whole steps and for all of them together.

smtplib and the sockets below it start their timeout again with each byte that arrives, so a server that sends a byte
now and then, or lines without end, would never exceed it.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Sequence
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING

from pipeline.lookup import lookups

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAX_REPLY_BYTES = 65_536
"""Maximum length of a reply with all its lines; the longest in use have a few kilobytes."""
_MAX_ADDRESSES = 4


class SmtpConnection(smtplib.SMTP):
    """A connection on which every step ends in time; OSError or TimeoutError if it does not.

    The steps are the name lookup, connecting, the TLS handshake, sending a command, and reading a reply from its first
    byte to its last. Messages are sent by ``SmtpSession``.
    """

    def __init__(self, helo: str, *, step_seconds: float, total_seconds: float) -> None:
        super().__init__(local_hostname=helo)
        self.step_seconds = step_seconds
        self.ends_at = time.monotonic() + total_seconds
        self._step_ends_at = self.ends_at
        self._context: ssl.SSLContext | None = None

    def open(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        """Connect, with TLS from the start if there is a context for it, and read the greeting."""
        self._host = host  # the name that starttls() verifies
        self._context = context
        code, text = self.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)

    def log_in(self, username: str, password: str) -> int | None:
        """Log in with PLAIN (RFC 4616) or LOGIN; return the code of the last reply, or None if neither is offered.

        Only one is tried: a second attempt would count as another failure. The text of the reply is left out: some
        servers repeat what they were sent.
        """
        offered = self.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            return self.docmd("AUTH", "PLAIN " + _base64("\0".join(("", username, password))))[0]
        if "LOGIN" not in offered:
            return None
        code, _ = self.docmd("AUTH", "LOGIN")
        for credential in (username, password):
            code, _ = self.docmd(_base64(credential)) if code == 334 else (code, b"")
        return code

    def send(self, s: ReadableBuffer | str) -> None:
        """Send a command, as a step."""
        self._begin_step()
        self._set_timeout()
        try:
            super().send(s)
        except smtplib.SMTPServerDisconnected as error:
            raise _unconverted(error) from None

    def getreply(self) -> tuple[int, bytes]:
        """Return the code and the text of the next reply, within one step."""
        self._begin_step()
        if self.file is None:
            self.file = BufferedReader(_ReplyStream(self))
        self.file.raw.bytes_left = MAX_REPLY_BYTES
        try:
            reply = super().getreply()
        except smtplib.SMTPServerDisconnected as error:
            raise _unconverted(error) from None
        self._begin_step()
        if not self.does_esmtp or self.has_extn("starttls"):
            self._set_timeout()  # smtplib's next step may be a handshake
        return reply

    def receive_into(self, buffer: WriteableBuffer) -> int:
        """Receive some bytes within what is left of the step; return their number."""
        self._set_timeout()
        assert self.sock  # noqa: S101 - smtplib reads from connections only
        return self.sock.recv_into(buffer)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Return the connection for ``connect``; smtplib provides this method to be overridden."""
        self._begin_step()
        try:
            addresses = lookups.resolve_within(host, port, self._seconds_left())[:_MAX_ADDRESSES]
        except TimeoutError as error:
            raise TimeoutError("no name server answered") from error
        connection = self._open_socket(addresses, port)
        if self._context is None:
            return connection
        self._begin_step()
        connection.settimeout(self._seconds_left())
        try:
            return self._context.wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise

    def _open_socket(self, addresses: Sequence[str], port: int) -> socket.socket:
        """Return a connection to the first address that accepts one."""
        failure: OSError | None = None
        for number, address in enumerate(addresses):
            self._begin_step()
            try:
                connection = socket.create_connection((address, port), self._seconds_left() / (len(addresses) - number))
            except OSError as error:
                failure = error
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a dot waits for nothing
                return connection
        raise failure or OSError("it has no address")

    def _begin_step(self) -> None:
        self._step_ends_at = min(time.monotonic() + self.step_seconds, self.ends_at)

    def _set_timeout(self) -> None:
        seconds = self._seconds_left()
        if self.sock:
            self.sock.settimeout(seconds)

    def _seconds_left(self) -> float:
        """Return how much of the step is left, in seconds; TimeoutError if nothing is."""
        seconds = self._step_ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("timed out")
        return seconds


class _ReplyStream(RawIOBase):
    """The stream from which smtplib reads the lines of a reply."""

    def __init__(self, connection: SmtpConnection) -> None:
        self._connection = connection
        self.bytes_left = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        count = self._connection.receive_into(buffer)
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise OSError("its reply does not end")
        return count


def _unconverted(error: smtplib.SMTPServerDisconnected) -> OSError:
    """Return the TimeoutError that smtplib reports as a lost connection, or else its own error."""
    return error.__context__ if isinstance(error.__context__, TimeoutError) else error


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
