"""Resend: the batch endpoint, up to 100 messages to a request, with a key that makes a request safe to repeat.

https://resend.com/docs/api-reference/emails/send-batch-emails, …/api-reference/errors and
…/dashboard/emails/idempotency-keys. It takes fields, not messages.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pipeline.delivery.mail_api.client import Answer, Request
from pipeline.delivery.mail_api.content import read_content
from pipeline.delivery.mail_api.service import Account, explain, field_of, printable, read_json, require_key
from pipeline.delivery.mail_api.sns import Certificates
from pipeline.delivery.mail_api.webhooks import (
    Get,
    WebhookAccount,
    WebhookReport,
    WebhookRequest,
    bounce_severity,
    check_age,
    equal,
    instant,
    make_event,
    read_document,
    require_secret,
    text_at,
    value_at,
)
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.delivery_event import DeliveryEventKind, Severity
from pipeline.model.errors import ConfigError, WebhookRefusedError

_URL = "https://api.resend.com"
_BEING_PROCESSED = "concurrent_idempotent_requests"
MAX_SIGNATURES = 10
"""While a secret is exchanged, a webhook has a signature of each."""
_QUOTAS = ("daily_quota_exceeded", "monthly_quota_exceeded")


@dataclass(frozen=True, slots=True)
class Resend:
    """An account at Resend."""

    account: Account

    name = "resend"
    max_batch = 100
    max_request_bytes = 35_000_000
    has_request_key = True

    def __post_init__(self) -> None:
        require_key(self.account, "an API key of Resend")

    @property
    def secrets(self) -> Sequence[str]:
        """The API key."""
        return (self.account.key,)

    def encode(self, copy: Copy) -> bytes:
        """Return a message as Resend takes it."""
        content = read_content(copy.message)
        fields = {
            "from": content.sender,
            "to": [copy.address],
            "reply_to": content.reply_to,
            "subject": content.subject,
            "text": content.text,
            "html": content.html,
            "headers": dict(content.headers),
        }
        return json.dumps({name: value for name, value in fields.items() if value != ""}).encode()

    def request(self, parts: Sequence[bytes], now: datetime) -> Request:
        """Return the request of a batch. Its key is the hash of its body, so only the same request has the same.

        In a batch with an address that Resend refuses, the others are sent (``permissive``).
        """
        body = b"[" + b",".join(parts) + b"]"
        headers = {
            "Authorization": f"Bearer {self.account.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": sha256(body).hexdigest(),
            "X-Batch-Validation": "permissive",
        }
        return Request(url=f"{self.account.url or _URL}/emails/batch", headers=headers, body=body)

    def results(self, answer: Answer, count: int) -> Sequence[DeliveryResult] | None:
        """Return a result for each message: ``errors`` name theirs by number, ``data`` has the ids of the others."""
        document = read_json(answer)
        entries, errors = (document.get("data"), document.get("errors") or []) if isinstance(document, dict) else (0, 0)
        if not isinstance(entries, list) or not isinstance(errors, list):
            return None
        refused = {field_of(error, "index"): field_of(error, "message") for error in errors}
        ids = [field_of(entry, "id") for entry in entries]
        if len(ids) + len(refused) != count or not set(refused) <= set(map(str, range(count))) or not all(ids):
            return None
        accepted = iter(ids)
        return [
            _refusal(refused[str(number)])
            if str(number) in refused
            else DeliveryResult(outcome="sent", provider_id=printable(next(accepted)))
            for number in range(count)
        ]

    def refusal(self, answer: Answer, count: int) -> DeliveryResult | None:
        """Return the result of a used up quota, a request that is still being processed, or a refused address."""
        document = read_json(answer)
        name = field_of(document, "name")
        if name in _QUOTAS:
            return DeliveryResult(outcome="stop", reply=explain(answer))
        if name == _BEING_PROCESSED:
            return DeliveryResult(outcome="uncertain", reply=explain(answer))
        if name == "validation_error" and answer.status in (400, 422) and count == 1:
            return _refusal(field_of(document, "message"), explain(answer))
        return None


def _refusal(text: str, reply: str = "") -> DeliveryResult:
    """Return the result of a message that was refused: failed if that is about its recipient, else all stop."""
    reply = reply or printable(text)
    if "`to`" in text:
        return DeliveryResult(outcome="failed", reason="refused", reply=reply)
    return DeliveryResult(outcome="stop", reply=reply)


MAX_AGE_SECONDS = 300.0
"""Each attempt to deliver a webhook has a time of its own."""
_KINDS: Mapping[str, tuple[DeliveryEventKind, Severity]] = {
    "email.delivered": ("delivered", ""),
    "email.delivery_delayed": ("deferred", "soft"),
    "email.bounced": ("bounced", "soft"),
    "email.suppressed": ("rejected", "soft"),
    "email.failed": ("rejected", ""),
    "email.complained": ("complained", ""),
}


@dataclass(frozen=True, slots=True)
class ResendWebhook:
    """Webhooks of Resend, signed as those of Svix: https://docs.svix.com/receiving/verifying-payloads/how-manual."""

    account: WebhookAccount
    get: Get
    certificates: Certificates

    def __post_init__(self) -> None:
        self._key()

    def read(self, request: WebhookRequest, now: datetime) -> WebhookReport:
        """Return the event of a webhook."""
        message_id, timestamp, signatures = (
            request.headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature")
        )
        signed = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + request.body
        expected = "v1," + b64encode(hmac.digest(self._key(), signed, "sha256")).decode("ascii")
        if not message_id or not any(equal(given, expected) for given in signatures.split(" ")[:MAX_SIGNATURES]):
            raise WebhookRefusedError("its signature is wrong")
        check_age(timestamp, now, max_seconds=MAX_AGE_SECONDS)
        document = read_document(request.body)
        kind, severity = _KINDS.get(text_at(document, "type"), ("unknown", ""))
        if kind == "unknown":
            return WebhookReport(nonce=message_id)
        data = value_at(document, "data")
        words = [text_at(data, "bounce", name) for name in ("type", "subType", "message")]
        if kind == "bounced" and words[0] == "Permanent":
            severity = bounce_severity(*words)
        event = make_event(
            Resend.name,
            kind,
            message_id,
            at=instant(text_at(document, "created_at"), now),
            severity=severity,
            address=text_at(data, "to", 0),
            provider_id=text_at(data, "email_id"),
            diagnostic=" ".join(filter(None, [*words, text_at(data, "failed", "reason")])),
        )
        return WebhookReport(events=(event,), nonce=message_id)

    def _key(self) -> bytes:
        secret = require_secret(self.account, "name the environment variable that contains the signing secret, whsec_…")
        try:
            return b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError as error:
            raise ConfigError("[delivery] webhook_secret_env: this is not a signing secret; copy it again.") from error


SERVICE = Resend
WEBHOOK = ResendWebhook
