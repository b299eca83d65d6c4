"""The section ``[bounces]`` of config.toml, and what its settings demand of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config.sections import MAIL_OFF, NOTIFY_MAIL
from pipeline.config.types import ENV_VAR, SCHEDULE, SettingType, choice, integer, optional, setting, string
from pipeline.model.schedule import Schedule
from pipeline.text.message_headers import parse_mailbox
from pipeline.text.urls import is_loopback

MAX_LOCAL_PART_CHARS = 30
"""A name before the "@" has at most 64 characters (RFC 5321), of which a token takes 34."""


def _return_address(value: Any) -> str:
    mailbox = parse_mailbox(value)
    local_part, _, _ = mailbox.address.rpartition("@")
    if mailbox.name or mailbox.address != value or len(local_part) > MAX_LOCAL_PART_CHARS or "+" in local_part:
        raise ValueError
    return mailbox.address


RETURN_ADDRESS = optional(
    SettingType(
        f'an address such as "bounces@example.org", without "+" and with at most {MAX_LOCAL_PART_CHARS} characters '
        'before its "@"',
        _return_address,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BouncesSettings:
    """Where bounces go to, and what becomes of them."""

    address: str = setting(
        "Address that bounces go to; the sender's if empty. The mail server must accept it with anything after a `+` "
        "(`bounces+…@example.org`), by which the delivery is known.",
        RETURN_ADDRESS,
        "",
    )
    maildir: str = setting("Maildir that a mail server delivers them into; relative to config.toml.", string(), "")
    imap_host: str = setting(
        "IMAP server with the mailbox they arrive in, if there is no Maildir.",
        string(
            'the name of a server such as "imap.example.org", or ""',
            pattern=r"([A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)?",
        ),
        "",
    )
    imap_security: str = setting(
        "Encryption: from the start (`tls`) or after STARTTLS (`starttls`). `none` only for a server on this machine.",
        choice("tls", "starttls", "none"),
        "tls",
    )
    imap_port: int = setting(
        "Port of the IMAP server; 0 is the usual one: 993 for `tls`, 143 for the others.", integer(0, 65_535), 0
    )
    imap_username: str = setting("User name to log in with.", string(), "")
    imap_password_env: str = setting(
        "Environment variable with the password; or `NAME_FILE` is the name of a file that contains it.", ENV_VAR, ""
    )
    imap_folder: str = setting(
        "Folder of the mailbox.",
        string("the name of a folder in ASCII", empty=False, pattern=r"[ !#-\[\]-~]{1,200}"),
        "INBOX",
    )
    check: Schedule = setting("How often the daemon reads the mailbox.", SCHEDULE, "every 5 minutes")
    max_soft: int = setting(
        "After this number of failures within half a year an address is suppressed, though none of these bounces "
        "was permanent.",
        integer(1, 100),
        4,
    )
    forward: str = setting(
        f'Address that replies by people are forwarded to. `""`: the editor. `"{MAIL_OFF}"`: nobody.', NOTIFY_MAIL, ""
    )


def bounces_mistakes(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the key and the message of each mistake that no setting has by itself."""
    host, user, password = (settings.get(f"imap_{name}") for name in ("host", "username", "password_env"))
    if host and settings.get("maildir"):
        yield "imap_host", "[bounces] has both maildir and imap_host: give the one that your mail arrives in."
    if host and not (user and password):
        yield "imap_host", "[bounces] imap_host needs a login: set imap_username and imap_password_env."
    if not host and (user or password):
        yield "imap_username", "[bounces] has a login but no server: set imap_host."
    if settings.get("imap_security") == "none" and host and not is_loopback(str(host)):
        yield (
            "imap_security",
            '[bounces] imap_security = "none" would send the password unencrypted: that is allowed only for a server '
            "on this machine; write tls or starttls.",
        )
