"""Copies of an edition through a mail server on loopback: each gets the result that its server's behaviour means."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any

import pytest

from pipeline.delivery.smtp.client import Smtp
from pipeline.delivery.smtp.sender import SmtpBackend
from pipeline.model.delivery import Copy, DeliveryResult
from tests.deliveries import OpenWorker
from tests.mail_server import FLOOD, HANG_UP, SILENCE, MailServer, certificates, server_context

pytestmark = pytest.mark.loopback
MESSAGE = b"From: weekly@orchard.example\r\nTo: ida@reeds.example\r\nSubject: Pears\r\n\r\n.a pear\r\n.\r\nend\r\n"
SECRET = "qu1nce & medlar"
every_server = pytest.mark.parametrize("offers", [("SIZE 10000000",), ("PIPELINING", "SIZE 10000000")])


def copy_for(address: str = "ida@reeds.example", **fields: Any) -> Copy:
    return Copy(
        **({"delivery_id": 7, "attempt": 1, "sender": "bounces+d7@orchard.example", "message": MESSAGE} | fields),
        address=address,
    )


def backend_for(server: MailServer, *, messages_per_connection: int = 200, **options: Any) -> SmtpBackend:
    """Return a backend for this server with short time limits."""
    limits = {"timeout_seconds": 0.4, "final_timeout_seconds": 0.4}
    names = {"host": "localhost", "sender": "weekly@orchard.example", "helo": "orchard.example", "security": "none"}
    smtp = Smtp(**({"port": server.port} | limits | names | options))
    return SmtpBackend(smtp, messages_per_connection=messages_per_connection)


def commit_all(copies: Sequence[Copy]) -> Sequence[Copy]:
    return copies


class Commit:
    """Allows every copy and records its address."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def __call__(self, copies: Sequence[Copy]) -> Sequence[Copy]:
        self.addresses += [copy.address for copy in copies]
        return copies


def send(backend: SmtpBackend, *copies: Copy, commit: Any = commit_all) -> list[DeliveryResult]:
    """Send copies over one connection and return their results."""
    with closing(OpenWorker(backend)) as connection:
        return [connection.send([copy], commit)[0] for copy in copies]


@every_server
def test_one_connection_carries_many_copies(offers: tuple[str, ...]) -> None:
    """Each with its own envelope, its bytes unchanged but for doubled dots; then the client says goodbye."""
    people = [f"p{number}@reeds.example" for number in range(5)]
    with MailServer(offers=offers) as server:
        results = send(backend_for(server), *map(copy_for, people))
    assert [(result.outcome, result.reply) for result in results] == [("sent", "250 2.0.0 taken as 7")] * 5
    assert server.messages == [MESSAGE.replace(b"\r\n.", b"\r\n..")] * 5
    assert server.accepted == Counter(people)
    assert server.connections == 1
    assert server.commands[1:4] == [
        f"MAIL FROM:<bounces+d7@orchard.example> SIZE={len(MESSAGE)}",
        "RCPT TO:<p0@reeds.example>",
        "DATA",
    ]
    assert server.commands[-1] == "QUIT"


def test_a_connection_is_renewed_after_some_messages() -> None:
    """Each of them is ended properly."""
    with MailServer() as server:
        results = send(backend_for(server, messages_per_connection=2), *[copy_for() for _ in range(5)])
    assert [result.outcome for result in results] == ["sent"] * 5
    assert (server.connections, server.commands.count("QUIT")) == (3, 3)


def test_it_connects_only_when_there_is_something_to_send() -> None:
    """Opening and closing it costs the server nothing."""
    with MailServer() as server:
        assert send(backend_for(server)) == []
    assert server.connections == 0


REFUSALS = [
    ("GREETING", "554 5.7.1 no service for you", "stop", ""),
    ("GREETING", "421 4.3.2 too busy", "slow", ""),
    ("AUTH", "535 5.7.8 wrong", "stop", ""),
    ("AUTH", "454 4.7.0 not now", "slow", ""),
    ("MAIL", "550 5.1.8 not from there", "stop", ""),
    ("MAIL", "552 5.3.4 too large", "stop", ""),
    ("MAIL", "530 5.7.0 log in first", "stop", ""),
    ("MAIL", "452 4.3.1 disk full", "later", ""),
    ("RCPT", "550 5.1.1 nobody of that name", "failed", "refused"),
    ("RCPT", "552 5.2.2 mailbox full", "failed", "refused"),
    ("RCPT", "501 bad address", "failed", "refused"),
    ("RCPT", "554 5.7.1 relay access denied", "stop", ""),
    ("RCPT", "550 5.4.5 daily quota exceeded", "stop", ""),
    ("RCPT", "450 4.2.0 greylisted", "later", ""),
    ("RCPT", "451 4.7.1 too many of you", "slow", ""),
    ("DATA", "554 5.6.0 not such a one", "failed", "message"),
    ("DATA", "550 5.7.26 unauthenticated", "stop", ""),
    ("DATA", "451 4.3.0 later", "later", ""),
    (".", "554 5.6.0 malformed", "failed", "message"),
    (".", "550 refused", "failed", "message"),
    (".", "554 5.7.1 looks like spam", "stop", ""),
    (".", "452 4.2.2 over quota", "later", ""),
    (".", "421 4.4.2 closing", "slow", ""),
]


@every_server
@pytest.mark.parametrize(("step", "reply", "outcome", "reason"), REFUSALS)
def test_each_refusal_has_a_result(offers: tuple[str, ...], step: str, reply: str, outcome: str, reason: str) -> None:
    """4xx is for later; 5xx fails the recipient or the message, or stops the edition where it concerns all copies."""
    commit = Commit()
    with MailServer(answers={step: reply}, offers=(*offers, "AUTH PLAIN")) as server:
        [result] = send(backend_for(server, username="ida", password=SECRET), copy_for(), commit=commit)
    assert (result.outcome, result.reason) == ("later" if outcome == "slow" else outcome, reason)
    assert result.slow_down is (outcome == "slow")
    assert reply[:3] in result.reply
    assert bool(commit.addresses) is (step == ".")
    assert not server.accepted
    assert not server.unconfirmed


@every_server
@pytest.mark.parametrize("step", ["GREETING", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [HANG_UP, SILENCE, FLOOD, "nonsense", "999 what"])
def test_a_server_lost_before_the_message_is_tried_later(offers: tuple[str, ...], step: str, reply: str) -> None:
    """Nothing was committed, so the copy is sent again."""
    commit = Commit()
    with MailServer(answers={step: reply}, offers=offers) as server:
        [result] = send(backend_for(server), copy_for(), commit=commit)
    assert (result.outcome, commit.addresses) == ("later", [])
    assert not server.accepted


def test_a_server_lost_within_the_message_is_tried_later() -> None:
    """It has not seen the dot; the message is larger than what the system buffers."""
    commit = Commit()
    with MailServer(decides=lambda step, _: HANG_UP if step == "BODY" else None) as server:
        large = copy_for(message=MESSAGE + b"a plum\r\n" * 1_000_000)
        [result] = send(backend_for(server, timeout_seconds=20.0), large, commit=commit)
    assert (result.outcome, commit.addresses) == ("later", [])
    assert not server.accepted


@every_server
@pytest.mark.parametrize("reply", [HANG_UP, SILENCE, FLOOD, "nonsense", "999 what", "354 more"])
def test_no_clear_reply_to_the_dot_is_uncertain(offers: tuple[str, ...], reply: str) -> None:
    """The copy was committed and may have arrived; the next one goes through on a new connection."""
    commit = Commit()

    def decide(step: str, recipient: str) -> str | None:
        return reply if (step, recipient) == (".", "ida@reeds.example") else None

    with MailServer(decides=decide, offers=offers) as server:
        results = send(backend_for(server), copy_for(), copy_for("bo@reeds.example"), commit=commit)
    assert [result.outcome for result in results] == ["uncertain", "sent"]
    assert commit.addresses == ["ida@reeds.example", "bo@reeds.example"]
    assert server.unconfirmed == Counter(["ida@reeds.example"])
    assert server.accepted == Counter(["bo@reeds.example"])
    assert server.connections == 2


@every_server
def test_a_copy_that_belongs_to_another_process_is_not_completed(offers: tuple[str, ...]) -> None:
    """The connection is closed instead of the dot, and the next copy is sent on a new one."""
    with MailServer(offers=offers) as server, closing(OpenWorker(backend_for(server))) as connection:
        assert connection.send([copy_for()], lambda copies: [])[0] == DeliveryResult(outcome="lost")
        assert connection.send([copy_for("bo@reeds.example")], commit_all)[0].outcome == "sent"
    assert server.accepted == Counter(["bo@reeds.example"])
    assert not server.unconfirmed


def test_a_failing_commit_completes_nothing() -> None:
    """What it raises is passed on."""

    def fail(copies: Sequence[Copy]) -> Sequence[Copy]:
        raise OSError("disk full")

    with MailServer() as server, closing(OpenWorker(backend_for(server))) as connection:
        with pytest.raises(OSError, match="disk full"):
            connection.send([copy_for()], fail)
        assert connection.send([copy_for()], commit_all)[0].outcome == "sent"
    assert server.accepted.total() == 1


def test_a_copy_is_committed_before_the_server_can_accept_it() -> None:
    """When ``commit`` is called the server has the envelope, and no message yet."""
    seen: list[tuple[int, str]] = []

    def commit(copies: Sequence[Copy]) -> Sequence[Copy]:
        seen.append((len(server.messages), server.commands[-1]))
        return copies

    with MailServer() as server:
        send(backend_for(server), copy_for(), copy_for(), commit=commit)
    assert seen == [(0, "DATA"), (1, "DATA")]


@every_server
def test_refused_recipients_do_not_end_the_connection(offers: tuple[str, ...]) -> None:
    """The message that was begun is given up with RSET."""

    def decide(step: str, recipient: str) -> str | None:
        return "550 5.1.1 unknown" if step == "RCPT" and recipient.startswith("x") else None

    people = ["x1@reeds.example", "ida@reeds.example", "x2@reeds.example", "x3@reeds.example", "bo@reeds.example"]
    with MailServer(decides=decide, offers=offers) as server:
        results = send(backend_for(server), *map(copy_for, people))
    assert [result.outcome for result in results] == ["failed", "sent", "failed", "failed", "sent"]
    assert server.accepted == Counter(["ida@reeds.example", "bo@reeds.example"])
    assert (server.connections, server.commands.count("RSET")) == (1, 3)


def test_a_server_that_wants_a_message_for_nobody_gets_none() -> None:
    """With pipelining DATA was sent already when RCPT is refused; a dot would be a message (RFC 2920, 3.1)."""

    def decide(step: str, recipient: str) -> str | None:
        return {"RCPT": "550 5.1.1 unknown", "DATA": "354 go ahead"}.get(step) if server.connections == 1 else None

    with MailServer(decides=decide, offers=("PIPELINING",)) as server:
        results = send(backend_for(server), copy_for(), copy_for("bo@reeds.example"))
    assert [result.outcome for result in results] == ["failed", "sent"]
    assert len(server.messages) == 1
    assert server.connections == 2


@every_server
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [HANG_UP, "421 4.4.2 idle for too long"])
def test_a_connection_that_was_kept_waiting_is_replaced(offers: tuple[str, ...], step: str, reply: str) -> None:
    """Servers end idle connections; the copy is sent over a new one at once."""

    def decide(at: str, recipient: str) -> str | None:
        return reply if at == step and server.connections == 1 and server.messages else None

    with MailServer(decides=decide, offers=offers) as server:
        results = send(backend_for(server), copy_for(), copy_for("bo@reeds.example"))
    assert [result.outcome for result in results] == ["sent", "sent"]
    assert (server.accepted.total(), server.connections) == (2, 2)


def test_a_closed_port_asks_to_slow_down() -> None:
    """Nothing was sent, and trying every other copy at once would not help."""
    with MailServer() as server:
        backend = backend_for(server)
    [result] = send(backend, copy_for())
    assert (result.outcome, result.slow_down) == ("later", True)
    assert "cannot be reached" in result.reply


@pytest.mark.parametrize(
    ("fields", "outcome", "reason"),
    [
        *(({"address": address}, "failed", "refused") for address in (
            *("", "ida", "ida@reeds.example\r\nRCPT TO:<eve@reeds.example>", "ida\0@reeds.example", "idä@b.example"),
            *("ida@reeds.example>\nDATA", "a b@reeds.example", 'ida"@reeds.example', "ida@r\u00ef\u00a0eds.example"),
        )),
        ({"sender": "bounces@orchard.example> SIZE=1\r\nRSET"}, "stop", ""),
        ({"sender": ""}, "stop", ""),
    ],
)  # fmt: skip
def test_hostile_values_reach_no_server(fields: dict[str, Any], outcome: str, reason: str) -> None:
    """Addresses that could contain commands are refused before anything is sent."""
    with MailServer() as server:
        [result] = send(backend_for(server), copy_for(**fields))
    assert (result.outcome, result.reason) == (outcome, reason)
    assert server.commands == []


@pytest.mark.parametrize(
    "address", ['"ida reeds"@reeds.example', '"ida@home"@reeds.example', "o'hara+x=y@reeds.example"]
)
def test_unusual_addresses_arrive_as_they_are(address: str) -> None:
    """Quoted local parts and punctuation are valid (RFC 5321, 4.1.2)."""
    with MailServer() as server:
        assert send(backend_for(server), copy_for(address))[0].outcome == "sent"
    assert server.accepted == Counter([address])


@pytest.mark.parametrize("step", ["RCPT", "."])
def test_replies_are_short_and_printable(step: str) -> None:
    """Whatever the server writes."""
    with MailServer(answers={step: f"550-5.1.1 \x1b[31m\0\x07\u202e\r\n550 5.1.1 {'na' * 500}"}) as server:
        [result] = send(backend_for(server), copy_for())
    assert result.outcome == "failed"
    assert len(result.reply) <= 200
    assert result.reply.isprintable()
    assert result.reply.startswith("550 5.1.1 [31m")


def test_results_do_not_reveal_the_password() -> None:
    """Even if the server repeats it."""
    with MailServer(answers={"AUTH": f"535 5.7.8 {SECRET} is wrong"}) as server:
        [result] = send(backend_for(server, username="ida", password=SECRET), copy_for())
    assert result.outcome == "stop"
    assert SECRET not in repr(result)
    assert "smtp_password_env" in result.reply


@pytest.mark.requires("openssl")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_connections_are_encrypted(security: str, tmp_path: Path) -> None:
    """All copies go over one verified connection; without a valid certificate the edition stops."""
    certificates(tmp_path)
    trust = partial(ssl.create_default_context, cafile=str(tmp_path / "ca.pem"))
    for create_context, outcomes in ((trust, ["sent"] * 3), (ssl.create_default_context, ["stop"] * 3)):
        with MailServer(**{security: server_context(tmp_path)}, offers=("PIPELINING", "AUTH PLAIN")) as server:
            options = {"security": security, "create_ssl_context": create_context, "timeout_seconds": 5.0}
            backend = backend_for(server, username="ida", password=SECRET, **options)
            results = send(backend, *[copy_for() for _ in range(3)])
        assert [result.outcome for result in results] == outcomes
        assert server.connections == (1 if outcomes[0] == "sent" else 3)
        assert all(command.startswith(("*", "ehlo", "STARTTLS")) for command in server.commands)


def test_every_copy_gets_its_result_whatever_the_server_does() -> None:
    """Four connections to a server that refuses, drops and accepts at every step: nobody is sent two, nobody missed."""
    people = [f"p{number}@reeds.example" for number in range(200)]
    scripts: dict[str, list[tuple[str, str]]] = {}
    random, lock = Random(7), Lock()
    for person in people:
        steps = random.choices(("RCPT", "DATA", "BODY", "."), k=random.randrange(3))
        scripts[person] = [
            (step, HANG_UP if step == "BODY" else random.choice([HANG_UP, "451 4.3.0 later", "550 5.1.1 no"]))
            for step in steps
        ]

    def decide(step: str, recipient: str) -> str | None:
        with lock:
            script = scripts.get(recipient, [])
            return script.pop(0)[1] if script and script[0][0] == step else None

    outcomes: dict[str, str] = {}

    def work(backend: SmtpBackend, mine: list[str]) -> None:
        with closing(OpenWorker(backend)) as connection:
            while mine:
                [result] = connection.send([copy_for(mine[0])], commit_all)
                if result.outcome != "later":
                    outcomes[mine.pop(0)] = result.outcome

    with MailServer(decides=decide, offers=("PIPELINING",)) as server, ThreadPoolExecutor(4) as pool:
        backend = backend_for(server, messages_per_connection=20, timeout_seconds=30.0, final_timeout_seconds=30.0)
        list(pool.map(lambda start: work(backend, people[start::4]), range(4)))
    by_outcome = {outcome: {who for who in people if outcomes[who] == outcome} for outcome in set(outcomes.values())}
    assert set(by_outcome) == {"sent", "failed", "uncertain"}
    assert server.accepted == Counter(by_outcome["sent"])
    assert set(server.unconfirmed) <= by_outcome["uncertain"]
