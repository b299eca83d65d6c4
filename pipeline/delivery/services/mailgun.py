"""Mailgun: messages.mime, the whole message as it is, one to a request.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages. It has no request key: a request
whose answer was lost stays uncertain.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

from pipeline.delivery.mail_api.client import Answer, Request
from pipeline.delivery.mail_api.content import without_signatures
from pipeline.delivery.mail_api.service import Account, explain, field_of, printable, read_json, require, require_key
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
from pipeline.model.errors import WebhookRefusedError

_URL = "https://api.mailgun.net"
_ADDRESS_REFUSED = re.compile(r"(?i)^['\"]?to['\"]? parameter is not a valid address")


@dataclass(frozen=True, slots=True)
class Mailgun:
    """A domain of an account at Mailgun."""

    account: Account

    name = "mailgun"
    max_batch = 1
    max_request_bytes = 25_000_000
    has_request_key = False

    def __post_init__(self) -> None:
        require_key(self.account, "a sending key of Mailgun")
        require(self.account.domain, "api_domain", "give the domain that Mailgun sends for")

    @property
    def secrets(self) -> Sequence[str]:
        """The key, as it is and as it is sent."""
        return (self.account.key, self._credentials())

    def encode(self, copy: Copy) -> bytes:
        """Return a request's body: a form with a file (RFC 7578). Opens and clicks are not tracked."""
        message = without_signatures(copy.message)
        boundary = _boundary(message)
        fields = {"to": copy.address, "o:tracking": "no", "o:tracking-clicks": "no", "o:tracking-opens": "no"}
        lines = [f"--{boundary}"]
        for name, value in fields.items():
            lines += [f'Content-Disposition: form-data; name="{name}"', "", value, f"--{boundary}"]
        lines += ['Content-Disposition: form-data; name="message"; filename="message.eml"']
        lines += ["Content-Type: message/rfc822", "", ""]
        return "\r\n".join(lines).encode() + message + f"\r\n--{boundary}--\r\n".encode()

    def request(self, parts: Sequence[bytes], now: datetime) -> Request:
        """Return the request of a copy."""
        (body,) = parts
        boundary = body[2:].partition(b"\r\n")[0].decode("ascii")
        headers = {
            "Authorization": f"Basic {self._credentials()}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        url = f"{self.account.url or _URL}/v3/{quote(self.account.domain)}/messages.mime"
        return Request(url=url, headers=headers, body=body)

    def results(self, answer: Answer, count: int) -> Sequence[DeliveryResult] | None:
        """Return the result of the copy; its events name the id without angle brackets."""
        message_id = field_of(read_json(answer), "id").strip("<> ")
        return [DeliveryResult(outcome="sent", provider_id=printable(message_id))] if message_id else None

    def refusal(self, answer: Answer, count: int) -> DeliveryResult | None:
        """Return the result of an address that Mailgun refuses; the status says the rest."""
        if answer.status == 400 and _ADDRESS_REFUSED.search(field_of(read_json(answer), "message")):
            return DeliveryResult(outcome="failed", reason="refused", reply=explain(answer))
        return None

    def _credentials(self) -> str:
        return b64encode(f"api:{self.account.key}".encode()).decode("ascii")


def _boundary(message: bytes) -> str:
    """Return a text that does not occur in a message: it would contain its own hash."""
    return f"part-{sha256(message).hexdigest()}"


MAX_AGE_SECONDS = 24 * 3600.0
"""Mailgun tries a webhook again for eight hours."""
_KINDS: Mapping[str, DeliveryEventKind] = {
    "delivered": "delivered",
    "failed": "bounced",
    "rejected": "rejected",
    "complained": "complained",
    "unsubscribed": "unsubscribed",
}
_SUPPRESSED: Mapping[str, DeliveryEventKind] = {
    "suppress-complaint": "complained",
    "suppress-unsubscribe": "unsubscribed",
}
"""Reasons of failures: why Mailgun did not even try."""


@dataclass(frozen=True, slots=True)
class MailgunWebhook:
    """Webhooks of Mailgun. Their signature is of a time and a token, not of the content: each token counts once."""

    account: WebhookAccount
    get: Get
    certificates: Certificates

    def __post_init__(self) -> None:
        require_secret(self.account, "name the environment variable that contains the HTTP webhook signing key")

    def read(self, request: WebhookRequest, now: datetime) -> WebhookReport:
        """Return the event of a webhook."""
        document = read_document(request.body)
        timestamp, token, given = (text_at(document, "signature", name) for name in ("timestamp", "token", "signature"))
        expected = hmac.digest(self.account.secret.encode(), f"{timestamp}{token}".encode(), "sha256").hex()
        if not token or not equal(given, expected):
            raise WebhookRefusedError("its signature is wrong")
        check_age(timestamp, now, max_seconds=MAX_AGE_SECONDS)
        data = value_at(document, "event-data")
        kind = _KINDS.get(text_at(data, "event"), "unknown")
        if kind == "unknown":
            return WebhookReport(nonce=token)
        status = value_at(data, "delivery-status")
        words = [text_at(status, name) for name in ("code", "enhanced-code", "message", "description")]
        severity: Severity = ""
        if kind == "bounced":
            kind, severity = _failure(data, words)
        event = make_event(
            Mailgun.name,
            kind,
            token,
            at=instant(text_at(data, "timestamp"), now),
            severity=severity,
            address=text_at(data, "recipient"),
            provider_id=text_at(data, "message", "headers", "message-id"),
            diagnostic=" ".join(filter(None, words)) or text_at(data, "reject", "reason") or text_at(data, "reason"),
        )
        return WebhookReport(events=(event,), nonce=token)


def _failure(data: object, words: Sequence[str]) -> tuple[DeliveryEventKind, Severity]:
    """Return what a failure is: deferred while Mailgun goes on trying."""
    if text_at(data, "severity") != "permanent":
        return "deferred", "soft"
    suppressed = _SUPPRESSED.get(text_at(data, "reason"))
    return (suppressed, "") if suppressed else ("bounced", bounce_severity(*words))


SERVICE = Mailgun
WEBHOOK = MailgunWebhook
