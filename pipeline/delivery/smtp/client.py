"""Send messages through a mail server (RFC 5321, RFC 6409).

The bytes are sent unchanged. Nothing but a greeting is sent to a server that has not proved its name by a certificate,
and neither the password nor the server's answer to it appears in an error or a log. Each step and the whole
conversation have a time limit, however slowly the server talks.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.delivery.mime import check_sendable, dot_stuffed, envelope_address
from pipeline.delivery.smtp.connection import SmtpConnection
from pipeline.delivery.smtp.session import Reply, SmtpSession, Waiting, quoted
from pipeline.model.errors import DeliveryFailedError, DeliveryInterrupted, DeliveryKind, DeliveryUncertainError
from pipeline.text.urls import is_loopback

Security = Literal["starttls", "tls", "none"]
DEFAULT_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_QUIT_TIMEOUT_SECONDS = 5.0
_Step = tuple[str, int, DeliveryKind, str]
"""A command, the code of its reply, and the kind and description of another reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """A mail server; every failure is a DeliveryError that says what to do."""

    host: str
    port: int
    sender: str
    """The envelope sender of ``send``: a plain address."""
    security: Security = "starttls"
    """``none`` is only for a server on this machine; the config package checks this."""
    username: str = ""
    password: str = field(default="", repr=False)
    helo: str = "localhost"
    """The domain name in EHLO. Asking the operating system may take seconds, and would reveal the machine's name."""
    timeout_seconds: float = 60.0
    """Maximum time for each step but the last: the name, the connection, the TLS handshake, a whole reply."""
    deadline_seconds: float = 180.0
    """Maximum time for all steps together, up to the end of the message."""
    final_timeout_seconds: float = 600.0
    """Maximum time for the reply to the whole message; giving up means not to know (RFC 5321, 4.5.3.2.6)."""
    create_ssl_context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    """Creates the context that verifies certificates."""

    name = "smtp"
    outcome = "sent"

    def send(self, message: bytes, address: str) -> Path | None:
        """Send a message from ``sender`` to one address; return None, since it becomes no file."""
        self.submit(message, self.sender, [address])
        return None

    def submit(self, message: bytes, sender: str, recipients: Sequence[str]) -> None:
        """Send a message (RFC 5322, CRLF) to all recipients, or to none.

        DeliveryFailedError: nothing was sent. DeliveryUncertainError: the server had received everything and did not
        confirm it. DeliveryInterrupted: a signal came after the message was complete. UsageError if an address is
        invalid; ValueError for bytes that must not be sent, which is a bug in their producer.
        """
        check_sendable(message)
        from_address, to_addresses = envelope_address(sender), [envelope_address(address) for address in recipients]
        complete = False
        try:
            with closing(self.open()) as session:
                session.run(self.transmit(session, message, from_address, to_addresses))
                complete = True
                session.run(self.finish(session))
                self.quit(session)
        except KeyboardInterrupt as error:
            if not complete:
                raise
            raise DeliveryInterrupted from error

    def verify(self) -> list[str]:
        """Connect, log in and quit without sending anything; return what was negotiated, a few words each."""
        with closing(self.open()) as session:
            tls = session.socket.version() if isinstance(session.socket, ssl.SSLSocket) else None
            logins = session.server.esmtp_features.get("auth", "").split()
            self.quit(session)
        return [
            tls or "no encryption, on this machine",
            f"logged in as {self.username}" if self.username else "no login",
            f"offers {', '.join(sorted(logins))}" if logins else "offers no login",
        ]

    def open(self) -> SmtpSession:
        """Return a connection with encryption and login done; DeliveryFailedError if that fails."""
        server = SmtpConnection(self.helo, step_seconds=self.timeout_seconds, total_seconds=self.deadline_seconds)
        try:
            with self._errors_converted():
                self._connect(server)
                if self.security == "starttls":
                    self._start_tls(server)
                server.ehlo_or_helo_if_needed()
                if self.username:
                    self._log_in(server)
        except BaseException:
            server.close()
            raise
        return SmtpSession(server)

    def transmit(self, session: SmtpSession, message: bytes, sender: str, recipients: Sequence[str]) -> Waiting[None]:
        """Send all of a message but its final dot, to addresses that ``envelope_address`` returned.

        DeliveryFailedError if the server refuses anything, or is lost: then nothing was sent. The connection is closed
        if it cannot be used any more.
        """
        try:
            with self._errors_converted():
                steps = self._envelope(session.server, message, sender, recipients)
                replies = yield from session.exchange([command for command, *_ in steps])
                for (_, code, kind, refusal), reply in zip(steps, replies, strict=False):
                    self._expect(reply, code, kind, refusal)
                try:
                    yield from session.write(dot_stuffed(message))
                except OSError:
                    yield from self._check_waiting(session)
                    raise
        except DeliveryFailedError as error:
            if error.kind == "unreachable" or session.in_data:
                session.close()
            raise

    def finish(self, session: SmtpSession) -> Waiting[str]:
        """End a message with its dot and return the server's reply.

        DeliveryFailedError if the server refuses it, DeliveryUncertainError if that is unknown: then the connection is
        closed. A server that has not waited for the dot gets none, so that it cannot have accepted the message.
        """
        try:
            with self._errors_converted():
                yield from self._check_waiting(session)
        except DeliveryFailedError:
            session.close()
            raise
        session.limit(self.final_timeout_seconds)
        try:
            yield from session.write(b".\r\n")
            reply = yield from session.reply()
        except OSError as error:
            session.close()
            raise self._unconfirmed() from error
        session.in_data = session.in_transaction = False
        if reply[0] // 100 not in (2, 4, 5):
            session.close()
            raise self._unconfirmed()
        self._expect(reply, 250, "message", "does not accept this message")
        return quoted(reply)

    def _check_waiting(self, session: SmtpSession) -> Waiting[None]:
        """Raise the error for a server that answers before the end of a message, or has disconnected."""
        if not session.is_waiting():
            raise self._refused((yield from session.reply()), "message", "does not accept this message")

    def renew(self, session: SmtpSession) -> Waiting[bool]:
        """Prepare a connection for another message; return whether it can be used."""
        if session.is_closed or session.in_data or not session.is_waiting():
            return False
        session.limit(self.deadline_seconds, step_seconds=self.timeout_seconds)
        if session.in_transaction:
            try:
                yield from session.write(b"RSET\r\n")
                session.in_transaction = (yield from session.reply())[0] != 250
            except OSError:
                return False
        return not session.in_transaction

    def quit(self, session: SmtpSession) -> None:
        """End a connection; the reply to that does not matter."""
        with suppress(OSError):
            session.limit(min(self.timeout_seconds, _QUIT_TIMEOUT_SECONDS))
            session.run(session.write(b"QUIT\r\n"))
            session.run(session.reply())
        session.close()

    @contextmanager
    def _errors_converted(self) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPResponseException as error:
            raise self._refused((error.smtp_code, b""), "unreachable", "refuses the connection") from error
        except TimeoutError as error:
            raise DeliveryFailedError(
                f"{self.host} was too slow on port {self.port} ({error}), so nothing was sent: try again later; if it "
                "lasts, check [delivery] smtp_host and smtp_port, or ask its provider.",
                kind="unreachable",
            ) from error
        except (OSError, UnicodeError) as error:  # OSError: also smtplib's errors; UnicodeError: an invalid host name
            why = getattr(error, "strerror", "") or str(error) or type(error).__name__
            raise DeliveryFailedError(
                f"{self.host} cannot be reached on port {self.port} ({why}): check [delivery] smtp_host and smtp_port, "
                "and whether this machine may connect there.",
                kind="unreachable",
            ) from error

    @contextmanager
    def _handshake_errors_converted(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or error.reason or "the handshake failed"
            raise DeliveryFailedError(
                f"{self.host} could not prove its name on port {self.port} ({why}), so nothing was sent: set "
                "[delivery] smtp_host to the name in its certificate, and check smtp_port and smtp_security."
                + self._local_advice,
                kind="insecure",
            ) from error

    @property
    def _local_advice(self) -> str:
        """More advice on a missing encryption if the server is on this machine."""
        advice = ' For a server on this machine, smtp_security = "none" is allowed.'
        return advice if is_loopback(self.host) else ""

    def _connect(self, server: SmtpConnection) -> None:
        context = self.create_ssl_context() if self.security == "tls" else None
        with self._handshake_errors_converted():
            server.open(self.host, self.port, context)

    def _start_tls(self, server: SmtpConnection) -> None:
        try:
            with self._handshake_errors_converted():
                server.starttls(context=self.create_ssl_context())
        except smtplib.SMTPNotSupportedError as error:
            raise DeliveryFailedError(
                f"{self.host} does not offer STARTTLS on port {self.port}, so nothing was sent: "
                'the connection may be intercepted; if the provider says so, set [delivery] smtp_security = "tls".'
                + self._local_advice,
                kind="insecure",
            ) from error

    def _log_in(self, server: SmtpConnection) -> None:
        code = server.log_in(self.username, self.password)
        if code is None:
            raise DeliveryFailedError(
                f"{self.host} offers no supported login on port {self.port}: check [delivery] smtp_port.",
                kind="login",
            )
        if code != 235:
            check = "check [delivery] smtp_username and the password that smtp_password_env names"
            raise self._refused((code, b""), "login", f"does not accept the login of {self.username}: {check}")

    def _envelope(self, server: SmtpConnection, message: bytes, sender: str, recipients: Sequence[str]) -> list[_Step]:
        options = f" SIZE={len(message)}" if server.has_extn("size") else ""
        if not message.isascii():
            if not server.has_extn("8bitmime"):
                raise DeliveryFailedError(
                    f"{self.host} accepts no message with 8-bit bytes: encode it in quoted-printable.", kind="message"
                )
            options += " BODY=8BITMIME"
        check = "check [publication] sender, and from which addresses this login may send"
        return [
            (f"MAIL FROM:<{sender}>{options}", 250, "sender", f"refuses messages from {sender}: {check}"),
            *((f"RCPT TO:<{to}>", 250, "recipient", f"refuses {to}: check that address") for to in recipients),
            ("DATA", 354, "message", "refuses the message"),
        ]

    def _unconfirmed(self) -> DeliveryUncertainError:
        return DeliveryUncertainError(
            f"{self.host} received the whole message and did not confirm it: check whether it arrived before you send "
            "it again.",
            kind="uncertain",
        )

    def _expect(self, reply: Reply, code: int, kind: DeliveryKind, refusal: str) -> None:
        """Raise the error for a reply whose first digit is another one: the others are details (RFC 5321, 4.3.2)."""
        if reply[0] // 100 != code // 100:
            raise self._refused(reply, kind, refusal)

    def _refused(self, reply: Reply, kind: DeliveryKind, refusal: str) -> DeliveryFailedError:
        """Return the error for a server's reply (RFC 5321, 4.2.1: 4xx is temporary, 5xx permanent)."""
        code, text = reply[0], quoted(reply)
        if 400 <= code < 500:
            return DeliveryFailedError(
                f"{self.host} cannot accept messages now ({text}): try again later.", kind="later", reply=text
            )
        if not 500 <= code < 600:
            return DeliveryFailedError(
                f"{self.host} does not answer as a mail server does ({text}), so nothing was sent: check [delivery] "
                "smtp_host and smtp_port.",
                kind="unreachable",
                reply=text,
            )
        if code == 530:
            return DeliveryFailedError(
                f"{self.host} requires a login ({text}): set [delivery] smtp_username and smtp_password_env.",
                kind="login",
                reply=text,
            )
        return DeliveryFailedError(f"{self.host} {refusal} ({text}).", kind=kind, reply=text)
