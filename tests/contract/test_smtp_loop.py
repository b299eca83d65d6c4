"""Copies over several SMTP connections at once: what happens on one leaves the others alone."""

from __future__ import annotations

import select
import socket
import socketserver
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import pytest

from pipeline.delivery.smtp import loop
from pipeline.delivery.smtp.client import Smtp
from pipeline.delivery.smtp.connection import SmtpConnection
from pipeline.delivery.smtp.sender import SmtpBackend
from pipeline.delivery.smtp.session import SmtpSession
from pipeline.model.delivery import Copy, DeliveryResult
from tests.background_server import BackgroundServer, QuietServer
from tests.deliveries import ListedJobs, OpenWorker
from tests.mail_server import MailServer, certificates, server_context

pytestmark = pytest.mark.loopback
MESSAGE = b"From: weekly@kiln.example\r\nTo: una@moss.example\r\nSubject: Clay\r\n\r\nslip\r\n"
SECONDS = 30.0


def copy_of(number: int, message: bytes = MESSAGE) -> Copy:
    return Copy(
        delivery_id=number, attempt=1, sender="b@kiln.example", address=f"p{number}@moss.example", message=message
    )


def backend_for(server: BackgroundServer, **options: float) -> SmtpBackend:
    limits = {"timeout_seconds": SECONDS, "final_timeout_seconds": SECONDS} | options
    return SmtpBackend(
        Smtp(host="127.0.0.1", port=server.port, sender="weekly@kiln.example", security="none", **limits)
    )


def commit_all(copies: Sequence[Copy]) -> Sequence[Copy]:
    return copies


class TalkingServer(BackgroundServer):
    """A mail server that follows its protocol up to DATA; the test says what it does then."""

    def __init__(self, talk: Callable[[socket.socket], object], *, replies: Sequence[str] = ("250 ok",) * 2) -> None:
        self.talk, self.replies = talk, replies
        super().__init__(QuietServer(self, _Talk))


class _Talk(socketserver.StreamRequestHandler):
    server: QuietServer

    def handle(self) -> None:
        owner = self.server.owner
        self.wfile.write(b"220 kiln\r\n")
        self.rfile.readline()
        self.wfile.write(b"250-kiln\r\n250 PIPELINING\r\n")
        for _ in range(3):
            self.rfile.readline()
        self.wfile.write("".join(f"{reply}\r\n" for reply in owner.replies).encode())
        owner.talk(self.connection)


def test_copies_are_sent_while_another_thread_waits_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever thread gets the last ones: nothing else comes before they have results."""
    monkeypatch.setattr(loop, "WRITERS", 2)
    is_first, is_finished = iter([True]), Event()
    waited: list[bool] = []

    class Jobs(ListedJobs):
        def take(self, most: int) -> Sequence[Copy]:
            if next(is_first, False):
                waited.append(is_finished.wait(SECONDS))
                return []
            copies = super().take(most)
            if not copies:
                is_finished.wait(SECONDS)
            return copies

        def finish(self, copy: Copy, result: DeliveryResult) -> None:
            super().finish(copy, result)
            is_finished.set()

    with MailServer() as server:
        jobs = Jobs([copy_of(1)], commit_all)
        [sender] = backend_for(server).open_workers(8)
        with closing(sender):
            sender.run(jobs)
    assert waited == [True]
    assert [result.outcome for result in jobs.results[1]] == ["sent"]


def test_copies_that_were_completed_get_their_results_after_an_error() -> None:
    """One that cannot be committed makes none of the others uncertain, and nothing more is begun."""
    has_dot, failed = Event(), Event()

    def decide(step: str, recipient: str) -> str | None:
        if (step, recipient) == (".", copy_of(1).address):
            has_dot.set()
            failed.wait(SECONDS)
        return None

    def commit(copies: Sequence[Copy]) -> Sequence[Copy]:
        if copies[0].delivery_id == 1:
            return copies
        failed.set()
        raise OSError("disk full")

    class Jobs(ListedJobs):
        def take(self, most: int) -> Sequence[Copy]:
            copies = super().take(1)
            if copies and copies[0].delivery_id > 1:
                has_dot.wait(SECONDS)
            return copies

    with MailServer(decides=decide) as server:
        jobs = Jobs([copy_of(number) for number in range(1, 9)], commit)
        [sender] = backend_for(server).open_workers(2)
        with closing(sender), pytest.raises(OSError, match="disk full"):
            sender.run(jobs)
    assert [result.outcome for result in jobs.results[1]] == ["sent"]
    assert server.accepted.total() == 1


@pytest.mark.parametrize(
    ("answer", "outcome", "slow_down"),
    [
        (b"", "later", False),
        (b"421 4.4.2 waited too long\r\n", "later", True),
        (b"554 5.6.0 not this\r\n", "failed", False),
        (b"250 2.0.0 taken already\r\n", "later", False),
    ],
)
def test_a_server_that_does_not_wait_for_the_dot_gets_none(answer: bytes, outcome: str, slow_down: bool) -> None:
    """It cannot have accepted what was not complete, whatever it says while a copy waits for its commit."""
    committing = Event()
    received: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"354 go on\r\n")
        committing.wait(SECONDS)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        received.extend(iter(lambda: connection.recv(65_536), b""))

    with TalkingServer(talk) as server:
        worker = OpenWorker(backend_for(server))

        def commit(copies: Sequence[Copy]) -> Sequence[Copy]:
            committing.set()
            line = worker._worker._connections[0].session  # type: ignore[attr-defined]
            select.select([line.socket], [], [], SECONDS)
            return copies

        with closing(worker):
            [result] = worker.send([copy_of(1)], commit)
    assert (result.outcome, result.slow_down) == (outcome, slow_down)
    assert b"\r\n.\r\n" not in b"".join(received)


def test_an_answer_within_a_message_counts_though_the_server_disconnects() -> None:
    """A refused message is not tried again as if the connection had been lost."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"354 go on\r\n")
        connection.recv(1)
        connection.sendall(b"554 5.6.0 not this\r\n")

    with TalkingServer(talk) as server, closing(OpenWorker(backend_for(server))) as worker:
        [result] = worker.send([copy_of(1, MESSAGE + b"clay\r\n" * 2_000_000)], commit_all)
    assert (result.outcome, result.reply) == ("failed", "554 5.6.0 not this")


@pytest.mark.parametrize(
    ("replies", "outcome", "slow_down"),
    [
        (["421 4.3.2 too busy"], "later", True),
        (["250 ok", "450 4.2.0 come back"], "later", False),
        (["250 ok", "550 5.1.1 nobody"], "failed", False),
        (["550 5.1.8 not from there"], "stop", False),
        (["250 ok"], "later", False),
    ],
)
def test_a_refusal_counts_though_later_replies_are_missing(replies: list[str], outcome: str, slow_down: bool) -> None:
    """Commands were sent together, and the server disconnects after the one that it refuses."""
    with (
        TalkingServer(lambda _: None, replies=replies) as server,
        closing(OpenWorker(backend_for(server))) as worker,
    ):
        [result] = worker.send([copy_of(1)], commit_all)
    assert (result.outcome, result.slow_down) == (outcome, slow_down)
    assert replies == ["250 ok"] or replies[-1] in result.reply


@contextmanager
def encrypted_line(folder: Path) -> Iterator[tuple[SmtpSession, ssl.SSLSocket]]:
    """Yield both ends of a TLS connection."""
    certificates(folder)
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    ours, theirs = socket.socketpair()
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(server_context(folder).wrap_socket, theirs, server_side=True)
        client = SmtpConnection("kiln.example", step_seconds=SECONDS, total_seconds=SECONDS)
        client.sock = trust.wrap_socket(ours, server_hostname="localhost")
        with accepted.result() as server, closing(SmtpSession(client)) as line:
            yield line, server


@pytest.mark.requires("openssl")
def test_a_reply_in_tls_counts_though_the_server_disconnects(tmp_path: Path) -> None:
    """What accepts a message is not lost for what comes with it: more records, or the end."""
    with encrypted_line(tmp_path) as (line, server):
        assert line.is_waiting()  # the session tickets of TLS 1.3 are no answer
        reply = line.reply()
        next(reply)
        server.sendall(b"250-2.0.0 taken\r\n")
        server.sendall(b"250 2.0.0 as 9\r\n")
        server.shutdown(socket.SHUT_WR)
        with pytest.raises(StopIteration) as end:
            next(reply)  # what has arrived is in time, however late it is looked at
        assert end.value.value == (250, b"2.0.0 taken\n2.0.0 as 9")
        assert not line.is_waiting()
