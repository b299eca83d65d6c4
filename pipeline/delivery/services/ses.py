"""Amazon SES: SendEmail of the API version 2, with the whole message as raw content, one to a request.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html. SES replaces Date and Message-ID. It has no
request key: a request whose answer was lost stays uncertain.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.delivery.mail_api.client import Answer, Request
from pipeline.delivery.mail_api.content import without_signatures
from pipeline.delivery.mail_api.service import (
    Account,
    explain,
    field_of,
    printable,
    read_json,
    require,
    require_key,
)
from pipeline.delivery.mail_api.signature_v4 import Credentials, signed_headers
from pipeline.delivery.mail_api.sns import Certificates, check_message, confirm_subscription
from pipeline.delivery.mail_api.webhooks import (
    MAX_RECIPIENTS,
    Get,
    WebhookAccount,
    WebhookReport,
    WebhookRequest,
    bounce_severity,
    instant,
    make_event,
    read_document,
    text_at,
    value_at,
)
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.delivery_event import DeliveryEvent, DeliveryEventKind, Severity
from pipeline.model.errors import ConfigError, WebhookRefusedError

_PATH = "/v2/email/outbound-emails"
_TOO_MANY = ("TooManyRequestsException", "ThrottlingException", "Throttling")
_ADDRESS_REFUSED = re.compile(
    r"(?i)illegal address|invalid (domain name|email address)|missing final '@domain'"
    r"|(domain|local address) (contains|starts|ends)"
)
"""Messages of a BadRequestException that is about the recipient; Amazon documents none of them."""


@dataclass(frozen=True, slots=True)
class Ses:
    """An account at Amazon SES."""

    account: Account

    name = "ses"
    max_batch = 1
    max_request_bytes = 50_000_000
    has_request_key = False

    def __post_init__(self) -> None:
        require(self.account.region, "api_region", 'give the region of your SES account, such as "eu-west-1"')
        self._credentials()

    @property
    def secrets(self) -> Sequence[str]:
        """The secret key, and the token of a temporary one."""
        credentials = self._credentials()
        return (self.account.key, credentials.secret, credentials.token)

    def encode(self, copy: Copy) -> bytes:
        """Return a request's body."""
        fields = {
            "Content": {"Raw": {"Data": b64encode(without_signatures(copy.message)).decode("ascii")}},
            "Destination": {"ToAddresses": [copy.address]},
            "FeedbackForwardingEmailAddress": copy.sender,
        }
        stream = {"ConfigurationSetName": self.account.stream} if self.account.stream else {}
        return json.dumps(fields | stream).encode()

    def request(self, parts: Sequence[bytes], now: datetime) -> Request:
        """Return the signed request of a copy."""
        (body,) = parts
        url = (self.account.url or f"https://email.{self.account.region}.amazonaws.com") + _PATH
        headers = signed_headers(
            "POST",
            url,
            {"Content-Type": "application/json"},
            body,
            credentials=self._credentials(),
            region=self.account.region,
            service="ses",
            now=now,
        )
        return Request(url=url, headers=headers, body=body)

    def results(self, answer: Answer, count: int) -> Sequence[DeliveryResult] | None:
        """Return the result of the copy; its id is in the notifications of SES."""
        message_id = field_of(read_json(answer), "MessageId")
        return [DeliveryResult(outcome="sent", provider_id=printable(message_id))] if message_id else None

    def refusal(self, answer: Answer, count: int) -> DeliveryResult | None:
        """Return the result of an exception: too many requests, a used up quota, an address that SES refuses."""
        kind = answer.headers.get("x-amzn-errortype", "").partition(":")[0]
        text = field_of(read_json(answer), "message", "Message")
        reply = printable(f"{answer.status} {kind} {text}") if kind else explain(answer)
        if kind in _TOO_MANY:
            if "daily" in text.lower():
                return DeliveryResult(outcome="stop", reply=reply)
            return DeliveryResult(outcome="later", reply=reply, slow_down=True)
        if kind == "BadRequestException" and _ADDRESS_REFUSED.search(text):
            return DeliveryResult(outcome="failed", reason="refused", reply=reply)
        return DeliveryResult(outcome="stop", reply=reply) if kind and answer.status < 500 else None

    def _credentials(self) -> Credentials:
        key = require_key(self.account, "the access key of SES, as ID:SECRET")
        key_id, _, rest = key.partition(":")
        secret, _, token = rest.partition(":")
        if not key_id or not secret:
            raise ConfigError("[delivery] api_key_env: SES needs the access key's ID and its secret, as ID:SECRET.")
        return Credentials(key_id=key_id, secret=secret, token=token)


_KINDS: Mapping[str, tuple[DeliveryEventKind, str, str]] = {
    "Bounce": ("bounced", "bounce", "bouncedRecipients"),
    "Complaint": ("complained", "complaint", "complainedRecipients"),
    "Delivery": ("delivered", "delivery", "recipients"),
    "DeliveryDelay": ("deferred", "deliveryDelay", "delayedRecipients"),
    "Reject": ("rejected", "reject", ""),
}
"""Types of notifications: the kind of event, and where its details and recipients are."""


@dataclass(frozen=True, slots=True)
class SesWebhook:
    """Notifications of SES, with the signature of Amazon SNS."""

    account: WebhookAccount
    get: Get
    certificates: Certificates

    def __post_init__(self) -> None:
        require(self.account.topic, "sns_topic", "give the ARN of the topic that SES publishes to")

    def read(self, request: WebhookRequest, now: datetime) -> WebhookReport:
        """Return the events of a notification; confirm the subscription if that is what SNS asks for."""
        message = read_document(request.body)
        check_message(message, self.account.topic, self.certificates, now)
        if text_at(message, "Type") == "SubscriptionConfirmation":
            confirm_subscription(message, self.account.topic, self.get)
        if text_at(message, "Type") != "Notification":
            return WebhookReport()
        try:
            notification = read_document(str(value_at(message, "Message")))
        except WebhookRefusedError:
            return WebhookReport()  # SES greets a new topic with a sentence
        return WebhookReport(events=tuple(_events(notification, text_at(message, "MessageId"), now)))


def _events(notification: Mapping[str, Any], notification_id: str, now: datetime) -> Iterator[DeliveryEvent]:
    """Yield the event of each recipient of a notification, of either format that SES has."""
    kind_name = text_at(notification, "eventType") or text_at(notification, "notificationType")
    if kind_name not in _KINDS:
        return
    kind, details_at, recipients_at = _KINDS[kind_name]
    details = value_at(notification, details_at)
    recipients = value_at(details, recipients_at) or value_at(notification, "mail", "destination")
    for recipient in recipients[:MAX_RECIPIENTS] if isinstance(recipients, list) else ():
        address = recipient if isinstance(recipient, str) else text_at(recipient, "emailAddress")
        words = [text_at(recipient, "status"), text_at(recipient, "diagnosticCode"), text_at(details, "bounceSubType")]
        severity: Severity = "soft" if kind in ("bounced", "deferred") else ""
        if kind == "bounced" and text_at(details, "bounceType") == "Permanent":
            severity = bounce_severity(*words)
        yield make_event(
            Ses.name,
            kind,
            notification_id,
            at=instant(text_at(details, "timestamp"), now),
            severity=severity,
            address=printable(address),
            provider_id=text_at(notification, "mail", "messageId"),
            diagnostic=" ".join(filter(None, [*words, text_at(details, "reason"), text_at(details, "smtpResponse")])),
        )


SERVICE = Ses
WEBHOOK = SesWebhook
