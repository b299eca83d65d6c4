"""Webhooks: requests in which a mail service reports what became of messages. The common part of reading them.

Nothing of a request is believed before its origin is proved. After that it is still text from outside: each value is
checked when it is read, and what is missing or of another type is empty.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pipeline.delivery.mail_api.client import Answer, Request
from pipeline.delivery.mail_api.service import printable
from pipeline.model.delivery_event import (
    MAX_DIAGNOSTIC_CHARS,
    DeliveryEvent,
    DeliveryEventKind,
    Severity,
    event_key,
)
from pipeline.model.errors import ConfigError, WebhookRefusedError

MIN_SECRET_CHARS = 16
MAX_RECIPIENTS = 100
_MAX_ADDRESS_CHARS = 320
_POLICY = re.compile(r"\b5\.7\.\d{1,3}\b")
"""Enhanced status codes of security and policy (RFC 3463, 3.8): they say nothing against the address."""
Get = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAccount:
    """The proof of a webhook's origin, as [delivery] describes it."""

    secret: str = field(default="", repr=False)
    topic: str = ""
    """The ARN of the topic of Amazon SNS that notifications come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A request that claims to come from a mail service."""

    headers: Mapping[str, str] = field(repr=False)
    """Names are in lower case."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReport:
    """The content of a request whose origin is proved."""

    events: tuple[DeliveryEvent, ...] = ()
    nonce: str = ""
    """What the service uses once: a second request with it is a repetition, or forged. Empty if there is none."""


class Webhook(Protocol):
    """The webhooks of a mail service. ``delivery.services`` has one for each."""

    def read(self, request: WebhookRequest, now: datetime) -> WebhookReport:
        """Return what a request reports. WebhookRefusedError if it does not come from the service; ``now`` is aware."""
        ...


def require_secret(account: WebhookAccount, advice: str) -> str:
    """Return the secret of webhooks; ConfigError if there is none, or if it could be guessed."""
    if not account.secret:
        raise ConfigError(f"[delivery] webhook_secret_env is missing: {advice}.")
    if len(account.secret) < MIN_SECRET_CHARS:
        raise ConfigError(f"[delivery] webhook_secret_env: give at least {MIN_SECRET_CHARS} characters.")
    return account.secret


def equal(given: str, expected: str) -> bool:
    """Compare texts in constant time.

    >>> equal("a", "a"), equal("ä", "a")
    (True, False)
    """
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def check_age(timestamp: str, now: datetime, *, max_seconds: float) -> None:
    """Raise WebhookRefusedError unless a request was made about ``now``; ``timestamp`` is in seconds since 1970.

    >>> check_age("1771236000", datetime(2026, 2, 16, 10, 1, tzinfo=UTC), max_seconds=60)
    """
    never = now + timedelta(days=366)
    if abs((now - instant(timestamp, never)).total_seconds()) > max_seconds:
        raise WebhookRefusedError("its time is too far from now")


def read_document(body: bytes | str) -> Mapping[str, Any]:
    """Return the JSON object of a request. WebhookRefusedError for anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookRefusedError("it is not JSON") from error
    if not isinstance(document, dict):
        raise WebhookRefusedError("it is not a JSON object")
    return document


def value_at(document: object, *path: str | int) -> Any:
    """Return the value at a path into JSON; None if there is none.

    >>> value_at({"mail": {"to": ["a@x.example"]}}, "mail", "to", 0), value_at({"mail": 1}, "mail", "to")
    ('a@x.example', None)
    """
    for step in path:
        if isinstance(step, int) and isinstance(document, list) and step < len(document):
            document = document[step]
        elif isinstance(step, str) and isinstance(document, Mapping):
            document = document.get(step)
        else:
            return None
    return document


def text_at(document: object, *path: str | int) -> str:
    """Return the text or the number at a path into JSON, in one line; empty if there is none."""
    value = value_at(document, *path)
    return printable(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def instant(text: str, default: datetime) -> datetime:
    """Return a time, ISO 8601 or seconds since 1970, in UTC; ``default`` for any other text, and for the future.

    >>> day = datetime(2026, 2, 16, tzinfo=UTC)
    >>> [f"{instant(text, day):%d %H:%M}" for text in ("2026-02-15T10:00:00.5-05:00", "1771149600.1", "nan", "soon")]
    ['15 15:00', '15 10:00', '16 00:00', '16 00:00']
    """
    try:
        is_number = re.fullmatch(r"\d{1,11}(\.\d{1,9})?", text)
        at = datetime.fromtimestamp(float(text), UTC) if is_number else datetime.fromisoformat(text)
        return min(at.astimezone(UTC), default) if at.tzinfo else default
    except (ValueError, OverflowError, OSError):
        return default


def bounce_severity(*diagnostics: str) -> Severity:
    """Return the severity of a bounce that the service calls permanent: soft if it was refused by a policy.

    >>> bounce_severity("550 5.1.1 no such user"), bounce_severity("550 5.7.1 blocked, see our policy")
    ('hard', 'soft')
    """
    return "soft" if any(map(_POLICY.search, diagnostics)) else "hard"


def make_event(
    origin: str,
    kind: DeliveryEventKind,
    *facts: str,
    at: datetime,
    severity: Severity = "",
    address: str = "",
    provider_id: str = "",
    diagnostic: str = "",
) -> DeliveryEvent:
    """Return an event; ``facts`` are what identifies it at the service."""
    return DeliveryEvent(
        kind=kind,
        severity=severity,
        address=address if "@" in address and len(address) <= _MAX_ADDRESS_CHARS else "",
        provider_id=provider_id.strip("<> ")[:MAX_DIAGNOSTIC_CHARS],
        at=at,
        diagnostic=diagnostic[:MAX_DIAGNOSTIC_CHARS].rstrip(),
        key=event_key(origin, kind, address, *facts),
    )
