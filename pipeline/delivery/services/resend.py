"""Resend: the batch endpoint, up to 100 messages to a request, with a key that makes a request safe to repeat.

https://resend.com/docs/api-reference/emails/send-batch-emails, …/api-reference/errors and
…/dashboard/emails/idempotency-keys. It takes fields, not messages.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pipeline.delivery.mail_api.client import Answer, Request
from pipeline.delivery.mail_api.content import read_content
from pipeline.delivery.mail_api.service import Account, explain, field_of, printable, read_json, require_key
from pipeline.model.delivery import Copy, DeliveryResult

_URL = "https://api.resend.com"
_BEING_PROCESSED = "concurrent_idempotent_requests"
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


SERVICE = Resend
