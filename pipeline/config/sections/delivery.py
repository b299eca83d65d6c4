"""[delivery], [web], [store] and [schedule]: where things are kept, how they leave, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.config.declare import setting
from pipeline.config.types import (
    ENV_VAR,
    HOST_AND_PORT,
    LATE_LIMIT,
    OPTIONAL_SCHEDULE,
    OPTIONAL_URL,
    RETENTION,
    SCHEDULE,
    SEND_TIME,
    STORE_URL,
    choice,
    integer,
    string,
)
from pipeline.model.schedule import At, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How editions leave the house."""

    outbox: str = setting(
        "Where `pipeline send` puts mails, as files and as a Maildir; it starts at config.toml's folder.",
        string("the name of a folder", empty=False),
        "outbox",
    )
    dkim_selectors: str = setting(
        "By which names (selectors) your mail service signs, parted by blanks: `pipeline doctor` looks at their keys.",
        string('names such as "mail s2026", or ""', pattern=r"[A-Za-z0-9._ -]*"),
        "",
    )
    smtp_host: str = setting(
        "The mail server that takes proofs, test mails and notices; without one they go into the outbox.",
        string(
            'the name of a mail server such as "smtp.example.org", or ""',
            pattern=r"([A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)?",
        ),
        "",
    )
    smtp_security: str = setting(
        "How it proves its name and hides the mail: at once (`tls`) or when asked (`starttls`). `none` only where the "
        "server is on this machine.",
        choice("starttls", "tls", "none"),
        "starttls",
    )
    smtp_port: int = setting(
        "Its port; 0 is the usual one: 587 for `starttls`, 465 for `tls`, 25 for `none`.", integer(0, 65_535), 0
    )
    smtp_username: str = setting("The name to log in with, where it asks for one.", string(), "")
    smtp_password_env: str = setting(
        "The environment variable that holds the password; or `NAME_FILE` holds the name of a file with it.",
        ENV_VAR,
        "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The pages that `pipeline run` serves: where the buttons of a proof lead, and how it is doing."""

    listen: str = setting(
        'Where the daemon listens; `""` turns its pages off, and proofs come without buttons.',
        HOST_AND_PORT,
        "127.0.0.1:8026",
    )
    url: str = setting(
        "The address under which editors reach these pages, when that is another than `listen`: of a proxy that speaks "
        "https for them.",
        OPTIONAL_URL,
        "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where entries are kept."""

    url: str = setting(
        "The database; a relative path starts at config.toml's folder.", STORE_URL, "sqlite:///pipeline.db"
    )
    keep_bodies: timedelta | None = setting(
        "How long the text of entries is kept that no edition tells: the daemon and `pipeline prune` drop what is "
        "older. For ever when left out. What was read stays known, and sealed editions stay as they are.",
        RETENTION,
        "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """When `pipeline run` and `pipeline tick` do what, in the publication's time zone."""

    fetch: Schedule = setting("How often feeds are looked at.", SCHEDULE, "every 30 minutes")
    draft: Schedule = setting("When the digest of the newest closed week is made.", SCHEDULE, "mon 06:00")
    late_feeds: Schedule | None = setting(
        "When feeds are looked at for being late; a day before the draft when left out.", OPTIONAL_SCHEDULE, ""
    )
    send: At | None = setting(
        "When the edition of the newest closed week goes out by itself, if it may (`[digest] approval`). When left out "
        "you send it, with `pipeline send`.",
        SEND_TIME,
        "",
    )
    late_limit: timedelta = setting(
        "How late an edition may still go out by itself, approved late or after a downtime. Later the editor is asked.",
        LATE_LIMIT,
        "12 hours",
    )
