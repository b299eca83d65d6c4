"""The section ``[delivery]`` of config.toml, and the types of its settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any
from urllib.parse import urlsplit

from pipeline.config.public import DURATION
from pipeline.config.types import (
    ENV_VAR,
    FLAG,
    URL,
    SettingType,
    choice,
    integer,
    number,
    optional,
    setting,
    string,
)
from pipeline.delivery.services import SERVICES
from pipeline.text.urls import is_loopback

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d) ?[-–] ?([01]\d|2[0-3]):([0-5]\d)")
_MAX_DAYS = 60
_TOPIC = r"(arn:aws[a-z-]{0,20}:sns:[a-z0-9-]{1,30}:\d{12}:[A-Za-z0-9_.-]{1,256})?"


def _hours(value: Any) -> tuple[time, time]:
    match = _HOURS.fullmatch(value.strip())
    if not match:
        raise ValueError
    first, last = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    if first >= last:
        raise ValueError
    return first, last


def _daily_limits(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > _MAX_DAYS:
        raise ValueError
    if not all(isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 for limit in value):
        raise ValueError
    return tuple(value)


def _api_url(value: Any) -> str:
    parts = urlsplit(URL.parse(value))
    if parts.query or parts.fragment or (parts.scheme == "http" and not is_loopback(parts.hostname or "")):
        raise ValueError
    return str(value).rstrip("/")


API_URL = optional(SettingType('a URL such as "https://api.example.org"', _api_url))
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
SELECTOR = string('a name such as "s2026", or ""', pattern=rf"({_LABEL}(\.{_LABEL})*)?")
LIMIT = integer(0, 1_000_000)
OPTIONAL_DURATION = optional(DURATION, None)
HOURS = optional(SettingType('hours of a day such as "08:00-20:00"', _hours), None)
DAILY_LIMITS = SettingType("a list of at most 60 numbers such as [50, 100, 500, 1000, 5000]", _daily_limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How editions and single mails are sent."""

    backend: str = setting(
        "Where `pipeline send` delivers: `outbox` writes the edition into a folder, for another service to send; the "
        "others deliver a copy to each subscriber, `smtp` through the mail server below, `maildir` into a folder, and "
        "the rest through the API of a mail service.",
        choice("outbox", "smtp", "maildir", *SERVICES),
        "outbox",
    )
    outbox: str = setting(
        "Folder for mails that are not sent by a server, as files and as a Maildir; relative to config.toml.",
        string("the name of a folder", empty=False),
        "outbox",
    )
    maildir: str = setting(
        "Folder of the Maildir that `maildir` writes copies into; relative to config.toml.",
        string("the name of a folder", empty=False),
        "maildir",
    )
    dkim_key: str = setting(
        "File with the RSA key that signs editions (DKIM), in PEM, relative to config.toml; `pipeline doctor "
        "--make-dkim-key` makes one. If empty, your mail service signs.",
        string('the name of a file, or ""'),
        "",
    )
    dkim_selector: str = setting("Selector under which that key is published.", SELECTOR, "")
    dkim_domain: str = setting(
        "Domain that signs; that of `[publication] sender` if empty.",
        string('a domain such as "example.org", or ""', pattern=rf"({_LABEL}(\.{_LABEL})+)?"),
        "",
    )
    dkim_ed25519_key: str = setting(
        "File with an Ed25519 key for a second signature, which few receivers verify yet.",
        string('the name of a file, or ""'),
        "",
    )
    dkim_ed25519_selector: str = setting("Selector of the Ed25519 key: another one.", SELECTOR, "")
    dkim_selectors: str = setting(
        "DKIM selectors of your mail service, separated by spaces: `pipeline doctor` checks their keys.",
        string('names such as "mail s2026", or ""', pattern=r"[A-Za-z0-9._ -]*"),
        "",
    )
    smtp_host: str = setting(
        "Mail server for editions (`smtp`), proofs, test mails and alerts; without one these go to the outbox.",
        string(
            'the name of a mail server such as "smtp.example.org", or ""',
            pattern=r"([A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)?",
        ),
        "",
    )
    smtp_security: str = setting(
        "Encryption: from the start (`tls`) or after STARTTLS (`starttls`). `none` only for a server on this machine.",
        choice("starttls", "tls", "none"),
        "starttls",
    )
    smtp_port: int = setting(
        "Port of the mail server; 0 is the usual one: 587 for `starttls`, 465 for `tls`, 25 for `none`.",
        integer(0, 65_535),
        0,
    )
    smtp_deadline_seconds: float = setting(
        "How long the mail server may take in total until it has the whole message. Other tasks wait meanwhile.",
        number(1, 3600, "seconds"),
        120.0,
    )
    smtp_username: str = setting("User name to log in with, if the server requires one.", string(), "")
    smtp_password_env: str = setting(
        "Environment variable with the password; or `NAME_FILE` is the name of a file that contains it.", ENV_VAR, ""
    )
    connections: int = setting("How many connections to the mail server are open at once.", integer(1, 50), 4)
    messages_per_connection: int = setting(
        "After how many messages a connection is closed and a new one opened.", integer(1, 10_000), 200
    )
    max_per_minute: int = setting("How many messages a minute are sent at most; 0: no limit.", LIMIT, 0)
    max_per_domain_per_minute: int = setting(
        "How many messages a minute go to one domain, such as gmail.com, at most; 0: no limit.", LIMIT, 0
    )
    spread: timedelta | None = setting(
        "Spread an edition evenly over this time; at once if empty.", OPTIONAL_DURATION, ""
    )
    hours: tuple[time, time] | None = setting(
        "Hours of the day in which messages are sent, in the publication's time zone; always if empty.", HOURS, ""
    )
    first_batch: int = setting(
        "How many messages to send first, before a wait in which you can pause if something is wrong; 0: all at once.",
        integer(0, 1_000_000),
        0,
    )
    first_batch_wait: timedelta = setting("How long to wait after the first batch.", DURATION, "30 minutes")
    warm_up: tuple[int, ...] = setting(
        "How many messages to send on the first days of a new domain, a number for each day; then there is no limit.",
        DAILY_LIMITS,
        [],
    )
    retry_for: timedelta = setting(
        "How long a message is tried again that the server did not accept; then it has failed.", DURATION, "2 days"
    )
    uncertain: str = setting(
        "What becomes of a message that the server received completely but did not confirm: `hold` leaves the decision "
        "to you (`pipeline deliveries`), `accept` counts it as sent, `retry` sends it again, perhaps twice.",
        choice("hold", "accept", "retry"),
        "hold",
    )
    count_links: bool = setting(
        "Whether to count how often the links of each edition are followed, in total and never by whom "
        "(docs/delivery.md). They then lead through `[public] url`.",
        FLAG,
        False,
    )
    api_key_env: str = setting(
        "Environment variable with the API key of a mail service; or `NAME_FILE` is the name of a file that contains "
        "it. For `ses`: `ID:SECRET` of an access key.",
        ENV_VAR,
        "",
    )
    api_region: str = setting(
        "Region of an account at Amazon SES.",
        string('a region such as "eu-west-1", or ""', pattern=r"([a-z]{2}(-[a-z0-9]{1,20}){1,4})?"),
        "",
    )
    api_domain: str = setting(
        "Domain that Mailgun sends for.",
        string('a domain such as "news.example.org", or ""', pattern=r"([A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+)?"),
        "",
    )
    api_stream: str = setting(
        "Message stream of Postmark (empty: `broadcast`), or configuration set of Amazon SES.",
        string('a name such as "weekly", or ""', pattern=r"[A-Za-z0-9_-]{0,64}"),
        "",
    )
    api_url: str = setting(
        "URL of the mail service's API, if not the usual one: `https://api.eu.mailgun.net` for Mailgun in the EU.",
        API_URL,
        "",
    )
    webhook_secret_env: str = setting(
        "Environment variable with the secret that proves the origin of a mail service's webhooks (docs/services.md).",
        ENV_VAR,
        "",
    )
    sns_topic: str = setting(
        "ARN of the topic of Amazon SNS to which SES publishes what becomes of messages.",
        string('an ARN such as "arn:aws:sns:eu-west-1:123456789012:bounces", or ""', pattern=_TOPIC),
        "",
    )
