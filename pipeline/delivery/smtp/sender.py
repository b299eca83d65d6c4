"""The smtp backend: copies of an edition through a mail server, over connections that are kept open.

One thread uses all connections: threads for each would spend half of their time waiting for one another.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.delivery.mime import envelope_address
from pipeline.delivery.smtp.client import Smtp
from pipeline.delivery.smtp.loop import COMMIT, Awaited, SendingLoop, Steps
from pipeline.delivery.smtp.results import failed_result
from pipeline.delivery.smtp.session import SmtpSession
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.errors import DeliveryError, DeliveryFailedError, DeliveryKind, UsageError

if TYPE_CHECKING:
    from pipeline.jobs.ports import DeliveryJobs


@dataclass(frozen=True, slots=True)
class SmtpBackend:
    """A mail server that editions are sent through."""

    smtp: Smtp
    messages_per_connection: int = 200

    name = "smtp"
    max_batch = 1
    """SMTP completes one message at a time."""

    def open_workers(self, connections: int) -> Sequence[SmtpSender]:
        """Return one that uses all connections, each of which is opened for its first copy."""
        return [SmtpSender(self.smtp, self.messages_per_connection, connections)]


class SmtpSender:
    """Sends over several connections to one server, in one thread."""

    def __init__(self, smtp: Smtp, messages_per_connection: int, connections: int) -> None:
        self._connections = [_Connection(smtp, messages_per_connection) for _ in range(connections)]
        self._smtp = smtp

    def run(self, jobs: DeliveryJobs) -> None:
        """Send copies until there are no more; the connections stay open."""
        with SendingLoop(self._connections, jobs) as loop:
            loop.run()

    def close(self) -> None:
        """End the connections."""
        open_sessions = [connection.session for connection in self._connections if connection.session]
        if open_sessions:
            with ThreadPoolExecutor(len(open_sessions)) as pool:
                list(pool.map(self._smtp.quit, open_sessions))
        for connection in self._connections:
            connection.session = None


class _Connection:
    """A connection that is opened for the first copy, and renewed after some messages and when it is lost."""

    def __init__(self, smtp: Smtp, messages_per_connection: int) -> None:
        self._smtp, self._messages_per_connection = smtp, messages_per_connection
        self._messages = 0
        self.session: SmtpSession | None = None

    def send(self, copy: Copy) -> Steps:
        """Send a copy and return its result."""
        try:
            yield from self._transmit(copy)
        except DeliveryFailedError as error:
            return failed_result(error, has_server=self.session is not None)
        assert self.session  # noqa: S101 - it has the message
        if not (yield COMMIT):
            self.session.close()  # the only way to abandon a message that was begun (RFC 5321, 3.3)
            return DeliveryResult(outcome="lost")
        try:
            return DeliveryResult(outcome="sent", reply=(yield from self._smtp.finish(self.session)))
        except DeliveryError as error:
            return failed_result(error, has_server=True)

    def _transmit(self, copy: Copy) -> Generator[Awaited, Any, None]:
        """Send all of a copy but its dot.

        A server may end a connection that it was kept waiting on, so what fails on an old one is tried on a new one.
        """
        sender, recipients = _envelope(copy)
        is_new = yield from self._connect()
        while True:
            assert self.session  # noqa: S101 - it was just opened or renewed
            try:
                return (yield from self._smtp.transmit(self.session, copy.message, sender, recipients))
            except DeliveryFailedError as error:
                if is_new or not (error.kind == "unreachable" or error.reply.startswith("421")):
                    raise
            self.session.close()
            is_new = yield from self._connect()

    def _connect(self) -> Generator[Awaited, Any, bool]:
        """Get a connection that is ready for a message; return whether it is new."""
        if self.session and self._messages >= self._messages_per_connection:
            yield partial(self._smtp.quit, self.session)
        if self.session and (yield from self._smtp.renew(self.session)):
            self._messages += 1
            return False
        if self.session:
            self.session.close()
        self.session, self._messages = None, 1
        self.session = yield self._smtp.open
        return True


def _envelope(copy: Copy) -> tuple[str, list[str]]:
    """Return the sender and the recipient for the envelope; DeliveryFailedError if one of them is invalid."""
    kind: DeliveryKind = "sender"
    try:
        sender = envelope_address(copy.sender)
        kind = "recipient"
        return sender, [envelope_address(copy.address)]
    except UsageError as error:
        raise DeliveryFailedError(str(error), kind=kind) from error
