"""Read messages from a folder of an IMAP server (RFC 9051): those without the flag Seen.

Nothing but a greeting is sent to a server that has not proved its name, and neither the password nor the server's
answer to it appears in an error.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from pipeline.delivery.incoming.imap_connection import ImapConnection
from pipeline.delivery.incoming.mailbox import MAX_MESSAGE_BYTES
from pipeline.model.errors import MailboxError

Security = Literal["tls", "starttls", "none"]
IMAP_PORTS = {"tls": 993, "starttls": 143, "none": 143}
MAX_MESSAGES = 1_000
"""How many messages are read over one connection; the next one reads on."""
_LOGOUT_SECONDS = 5.0
_FAILURES = (imaplib.IMAP4.error, OSError, ValueError, IndexError, TypeError, AttributeError)
"""A server's refusals, network failures, and what imaplib raises for replies that are not IMAP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapMailbox:
    """A folder of an IMAP server; every failure is a MailboxError that says what to do."""

    host: str
    port: int
    security: Security = "tls"
    """``none`` is only for a server on this machine; the config package checks this."""
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    step_seconds: float = 60.0
    """How long the server may stay silent."""
    total_seconds: float = 300.0
    """How long a whole conversation may take."""
    create_ssl_context: Callable[[], ssl.SSLContext] = ssl.create_default_context

    @property
    def name(self) -> str:
        """The mailbox in words."""
        return f"{self.username} at {self.host}"

    @contextmanager
    def open(self) -> Iterator[OpenImap]:
        """Connect, log in and select the folder. Messages stay unseen until ``set_seen``."""
        with self._errors_converted("cannot be reached or was too slow"):
            connection = self._connect()
        try:
            self._log_in(connection)
            with self._errors_converted("does not answer as expected"):
                status, _ = connection.select(f'"{self.folder}"')
            if status != "OK":
                raise MailboxError(f"{self.host} has no folder {self.folder!r}: check [bounces] imap_folder.")
            yield OpenImap(self, connection)
            with suppress(*_FAILURES):
                connection.limit(_LOGOUT_SECONDS)
                connection.logout()
        finally:
            connection.shutdown()

    def _connect(self) -> ImapConnection:
        context = self.create_ssl_context() if self.security == "tls" else None
        connection = ImapConnection(
            self.host, self.port, context, step_seconds=self.step_seconds, total_seconds=self.total_seconds
        )
        try:
            if self.security == "starttls":
                connection.start_tls(self.create_ssl_context())
        except BaseException:
            connection.shutdown()
            raise
        return connection

    def _log_in(self, connection: ImapConnection) -> None:
        refusal = MailboxError(
            f"{self.host} does not accept the login of {self.username}: check [bounces] imap_username and the password "
            "that imap_password_env names."
        )
        try:
            if "AUTH=PLAIN" in connection.capabilities:
                credentials = "\0".join(("", self.username, self.password)).encode()
                connection.authenticate("PLAIN", lambda challenge: credentials)
            else:
                connection.login(self.username, self.password)
        except (imaplib.IMAP4.abort, OSError):
            raise self._failed("does not answer", OSError("during the login")) from None
        except _FAILURES:
            raise refusal from None  # some servers repeat what they were sent

    @contextmanager
    def _errors_converted(self, what: str) -> Iterator[None]:
        try:
            yield
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or getattr(error, "reason", "") or error.strerror
            raise MailboxError(
                f"{self.host} could not prove its name on port {self.port} ({why}): set [bounces] imap_host to the "
                "name in its certificate, and check imap_port and imap_security."
            ) from error
        except _FAILURES as error:
            raise self._failed(what, error) from error

    def _failed(self, what: str, error: Exception) -> MailboxError:
        why = getattr(error, "strerror", "") or "".join(filter(str.isprintable, str(error)))[:200]
        return MailboxError(
            f"{self.host} {what} on port {self.port} ({why or type(error).__name__}): it is tried again; if it lasts, "
            "check [bounces] imap_host, imap_port and imap_security."
        )


@dataclass(frozen=True, slots=True)
class OpenImap:
    """A selected folder."""

    mailbox: ImapMailbox
    connection: ImapConnection

    def unseen(self) -> Iterator[tuple[str, bytes | None]]:
        """Yield the number and content of each unseen message, the oldest first; None if it cannot be read."""
        with self._errors_converted():
            status, replies = self.connection.uid("SEARCH", "UNSEEN")
            numbers = (replies[0] or b"").split() if status == "OK" else []
        for number in numbers[:MAX_MESSAGES]:
            uid = number.decode("ascii", "replace")
            with self._errors_converted():
                status, parts = self.connection.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_MESSAGE_BYTES}>)")
            if parts and parts != [None]:  # otherwise somebody has deleted it
                content = next((part[1] for part in parts if isinstance(part, tuple)), None)
                yield uid, content if status == "OK" else None

    def set_seen(self, name: str) -> None:
        """Set the flag Seen of a message."""
        with self._errors_converted():
            status, _ = self.connection.uid("STORE", name, "+FLAGS.SILENT", r"(\Seen)")
        if status != "OK":
            raise MailboxError(
                f"{self.mailbox.host} does not let {self.mailbox.username} change flags: give it write access to "
                f"{self.mailbox.folder!r}."
            )

    @property
    def can_wait(self) -> bool:
        """Whether the server reports what arrives."""
        return "IDLE" in self.connection.capabilities

    def interrupt(self) -> None:
        """End the connection, also while another thread waits."""
        self.connection.interrupt()

    def wait(self, seconds: float) -> bool:
        """Wait until a message arrives, or some seconds; return whether one has. Only if the server ``can_wait``."""
        with self._errors_converted():
            self.connection.limit(seconds + self.mailbox.step_seconds)
            return self.connection.wait_for_message(seconds)

    def _errors_converted(self) -> AbstractContextManager[None]:
        return self.mailbox._errors_converted("does not answer as expected")
