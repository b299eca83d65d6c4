"""An IMAP server on 127.0.0.1 for tests: one account, one folder, and replies that a test may decide."""

from __future__ import annotations

import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from tests.background_server import BackgroundServer, QuietServer
from tests.mail_server import DRIP, FLOOD, HANG_UP, SILENCE

USER, PASSWORD = "bounces", "pa55 wörd/\\"


class ImapServer(BackgroundServer):
    """The server; a context manager. ``replies`` maps a command to what it does instead: a text, or a behaviour."""

    def __init__(
        self,
        *messages: bytes,
        replies: Mapping[str, str] | None = None,
        capabilities: str = "IMAP4rev1 AUTH=PLAIN IDLE",
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
    ) -> None:
        self.messages = list(messages)
        self.seen: set[int] = set()
        self.replies = dict(replies or {})
        self.capabilities, self.tls, self.starttls = capabilities, tls, starttls
        self.commands: list[str] = []
        self.arrived = threading.Condition()
        self.idling, self.was_seen = threading.Event(), threading.Event()
        self.idle_seconds = 0.0
        """How long it lets a client wait; a test that delivers meanwhile sets it."""
        super().__init__(QuietServer(self, _Connection))

    def deliver(self, message: bytes) -> None:
        """Add a message, and report it to clients that wait."""
        with self.arrived:
            self.messages.append(message)
            self.arrived.notify_all()


class _Connection(socketserver.StreamRequestHandler):
    server: QuietServer
    owner: Any

    def handle(self) -> None:
        self.owner = self.server.owner
        with suppress(OSError, ValueError), ExitStack() as stack:
            stack.callback(lambda: self.connection.close())
            if self.owner.tls:
                self._secure(self.owner.tls)
            if not self._behave("GREETING", "*"):
                self._write("* OK ready")
            while line := self.rfile.readline():
                tag, _, rest = line.decode().rstrip("\r\n").partition(" ")
                words = rest.split(" ")
                name = words[1] if words[0] == "UID" else words[0]
                self.owner.commands.append(rest)
                if not self._behave(name, tag):
                    getattr(self, f"_{name.lower()}", self._unknown)(tag, words)

    def _behave(self, name: str, tag: str) -> bool:
        reply = self.owner.replies.get(name)
        if reply is None:
            return False
        if reply == HANG_UP:
            raise OSError
        while reply in (SILENCE, DRIP, FLOOD) and not self.owner.stopped.wait(0 if reply == FLOOD else 0.01):
            if reply != SILENCE:
                self.wfile.write(b"* OK x\r\n" * 500 if reply == FLOOD else b"*")
        self._write(reply.replace("TAG", tag))
        return True

    def _write(self, text: str) -> None:
        self.wfile.write(text.encode("utf-8", "surrogateescape") + b"\r\n")

    def _secure(self, context: ssl.SSLContext) -> None:
        self.request = self.connection = context.wrap_socket(self.connection, server_side=True)
        self.setup()

    def _unknown(self, tag: str, words: list[str]) -> None:
        self._write(f"{tag} BAD what?")

    def _capability(self, tag: str, words: list[str]) -> None:
        self._write(f"* CAPABILITY {self.owner.capabilities}\r\n{tag} OK done")

    def _starttls(self, tag: str, words: list[str]) -> None:
        self._write(f"{tag} OK done")
        self._secure(self.owner.starttls)

    def _authenticate(self, tag: str, words: list[str]) -> None:
        self._write("+ ")
        given = b64decode(self.rfile.readline()).decode()
        self._answer_login(tag, given.split("\0")[1:], given)

    def _login(self, tag: str, words: list[str]) -> None:
        user, _, password = " ".join(words[1:]).partition(" ")
        self._answer_login(tag, [user, password.strip('"')], password)

    def _answer_login(self, tag: str, given: list[str], echo: str) -> None:
        is_right = given in ([USER, PASSWORD], [USER, "ascii"])
        self._write(f"{tag} OK done" if is_right else f"{tag} NO [AUTHENTICATIONFAILED] {echo!r} is wrong")

    def _select(self, tag: str, words: list[str]) -> None:
        exists = " ".join(words[1:]) in ('"INBOX"', '"Bounced mail"')
        self._write(f"* {len(self.owner.messages)} EXISTS\r\n{tag} OK done" if exists else f"{tag} NO no such folder")

    def _search(self, tag: str, words: list[str]) -> None:
        numbers = [str(n) for n in range(1, len(self.owner.messages) + 1) if n not in self.owner.seen]
        self._write(f"* SEARCH {' '.join(numbers)}\r\n{tag} OK done")

    def _fetch(self, tag: str, words: list[str]) -> None:
        number = int(words[2])
        content = self.owner.messages[number - 1][: int(words[3].partition("<0.")[2].rstrip(">)"))]
        self.wfile.write(b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%b)\r\n" % (number, number, len(content), content))
        self._write(f"{tag} OK done")

    def _store(self, tag: str, words: list[str]) -> None:
        self.owner.seen.add(int(words[2]))
        self.owner.was_seen.set()
        self._write(f"{tag} OK done")

    def _idle(self, tag: str, words: list[str]) -> None:
        known = len(self.owner.messages)
        self._write("+ idling")
        self.owner.idling.set()
        with self.owner.arrived:
            if self.owner.arrived.wait_for(lambda: len(self.owner.messages) > known, self.owner.idle_seconds):
                self._write(f"* {len(self.owner.messages)} EXISTS")
        self.rfile.readline()
        self._write(f"{tag} OK done")

    def _logout(self, tag: str, words: list[str]) -> None:
        self._write(f"* BYE\r\n{tag} OK done")
