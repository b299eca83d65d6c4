"""Postmark: the batch endpoint, up to 500 messages to a request, each with a result of its own.

https://postmarkapp.com/developer/api/email-api and …/api/overview#error-codes. It takes fields, not messages. It has no
request key: a request whose answer was lost stays uncertain.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.delivery.mail_api.client import Answer, Request
from pipeline.delivery.mail_api.content import read_content
from pipeline.delivery.mail_api.service import Account, explain, field_of, printable, read_json, require_key
from pipeline.delivery.mail_api.sns import Certificates
from pipeline.delivery.mail_api.webhooks import (
    Get,
    WebhookAccount,
    WebhookReport,
    WebhookRequest,
    equal,
    instant,
    make_event,
    read_document,
    require_secret,
    text_at,
)
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.delivery_event import DeliveryEventKind, Severity
from pipeline.model.errors import ConfigError, WebhookRefusedError

_URL = "https://api.postmarkapp.com"
_DEFAULT_STREAM = "broadcast"
_INVALID, _INACTIVE = "300", "406"
_LATER = ("100", "429", "500")
"""Codes of maintenance, of too many requests, and of a fault at Postmark."""


@dataclass(frozen=True, slots=True)
class Postmark:
    """A server, as Postmark calls it, of an account."""

    account: Account

    name = "postmark"
    max_batch = 500
    max_request_bytes = 45_000_000
    has_request_key = False

    def __post_init__(self) -> None:
        require_key(self.account, "the API token of your Postmark server")

    @property
    def secrets(self) -> Sequence[str]:
        """The API token."""
        return (self.account.key,)

    def encode(self, copy: Copy) -> bytes:
        """Return a message as Postmark takes it. X-PM-KeepID makes it keep our Message-ID."""
        content = read_content(copy.message)
        headers = {**content.headers, "X-PM-KeepID": "true"}
        fields = {
            "From": content.sender,
            "To": copy.address,
            "ReplyTo": content.reply_to,
            "Subject": content.subject,
            "TextBody": content.text,
            "HtmlBody": content.html,
            "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
            "MessageStream": self.account.stream or _DEFAULT_STREAM,
            "TrackOpens": False,
            "TrackLinks": "None",
        }
        return json.dumps({name: value for name, value in fields.items() if value != ""}).encode()

    def request(self, parts: Sequence[bytes], now: datetime) -> Request:
        """Return the request of a batch."""
        headers = {"Content-Type": "application/json", "X-Postmark-Server-Token": self.account.key}
        url = f"{self.account.url or _URL}/email/batch"
        return Request(url=url, headers=headers, body=b"[" + b",".join(parts) + b"]")

    def results(self, answer: Answer, count: int) -> Sequence[DeliveryResult] | None:
        """Return a result for each message: the status is 200 even if all were refused."""
        entries = read_json(answer)
        if not isinstance(entries, list) or len(entries) != count:
            return None
        return [_result(entry) for entry in entries]

    def refusal(self, answer: Answer, count: int) -> DeliveryResult | None:
        """Return None but for maintenance: the status says the rest."""
        if field_of(read_json(answer), "ErrorCode") in _LATER:
            return DeliveryResult(outcome="later", reply=explain(answer), slow_down=True)
        return None


def _result(entry: object) -> DeliveryResult:
    """Return the result of a message. A code that is not about the recipient concerns the account, hence all."""
    code = field_of(entry, "ErrorCode")
    if code == "0":
        return DeliveryResult(outcome="sent", provider_id=printable(field_of(entry, "MessageID")))
    text = field_of(entry, "Message")
    reply = printable(f"{code} {text}")
    if not isinstance(entry, Mapping) or not code:
        return DeliveryResult(outcome="uncertain", reply=reply)
    if code == _INACTIVE or (code == _INVALID and "'To'" in text):
        return DeliveryResult(outcome="failed", reason="refused", reply=reply)
    if code in _LATER:
        return DeliveryResult(outcome="later", reply=reply, slow_down=True)
    return DeliveryResult(outcome="stop", reply=reply)


_BOUNCES: Mapping[str, tuple[DeliveryEventKind, Severity]] = {
    "HardBounce": ("bounced", "hard"),
    "BadEmailAddress": ("bounced", "hard"),
    "SoftBounce": ("bounced", "soft"),
    "Blocked": ("bounced", "soft"),
    "SpamNotification": ("bounced", "soft"),
    "Transient": ("deferred", "soft"),
    "DnsError": ("deferred", "soft"),
    "OpenRelayTest": ("deferred", "soft"),
    "AutoResponder": ("autoresponded", ""),
    "AddressChange": ("autoresponded", ""),
    "ChallengeVerification": ("autoresponded", ""),
    "Unsubscribe": ("unsubscribed", ""),
    "ManualSuppression": ("unsubscribed", ""),
    "SpamComplaint": ("complained", ""),
    "ManuallyDeactivated": ("rejected", "soft"),
    "VirusNotification": ("rejected", ""),
    "DMARCPolicy": ("rejected", ""),
    "SMTPApiError": ("rejected", ""),
}
"""Types of bounces, and reasons of suppressions."""


@dataclass(frozen=True, slots=True)
class PostmarkWebhook:
    """Webhooks of Postmark. They have no signature, but the name and password of their URL."""

    account: WebhookAccount
    get: Get
    certificates: Certificates

    def __post_init__(self) -> None:
        if ":" not in require_secret(self.account, "name the environment variable that contains NAME:PASSWORD"):
            raise ConfigError("[delivery] webhook_secret_env: Postmark needs a name and a password, as NAME:PASSWORD.")

    def read(self, request: WebhookRequest, now: datetime) -> WebhookReport:
        """Return the event of a webhook. What has no number of its own is known by all that it says."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        expected = b64encode(self.account.secret.encode()).decode("ascii")
        if scheme.lower() != "basic" or not equal(credentials.strip(), expected):
            raise WebhookRefusedError("its name or password is wrong")
        document = read_document(request.body)
        kind, severity = _kind_of(document)
        if kind == "unknown":
            return WebhookReport()
        times = (text_at(document, name) for name in ("BouncedAt", "DeliveredAt", "ChangedAt"))
        at = next(filter(None, times), "")
        event = make_event(
            Postmark.name,
            kind,
            *(text_at(document, name) for name in ("RecordType", "ID", "MessageID")),
            at,
            at=instant(at, now),
            severity=severity,
            address=text_at(document, "Email") or text_at(document, "Recipient"),
            provider_id=text_at(document, "MessageID"),
            diagnostic=text_at(document, "Details") or text_at(document, "Description"),
        )
        return WebhookReport(events=(event,))


def _kind_of(document: Mapping[str, Any]) -> tuple[DeliveryEventKind, Severity]:
    """Return what a webhook reports: unknown if that is an open, a click, or an address that is active again."""
    record = text_at(document, "RecordType")
    if record == "Delivery":
        return "delivered", ""
    if record in ("Bounce", "SpamComplaint"):
        return _BOUNCES.get(text_at(document, "Type"), ("complained" if record == "SpamComplaint" else "unknown", ""))
    if record == "SubscriptionChange" and document.get("SuppressSending") is True:
        return _BOUNCES.get(text_at(document, "SuppressionReason"), ("unknown", ""))
    return "unknown", ""


SERVICE = Postmark
WEBHOOK = PostmarkWebhook
