"""An SMTP server on 127.0.0.1 for tests, with scripted replies.

It records all commands, every message byte for byte as it was transmitted, and whose messages it accepted. A test may
decide each reply by the step and the recipient: refuse, drop the connection, stay silent.
"""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from tests.background_server import BackgroundServer, QuietServer

REPLIES = {
    "GREETING": "220 mail.example at your service",
    "STARTTLS": "220 go ahead",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 fine",
    "RCPT": "250 2.1.5 fine",
    "DATA": "354 go ahead",
    ".": "250 2.0.0 taken as 7",
    "RSET": "250 fine",
    "NOOP": "250 fine",
    "QUIT": "221 good bye",
}
HANG_UP = "HANG UP"
"""A reply: disconnect instead."""
SILENCE = "SILENCE"
"""A reply: stay silent."""
DRIP = "DRIP"
"""A reply: a complete one in the end, a byte at a time, each soon after the last."""
FLOOD = "FLOOD"
"""A reply: continuation lines without end, as fast as the client reads them."""
DRIPPED_BYTES = 400


def certificates(folder: Path, name: str = "localhost") -> Path:
    """Create a certificate authority, ``ca.pem``, and a certificate for a name: ``own.pem``, ``own.key``."""
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"]
    ca = ["-subj", "/CN=Test", "-keyout", "ca.key", "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign"]
    own = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", f"/CN={name}", "-keyout", "own.key", "-out", "own.pem"]
    names = ["-addext", f"subjectAltName=DNS:{name}", "-addext", "basicConstraints=CA:FALSE"]
    for arguments in (ca, own + names):
        subprocess.run([*make, *arguments], cwd=folder, check=True, capture_output=True)
    return folder


def server_context(folder: Path) -> ssl.SSLContext:
    """Return a TLS context with the certificate of a folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """The behaviour of a server."""

    decides: Callable[[str, str], str | None] = lambda step, recipient: None
    """Returns the reply at a step for a recipient (empty before RCPT), or None for the usual one. The steps are those
    of ``REPLIES`` and ``BODY``: the middle of a message, where only ``HANG_UP`` and ``SILENCE`` make sense."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Replies by the first word of a command, instead of ``REPLIES``; ``.`` is the end of a message."""
    offers: tuple[str, ...] = ("8BITMIME", "SIZE 10000000", "AUTH PLAIN LOGIN")
    tls: ssl.SSLContext | None = None
    """Use TLS from the first byte."""
    starttls: ssl.SSLContext | None = None
    """Offer STARTTLS."""
    hangs_up_after_bytes: int | None = None
    """Reset the connection in the middle of a message."""
    stalls_after_bytes: int | None = None
    """Read nothing more in the middle of a message."""
    delays_seconds: float = 0.0
    """Wait before each reply."""


class MailServer(BackgroundServer):
    """The server; a context manager."""

    def __init__(self, **manners: Any) -> None:
        self.manners = Behaviour(**manners)
        self.commands: list[str] = []
        """All commands; those sent with TLS begin with ``*``."""
        self.messages: list[bytes] = []
        self.accepted: Counter[str] = Counter()
        """How many messages it accepted for each recipient."""
        self.unconfirmed: Counter[str] = Counter()
        """How many messages it received whole for each recipient and neither accepted nor refused."""
        self.connections = 0
        self.lock = Lock()
        super().__init__(QuietServer(self, _Talk))


class _Talk(socketserver.BaseRequestHandler):
    server: QuietServer

    def handle(self) -> None:
        self.owner, self.secure = self.server.owner, False
        self.recipients: list[str] = []
        with self.owner.lock:
            self.owner.connections += 1
        self.connection_socket = self.request
        if context := self.owner.manners.tls:
            self._encrypt(context)
        self.file = self.connection_socket.makefile("rb")
        going_on = self._say("GREETING")
        while going_on and (line := self.file.readline()):
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            self.owner.commands.append(("*" if self.secure else "") + command)
            going_on = self._do(command)
        self.connection_socket.close()

    def _encrypt(self, context: ssl.SSLContext) -> None:
        self.connection_socket = context.wrap_socket(self.connection_socket, server_side=True)
        self.secure = True

    def _do(self, command: str) -> bool:
        word = command.split(" ")[0].upper()
        if word in ("EHLO", "HELO") and word not in self.owner.manners.answers:
            return self._greet()
        if word == "AUTH" and command.upper() == "AUTH LOGIN" and "AUTH" not in self.owner.manners.answers:
            return self._ask_login()
        if word == "RCPT":
            self.recipients.append(command.partition("<")[2].rpartition(">")[0])
        elif word in ("MAIL", "RSET"):
            self.recipients.clear()
        answer = self._answer(word)
        if not self._say(word, answer) or word == "QUIT":
            return False
        if word == "RCPT" and not answer.startswith("2"):
            self.recipients.pop()
        if word == "STARTTLS" and self.owner.manners.starttls:
            self._encrypt(self.owner.manners.starttls)
            self.file = self.connection_socket.makefile("rb")
        if word == "DATA" and answer.startswith("354"):
            return self._take()
        return True

    def _greet(self) -> bool:
        manners = self.owner.manners
        offers = [*manners.offers, *(["STARTTLS"] if manners.starttls and not self.secure else [])]
        lines = ["mail.example", *offers]
        marks = ["-"] * (len(lines) - 1) + [" "]
        return self._write("".join(f"250{mark}{line}\r\n" for mark, line in zip(marks, lines, strict=True)))

    def _ask_login(self) -> bool:
        for question in ("334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"):
            self._write(question)
            self.owner.commands.append(self.file.readline().decode().rstrip("\r\n"))
        return self._say("AUTH")

    def _take(self) -> bool:
        """Read a message up to its dot and store it unchanged."""
        body, limit, stall = bytearray(), self.owner.manners.hangs_up_after_bytes, self.owner.manners.stalls_after_bytes
        middle = self._answer("BODY")
        while (line := self.file.readline()) and line != b".\r\n":
            body += line
            if middle == HANG_UP or (limit is not None and len(body) > limit):
                return self._hang_up()
            if middle == SILENCE or (stall is not None and len(body) > stall):
                self.owner.stopped.wait(30)
                return False
        return bool(line) and self._end(bytes(body))

    def _end(self, body: bytes) -> bool:
        """Count a message that was received whole, then answer."""
        answer = self._answer(".")
        with self.owner.lock:
            self.owner.messages.append(body)
            if not answer.startswith(("4", "5")):
                counter = self.owner.accepted if answer.startswith("2") else self.owner.unconfirmed
                counter.update(self.recipients)
        self.recipients.clear()
        return self._say(".", answer)

    def _say(self, word: str, answer: str | None = None) -> bool:
        answer = self._answer(word) if answer is None else answer
        if answer == HANG_UP:
            return self._hang_up()
        if answer == SILENCE:
            self.owner.stopped.wait(30)
            return False
        if answer == DRIP:
            return self._drip(REPLIES.get(word, "250 fine"))
        while answer == FLOOD and not self.owner.stopped.is_set():
            self._write("250-and more\r\n" * 1000)
        self.owner.stopped.wait(self.owner.manners.delays_seconds)
        return self._write(answer + "\r\n")

    def _drip(self, reply: str) -> bool:
        for character in reply[:4] + "x" * DRIPPED_BYTES + "\r\n":
            if self.owner.stopped.wait(0.02):
                return False
            self._write(character)
        return True

    def _answer(self, word: str) -> str:
        recipient = self.recipients[-1] if self.recipients else ""
        usual = self.owner.manners.answers.get(word, REPLIES.get(word, "500 unknown command"))
        if word == "DATA" and not self.recipients and usual.startswith("354"):
            usual = "554 5.5.1 no valid recipients"
        return self.owner.manners.decides(word, recipient) or usual

    def _write(self, words: str) -> bool:
        self.connection_socket.sendall(words.encode())
        return True

    def _hang_up(self) -> bool:
        self.connection_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection_socket.close()
        return False
