"""The way out by SMTP, against servers on loopback: what gets through, and what is said when nothing does."""

from __future__ import annotations

import ssl
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.delivery.smtp import Smtp
from pipeline.model.errors import DeliveryError, DeliveryFailedError, DeliveryUncertainError, UsageError
from tests.mail_server import HANG_UP, SILENCE, MailServer, certificates, server_context

pytestmark = pytest.mark.loopback
SENDER, READER = "letter@harbourandhearth.example", "ann@x.example"
MAIL = b"From: letter@harbourandhearth.example\r\nSubject: Bread\r\n\r\n.hidden dots\r\n.\r\n..\r\nend\r\n"
SECRET = "pa55 wörd/\\"


def postman(server: MailServer, **more: Any) -> Smtp:
    """A way to a server, in a hurry."""
    said: dict[str, Any] = {
        "host": "localhost",
        "security": "none",
        "sender": SENDER,
        "helo": "harbourandhearth.example",
    }
    return Smtp(**(said | {"port": server.port, "timeout_seconds": 2.0, "final_timeout_seconds": 0.3} | more))


def problem(smtp: Smtp, message: bytes = MAIL) -> DeliveryError:
    """Send, and give what came of it."""
    with pytest.raises(DeliveryError) as trouble:
        smtp.send(message, READER)
    return trouble.value


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trust(authority: Path) -> Callable[[], ssl.SSLContext]:
    return partial(ssl.create_default_context, cafile=str(authority / "ca.pem"))


def test_the_bytes_arrive_as_they_are() -> None:
    """Every dot that begins a line is doubled on the wire, and nothing else is touched."""
    with MailServer() as server:
        postman(server).send(MAIL, "Ann <ann@x.example>")
    assert server.messages == [MAIL.replace(b"\r\n.", b"\r\n..")]
    assert server.commands == [
        "ehlo harbourandhearth.example",
        f"mail FROM:<{SENDER}> SIZE={len(MAIL)}",
        f"rcpt TO:<{READER}>",
        "DATA",
        "quit",
    ]


def test_a_mail_without_a_last_line_break_gets_one() -> None:
    """The dot that ends a mail stands on a line of its own."""
    with MailServer() as server:
        postman(server).send(MAIL.removesuffix(b"\r\n"), READER)
    assert server.messages[0].endswith(b"end\r\n")


lines = st.lists(st.binary(max_size=60).map(lambda each: each.translate(None, b"\r\n\0")), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=lines)
def test_any_lines_come_out_as_they_went_in(body: list[bytes]) -> None:
    """What the server takes apart by the rules of SMTP is the mail that was handed in, dots, 8-bit bytes and all."""
    message = b"Subject: x\r\n\r\n" + b"".join(line + b"\r\n" for line in body)
    with MailServer() as server:
        postman(server).send(message, READER)
    taken = [line[1:] if line.startswith(b".") else line for line in server.messages[0].split(b"\r\n")]
    assert b"\r\n".join(taken) == message


@pytest.mark.parametrize(
    "message",
    [b"a: b\n\nc\r\n", b"a: b\r\n\r\n.\n.\r\n", b"a: b\r\n\r\nx\ry\r\n", b"a: b\r\n\r\n\0\r\n", b"a: " + b"b" * 996],
    ids=["bare LF", "a smuggled end", "bare CR", "NUL", "a line of 999 bytes"],
)
def test_what_could_be_taken_for_two_mails_is_a_bug(message: bytes) -> None:
    """Bare line ends, NUL and lines beyond 998 bytes are never handed to a server: nobody is even called."""
    with MailServer() as server, pytest.raises(ValueError, match="CRLF"):
        postman(server).send(message, READER)
    assert server.commands == []


def test_a_line_of_998_bytes_is_allowed() -> None:
    """The longest line of RFC 5321 goes through, a long one-click header among them."""
    with MailServer() as server:
        postman(server).send(b"a: " + b"b" * 995 + b"\r\n\r\n", READER)
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    "address", ["", "ann", "ann@x.example\r\nRCPT TO:<eve@x.example>", "a b@x.example", "ö@x.example"]
)
def test_an_address_holds_no_commands(address: str) -> None:
    """Who is no address, or brings a line of their own, is refused before anybody is called."""
    with MailServer() as server, pytest.raises(UsageError):
        postman(server).send(MAIL, address)
    assert server.commands == []


def test_8_bit_bytes_go_where_they_are_welcome() -> None:
    """They are announced where the server takes them (RFC 6152), and not sent where it does not say so."""
    loud = MAIL + "Grüße\r\n".encode()
    with MailServer() as server:
        postman(server).send(loud, READER)
    assert server.commands[1].endswith("BODY=8BITMIME")
    with MailServer(offers=()) as server:
        assert problem(postman(server), loud).kind == "message"
    assert server.messages == []


REFUSALS = [
    ("GREETING", "554 no service here", "unreachable"),
    ("MAIL", "550 5.7.1 not from you", "sender"),
    ("MAIL", "530 5.7.0 log in first", "login"),
    ("RCPT", "550 5.1.1 nobody of that name", "recipient"),
    ("DATA", "554 5.7.0 not today", "message"),
    (".", "554 5.7.1 looks like spam", "message"),
    (".", "552 5.3.4 too large", "message"),
]


@pytest.mark.parametrize(("step", "answer", "kind"), REFUSALS)
def test_a_refusal_is_told_apart(step: str, answer: str, kind: str) -> None:
    """Who is refused, where, and that nothing has left; it makes no sense to try that again by itself."""
    with MailServer(answers={step: answer}) as server:
        trouble = problem(postman(server))
    assert isinstance(trouble, DeliveryFailedError)
    assert (trouble.kind, trouble.retry) == (kind, kind == "unreachable")
    assert str(trouble).startswith("localhost ")
    assert str(trouble).endswith(".")


def test_what_the_server_says_is_quoted() -> None:
    """Its own words help most, in one line and without control characters."""
    with MailServer(answers={"RCPT": "550-5.1.1 nobody\x1b[31m\r\n550 5.1.1 of that name"}) as server:
        said = str(problem(postman(server)))
    assert said == "localhost refuses ann@x.example: check that address (550 5.1.1 nobody [31m 5.1.1 of that name)."


@pytest.mark.parametrize("step", ["GREETING", "MAIL", "RCPT", "DATA", ".", "AUTH"])
def test_a_server_that_asks_for_patience_gets_it(step: str) -> None:
    """4xx at any step means later, and that nothing was taken."""
    with MailServer(answers={step: "451 4.3.0 come back"}) as server:
        trouble = problem(postman(server, username="ann", password=SECRET))
    assert (trouble.kind, trouble.retry, type(trouble)) == ("later", True, DeliveryFailedError)


@pytest.mark.parametrize("step", ["GREETING", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("what", [HANG_UP, SILENCE])
def test_a_connection_lost_before_the_end_has_sent_nothing(step: str, what: str) -> None:
    """Cut off or kept waiting before the mail is whole: it can be sent again safely."""
    with MailServer(answers={step: what}) as server:
        trouble = problem(postman(server, timeout_seconds=0.3))
    assert (trouble.kind, trouble.retry, type(trouble)) == ("unreachable", True, DeliveryFailedError)


def test_a_connection_reset_in_the_middle_has_sent_nothing() -> None:
    """The server goes away while the mail is on its way: what it has is no mail, for the dot never came."""
    large = MAIL + b"a line of a long letter\r\n" * 500_000
    with MailServer(hangs_up_after_bytes=1_000) as server:
        trouble = problem(postman(server), large)
    assert (trouble.kind, type(trouble), server.messages) == ("unreachable", DeliveryFailedError, [])


@pytest.mark.parametrize("what", [HANG_UP, SILENCE])
def test_silence_after_the_dot_is_uncertain(what: str) -> None:
    """The server had it all and said nothing: nobody knows, and nobody tries again by themselves (RFC 1047)."""
    with MailServer(answers={".": what}) as server:
        trouble = problem(postman(server))
    assert (trouble.kind, trouble.retry, type(trouble)) == ("uncertain", False, DeliveryUncertainError)
    assert "check whether it arrived" in str(trouble)


def test_the_last_answer_is_waited_for_longer() -> None:
    """600 seconds after the dot, where other steps get 60: giving up early makes duplicates."""
    smtp = Smtp(host="localhost", port=25, sender=SENDER)
    assert (smtp.timeout_seconds, smtp.final_timeout_seconds) == (60.0, 600.0)


def test_taken_is_taken_whatever_comes_after() -> None:
    """A server that hangs up on QUIT has taken the mail all the same."""
    with MailServer(answers={"QUIT": HANG_UP}) as server:
        postman(server).send(MAIL, READER)
    assert len(server.messages) == 1


def test_all_recipients_or_none() -> None:
    """One that is refused keeps the mail from the others."""
    with MailServer(answers={"RCPT": "550 no"}) as server, pytest.raises(DeliveryFailedError):
        postman(server).submit(MAIL, SENDER, [READER, "bob@x.example"])
    assert server.messages == []


def test_nobody_there() -> None:
    """A port where nobody listens is told with what to check."""
    with MailServer() as server:
        gone = postman(server)
    trouble = problem(gone)
    assert trouble.kind == "unreachable"
    assert "smtp_host" in str(trouble)


# Logins


@pytest.mark.parametrize("ways", ["PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN"])
def test_a_login_takes_one_try(ways: str) -> None:
    """By PLAIN, or else by LOGIN, in UTF-8; the server gets name and password as they are."""
    with MailServer(offers=(f"AUTH {ways}",)) as server:
        postman(server, username="ann@x.example", password=SECRET).send(MAIL, READER)
    words = [
        b64decode(each.split()[-1]).decode()
        for each in server.commands
        if each not in ("DATA", "quit", "AUTH LOGIN") and not each.startswith(("ehlo", "mail", "rcpt"))
    ]
    assert words == (["ann@x.example", SECRET] if ways == "LOGIN" else [f"\0ann@x.example\0{SECRET}"])
    assert len(server.messages) == 1


def test_a_refused_login_gives_no_secret_away() -> None:
    """Neither the sentence nor its causes hold the password, though the server repeats it."""
    with MailServer(answers={"AUTH": f"535 5.7.8 no, {SECRET} is wrong"}) as server:
        smtp = postman(server, username="ann", password=SECRET)
        trouble = problem(smtp)
    assert trouble.kind == "login"
    assert str(trouble) == (
        "localhost does not accept the login of ann: check [delivery] smtp_username and the password that "
        "smtp_password_env names (535)."
    )
    causes = [trouble, trouble.__cause__, trouble.__context__]
    assert not any(SECRET in repr(each) for each in (*causes, smtp))
    assert len([each for each in server.commands if each.upper().startswith("AUTH")]) == 1


def test_a_server_without_a_login_we_know() -> None:
    """The password is not tried in ways that are broken, and the mail not without it."""
    with MailServer(offers=("AUTH CRAM-MD5",)) as server:
        assert problem(postman(server, username="ann", password=SECRET)).kind == "login"
    assert not any(each.startswith("AUTH") for each in server.commands)


# TLS


@pytest.mark.requires("openssl")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_everything_that_matters_is_said_inside_tls(security: str, authority: Path, trust: Any) -> None:
    """Before the certificate is proved the server hears a greeting and nothing else; the password comes after it."""
    context = {security: server_context(authority)}
    with MailServer(**context) as server:
        smtp = postman(server, security=security, create_ssl_context=trust, username="ann", password=SECRET)
        smtp.send(MAIL, READER)
    open_words = [each for each in server.commands if not each.startswith("*")]
    assert open_words == (["ehlo harbourandhearth.example", "STARTTLS"] if security == "starttls" else [])
    assert len(server.messages) == 1


@pytest.mark.requires("openssl")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_certificate_must_hold_the_name(security: str, trust: Any, tmp_path: Path) -> None:
    """A certificate of another name, or by nobody known, gets no mail and no password."""
    other = server_context(certificates(tmp_path, "elsewhere.example"))
    trusting = partial(ssl.create_default_context, cafile=str(tmp_path / "ca.pem"))
    for judge, why in ((trusting, "mismatch"), (ssl.create_default_context, "unable to get local issuer")):
        with MailServer(**{security: other}) as server:
            trouble = problem(
                postman(server, security=security, create_ssl_context=judge, username="ann", password=SECRET)
            )
        assert (trouble.kind, trouble.retry) == ("insecure", False)
        assert why in str(trouble)
        assert not any("AUTH" in each or "mail" in each for each in server.commands)


def test_a_stripped_starttls_is_noticed(trust: Any) -> None:
    """Somebody in between takes the offer out: nothing is said in the open, not even the sender's name."""
    with MailServer() as server:
        trouble = problem(
            postman(server, security="starttls", create_ssl_context=trust, username="ann", password=SECRET)
        )
    assert trouble.kind == "insecure"
    assert server.commands == ["ehlo harbourandhearth.example"]


@pytest.mark.requires("openssl")
def test_starttls_refused_is_not_gone_without(authority: Path, trust: Any) -> None:
    """A server that offers STARTTLS and then will not: later, or never, but not in the open."""
    with MailServer(starttls=server_context(authority), answers={"STARTTLS": "454 4.7.0 not now"}) as server:
        assert problem(postman(server, security="starttls", create_ssl_context=trust)).kind == "later"
    assert server.messages == []


def test_a_plain_port_is_no_tls_port(trust: Any) -> None:
    """TLS where the server speaks none is told with what to check."""
    with MailServer() as server:
        trouble = problem(postman(server, security="tls", create_ssl_context=trust, timeout_seconds=1.0))
    assert trouble.kind == "insecure"
    assert "smtp_port" in str(trouble)


# A look at the server, for the doctor


@pytest.mark.requires("openssl")
def test_greet_says_what_was_agreed_and_sends_nothing(authority: Path, trust: Any) -> None:
    """TLS version and login; no MAIL is ever begun."""
    with MailServer(starttls=server_context(authority)) as server:
        agreed = postman(
            server, security="starttls", create_ssl_context=trust, username="ann", password=SECRET
        ).verify()
    assert agreed == ["TLSv1.3", "logged in as ann", "offers LOGIN, PLAIN"]
    assert [each for each in server.commands if "mail" in each.lower().split(" ")[0]] == []


def test_greet_tells_trouble_like_a_send() -> None:
    """A wrong password is found without sending anything."""
    with MailServer(answers={"AUTH": "535 no"}) as server, pytest.raises(DeliveryFailedError) as trouble:
        postman(server, username="ann", password=SECRET).verify()
    assert trouble.value.kind == "login"
