"""The protocol of a mail service, and what all services need: an account, results, and the reading of answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pipeline.delivery.mail_api.client import Answer, Request
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.errors import ConfigError

MAX_REPLY_CHARS = 200
_MAX_TEXT_CHARS = 10 * MAX_REPLY_CHARS
"""Secrets are removed before a text is cut to the length of a reply: a part of one would not be recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at a mail service, as [delivery] describes it."""

    key: str = field(default="", repr=False)
    """The API key; of SES ``ID:SECRET`` or ``ID:SECRET:TOKEN``."""
    url: str = ""
    """The URL of the API without a trailing slash; empty for the usual one."""
    region: str = ""
    domain: str = ""
    """The sending domain at the service."""
    stream: str = ""
    """The message stream of Postmark, the configuration set of SES; empty for the usual one."""


class MailService(Protocol):
    """An account at a mail service. ``delivery.services`` has one file for each.

    It builds requests and reads answers, and touches no network. Where ``refusal`` returns None, the status of an
    answer decides, as ``status_result`` says.
    """

    name: str
    max_batch: int
    """How many copies a request may contain."""
    max_request_bytes: int
    has_request_key: bool
    """Whether the service recognises a request that is sent again, and then sends no second message."""

    @property
    def secrets(self) -> Sequence[str]:
        """The texts that no error may contain."""
        ...

    def encode(self, copy: Copy) -> bytes:
        """Return a copy's part of a request."""
        ...

    def request(self, parts: Sequence[bytes], now: datetime) -> Request:
        """Return a request that sends copies, at most ``max_batch``."""
        ...

    def results(self, answer: Answer, count: int) -> Sequence[DeliveryResult] | None:
        """Return the results of a request's copies from an answer with status 2xx; None if it cannot be read."""
        ...

    def refusal(self, answer: Answer, count: int) -> DeliveryResult | None:
        """Return the result of all copies if the service says more than the status of its answer."""
        ...


def status_result(answer: Answer) -> DeliveryResult:
    """Return the result of copies whose request was not accepted, or not for certain (RFC 9110, 15).

    500 and 503 say that the service did not do it. 502, 504 and others come from a server in front of it, which does
    not know. A redirect is not followed: nobody but the service may receive the messages.
    """
    status, reply = answer.status, explain(answer)
    if not status:
        return DeliveryResult(outcome="uncertain" if answer.was_sent else "later", reply=reply)
    if status in (408, 425, 429, 500, 503):
        return DeliveryResult(outcome="later", reply=reply, slow_down=status != 408)
    if status >= 500 or 200 <= status < 300:
        return DeliveryResult(outcome="uncertain", reply=reply, slow_down=status >= 500)
    return DeliveryResult(outcome="stop", reply=reply)


def read_json(answer: Answer) -> Any:
    """Return the JSON of an answer; None if it is none, or not complete."""
    try:
        return None if answer.problem else json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def field_of(document: Any, *names: str) -> str:
    """Return the first text or number of an object's fields with these names; empty without one.

    >>> field_of({"Message": "no", "ErrorCode": 300}, "message", "Message"), field_of({"ErrorCode": 300}, "ErrorCode")
    ('no', '300')
    """
    values = (document.get(name) for name in names) if isinstance(document, Mapping) else ()
    return next((str(value) for value in values if isinstance(value, str | int) and value != ""), "")


def explain(answer: Answer) -> str:
    """Return what an answer says, in one line: its status, the service's code of an error, its message."""
    if not answer.status:
        return printable(answer.problem)
    document = read_json(answer)
    code = field_of(document, "ErrorCode", "name", "__type")
    text = field_of(document, "message", "Message") or ("" if document is not None else _first_words(answer))
    return printable(f"{answer.status} {code} {text}")


def _first_words(answer: Answer) -> str:
    """Return the beginning of an answer in plain text, as Mailgun's ``Forbidden``; of any other why it is not read."""
    if answer.problem:
        return answer.problem
    is_plain = answer.headers.get("content-type", "").startswith("text/plain")
    return answer.body[:_MAX_TEXT_CHARS].decode("utf-8", "replace") if is_plain else ""


def printable(text: str) -> str:
    r"""Return the beginning of a text from outside in one line.

    >>> printable("no\r\n\x1b[31mway")
    'no [31mway'
    """
    shown = "".join(character if character.isprintable() else " " for character in text[:_MAX_TEXT_CHARS])
    return " ".join(shown.split())


def without_secrets(text: str, secrets: Sequence[str]) -> str:
    """Return a text without secrets.

    >>> without_secrets("the key k-123 is wrong", ["k-123"])
    'the key … is wrong'
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def require(value: str, setting: str, advice: str) -> str:
    """Return a setting that a service needs; ConfigError if it is empty."""
    if not value:
        raise ConfigError(f"[delivery] {setting} is missing: {advice}.")
    return value


def require_key(account: Account, example: str) -> str:
    """Return the API key of an account; ConfigError if there is none, or if it cannot be sent in a header."""
    key = require(account.key, "api_key_env", f"name the environment variable that contains {example}")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError("[delivery] api_key_env: the variable contains no API key; copy the key again.")
    return key
