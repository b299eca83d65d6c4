"""SMTP delivery to servers on loopback: the transmitted bytes, the errors, logins and TLS."""

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

from pipeline.delivery.smtp.client import Smtp
from pipeline.delivery.smtp.session import SmtpSession
from pipeline.model.errors import DeliveryError, DeliveryFailedError, DeliveryUncertainError, UsageError
from tests.mail_server import DRIP, FLOOD, HANG_UP, SILENCE, MailServer, certificates, server_context

pytestmark = pytest.mark.loopback
SENDER, READER = "letter@harbourandhearth.example", "ann@x.example"
MAIL = b"From: letter@harbourandhearth.example\r\nSubject: Bread\r\n\r\n.hidden dots\r\n.\r\n..\r\nend\r\n"
LARGE_MAIL = MAIL + b"a line\r\n" * 1_500_000
SECRET = "pa55 wörd/\\"


def smtp_to(server: MailServer, **overrides: Any) -> Smtp:
    """Return a backend for this server with short timeouts."""
    options: dict[str, Any] = {
        "host": "localhost",
        "security": "none",
        "sender": SENDER,
        "helo": "harbourandhearth.example",
    }
    return Smtp(**(options | {"port": server.port, "timeout_seconds": 2.0, "final_timeout_seconds": 0.3} | overrides))


def send_error(smtp: Smtp, message: bytes = MAIL) -> DeliveryError:
    """Send a message that must fail and return the error."""
    with pytest.raises(DeliveryError) as caught:
        smtp.send(message, READER)
    return caught.value


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trust(authority: Path) -> Callable[[], ssl.SSLContext]:
    return partial(ssl.create_default_context, cafile=str(authority / "ca.pem"))


def test_the_bytes_arrive_unchanged() -> None:
    """A dot at the start of a line is doubled on the wire; nothing else is changed."""
    with MailServer() as server:
        smtp_to(server).send(MAIL, "Ann <ann@x.example>")
    assert server.messages == [MAIL.replace(b"\r\n.", b"\r\n..")]
    assert server.commands == [
        "ehlo harbourandhearth.example",
        f"MAIL FROM:<{SENDER}> SIZE={len(MAIL)}",
        f"RCPT TO:<{READER}>",
        "DATA",
        "QUIT",
    ]


def test_a_missing_final_line_break_is_added() -> None:
    """The final dot is on a line of its own."""
    with MailServer() as server:
        smtp_to(server).send(MAIL.removesuffix(b"\r\n"), READER)
    assert server.messages[0].endswith(b"end\r\n")


lines = st.lists(st.binary(max_size=60).map(lambda each: each.translate(None, b"\r\n\0")), max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=lines)
def test_any_lines_arrive_unchanged(body: list[bytes]) -> None:
    """A message decoded by the rules of SMTP equals the one that was sent, including dots and 8-bit bytes."""
    message = b"Subject: x\r\n\r\n" + b"".join(line + b"\r\n" for line in body)
    with MailServer() as server:
        smtp_to(server).send(message, READER)
    lines_received = [line[1:] if line.startswith(b".") else line for line in server.messages[0].split(b"\r\n")]
    assert b"\r\n".join(lines_received) == message


@pytest.mark.parametrize(
    "message",
    [b"a: b\n\nc\r\n", b"a: b\r\n\r\n.\n.\r\n", b"a: b\r\n\r\nx\ry\r\n", b"a: b\r\n\r\n\0\r\n", b"a: " + b"b" * 996],
    ids=["bare LF", "a smuggled end", "bare CR", "NUL", "a line of 999 bytes"],
)
def test_a_malformed_message_raises_value_error(message: bytes) -> None:
    """Bare line ends, NUL and lines over 998 bytes are refused before a connection is opened."""
    with MailServer() as server, pytest.raises(ValueError, match="CRLF"):
        smtp_to(server).send(message, READER)
    assert server.commands == []


def test_a_line_of_998_bytes_is_allowed() -> None:
    """The longest line of RFC 5321 is sent; a one-click header may need it."""
    with MailServer() as server:
        smtp_to(server).send(b"a: " + b"b" * 995 + b"\r\n\r\n", READER)
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    "address", ["", "ann", "ann@x.example\r\nRCPT TO:<eve@x.example>", "a b@x.example", "ö@x.example"]
)
def test_an_invalid_address_is_refused(address: str) -> None:
    """An address that is malformed or contains a line break is refused before a connection is opened."""
    with MailServer() as server, pytest.raises(UsageError):
        smtp_to(server).send(MAIL, address)
    assert server.commands == []


def test_8_bit_bytes_need_a_server_that_accepts_them() -> None:
    """They are announced if the server offers 8BITMIME (RFC 6152), otherwise the message is not sent."""
    message = MAIL + "Grüße\r\n".encode()
    with MailServer() as server:
        smtp_to(server).send(message, READER)
    assert server.commands[1].endswith("BODY=8BITMIME")
    with MailServer(offers=()) as server:
        assert send_error(smtp_to(server), message).kind == "message"
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
def test_each_refusal_has_a_kind(step: str, answer: str, kind: str) -> None:
    """The error says what was refused, and that nothing was sent; only an unreachable server is retried."""
    with MailServer(answers={step: answer}) as server:
        error = send_error(smtp_to(server))
    assert isinstance(error, DeliveryFailedError)
    assert (error.kind, error.retry) == (kind, kind == "unreachable")
    assert str(error).startswith("localhost ")
    assert str(error).endswith(".")


def test_the_reply_of_the_server_is_quoted() -> None:
    """The reply is quoted in one line, without control characters."""
    with MailServer(answers={"RCPT": "550-5.1.1 nobody\x1b[31m\r\n550 5.1.1 of that name"}) as server:
        text = str(send_error(smtp_to(server)))
    assert text == "localhost refuses ann@x.example: check that address (550 5.1.1 nobody [31m 5.1.1 of that name)."


@pytest.mark.parametrize("step", ["GREETING", "MAIL", "RCPT", "DATA", ".", "AUTH"])
def test_a_temporary_refusal_is_retried(step: str) -> None:
    """A 4xx reply at any step means that nothing was sent and the message can be retried."""
    with MailServer(answers={step: "451 4.3.0 come back"}) as server:
        error = send_error(smtp_to(server, username="ann", password=SECRET))
    assert (error.kind, error.retry, type(error)) == ("later", True, DeliveryFailedError)


@pytest.mark.parametrize("step", ["GREETING", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [HANG_UP, SILENCE])
def test_a_connection_lost_before_the_final_dot_can_be_retried(step: str, reply: str) -> None:
    """After a disconnect or a timeout before the final dot nothing was sent."""
    with MailServer(answers={step: reply}) as server:
        error = send_error(smtp_to(server, timeout_seconds=0.3))
    assert (error.kind, error.retry, type(error)) == ("unreachable", True, DeliveryFailedError)


def test_a_connection_reset_within_the_message_can_be_retried() -> None:
    """The server disconnects while it receives the message; without the final dot it must discard it."""
    with MailServer(hangs_up_after_bytes=1_000) as server:
        error = send_error(smtp_to(server), LARGE_MAIL)
    assert (error.kind, type(error), server.messages) == ("unreachable", DeliveryFailedError, [])


@pytest.mark.parametrize("reply", [HANG_UP, SILENCE])
def test_silence_after_the_dot_is_uncertain(reply: str) -> None:
    """The server received the whole message and did not reply, so it is not retried (RFC 1047)."""
    with MailServer(answers={".": reply}) as server:
        error = send_error(smtp_to(server))
    assert (error.kind, error.retry, type(error)) == ("uncertain", False, DeliveryUncertainError)
    assert "check whether it arrived" in str(error)


@pytest.mark.parametrize("reply", [DRIP, FLOOD])
@pytest.mark.parametrize("step", ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
def test_a_reply_that_does_not_end_is_given_up(step: str, reply: str) -> None:
    """The time limit holds for a whole reply, not for each byte of it; nothing was sent, and it can be retried."""
    with MailServer(answers={step: reply}) as server:
        error = send_error(smtp_to(server, timeout_seconds=0.3, username="ann", password=SECRET))
        assert server.messages == []
    assert (error.kind, error.retry, type(error)) == ("unreachable", True, DeliveryFailedError)


def test_a_reply_without_end_is_ended_by_its_size() -> None:
    """A fast server could send gigabytes until the time is up."""
    with MailServer(answers={"GREETING": FLOOD}) as server:
        error = send_error(smtp_to(server, timeout_seconds=60.0))
    assert "its reply does not end" in str(error)


@pytest.mark.parametrize("reply", [DRIP, FLOOD])
def test_a_reply_to_the_dot_that_does_not_end_is_uncertain(reply: str) -> None:
    """The server has the whole message, so it is not sent again."""
    with MailServer(answers={".": reply}) as server:
        error = send_error(smtp_to(server))
    assert (error.kind, error.retry, type(error)) == ("uncertain", False, DeliveryUncertainError)


@pytest.mark.parametrize("reply", [DRIP, FLOOD, SILENCE])
def test_a_slow_goodbye_does_not_matter(reply: str) -> None:
    """The server has accepted the message; how it answers QUIT changes nothing."""
    with MailServer(answers={"QUIT": reply}) as server:
        smtp_to(server).send(MAIL, READER)
    assert len(server.messages) == 1


def test_the_whole_conversation_has_a_deadline() -> None:
    """A server that answers each of many commands just in time is given up as well."""
    recipients = [f"ann{number}@x.example" for number in range(40)]
    with MailServer(delays_seconds=0.1) as server:
        with pytest.raises(DeliveryFailedError, match="too slow") as caught:
            smtp_to(server, deadline_seconds=1.0).submit(MAIL, SENDER, recipients)
        assert server.messages == []
    assert caught.value.kind == "unreachable"


def test_a_server_that_stops_reading_is_given_up() -> None:
    """The message is larger than what the system buffers, so sending it takes as long as the server likes."""
    with MailServer(stalls_after_bytes=1_000) as server:
        error = send_error(smtp_to(server, timeout_seconds=0.3), LARGE_MAIL)
        assert server.messages == []
    assert (error.kind, type(error)) == ("unreachable", DeliveryFailedError)


def test_a_handshake_that_does_not_end_is_given_up(trust: Any) -> None:
    """The server sends the head of a TLS record, and the rest of it a byte at a time."""
    with MailServer(answers={"GREETING": DRIP}) as server:
        error = send_error(smtp_to(server, security="tls", create_ssl_context=trust, timeout_seconds=0.3))
    assert error.kind in ("unreachable", "insecure")  # by the time limit, or by the first bytes, which are not TLS


def test_the_time_limits_are_generous() -> None:
    """A minute for each step, three for all, ten for the last reply, since giving up then causes duplicates."""
    smtp = Smtp(host="localhost", port=25, sender=SENDER)
    assert (smtp.timeout_seconds, smtp.deadline_seconds, smtp.final_timeout_seconds) == (60.0, 180.0, 600.0)


def test_the_last_reply_has_a_time_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is set on the connection, after the message and before its final dot."""
    limits: list[tuple[float, int]] = []
    limit = SmtpSession.limit

    def record(connection: SmtpSession, seconds: float) -> None:
        limits.append((seconds, server.commands.count("DATA")))
        limit(connection, seconds)

    monkeypatch.setattr(SmtpSession, "limit", record)
    with MailServer() as server:
        smtp_to(server, final_timeout_seconds=77.0).send(MAIL, READER)
    assert (77.0, 1) in limits


def test_an_accepted_message_stays_accepted() -> None:
    """A server that disconnects at QUIT has accepted the message."""
    with MailServer(answers={"QUIT": HANG_UP}) as server:
        smtp_to(server).send(MAIL, READER)
    assert len(server.messages) == 1


def test_all_recipients_or_none() -> None:
    """If one recipient is refused, the message is sent to nobody."""
    with MailServer(answers={"RCPT": "550 no"}) as server, pytest.raises(DeliveryFailedError):
        smtp_to(server).submit(MAIL, SENDER, [READER, "bob@x.example"])
    assert server.messages == []


def test_a_closed_port_is_unreachable() -> None:
    """The error names the setting to check."""
    with MailServer() as server:
        smtp = smtp_to(server)
    error = send_error(smtp)
    assert error.kind == "unreachable"
    assert "smtp_host" in str(error)


# Logins


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN"])
def test_a_login_is_tried_once(mechanisms: str) -> None:
    """PLAIN is used, or else LOGIN, both in UTF-8."""
    with MailServer(offers=(f"AUTH {mechanisms}",)) as server:
        smtp_to(server, username="ann@x.example", password=SECRET).send(MAIL, READER)
    credentials = [
        b64decode(each.split()[-1]).decode()
        for each in server.commands
        if each not in ("DATA", "QUIT", "AUTH LOGIN") and not each.startswith(("ehlo", "MAIL", "RCPT"))
    ]
    assert credentials == (["ann@x.example", SECRET] if mechanisms == "LOGIN" else [f"\0ann@x.example\0{SECRET}"])
    assert len(server.messages) == 1


def test_a_refused_login_does_not_reveal_the_password() -> None:
    """Neither the error nor its causes contain the password, although the server repeats it."""
    with MailServer(answers={"AUTH": f"535 5.7.8 no, {SECRET} is wrong"}) as server:
        smtp = smtp_to(server, username="ann", password=SECRET)
        error = send_error(smtp)
    assert error.kind == "login"
    assert str(error) == (
        "localhost does not accept the login of ann: check [delivery] smtp_username and the password that "
        "smtp_password_env names (535)."
    )
    causes = [error, error.__cause__, error.__context__]
    assert not any(SECRET in repr(each) for each in (*causes, smtp))
    assert len([each for each in server.commands if each.upper().startswith("AUTH")]) == 1


def test_a_server_without_a_supported_login() -> None:
    """The password is not sent by an insecure mechanism, and the message is not sent without a login."""
    with MailServer(offers=("AUTH CRAM-MD5",)) as server:
        assert send_error(smtp_to(server, username="ann", password=SECRET)).kind == "login"
    assert not any(each.startswith("AUTH") for each in server.commands)


# TLS


@pytest.mark.requires("openssl")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_nothing_but_the_greeting_is_sent_outside_tls(security: str, authority: Path, trust: Any) -> None:
    """Before the certificate is verified the client sends EHLO and STARTTLS only."""
    context = {security: server_context(authority)}
    with MailServer(**context) as server:
        smtp = smtp_to(server, security=security, create_ssl_context=trust, username="ann", password=SECRET)
        smtp.send(MAIL, READER)
    unencrypted = [each for each in server.commands if not each.startswith("*")]
    assert unencrypted == (["ehlo harbourandhearth.example", "STARTTLS"] if security == "starttls" else [])
    assert len(server.messages) == 1


@pytest.mark.requires("openssl")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_certificate_must_match_the_host_name(security: str, trust: Any, tmp_path: Path) -> None:
    """A server with a certificate for another name, or of an unknown authority, gets no message and no password."""
    other = server_context(certificates(tmp_path, "elsewhere.example"))
    trust_other = partial(ssl.create_default_context, cafile=str(tmp_path / "ca.pem"))
    for create_context, reason in (
        (trust_other, "mismatch"),
        (ssl.create_default_context, "unable to get local issuer"),
    ):
        with MailServer(**{security: other}) as server:
            error = send_error(
                smtp_to(server, security=security, create_ssl_context=create_context, username="ann", password=SECRET)
            )
        assert (error.kind, error.retry) == ("insecure", False)
        assert reason in str(error)
        assert not any("AUTH" in each or "MAIL" in each for each in server.commands)


def test_a_missing_starttls_offer_is_an_error(trust: Any) -> None:
    """If an attacker strips the offer, nothing is sent unencrypted, not even the sender."""
    with MailServer() as server:
        error = send_error(
            smtp_to(server, security="starttls", create_ssl_context=trust, username="ann", password=SECRET)
        )
    assert error.kind == "insecure"
    assert server.commands == ["ehlo harbourandhearth.example"]
    assert 'For a server on this machine, smtp_security = "none" is allowed.' in str(error)


@pytest.mark.requires("openssl")
def test_a_refused_starttls_is_not_ignored(authority: Path, trust: Any) -> None:
    """If the server offers STARTTLS and refuses it, the message is not sent unencrypted."""
    with MailServer(starttls=server_context(authority), answers={"STARTTLS": "454 4.7.0 not now"}) as server:
        assert send_error(smtp_to(server, security="starttls", create_ssl_context=trust)).kind == "later"
    assert server.messages == []


def test_tls_to_a_port_without_tls_is_insecure(trust: Any) -> None:
    """The error names the setting to check."""
    with MailServer() as server:
        error = send_error(smtp_to(server, security="tls", create_ssl_context=trust, timeout_seconds=1.0))
    assert error.kind == "insecure"
    assert "smtp_port" in str(error)
    assert 'smtp_security = "none" is allowed' in str(error)


# Verification, for pipeline doctor


@pytest.mark.requires("openssl")
def test_verify_reports_tls_and_login_and_sends_nothing(authority: Path, trust: Any) -> None:
    """It returns the TLS version and the login, and never sends MAIL."""
    with MailServer(starttls=server_context(authority)) as server:
        report = smtp_to(
            server, security="starttls", create_ssl_context=trust, username="ann", password=SECRET
        ).verify()
    assert report == ["TLSv1.3", "logged in as ann", "offers LOGIN, PLAIN"]
    assert [each for each in server.commands if "mail" in each.lower().split(" ")[0]] == []


def test_verify_raises_the_errors_of_a_send() -> None:
    """A wrong password is detected without sending a message."""
    with MailServer(answers={"AUTH": "535 no"}) as server, pytest.raises(DeliveryFailedError) as caught:
        smtp_to(server, username="ann", password=SECRET).verify()
    assert caught.value.kind == "login"
