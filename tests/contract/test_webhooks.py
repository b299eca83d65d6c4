"""Webhooks of all mail services: what is refused, and what an accepted one says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.mail_api.client import Answer
from pipeline.delivery.services import SERVICES
from pipeline.delivery.services.mailgun import MAX_AGE_SECONDS
from pipeline.model.errors import ConfigError, WebhookRefusedError, WebhookUncheckedError
from pipeline.web.public.webhooks import MAX_BODY_BYTES, NONCE_LIFETIME
from tests.subscriber_pages import ADA, Pages, open_pages, write_publication
from tests.webhooks import (
    CERTIFICATE_URL,
    NOW,
    SECRETS,
    TOPIC,
    Signed,
    Sns,
    request_of,
    sign,
    sign_mailgun,
    sign_postmark,
    sign_resend,
    sign_sns,
    webhook_of,
)

ANN = "ann@x.example"
MAX_AGE = timedelta(seconds=MAX_AGE_SECONDS)
MAIL = {"messageId": "0102-ses", "destination": [ANN]}


def bounced(kind: str, code: str) -> dict[str, Any]:
    """Return a notification of a bounce, as SES publishes it."""
    recipient = {"emailAddress": ANN, "action": "failed", "status": code, "diagnosticCode": f"smtp; 550 {code} no"}
    details = {"bounceType": kind, "bouncedRecipients": [recipient], "timestamp": "2026-03-02T08:00:00Z"}
    return {"notificationType": "Bounce", "bounce": details, "mail": MAIL}


def failed(severity: str, reason: str, message: str) -> dict[str, Any]:
    """Return a failure, as Mailgun reports it."""
    return {
        "event": "failed",
        "severity": severity,
        "reason": reason,
        "recipient": ANN,
        "timestamp": 1772438400.5,
        "message": {"headers": {"message-id": "20260302.1@x.example"}},
        "delivery-status": {"code": 550, "message": message, "description": ""},
    }


def postmark(record: str, **fields: object) -> dict[str, object]:
    """Return a webhook of Postmark."""
    name = "Recipient" if record in ("Delivery", "SubscriptionChange") else "Email"
    return {"RecordType": record, "MessageID": "pm-1", name: ANN, "BouncedAt": "2026-03-02T08:00:00Z", **fields}


def resend(kind: str, **data: object) -> dict[str, object]:
    """Return a webhook of Resend."""
    return {
        "type": f"email.{kind}",
        "created_at": "2026-03-02T08:00:00.000Z",
        "data": {"email_id": "re-1", "to": [ANN], **data},
    }


EVENTS = [
    ("ses", bounced("Permanent", "5.1.1"), "bounced", "hard"),
    ("ses", bounced("Permanent", "5.7.1"), "bounced", "soft"),
    ("ses", bounced("Transient", "4.4.7"), "bounced", "soft"),
    ("ses", bounced("Undetermined", ""), "bounced", "soft"),
    (
        "ses",
        {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": ANN}]}, "mail": MAIL},
        "complained",
        "",
    ),
    ("ses", {"eventType": "Delivery", "delivery": {"recipients": [ANN]}, "mail": MAIL}, "delivered", ""),
    (
        "ses",
        {"eventType": "DeliveryDelay", "deliveryDelay": {"delayedRecipients": [{"emailAddress": ANN}]}, "mail": MAIL},
        "deferred",
        "soft",
    ),
    ("ses", {"eventType": "Reject", "reject": {"reason": "Bad content"}, "mail": MAIL}, "rejected", ""),
    ("postmark", postmark("Bounce", Type="HardBounce", ID=42), "bounced", "hard"),
    ("postmark", postmark("Bounce", Type="SoftBounce", ID=42), "bounced", "soft"),
    ("postmark", postmark("Bounce", Type="SpamNotification", ID=42), "bounced", "soft"),
    ("postmark", postmark("Bounce", Type="DMARCPolicy", ID=42), "rejected", ""),
    ("postmark", postmark("Bounce", Type="AutoResponder", ID=42), "autoresponded", ""),
    ("postmark", postmark("SpamComplaint", Type="SpamComplaint", ID=42), "complained", ""),
    ("postmark", postmark("Delivery", DeliveredAt="2026-03-02T08:00:00Z"), "delivered", ""),
    (
        "postmark",
        postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression"),
        "unsubscribed",
        "",
    ),
    ("mailgun", failed("permanent", "bounce", "5.1.1 no such user"), "bounced", "hard"),
    ("mailgun", failed("permanent", "generic", "5.7.1 refused by policy"), "bounced", "soft"),
    ("mailgun", failed("temporary", "generic", "4.2.2 mailbox full"), "deferred", "soft"),
    ("mailgun", failed("permanent", "suppress-complaint", ""), "complained", ""),
    ("mailgun", failed("permanent", "suppress-unsubscribe", ""), "unsubscribed", ""),
    ("mailgun", failed("", "", "") | {"event": "delivered"}, "delivered", ""),
    ("mailgun", failed("", "", "") | {"event": "complained"}, "complained", ""),
    ("mailgun", failed("", "", "") | {"event": "unsubscribed"}, "unsubscribed", ""),
    (
        "resend",
        resend("bounced", bounce={"type": "Permanent", "subType": "General", "message": "no"}),
        "bounced",
        "hard",
    ),
    ("resend", resend("bounced", bounce={"type": "Permanent", "message": "550 5.7.26 no"}), "bounced", "soft"),
    ("resend", resend("bounced", bounce={"message": "unknown"}), "bounced", "soft"),
    ("resend", resend("complained"), "complained", ""),
    ("resend", resend("delivered"), "delivered", ""),
    ("resend", resend("delivery_delayed"), "deferred", "soft"),
]
NOT_COUNTED = [
    ("ses", "Successfully validated SNS topic for Amazon SES event publishing."),
    ("ses", {"eventType": "Open", "mail": MAIL}),
    ("postmark", postmark("Open")),
    ("postmark", postmark("Click")),
    ("postmark", postmark("SubscriptionChange", SuppressSending=False)),
    ("mailgun", failed("", "", "") | {"event": "opened"}),
    ("resend", resend("opened")),
    ("resend", resend("clicked")),
]


@pytest.mark.parametrize(("name", "content", "kind", "severity"), EVENTS)
def test_events_have_the_words_of_django_anymail(name: str, content: Any, kind: str, severity: str) -> None:
    """Hard is only what says that the address can never be reached: no policy, no mailbox that is full."""
    (event,) = webhook_of(name).read(request_of(sign(name, content)), NOW).events
    assert (event.kind, event.severity, event.address) == (kind, severity, ANN)
    assert event.provider_id in ("0102-ses", "pm-1", "20260302.1@x.example", "re-1")
    assert NOW - timedelta(hours=1, seconds=1) <= event.at <= NOW
    assert event.key.startswith(f"{name}:")
    again = webhook_of(name).read(request_of(sign(name, content)), NOW + timedelta(minutes=1)).events
    assert [each.key for each in again] == [event.key]


@pytest.mark.parametrize(("name", "content"), NOT_COUNTED)
def test_opens_and_clicks_are_no_events(name: str, content: Any) -> None:
    """Nobody is spied on, even if a service is set to do so."""
    assert webhook_of(name).read(request_of(sign(name, content)), NOW).events == ()


def test_a_notification_may_be_about_several_recipients() -> None:
    """Each is an event with a key of its own."""
    content = bounced("Permanent", "5.1.1")
    content["bounce"]["bouncedRecipients"] = [{"emailAddress": f"p{number}@x.example"} for number in range(3)]
    events = webhook_of("ses").read(request_of(sign("ses", content)), NOW).events
    assert [event.address for event in events] == ["p0@x.example", "p1@x.example", "p2@x.example"]
    assert len({event.key for event in events}) == 3


HEADERS, BODY = sign_resend(resend("complained"))
OTHER_SECRET = "whsec_" + "b" * 32
REFUSED: list[tuple[str, Signed]] = [
    *((name, ({}, b"{}")) for name in SERVICES),
    *((name, (sign(name, EVENTS[8][1])[0], b"[" * 100_000)) for name in SERVICES),
    *((name, (sign(name, EVENTS[8][1])[0], b"[1]")) for name in SERVICES),
    ("postmark", sign_postmark({}, secret="hook:another-password-of-ours")),
    ("postmark", ({"authorization": "Bearer " + sign_postmark({})[0]["authorization"][6:]}, b"{}")),
    ("mailgun", sign_mailgun({}, secret="key-of-somebody-else")),
    ("mailgun", sign_mailgun({}, at=NOW - timedelta(hours=25))),
    ("mailgun", sign_mailgun({}, at=NOW + timedelta(hours=25))),
    ("mailgun", sign_mailgun({}, token="")),
    ("mailgun", ({}, b'{"signature": {"timestamp": "1", "token": "a", "signature": "\\u00e4"}}')),
    ("resend", sign_resend({}, secret=OTHER_SECRET)),
    ("resend", sign_resend({}, at=NOW - timedelta(minutes=6))),
    ("resend", sign_resend({}, at=NOW + timedelta(minutes=6))),
    ("resend", (HEADERS, BODY.replace(b"ann@", b"ben@"))),
    ("resend", (HEADERS | {"svix-id": "msg_2"}, BODY)),
    ("resend", (HEADERS | {"svix-timestamp": str(int(NOW.timestamp()) + 1)}, BODY)),
    ("resend", (HEADERS | {"svix-signature": "v1,"}, BODY)),
    ("ses", sign_sns({}, TopicArn=TOPIC + "2")),
    ("ses", sign_sns({}, version="3")),
    ("ses", sign_sns({}, key="somebody else")),
    ("ses", sign_sns({}, SigningCertURL="https://sns.eu-west-1.amazonaws.com.evil.example/x.pem")),
    ("ses", sign_sns({}, SigningCertURL=CERTIFICATE_URL.replace("eu-west-1", "us-east-1"))),
    ("ses", sign_sns({}, SigningCertURL=CERTIFICATE_URL.replace("https", "http"))),
    ("ses", sign_sns({}, SigningCertURL=CERTIFICATE_URL + "?a=.pem")),
    ("ses", sign_sns({}, SigningCertURL="https://sns.eu-west-1.amazonaws.com/other.pem")),
    ("ses", sign_sns({}, SigningCertURL="https://[")),
    (
        "ses",
        (lambda signed: (signed[0], signed[1].replace(b"5.1.1", b"5.1.2")))(sign_sns(bounced("Permanent", "5.1.1"))),
    ),
    ("ses", (lambda signed: (signed[0], signed[1].replace(b'"Signature": "', b'"Signature": "!')))(sign_sns({}))),
]


@pytest.mark.parametrize(("name", "signed"), REFUSED)
def test_what_is_not_proved_is_refused(name: str, signed: Signed) -> None:
    """No signature, that of somebody else, of another time, content, topic or certificate."""
    sns = Sns()
    with pytest.raises(WebhookRefusedError) as caught:
        webhook_of(name, sns).read(request_of(signed), NOW)
    assert not isinstance(caught.value, WebhookUncheckedError)
    assert all(url == CERTIFICATE_URL for url in sns.opened)
    assert not any(secret and secret[6:] in str(caught.value) for secret in SECRETS.values())


def test_certificates_of_sns() -> None:
    """One is fetched once; without an answer SNS is asked to try again; an expired or damaged one proves nothing."""
    sns = Sns()
    webhook = webhook_of("ses", sns)
    for version in ("1", "2", "2"):
        webhook.read(request_of(sign_sns(bounced("Permanent", "5.1.1"), version=version)), NOW)
    assert sns.opened == [CERTIFICATE_URL]
    with pytest.raises(WebhookRefusedError, match="not valid now"):
        webhook.read(request_of(sign_sns({})), NOW + timedelta(days=31))
    for answer, error in (
        (Answer(), WebhookUncheckedError),
        (Answer(status=503), WebhookUncheckedError),
        (Answer(status=302, headers={"location": "https://evil.example"}), WebhookUncheckedError),
        (Answer(status=200, body=b"no certificate"), WebhookRefusedError),
    ):
        sns = Sns(answers={CERTIFICATE_URL: answer})
        with pytest.raises(error):
            webhook_of("ses", sns).read(request_of(sign_sns({})), NOW)


def test_only_our_topic_is_confirmed() -> None:
    """SNS sends nothing before its own address is opened; no other address is."""
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37"
    fields = {"Type": "SubscriptionConfirmation", "Token": "2336412f37", "Subject": None}
    sns = Sns()
    sns.answers[url] = Answer(status=200)
    report = webhook_of("ses", sns).read(request_of(sign_sns("Confirm", SubscribeURL=url, **fields)), NOW)
    assert (report.events, sns.opened) == ((), [CERTIFICATE_URL, url])
    for other in ("https://evil.example/", "http://169.254.169.254/", "https://sns.us-east-1.amazonaws.com/"):
        with pytest.raises(WebhookRefusedError):
            webhook_of("ses", sns).read(request_of(sign_sns("Confirm", SubscribeURL=other, **fields)), NOW)
    assert sns.opened.count(CERTIFICATE_URL) == len(sns.opened) - 1
    with pytest.raises(WebhookUncheckedError):
        webhook_of("ses").read(request_of(sign_sns("Confirm", SubscribeURL=url, **fields)), NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(data=st.data())
def test_signed_content_of_any_form_is_read(data: st.DataObject) -> None:
    """Values that are missing or of another type make no error: the services add and change fields."""
    name, content, _, _ = data.draw(st.sampled_from(EVENTS))
    changed = json.loads(json.dumps(content))
    place = changed
    while isinstance(place, dict) and place:
        key = data.draw(st.sampled_from(sorted(place)))
        if data.draw(st.booleans()) or not isinstance(place[key], dict):
            place[key] = data.draw(JSON)
            break
        place = place[key]
    for event in webhook_of(name).read(request_of(sign(name, changed)), NOW).events:
        assert len(event.diagnostic) <= 200
        assert event.diagnostic.isprintable()
        assert event.at <= NOW


def test_secrets_are_checked() -> None:
    """One that could be guessed proves nothing."""
    for name in ("postmark", "mailgun", "resend"):
        for secret in ("", "a:b", "short-secret"):
            with pytest.raises(ConfigError, match="webhook_secret_env"):
                webhook_of(name, secret=secret)
    with pytest.raises(ConfigError, match="NAME:PASSWORD"):
        webhook_of("postmark", secret="a-password-without-a-name")
    with pytest.raises(ConfigError, match="signing secret"):
        webhook_of("resend", secret="whsec_this is not base64")
    with pytest.raises(ConfigError, match="sns_topic"):
        webhook_of("ses", topic="")
    assert SECRETS["mailgun"] not in repr(webhook_of("mailgun"))


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    monkeypatch.setenv("HOOK", SECRETS["mailgun"])
    settings = f'webhook_secret_env = "HOOK"\nsns_topic = "{TOPIC}"'
    with open_pages(write_publication(tmp_path, delivery=settings)) as opened:
        yield opened


def post(pages: Pages, name: str, signed: Signed) -> int:
    """Send a webhook and return the status of the answer."""
    return pages.client.request("POST", f"/webhooks/{name}", headers=signed[0], content=signed[1]).status_code


def hard_bounce(address: str) -> dict[str, Any]:
    """Return a hard bounce of an address, as Mailgun reports it."""
    return failed("permanent", "bounce", "5.1.1 no such user") | {"recipient": address}


def test_a_bounce_suppresses_a_subscriber(pages: Pages) -> None:
    """A webhook that comes twice, as after a lost answer, is accepted twice and counts once."""
    pages.active(ADA)
    signed = sign_mailgun(hard_bounce(ADA), at=pages.now)
    assert [post(pages, "mailgun", signed) for _ in range(2)] == [200, 200]
    assert pages.subscriber(ADA).state == "suppressed"
    assert pages.events(ADA).count("suppressed") == 1


def test_a_token_counts_once(pages: Pages) -> None:
    """Mailgun signs no content: with a token that was seen, whatever came with it, nothing is recorded."""
    pages.active(ADA)
    opened = failed("", "", "") | {"event": "opened"}
    assert post(pages, "mailgun", sign_mailgun(opened, at=pages.now)) == 200
    forged = sign_mailgun(hard_bounce(ADA), at=pages.now)
    assert post(pages, "mailgun", forged) == 200
    assert pages.subscriber(ADA).state == "active"
    pages.now += MAX_AGE
    assert post(pages, "mailgun", forged) == 200
    pages.now += timedelta(seconds=1)
    assert post(pages, "mailgun", forged) == 403
    assert pages.subscriber(ADA).state == "active"
    assert NONCE_LIFETIME > MAX_AGE


def test_refused_webhooks_change_nothing(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    """Each has a status that says whether the service should try again; the log names why, and no secret."""
    caplog.set_level(logging.DEBUG)
    pages.active(ADA)
    bounce = hard_bounce(ADA)
    tries = [
        ("mailgun", sign_mailgun(bounce, at=pages.now, secret="key-of-somebody-else"), 403),
        ("mailgun", ({}, b"not JSON"), 403),
        ("mailgun", ({}, b" " * (MAX_BODY_BYTES + 1)), 413),
        ("nobody", sign_mailgun(bounce, at=pages.now), 404),
        ("../mailgun", sign_mailgun(bounce, at=pages.now), 404),
        ("postmark", sign_postmark(postmark("Bounce", Type="HardBounce", Email=ADA)), 503),  # the secret is no NAME:…
        ("ses", sign_sns(bounced("Permanent", "5.1.1"), TopicArn="arn:aws:sns:eu-west-1:1:x"), 403),
    ]
    assert [post(pages, name, signed) for name, signed, _ in tries] == [status for _, _, status in tries]
    assert pages.get("/webhooks/mailgun").status_code == 405
    assert pages.subscriber(ADA).state == "active"
    assert "signature is wrong" in caplog.text
    assert SECRETS["mailgun"] not in caplog.text


def test_without_a_secret_there_are_no_webhooks(tmp_path: Path) -> None:
    """Nothing that anybody could send is read."""
    with open_pages(write_publication(tmp_path)) as pages:
        for name in SERVICES:
            assert post(pages, name, sign(name, {})) == 404
