"""The smtp backend: copies of an edition through a mail server, over connections that are kept open.

Every copy gets one of the results of ``model.delivery.Outcome``:

    no server, connection lost before the dot, 4xx                later      (421, 454 and 4.7.x also ask to slow down)
    5xx for the recipient, an invalid address                     failed     refused
    5xx for the message                                           failed     message
    5xx for the connection, login or sender; a code for all       stop
    no reply to the dot, or none that can be understood           uncertain

Whatever a reply is to, a code of policy (5.7.x, 5.4.5: a quota) or of the server itself (5.3.x) concerns all copies: if
each were counted as failed, one blocked relay would fail every subscriber.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.delivery.mime import check_sendable, envelope_address
from pipeline.delivery.smtp import Smtp
from pipeline.delivery.smtp_connection import SmtpConnection
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.errors import DeliveryError, DeliveryFailedError, DeliveryKind, UsageError

if TYPE_CHECKING:
    from pipeline.jobs.ports import CommitFinal

_SLOW_DOWN = re.compile(r"421|454|4\d\d 4\.7\.")
_FOR_ALL = re.compile(r"5\d\d 5\.(?:[37]\.|4\.5\b)")
_MAX_REPLY_CHARS = 200


@dataclass(frozen=True, slots=True)
class SmtpBackend:
    """A mail server that editions are sent through."""

    smtp: Smtp
    messages_per_connection: int = 200

    name = "smtp"
    max_batch = 1
    """SMTP completes one message at a time."""

    def open(self) -> SmtpSender:
        """Return what sends through one connection at a time, which is opened for the first copy."""
        return SmtpSender(self.smtp, self.messages_per_connection)


class SmtpSender:
    """Sends copies over one connection, which is renewed after some messages and when it is lost."""

    def __init__(self, smtp: Smtp, messages_per_connection: int) -> None:
        self._smtp, self._messages_per_connection = smtp, messages_per_connection
        self._server: SmtpConnection | None = None
        self._messages = 0

    def send(self, copies: Sequence[Copy], commit: CommitFinal) -> Sequence[DeliveryResult]:
        """Send a copy; ``commit`` is called between its last byte and its dot."""
        [copy] = copies
        try:
            server = self._transmit(copy)
        except DeliveryFailedError as error:
            return [_result(error, has_server=self._server is not None)]
        try:
            if not commit([copy]):
                server.close()  # the only way to abandon a message that was begun (RFC 5321, 3.3)
                return [DeliveryResult(outcome="lost")]
        except BaseException:
            server.close()
            raise
        try:
            return [DeliveryResult(outcome="sent", reply=self._smtp.finish(server))]
        except DeliveryError as error:
            return [_result(error, has_server=True)]

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._server and self._server.sock:
            self._smtp.quit(self._server)
        self._server = None

    def _transmit(self, copy: Copy) -> SmtpConnection:
        """Send all of a copy but its dot, and return the connection.

        A server may end a connection that it was kept waiting on, so what fails on an old one is tried on a new one.
        """
        sender, recipients = _envelope(copy)
        server, is_new = self._connection()
        try:
            self._smtp.transmit(server, copy.message, sender, recipients)
        except DeliveryFailedError as error:
            if is_new or not (error.kind == "unreachable" or error.reply.startswith("421")):
                raise
            server.close()
            server, _ = self._connection()
            self._smtp.transmit(server, copy.message, sender, recipients)
        return server

    def _connection(self) -> tuple[SmtpConnection, bool]:
        """Return a connection that is ready for a message, and whether it is new."""
        if self._messages >= self._messages_per_connection:
            self.close()
        self._messages += 1
        if self._server:
            if self._smtp.renew(self._server):
                return self._server, False
            self._server.close()
        self._server, self._messages = None, 1
        self._server = self._smtp.open()
        return self._server, True


def _envelope(copy: Copy) -> tuple[str, list[str]]:
    """Return the sender and the recipient for the envelope; DeliveryFailedError if they or the message are invalid."""
    try:
        check_sendable(copy.message)
    except ValueError as error:
        raise DeliveryFailedError(str(error), kind="message") from error
    kind: DeliveryKind = "sender"
    try:
        sender = envelope_address(copy.sender)
        kind = "recipient"
        return sender, [envelope_address(copy.address)]
    except UsageError as error:
        raise DeliveryFailedError(str(error), kind=kind) from error


def _result(error: DeliveryError, *, has_server: bool) -> DeliveryResult:
    """Return the result of a copy that was not accepted."""
    code, reply = error.reply[:3], _shortened(error.reply or str(error))
    if error.kind == "uncertain":
        return DeliveryResult(outcome="uncertain", reply=reply)
    if error.kind == "later" or (error.kind == "unreachable" and not code.startswith("5")):
        return DeliveryResult(
            outcome="later", reply=reply, slow_down=not has_server or bool(_SLOW_DOWN.match(error.reply))
        )
    if error.kind in ("recipient", "message") and not _FOR_ALL.match(error.reply):
        return DeliveryResult(
            outcome="failed", reason="refused" if error.kind == "recipient" else "message", reply=reply
        )
    return DeliveryResult(outcome="stop", reply=_shortened(str(error)))


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_REPLY_CHARS else f"{text[: _MAX_REPLY_CHARS - 1]}…"
