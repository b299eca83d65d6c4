"""Settings of [delivery]."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.declare import setting
from pipeline.config.types import ENV_VAR, choice, integer, string


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How editions and single mails are sent."""

    outbox: str = setting(
        "Folder where `pipeline send` writes mails, as files and as a Maildir; relative to config.toml.",
        string("the name of a folder", empty=False),
        "outbox",
    )
    dkim_selectors: str = setting(
        "DKIM selectors of your mail service, separated by spaces: `pipeline doctor` checks their keys.",
        string('names such as "mail s2026", or ""', pattern=r"[A-Za-z0-9._ -]*"),
        "",
    )
    smtp_host: str = setting(
        "Mail server for proofs, test mails and alerts; without one they are written to the outbox.",
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
    smtp_username: str = setting("User name to log in with, if the server requires one.", string(), "")
    smtp_password_env: str = setting(
        "Environment variable with the password; or `NAME_FILE` is the name of a file that contains it.", ENV_VAR, ""
    )
