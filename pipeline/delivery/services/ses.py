"""Amazon SES: SendEmail of the API version 2, with the whole message as raw content, one to a request.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html. SES replaces Date and Message-ID. It has no
request key: a request whose answer was lost stays uncertain.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.delivery.mail_api.client import Answer, Request
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
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.errors import ConfigError

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
            "Content": {"Raw": {"Data": b64encode(copy.message).decode("ascii")}},
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


SERVICE = Ses
