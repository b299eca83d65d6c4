"""Messages of Amazon SNS: check their signature and confirm the subscription of our own topic.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. Only certificates of SNS itself are
fetched, over TLS, and only for messages that name our topic.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from pipeline.delivery.mail_api.client import Request
from pipeline.delivery.mail_api.webhooks import Get, text_at, value_at
from pipeline.model.errors import WebhookRefusedError, WebhookUncheckedError

_HOST = re.compile(r"sns\.([a-z]{2}(?:-[a-z]+)+-\d{1,2})\.amazonaws\.com(?:\.cn)?")
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")
_HASHES = {"1": SHA1, "2": SHA256}
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {"Notification": _NOTIFICATION, "SubscriptionConfirmation": _CONFIRMATION}
_SIGNED["UnsubscribeConfirmation"] = _CONFIRMATION
_MAX_CERTIFICATES = 8


@dataclass(slots=True, kw_only=True)
class Certificates:
    """The certificates of signatures by SNS, fetched once each. Safe in any thread."""

    get: Get
    _known: dict[str, Certificate] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def fetch(self, url: str, now: datetime) -> Certificate:
        """Return a certificate. WebhookUncheckedError if there is no answer, WebhookRefusedError if it is not valid."""
        with self._lock:
            certificate = self._known.get(url)
            if certificate is None:
                answer = self.get(Request(method="GET", url=url))
                if answer.status != 200 or answer.problem:
                    raise WebhookUncheckedError("the certificate of SNS cannot be fetched")
                try:
                    certificate = load_pem_x509_certificate(answer.body)
                except ValueError as error:
                    raise WebhookRefusedError("its certificate cannot be read") from error
                if len(self._known) >= _MAX_CERTIFICATES:
                    self._known.clear()
                self._known[url] = certificate
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise WebhookRefusedError("its certificate is not valid now")
        return certificate


def check_message(message: Mapping[str, Any], topic: str, certificates: Certificates, now: datetime) -> None:
    """Raise WebhookRefusedError unless SNS has signed a message of our topic."""
    if text_at(message, "TopicArn") != topic:
        raise WebhookRefusedError("it comes from another topic")
    names = _SIGNED.get(text_at(message, "Type"))
    algorithm = _HASHES.get(text_at(message, "SignatureVersion"))
    if names is None or algorithm is None:
        raise WebhookRefusedError("its type or signature version is not known")
    url = text_at(message, "SigningCertURL")
    if not _is_of_sns(url, topic) or not _CERTIFICATE_PATH.fullmatch(urlsplit(url).path) or urlsplit(url).query:
        raise WebhookRefusedError("its certificate is not one of SNS")
    values = {name: value_at(message, name) for name in names}
    signed = "".join(f"{name}\n{value}\n" for name, value in values.items() if isinstance(value, str))
    key = certificates.fetch(url, now).public_key()
    try:
        if not isinstance(key, RSAPublicKey):
            raise InvalidSignature
        signature = b64decode(text_at(message, "Signature"), validate=True)
        key.verify(signature, signed.encode("utf-8", "surrogatepass"), PKCS1v15(), algorithm())
    except (InvalidSignature, ValueError) as error:
        raise WebhookRefusedError("its signature is wrong") from error


def confirm_subscription(message: Mapping[str, Any], topic: str, get: Get) -> None:
    """Confirm a subscription, as SNS asks in a message that was checked. WebhookUncheckedError if that fails."""
    url = text_at(message, "SubscribeURL")
    if not _is_of_sns(url, topic):
        raise WebhookRefusedError("it asks to open an address that is not one of SNS")
    if get(Request(method="GET", url=url)).status != 200:
        raise WebhookUncheckedError("the subscription of SNS cannot be confirmed")


def _is_of_sns(url: str, topic: str) -> bool:
    """Check whether a URL leads to SNS in the region of a topic.

    >>> topic = "arn:aws:sns:eu-west-1:123456789012:bounces"
    >>> host = "sns.eu-west-1.amazonaws.com"
    >>> [_is_of_sns(f"https://{netloc}/", topic) for netloc in (host, f"{host}.x.example", f"a@{host}", f"{host}:80")]
    [True, False, False, False]
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = _HOST.fullmatch(parts.netloc)
    return parts.scheme == "https" and host is not None and host[1] == topic.split(":")[3]
