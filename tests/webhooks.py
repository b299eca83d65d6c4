"""Webhooks as the mail services send them: built and signed from what the services publish."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pipeline.delivery.mail_api.client import Answer, Request
from pipeline.delivery.mail_api.sns import Certificates
from pipeline.delivery.mail_api.webhooks import Webhook, WebhookAccount, WebhookRequest
from pipeline.delivery.services import load_webhook

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123.pem"
SECRETS = {
    "ses": "",
    "postmark": "hook:a-long-password-of-ours",
    "mailgun": "key-0123456789abcdef",
    "resend": "whsec_" + b64encode(b"a secret of 24 bytes ...").decode(),
}
OWNER = "sns.amazonaws.com"
Signed = tuple[dict[str, str], bytes]


@dataclass
class Sns:
    """Amazon SNS: it has certificates, and addresses that confirm subscriptions."""

    answers: dict[str, Answer] = field(
        default_factory=lambda: {CERTIFICATE_URL: Answer(status=200, body=own(OWNER)[1])}
    )
    opened: list[str] = field(default_factory=list)

    def get(self, request: Request) -> Answer:
        """Return the answer to a request."""
        assert request.method == "GET"
        self.opened.append(request.url)
        return self.answers.get(request.url, Answer(problem="no connection is possible", was_sent=False))


def webhook_of(name: str, sns: Sns | None = None, **account: str) -> Webhook:
    """Return what reads the webhooks of a service."""
    given = {"secret": SECRETS[name], "topic": TOPIC} | account
    get = (sns or Sns()).get
    return load_webhook(name, WebhookAccount(**given), get, Certificates(get=get))


@cache
def own(name: str) -> tuple[rsa.RSAPrivateKey, bytes]:
    """Return a key, and its certificate, which is valid for 30 days before and after NOW."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - timedelta(days=30)).not_valid_after(NOW + timedelta(days=30))
    return key, builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def request_of(signed: Signed) -> WebhookRequest:
    """Return a request to be read."""
    return WebhookRequest(headers=signed[0], body=signed[1])


def sign(name: str, content: Any, **options: Any) -> Signed:
    """Return the headers and the body of a webhook of a service."""
    signers = {"ses": sign_sns, "postmark": sign_postmark, "mailgun": sign_mailgun, "resend": sign_resend}
    return signers[name](content, **options)


def sign_postmark(content: Any, *, secret: str = SECRETS["postmark"]) -> Signed:
    """Return a webhook of Postmark."""
    credentials = b64encode(secret.encode()).decode()
    return {"authorization": f"Basic {credentials}", "content-type": "application/json"}, json.dumps(content).encode()


def sign_mailgun(
    content: Any, *, secret: str = SECRETS["mailgun"], at: datetime = NOW, token: str = "t" * 50
) -> Signed:
    """Return a webhook of Mailgun."""
    timestamp = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), (timestamp + token).encode(), "sha256").hexdigest()
    block = {"timestamp": timestamp, "token": token, "signature": signature}
    return {"content-type": "application/json"}, json.dumps({"signature": block, "event-data": content}).encode()


def sign_resend(content: Any, *, secret: str = SECRETS["resend"], at: datetime = NOW, number: str = "msg_1") -> Signed:
    """Return a webhook of Resend: Svix signs it; while secrets are exchanged, with two."""
    body = json.dumps(content).encode()
    timestamp = str(int(at.timestamp()))
    key = b64decode(secret.removeprefix("whsec_"))
    made = b64encode(hmac.new(key, f"{number}.{timestamp}.".encode() + body, "sha256").digest()).decode()
    headers = {"svix-id": number, "svix-timestamp": timestamp, "svix-signature": f"v1,{'A' * 43}= v1,{made}"}
    return headers, body


def sign_sns(content: Any, *, version: str = "2", key: str = OWNER, **changed: str | None) -> Signed:
    """Return a message of SNS; ``content`` is a notification of SES, or the text of the message. None omits a field."""
    every: dict[str, str | None] = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": content if isinstance(content, str) else json.dumps(content),
        "Timestamp": "2026-03-02T08:59:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    }
    fields = {name: value for name, value in (every | changed).items() if value is not None}
    if fields["Type"] == "Notification":
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    signed = "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields)
    algorithm = SHA1() if version == "1" else SHA256()
    signature = own(key)[0].sign(signed.encode(), padding.PKCS1v15(), algorithm)
    body = json.dumps({**fields, "Signature": b64encode(signature).decode()}).encode()
    return {"x-amz-sns-message-type": fields["Type"], "content-type": "text/plain; charset=UTF-8"}, body
