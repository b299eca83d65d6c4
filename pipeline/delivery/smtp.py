"""SMTP: one mail at a time, through the publication's mail server (RFC 5321, RFC 6409).

In: whole messages (RFC 5322, lines ended by CRLF), addresses. Out: nothing, or a DeliveryProblem that says what to do.
Touches the network, one connection a mail. The bytes go out as they are. Nothing but a greeting is said to a server
that has not proved its name, and neither the password nor an answer to it gets into a message or a log.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.delivery.mime import envelope_address
from pipeline.model.errors import DeliveryFailedError, DeliveryInterrupted, DeliveryKind, DeliveryUncertainError

Security = Literal["starttls", "tls", "none"]
DEFAULT_PORTS = {"starttls": 587, "tls": 465, "none": 25}
MAX_LINE_BYTES = 998
"""Bytes of a line without its CRLF (RFC 5321, 4.5.3.1.6)."""
_UNSENDABLE = re.compile(rb"(?<!\r)\n|\r(?!\n)|\0|[^\r\n]{%d}" % (MAX_LINE_BYTES + 1))
_LONGEST_QUOTE = 200
_FAREWELL_SECONDS = 5.0
_Reply = tuple[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """A mail server. ``name`` is what messages call this way out."""

    host: str
    port: int
    sender: str
    """The envelope sender of what is posted: a plain address."""
    security: Security = "starttls"
    """``none`` is for a server on this machine; config sees to that."""
    username: str = ""
    password: str = field(default="", repr=False)
    helo: str = "localhost"
    """What we call ourselves: a domain name. Asking the machine may take seconds, and tells its name to everybody."""
    timeout_seconds: float = 60.0
    """How long the server may stay silent …"""
    final_timeout_seconds: float = 600.0
    """… and how long after the last byte, when giving up means not to know (RFC 5321, 4.5.3.2.6)."""
    create_ssl_context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    """Makes what certificates are judged by."""

    name = "smtp"

    def send(self, message: bytes, address: str) -> Path | None:
        """Send a mail to one person, from ``sender``; None, since there is no file of it."""
        self.submit(message, self.sender, [address])
        return None

    def submit(self, message: bytes, sender: str, recipients: Sequence[str]) -> None:
        """Send a mail: to all recipients, or to none.

        DeliveryFailed: nothing has left. DeliveryUncertain: the server had it all and did not say whether it took it.
        UsageError when an address is none. ValueError for bytes that no server may be given: a bug of who made them.
        DeliveryInterrupted, when a signal comes after the mail was whole.
        """
        if _UNSENDABLE.search(message):
            raise ValueError("a mail's lines end in CRLF, hold no NUL and at most 998 bytes")
        from_, to = envelope_address(sender), [envelope_address(each) for each in recipients]
        whole = False
        try:
            with self._talking() as server:
                self._address(server, from_, to, message)
                self._expect(server.docmd("DATA"), 354, "message", "does not want the mail")
                server.send(_stuffed(message))
                whole = True
                self._finish(server)
        except KeyboardInterrupt as stopped:
            if not whole:
                raise
            raise DeliveryInterrupted from stopped

    def verify(self) -> list[str]:
        """Connect, log in and leave; give what was agreed on, a few words each, and send nothing."""
        with self._talking() as server:
            tls = server.sock.version() if isinstance(server.sock, ssl.SSLSocket) else None
            ways = server.esmtp_features.get("auth", "").split()
            return [
                tls or "no encryption, on this machine",
                f"logged in as {self.username}" if self.username else "no login",
                f"offers {', '.join(sorted(ways))}" if ways else "offers no login",
            ]

    @contextmanager
    def _talking(self) -> Iterator[smtplib.SMTP]:
        """Hold a connection on which everything is agreed; its loss means that nothing was sent."""
        with self._in_our_words(), closing(self._dial()) as server:
            if self.security == "starttls":
                self._start_tls(server)
            server.ehlo_or_helo_if_needed()
            if self.username:
                self._log_in(server)
            yield server
            with suppress(OSError):
                self._take_leave(server)

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPResponseException as refused:
            raise self._refused((refused.smtp_code, b""), "unreachable", "does not want to talk") from refused
        except (OSError, UnicodeError) as lost:  # smtplib's own errors are OSErrors, too; UnicodeError: a host's name
            raise self._unreachable(lost) from lost

    def _dial(self) -> smtplib.SMTP:
        where, seconds = (self.host, self.port, self.helo), self.timeout_seconds
        if self.security != "tls":
            return smtplib.SMTP(*where, timeout=seconds)
        with self._proving():
            return smtplib.SMTP_SSL(*where, timeout=seconds, context=self.create_ssl_context())

    def _start_tls(self, server: smtplib.SMTP) -> None:
        try:
            with self._proving():
                server.starttls(context=self.create_ssl_context())
        except smtplib.SMTPNotSupportedError as absent:
            raise DeliveryFailedError(
                f"{self.host} does not offer STARTTLS on port {self.port}, so nothing was sent: somebody may be in "
                'between; if its provider says so, set [delivery] smtp_security = "tls".',
                kind="insecure",
            ) from absent

    @contextmanager
    def _proving(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLError as unproved:
            raise self._insecure(unproved) from unproved

    def _log_in(self, server: smtplib.SMTP) -> None:
        """Log in by the first way that both know, PLAIN (RFC 4616) or LOGIN, and by no second: that would count."""
        offered = server.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            code, _ = server.docmd("AUTH", "PLAIN " + _base64("\0".join(("", self.username, self.password))))
        elif "LOGIN" in offered:
            code, _ = server.docmd("AUTH", "LOGIN")
            for each in (self.username, self.password):
                code, _ = server.docmd(_base64(each)) if code == 334 else (code, b"")
        else:
            raise DeliveryFailedError(
                f"{self.host} offers no login on port {self.port} that this program knows: check [delivery] smtp_port.",
                kind="login",
            )
        if code != 235:
            # What it says is kept out: some servers repeat what they were given.
            check = "check [delivery] smtp_username and the password that smtp_password_env names"
            raise self._refused((code, b""), "login", f"does not accept the login of {self.username}: {check}")

    def _address(self, server: smtplib.SMTP, sender: str, recipients: Sequence[str], message: bytes) -> None:
        options = [f"SIZE={len(message)}"] if server.has_extn("size") else []
        if not message.isascii():
            if not server.has_extn("8bitmime"):
                raise DeliveryFailedError(
                    f"{self.host} takes no mail with 8-bit bytes: write it in quoted-printable.", kind="message"
                )
            options.append("BODY=8BITMIME")
        mine = "check [publication] sender, and from which addresses this login may send"
        self._expect(server.mail(sender, options), 250, "sender", f"refuses mail from {sender}: {mine}")
        for each in recipients:
            self._expect(server.rcpt(each), (250, 251, 252), "recipient", f"refuses {each}: check that address")

    def _finish(self, server: smtplib.SMTP) -> None:
        """End the mail with its dot: from here on, silence means that nobody knows."""
        if server.sock:
            server.sock.settimeout(self.final_timeout_seconds)
        try:
            reply = server.docmd(".")
        except OSError as silent:
            raise DeliveryUncertainError(
                f"{self.host} was given the whole mail and did not say whether it took it: look whether it arrived "
                "before you send it again.",
                kind="uncertain",
            ) from silent
        self._expect(reply, 250, "message", "does not take this mail")

    def _take_leave(self, server: smtplib.SMTP) -> None:
        """Say good-bye, and do not wait long for an answer: nothing depends on it any more."""
        if server.sock:
            server.sock.settimeout(min(self.timeout_seconds, _FAREWELL_SECONDS))
        server.quit()

    def _expect(self, reply: _Reply, wanted: int | tuple[int, ...], kind: DeliveryKind, words: str) -> None:
        if reply[0] not in (wanted if isinstance(wanted, tuple) else (wanted,)):
            raise self._refused(reply, kind, words)

    def _refused(self, reply: _Reply, kind: DeliveryKind, words: str) -> DeliveryFailedError:
        """Tell what a server said (RFC 5321, 4.2.1: 4xx is for now, 5xx for good)."""
        code, said = reply
        quoted = f"{code} {_printable(said)}".strip()
        if 400 <= code < 500:
            return DeliveryFailedError(f"{self.host} cannot take mail now ({quoted}): try again later.", kind="later")
        if code == 530:
            return DeliveryFailedError(
                f"{self.host} asks for a login: give [delivery] smtp_username and smtp_password_env.", kind="login"
            )
        return DeliveryFailedError(f"{self.host} {words} ({quoted}).", kind=kind)

    def _unreachable(self, lost: OSError | UnicodeError) -> DeliveryFailedError:
        why = getattr(lost, "strerror", "") or str(lost) or type(lost).__name__
        return DeliveryFailedError(
            f"{self.host} cannot be talked to on port {self.port} ({why}): check [delivery] smtp_host and smtp_port, "
            "and whether this machine may connect there.",
            kind="unreachable",
        )

    def _insecure(self, unproved: ssl.SSLError) -> DeliveryFailedError:
        why = getattr(unproved, "verify_message", "") or unproved.reason or "the handshake failed"
        return DeliveryFailedError(
            f"{self.host} could not prove its name on port {self.port} ({why}), so nothing was sent: write the name "
            "that its certificate holds into [delivery] smtp_host, and check smtp_port and smtp_security.",
            kind="insecure",
        )


def _stuffed(message: bytes) -> bytes:
    r"""Double each dot that begins a line, so that none of them ends the mail (RFC 5321, 4.5.2).

    >>> _stuffed(b".a\r\n.\r\nb.")
    b'..a\r\n..\r\nb.\r\n'
    """
    stuffed = re.sub(rb"(?m)^\.", b"..", message)
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _base64(words: str) -> str:
    return b64encode(words.encode()).decode("ascii")


def _printable(said: bytes) -> str:
    r"""Make a server's words fit for a sentence.

    >>> _printable(b"5.7.1 no\r\n\x1b[31mway")
    '5.7.1 no [31mway'
    """
    words = "".join(each if each.isprintable() else " " for each in said.decode("utf-8", "replace"))
    return " ".join(words.split())[:_LONGEST_QUOTE].rstrip(" .")
