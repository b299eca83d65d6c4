"""A mail server on 127.0.0.1 that refuses, stalls and disconnects at random at every step, and records what it did.

It knows what a sender cannot: whether a message was accepted though the reply to it was lost.
"""

from __future__ import annotations

import random
import re
import socketserver
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.background_server import BackgroundServer, QuietServer

Step = Literal["greeting", "ehlo", "mail", "rcpt", "data", "body", "dot"]
Fault = Literal["drop", "stall", "4xx", "5xx", "slow", "policy"]
FAULTS: dict[Step, dict[Fault, float]] = {
    "greeting": {"drop": 0.01, "stall": 0.003, "4xx": 0.01, "5xx": 0.002},
    "ehlo": {"drop": 0.01, "stall": 0.003, "4xx": 0.01},
    "mail": {"drop": 0.01, "stall": 0.001, "4xx": 0.02, "slow": 0.003, "5xx": 0.0005},
    "rcpt": {"drop": 0.01, "stall": 0.001, "4xx": 0.03, "5xx": 0.02, "policy": 0.0005},
    "data": {"drop": 0.01, "stall": 0.001, "4xx": 0.02, "5xx": 0.005},
    "body": {"drop": 0.01, "stall": 0.001},
    "dot": {"drop": 0.01, "stall": 0.002, "4xx": 0.02, "5xx": 0.005, "policy": 0.0005},
}
"""How often each fault happens at each step."""
_REPLIES: dict[Fault, str] = {
    "4xx": "450 4.2.0 try again",
    "slow": "421 4.3.2 too many messages",
    "policy": "550 5.7.1 this network is blocked",
}
_PERMANENT: dict[Step, str] = {"rcpt": "550 5.1.1 nobody of that name", "mail": "553 5.1.8 no such sender"}
_ACCEPTS_AND_DROPS = 0.5
"""How often a message is accepted whose reply is lost."""


@dataclass(slots=True)
class Transaction:
    """A message to a recipient, as far as it came."""

    step: Step = "rcpt"
    """The last step that the server has seen the whole of; ``data`` once it waits for the message."""
    reply: str = ""
    """The reply that was sent to the last step, empty for none."""
    is_accepted: bool = False


@dataclass
class FaultyMailServer(BackgroundServer):
    """The server; a context manager."""

    seed: int
    faults: dict[Step, dict[Fault, float]] = field(default_factory=lambda: FAULTS)
    transactions: dict[str, list[Transaction]] = field(default_factory=lambda: defaultdict(list))
    """By address, in their order."""

    def __post_init__(self) -> None:
        server = QuietServer(("127.0.0.1", 0), _Talk)
        server.owner = self  # type: ignore[attr-defined]
        super().__init__(server)
        self.random = random.Random(self.seed)
        self.changed = threading.Condition()
        self.events = 0
        self.open_connections = 0

    def count_event(self, connections: int = 0) -> None:
        """Count something that a sender did, or a connection that it opened or closed."""
        with self.changed:
            self.events += 1
            self.open_connections += connections
            self.changed.notify_all()

    def wait_for(self, events: int, seconds: float) -> None:
        """Wait for some more events, or for some seconds if there are no more."""
        with self.changed:
            wanted = self.events + events
            self.changed.wait_for(lambda: self.events >= wanted, seconds)

    def wait_until_idle(self) -> None:
        """Wait until every connection was read to its end."""
        with self.changed:
            assert self.changed.wait_for(lambda: not self.open_connections, 60), "a connection does not end"

    def fault(self, step: Step) -> Fault | None:
        """Return what goes wrong now, if anything does."""
        with self.changed:
            left = self.random.random()
            for fault, share in self.faults.get(step, {}).items():
                left -= share
                if left < 0:
                    return fault
            return None

    def flip(self, share: float) -> bool:
        """Return True in a share of the calls."""
        with self.changed:
            return self.random.random() < share


class _EndedError(Exception):
    """The connection is over."""


class _Talk(socketserver.StreamRequestHandler):
    """A connection."""

    timeout = 30
    server: Any

    def handle(self) -> None:
        self.owner: FaultyMailServer = self.server.owner
        self.owner.count_event(1)
        self.pipelining = self.owner.flip(0.7)
        self.current: Transaction | None = None
        self.has_sender = False
        try:
            self.answer("greeting", "220 faulty.example ESMTP")
            while line := self.rfile.readline(2_000):
                self.owner.count_event()
                self.obey(line.decode("latin-1").rstrip("\r\n"))
        except (_EndedError, OSError):
            pass
        finally:
            self.owner.count_event(-1)

    def obey(self, line: str) -> None:
        """Carry out a command."""
        word = line.partition(" ")[0].upper()
        if word in ("EHLO", "HELO"):
            extensions = ["SIZE 9000000", *(["PIPELINING"] if self.pipelining else [])]
            lines = ["faulty.example", *extensions]
            self.answer("ehlo", "\r\n".join(f"250{'-' if one != lines[-1] else ' '}{one}" for one in lines))
        elif word == "MAIL":
            self.current, self.has_sender = None, False
            self.has_sender = self.answer("mail", "250 2.1.0 ok")
        elif word == "RCPT":
            self.take_recipient(line)
        elif word == "DATA":
            self.take_message()
        elif word == "QUIT":
            self.say("221 2.0.0 bye")
            raise _EndedError
        else:
            self.current, self.has_sender = None, False
            self.say("250 2.0.0 ok" if word in ("RSET", "NOOP") else "502 5.5.1 unknown command")

    def take_recipient(self, line: str) -> None:
        if not self.has_sender:
            self.say("503 5.5.1 MAIL first")
            return
        address = line.partition("<")[2].rpartition(">")[0]
        transaction = Transaction()
        self.owner.transactions[address].append(transaction)
        if self.answer("rcpt", "250 2.1.5 ok", transaction):
            self.current = transaction

    def take_message(self) -> None:
        if self.current is None:
            self.say("503 5.5.1 RCPT first")
            return
        transaction, self.current, self.has_sender = self.current, None, False
        if not self.answer("data", "354 go on", transaction):
            return
        transaction.step, transaction.reply = "data", ""
        if self.owner.flip(0.3):  # a part of the message has come
            self.rfile.readline(2_000)
        self.disturb(self.owner.fault("body"))
        while (line := self.rfile.readline(2_000)) != b".\r\n":
            if not line:
                raise _EndedError
        transaction.step = "dot"
        self.owner.count_event()
        fault = self.owner.fault("dot")
        transaction.is_accepted = fault is None or (fault in ("drop", "stall") and self.owner.flip(_ACCEPTS_AND_DROPS))
        self.disturb(fault)
        self.say(_reply("dot", fault, "250 2.0.0 queued"), transaction)

    def answer(self, step: Step, reply: str, transaction: Transaction | None = None) -> bool:
        """Reply to a step, or do not; return whether it is well."""
        fault = self.owner.fault(step)
        if transaction:
            transaction.step = step
        self.disturb(fault)
        self.say(_reply(step, fault, reply), transaction)
        if fault == "slow" or (fault and step in ("greeting", "ehlo")):
            raise _EndedError
        return fault is None

    def disturb(self, fault: Fault | None) -> None:
        """End the connection, or wait for the sender to do that."""
        if fault == "stall":
            while self.connection.recv(65_536):
                pass
        if fault in ("drop", "stall"):
            raise _EndedError

    def say(self, reply: str, transaction: Transaction | None = None) -> None:
        if transaction:
            transaction.reply = reply
        self.wfile.write(f"{reply}\r\n".encode())


def _reply(step: Step, fault: Fault | None, reply: str) -> str:
    if fault is None:
        return reply
    return _REPLIES.get(fault) or _PERMANENT.get(step, "554 5.6.0 no")


def is_refusal(reply: str) -> bool:
    """Check whether a reply refuses one address or message for good: neither for now, nor as all others."""
    return bool(re.match(r"5\d\d 5\.[16]\.", reply))
