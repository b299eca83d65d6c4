"""A connection to a mail server that never blocks, so that one thread can use many.

What may have to wait is a generator: it yields ``EVENT_READ`` or ``EVENT_WRITE`` when the socket is not ready, and is
resumed when it is. TimeoutError is thrown into it at the ``deadline`` of the step.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Generator, Sequence
from selectors import EVENT_READ, EVENT_WRITE
from typing import TypeVar

from pipeline.delivery.smtp.connection import MAX_REPLY_BYTES, SmtpConnection

_T = TypeVar("_T")
Waiting = Generator[int, None, _T]
Reply = tuple[int, bytes]
_CHUNK_BYTES = 262_144
"""How much of a message has to be taken within the time of a step."""
_MAX_QUOTE_CHARS = 200
_NO_CODE = -1
"""The code of a line that no mail server would send."""


class SmtpSession:
    """A connection that was opened: greeted, encrypted and logged in. A step is a command, a message, or a reply."""

    def __init__(self, server: SmtpConnection) -> None:
        assert server.sock  # noqa: S101 - it was opened
        self.server = server
        self.socket: socket.socket = server.sock
        self.socket.setblocking(False)
        self.is_closed = False
        self.in_data = False
        """Whether the server takes what it is sent for a message."""
        self.in_transaction = False
        """Whether a message was begun, and neither completed nor given up."""
        self.deadline = 0.0
        """When the step has to end, by ``time.monotonic``."""
        self._step_seconds, self._ends_at = server.step_seconds, server.ends_at
        self._received = bytearray()

    def limit(self, seconds: float, *, step_seconds: float | None = None) -> None:
        """Set a time limit of its own for all that follows, and for each of its steps."""
        self._step_seconds = step_seconds or seconds
        self._ends_at = time.monotonic() + seconds

    def close(self) -> None:
        """Close the connection without a word."""
        self.is_closed = True
        self.server.close()

    def run(self, waiting: Waiting[_T]) -> _T:
        """Run a generator to its end, and return its result."""
        try:
            events = next(waiting)
            while True:
                seconds = max(self.deadline - time.monotonic(), 0)
                events = next(waiting) if self._poll(events, seconds) else waiting.throw(TimeoutError("timed out"))
        except StopIteration as end:
            result: _T = end.value
            return result

    def exchange(self, commands: Sequence[str]) -> Waiting[list[Reply]]:
        """Return the replies to commands, of which the last is DATA.

        All are sent at once where the server allows that (PIPELINING, RFC 2920). Otherwise each is sent after the reply
        to the last one, up to the first that is refused.
        """
        self.in_transaction = True
        replies: list[Reply] = []
        for sent_together in [commands] if self.server.has_extn("pipelining") else [[command] for command in commands]:
            yield from self.write("".join(f"{command}\r\n" for command in sent_together).encode("ascii"))
            wanted = len(replies) + len(sent_together)
            try:
                while len(replies) < wanted:
                    reply = yield from self.reply()
                    replies.append(reply)
            except OSError:
                if not any(_is_refusal(reply) for reply in replies):
                    raise
                self.close()  # the server has said why it answers no more
            if _is_refusal(replies[-1]):
                break
        self.in_data = len(replies) == len(commands) and replies[-1][0] == 354
        return replies

    def write(self, data: bytes) -> Waiting[None]:
        """Send bytes; OSError if the connection is lost."""
        self._begin_step(1 + len(data) // _CHUNK_BYTES)
        view = memoryview(data)
        while view:
            try:
                view = view[self.socket.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                yield EVENT_WRITE
            except ssl.SSLWantReadError:
                yield EVENT_READ

    def reply(self) -> Waiting[Reply]:
        """Return the next reply (RFC 5321, 4.2); OSError if the connection is lost or the reply does not end."""
        self._begin_step()
        lines: list[bytes] = []
        bytes_left = MAX_REPLY_BYTES
        while True:
            end = self._received.find(b"\n") + 1
            if not end:
                if len(self._received) > bytes_left:
                    raise OSError("its reply does not end")
                if not self._receive():
                    yield EVENT_READ
                continue
            line = bytes(self._received[:end]).rstrip(b"\r\n")
            del self._received[:end]
            bytes_left -= end
            lines.append(line[4:].strip(b" \t"))
            if line[3:4] != b"-" or not line[:3].isdigit():
                return int(line[:3]) if line[:3].isdigit() else _NO_CODE, b"\n".join(lines)

    def is_waiting(self) -> bool:
        """Check whether the server waits for more: it has neither disconnected nor answered too early."""
        try:
            return not self._received and not self._receive()
        except OSError:
            return False

    def _poll(self, events: int, seconds: float) -> bool:
        """Wait until the socket is ready, at most for some seconds; return whether it is."""
        if not hasattr(select, "poll"):  # on Windows
            reading, writing = ([self.socket] if events & event else [] for event in (EVENT_READ, EVENT_WRITE))
            return any(select.select(reading, writing, [], seconds))
        poll = select.poll()  # not limited to the first 1,024 files of a process, as select is
        poll.register(self.socket, select.POLLIN if events & EVENT_READ else select.POLLOUT)
        return bool(poll.poll(seconds * 1000))

    def _begin_step(self, times: int = 1) -> None:
        self.deadline = min(time.monotonic() + times * self._step_seconds, self._ends_at)

    def _receive(self) -> bool:
        """Receive what is there; return whether anything is. OSError if the connection was closed."""
        try:
            # Longer than a TLS record: a selector would not know of what an SSLSocket has decrypted and kept.
            data = self.socket.recv(MAX_REPLY_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        if not data:
            raise ConnectionResetError("the connection was closed")
        self._received += data
        return True


def _is_refusal(reply: Reply) -> bool:
    return reply[0] // 100 not in (2, 3)


def quoted(reply: Reply) -> str:
    r"""Return a server's reply, for use in a sentence.

    >>> quoted((550, b"5.7.1 no\r\n\x1b[31mway"))
    '550 5.7.1 no [31mway'
    """
    text = "".join(character if character.isprintable() else " " for character in reply[1].decode("utf-8", "replace"))
    return f"{reply[0]} {' '.join(text.split())}"[:_MAX_QUOTE_CHARS].rstrip(" .")
