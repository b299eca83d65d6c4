"""One contract for all mail services: what becomes of a copy, whatever the service answers, or does not."""

from __future__ import annotations

import json
import logging
import ssl
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest

from pipeline.app import App
from pipeline.app.services import build_service_backend
from pipeline.config import parse_config
from pipeline.delivery.mail_api.backend import REPEAT_PAUSES, ApiBackend, ApiConnection
from pipeline.delivery.mail_api.client import MAX_ANSWER_BYTES, ServiceClient
from pipeline.delivery.mail_api.content import read_content
from pipeline.delivery.mail_api.service import Account
from pipeline.delivery.services import SERVICES, load_service
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.errors import ConfigError
from pipeline.model.fetch import Proxy
from pipeline.text.message_headers import message_headers
from tests.background_server import free_port
from tests.mail_server import certificates, server_context
from tests.mail_services import DOMAIN, FAKES, KEY, REGION, STREAM, Failure, FakeService, TunnelProxy

pytestmark = pytest.mark.loopback
NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
SECRET = KEY.partition(":")[2]
SUBJECT = "Brot & Salz: wie man einen Sauerteig führt, der auch im Winter aufgeht – und warum"
UNSUBSCRIBE = f"<https://news.example.org/unsubscribe/{'t0ken' * 12}>, <mailto:leave+t0ken@news.example.org>"
LOST = Failure(accepts=True)
"""The service has accepted the request, and the connection ends before its answer."""


def _max_batch(name: str) -> int:
    return load_service(name, Account(key=KEY, region="eu-west-1", domain="news.example.org")).max_batch


def message(address: str) -> bytes:
    """Return a personalised message as `personalise` writes it: quoted-printable, long header lines unfolded."""
    head = message_headers(
        sender="Käthe, vom Hafen <kathe@news.example.org>",
        recipient=address,
        subject=SUBJECT,
        sent_at=NOW,
        message_id="2026-W07.x",
    )
    added = {
        "DKIM-Signature": "v=1; a=rsa-sha256; d=news.example.org;\r\n b=c2lnbmF0dXJl",
        "List-Id": "<weekly.example.org>",
        "List-Unsubscribe": UNSUBSCRIBE,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": "2026-W07:weekly:harbour",
    }
    body = EmailMessage()
    body.set_content(f"Grüße an {address}\n.\n" + "ein langer Satz mit ä " * 20, cte="quoted-printable")
    body.add_alternative("<p>Grüße = gut</p>\n" + "<p>ü</p>" * 90, subtype="html", cte="quoted-printable")
    lines = "".join(f"{name}: {value}\r\n" for name, value in added.items())
    return head + lines.encode() + body.as_bytes().replace(b"\n", b"\r\n")


def copies(*addresses: str) -> list[Copy]:
    """Return a copy for each address."""
    sender = "bounces+d1@news.example.org"
    return [
        Copy(delivery_id=number, attempt=1, address=address, sender=sender, message=message(address))
        for number, address in enumerate(addresses, 1)
    ]


class Sending:
    """A connection to a fake, and what was committed and waited for."""

    def __init__(self, fake: FakeService, account: Account | None = None, **options: Any) -> None:
        self.committed: list[Copy] = []
        self.requests_before_commit: list[int] = []
        self.waited: list[float] = []
        self._fake = fake
        backend = ApiBackend(
            service=load_service(fake.name, account or fake.account),
            clock=lambda: NOW,
            create_client=lambda: ServiceClient(**options),
            wait=self.waited.append,
        )
        self.connection: ApiConnection = backend.open()

    def __call__(self, *addresses: str, revoked: Sequence[str] = ()) -> list[DeliveryResult]:
        def commit(offered: Sequence[Copy]) -> Sequence[Copy]:
            self.requests_before_commit.append(len(self._fake.requests))
            allowed = [copy for copy in offered if copy.address not in revoked]
            self.committed += allowed
            return allowed

        return list(self.connection.send(copies(*addresses), commit))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.connection.close()


def send_once(fake: FakeService, *addresses: str, account: Account | None = None) -> list[DeliveryResult]:
    """Send copies over a connection of their own."""
    with Sending(fake, account) as send:
        return send(*addresses)


@pytest.fixture(params=SERVICES)
def fake(request: pytest.FixtureRequest) -> Iterator[FakeService]:
    with FAKES[request.param]() as service:
        yield service


@pytest.fixture
def send(fake: FakeService) -> Iterator[Sending]:
    with Sending(fake) as sending:
        yield sending


def test_a_message_arrives_with_its_parts_and_headers(fake: FakeService, send: Sending) -> None:
    """Subject, bodies and the headers that unsubscribing needs are those of the personalised message."""
    (result,) = send("ann@x.example")
    (accepted,) = fake.accepted
    assert (result.outcome, result.reason, result.slow_down) == ("sent", "", False)
    assert result.provider_id.startswith(accepted.id)
    assert (accepted.address, accepted.subject) == ("ann@x.example", SUBJECT)
    assert accepted.sender.replace('"', "") == "Käthe, vom Hafen <kathe@news.example.org>"
    content = read_content(message("ann@x.example"))
    assert (accepted.text, accepted.html) == (content.text, content.html)
    assert "Grüße an ann@x.example\n.\n" in accepted.text
    assert "<p>Grüße = gut</p>\n" in accepted.html
    for name, value in {
        "list-unsubscribe": UNSUBSCRIBE,
        "list-unsubscribe-post": "List-Unsubscribe=One-Click",
        "list-id": "<weekly.example.org>",
        "feedback-id": "2026-W07:weekly:harbour",
        "message-id": "<2026-W07.x@news.example.org>",
    }.items():
        assert accepted.headers[name] == value, name
    assert "dkim-signature" not in accepted.headers


def test_nothing_is_sent_before_it_is_committed(fake: FakeService, send: Sending) -> None:
    """A copy that belongs to another process by then is lost, and is in no request."""
    addresses = ["ann@x.example", "ben@x.example"][: max(1, min(2, send.connection.backend.max_batch))]
    results = send(*addresses, revoked=addresses[:1])
    assert send.requests_before_commit == [0]
    assert [result.outcome for result in results] == ["lost", "sent"][: len(addresses)]
    assert [accepted.address for accepted in fake.accepted] == addresses[1:]


def test_a_refused_address_fails_and_the_others_are_sent(fake: FakeService, send: Sending) -> None:
    """In a batch each copy has a result of its own, in the order of the copies."""
    batch = ["ann@x.example", "refused@x.example", "ben@x.example", "refused-invalid@x.example"]
    if send.connection.backend.max_batch == 1:
        results = [result for address in batch for result in send_once(fake, address)]
    else:
        results = send(*batch)
    assert [(result.outcome, result.reason) for result in results] == [("sent", ""), ("failed", "refused")] * 2
    assert [accepted.address for accepted in fake.accepted] == ["ann@x.example", "ben@x.example"]
    assert results[0].provider_id.startswith("id-1")
    assert results[2].provider_id.startswith("id-2")
    assert all(result.reply for result in results if result.outcome == "failed")


def test_answers_of_the_service_are_classified(fake: FakeService, send: Sending) -> None:
    """Too many requests: later and slower. A wrong key or a used up quota stops the edition and fails nobody."""
    retry = {"Retry-After": "7"}
    cases = [(fake.limited, "later", True), (fake.unauthorised, "stop", False)]
    cases += [(fake.exhausted, "stop", False)] if fake.exhausted else []
    for (status, headers, body), outcome, slow_down in cases:
        fake.script.append(Failure(status=status, headers={**headers, **retry}, body=body))
        (result,) = send("ann@x.example")
        assert (result.outcome, result.slow_down) == (outcome, slow_down), body
        assert result.reply.startswith(str(status))
        assert fake.script == []
    assert fake.accepted == []


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(500, "later"), (503, "later"), (408, "later"), (404, "stop"), (302, "stop"), (418, "stop"), (451, "stop")],
)
def test_statuses_without_a_body(fake: FakeService, send: Sending, status: int, outcome: str) -> None:
    """Whatever a service says, a status that is about none of the recipients fails nobody."""
    fake.script.append(Failure(status=status, headers={"Location": "/elsewhere"}))
    (result,) = send("ann@x.example")
    assert result.outcome == outcome
    assert [seen.path for seen in fake.requests] != ["/elsewhere"]
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        LOST,
        replace(LOST, status=502),
        replace(LOST, status=504, body=b"<html>gateway</html>"),
        replace(LOST, status=200, body=b"<html>captive portal</html>"),
        replace(LOST, status=200, body=b"[" * 100_000),
        replace(LOST, status=200, body=b"[]"),
        replace(LOST, status=200, body=b'{"data": [{"id": 0}, {"id": ""}], "errors": [{"index": 9}]}'),
        replace(LOST, status=200, body=b"1" * 5_000),
        replace(LOST, status=200, body=b" " * (MAX_ANSWER_BYTES + 2)),
    ],
    ids=["dropped", "502", "504", "html", "nested", "empty", "odd", "number", "huge"],
)
def test_a_lost_answer_never_causes_a_second_message(fake: FakeService, send: Sending, failure: Failure) -> None:
    """It is uncertain; a service with request keys is sent the same request again, and then says what it did."""
    fake.script.append(failure)
    (result,) = send("ann@x.example")
    assert len(fake.accepted) == 1
    if send.connection.backend.service.has_request_key:
        assert result.outcome == "sent"
        first, second = fake.requests
        assert (first.body, first.headers["idempotency-key"]) == (second.body, second.headers["idempotency-key"])
    else:
        assert result.outcome == "uncertain"
        assert len(fake.requests) == 1
    (following,) = send("ben@x.example")
    assert following.outcome == "sent"


def test_what_cannot_be_found_out_stays_uncertain(fake: FakeService, send: Sending) -> None:
    """A refusal of the repeated request says nothing about the first."""
    limited, unauthorised = (
        Failure(status=status, headers=headers, body=body)
        for status, headers, body in (fake.limited, fake.unauthorised)
    )
    fake.script += [LOST, limited, Failure(status=503), unauthorised]
    (result,) = send("ann@x.example")
    assert result.outcome == "uncertain"
    assert send.waited == (list(REPEAT_PAUSES) if send.connection.backend.service.has_request_key else [])


def test_a_slow_answer_has_a_limit(fake: FakeService) -> None:
    """The limit is for the whole answer, however steadily it drips."""
    seconds = [0.0]
    limited = {"total_seconds": 60.0, "monotonic": lambda: seconds[0]}

    def pass_time() -> None:
        seconds[0] += 61.0

    slow = Failure(status=200, body=b"{" + b" " * 70_000, accepts=True, never_ends=pass_time)
    fake.script += [slow] * (1 + len(REPEAT_PAUSES))
    with Sending(fake, **limited) as send:
        (result,) = send("ann@x.example")
    assert result.outcome == "uncertain"
    assert "in time" in result.reply


def test_a_service_that_cannot_be_reached_is_tried_later(fake: FakeService) -> None:
    """Nothing was sent, so nothing is uncertain: no connection, an unknown name, a server without TLS."""
    port = free_port()
    for url in (f"http://127.0.0.1:{port}", "https://nobody.invalid", f"https://127.0.0.1:{fake.port}"):
        (result,) = send_once(fake, "ann@x.example", account=replace(fake.account, url=url))
        assert (result.outcome, result.slow_down) == ("later", False), url
        assert result.reply
    assert fake.accepted == []


def test_a_request_that_is_cut_short_is_sent_again_later() -> None:
    """The service ends the connection before it has the whole request: it cannot have accepted it."""
    with FAKES["ses"]() as fake:
        fake.script.append(Failure(reads_body=False))
        large = replace(copies("ann@x.example")[0], message=message("ann@x.example") + b"a line\r\n" * 3_000_000)
        with Sending(fake) as send:
            (result,) = send.connection.send([large], lambda offered: offered)
        assert result.outcome == "later"


@pytest.mark.parametrize("name", [name for name in SERVICES if _max_batch(name) > 1])
def test_a_batch_is_split_by_size_and_ends_at_the_first_refusal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a request cannot hold comes in the next one; after a refusal of one the rest is not sent."""
    with FAKES[name]() as fake, Sending(fake) as send:
        monkeypatch.setattr(type(send.connection.backend.service), "max_request_bytes", 10)
        results = send("ann@x.example", "ben@x.example", "kim@x.example")
        assert [result.outcome for result in results] == ["sent"] * 3
        assert len(fake.requests) == 3
        status, headers, body = fake.limited
        fake.script.append(Failure(status=status, headers=headers, body=body))
        results = send("a@x.example", "b@x.example", "c@x.example")
        assert [(result.outcome, result.slow_down) for result in results] == [("later", True)] * 3
        assert len(fake.requests) == 4


def test_secrets_are_in_no_reply_log_or_repr(
    fake: FakeService, send: Sending, caplog: pytest.LogCaptureFixture
) -> None:
    """Even if the service repeats them, at any place of its answer."""
    caplog.set_level(logging.DEBUG)
    texts = [repr(send.connection), repr(fake.account)]
    status, headers, body = fake.unauthorised
    echoes = [body, json.dumps({"message": "x" * 190 + KEY}).encode(), b'{"MessageId": "%s"}' % KEY.encode()]
    for echo in echoes:
        for code in (status, 200, 400, 500):
            fake.script.append(Failure(status=code, headers=headers, body=echo))
            fake.script += [Failure()] * len(REPEAT_PAUSES)
            (result,) = send("ann@x.example")
            fake.script.clear()
            texts.append(repr(result))
            assert len(result.reply) <= 200
    for text in (*texts, caplog.text):
        assert SECRET not in text
        assert SECRET[:8] not in text


def test_accounts_are_checked() -> None:
    """What a service needs is said when it is set up; there is a fake for each."""
    assert set(SERVICES) == set(FAKES)
    complete = Account(key=KEY, region="eu-west-1", domain="news.example.org")
    for name in SERVICES:
        load_service(name, complete)
        for wrong in (replace(complete, key=""), replace(complete, key="a b\n"), replace(complete, key="schlüssel")):
            with pytest.raises(ConfigError) as caught:
                load_service(name, wrong)
            assert "api_key_env" in str(caught.value)
            assert "schl" not in str(caught.value)
    for name, setting in (("ses", "api_region"), ("mailgun", "api_domain")):
        with pytest.raises(ConfigError, match=setting):
            load_service(name, replace(complete, region="", domain=""))
    with pytest.raises(ConfigError, match="ID:SECRET"):
        load_service("ses", replace(complete, key="AKIDONLY"))
    with pytest.raises(ValueError, match="there is no mail service"):
        load_service("../ses", complete)


def test_codes_of_the_account_stop_a_batch() -> None:
    """Postmark's codes that are not about a recipient fail nobody."""
    with FAKES["postmark"]() as fake:
        results = send_once(fake, "ann@x.example", "account@x.example")
    assert [result.outcome for result in results] == ["sent", "stop"]


@pytest.mark.requires("openssl")
def test_a_service_proves_its_name_also_through_a_proxy(tmp_path: Path) -> None:
    """Nothing is sent without a certificate of the name; what a proxy refuses was not sent either."""
    folder = certificates(tmp_path, "api.example.org")
    trusted = {"create_ssl_context": partial(ssl.create_default_context, cafile=str(folder / "ca.pem"))}
    with FAKES["resend"](server_context(folder)) as fake, TunnelProxy(fake.port) as tunnel:
        named = replace(fake.account, url=f"https://api.example.org:{fake.port}")
        proxy = Proxy(url=f"http://us%40r:p%3Ass@127.0.0.1:{tunnel.port}")
        cases = [
            (fake.account, {}, "later"),  # localhost, with a certificate of nobody
            (fake.account, trusted, "later"),  # with that of another name
            (named, {"proxy": proxy}, "later"),
            (named, {"proxy": proxy} | trusted, "sent"),
        ]
        for account, options, outcome in cases:
            with Sending(fake, account, **options) as send:
                assert [result.outcome for result in send("ann@x.example")] == [outcome]
        assert len(fake.requests) == 1
        head = tunnel.heads[-1].decode().lower()
        assert f"connect api.example.org:{fake.port} http/1.1\r\n" in head
        assert f"proxy-authorization: basic {b64encode(b'us@r:p:ss').decode().lower()}\r\n" in head
        tunnel.status = "407 Proxy Authentication Required"
        with Sending(fake, named, **trusted, proxy=proxy) as send:
            (result,) = send("ann@x.example")
        assert (result.outcome, result.reply) == ("later", "the proxy refuses the connection")
        assert send.waited == []


def test_a_service_is_built_from_the_settings(
    fake: FakeService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The key comes from a file that the environment names, as every other secret, and is one that logs leave out."""
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("MAIL_KEY_FILE", str(tmp_path / "key"))
    settings = {"api_key_env": "MAIL_KEY", "api_region": REGION, "api_domain": DOMAIN, "api_stream": STREAM}
    document = {
        "publication": {"name": "Harbour", "url": "https://h.example/", "sender": "kathe@news.example.org"},
        "feeds": [{"id": "blog", "url": "https://h.example/feed/", "kind": "blog"}],
        "public": {"url": "https://news.example.org"},
        "delivery": {"backend": fake.name, "api_url": f"{fake.account.url}/", **settings},
    }
    app = App(parse_config(document, tmp_path / "config.toml"))
    backend = build_service_backend(app, app.config.delivery.backend, lambda: NOW)
    with closing(backend.open()) as connection:
        (result,) = connection.send(copies("ann@x.example"), lambda offered: offered)
    assert (backend.name, result.outcome) == (fake.name, "sent")
    assert KEY in app.secrets
