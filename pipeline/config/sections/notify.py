"""Settings of [notify]."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.declare import setting
from pipeline.config.types import COMMAND, MAILBOX, SettingType

MAIL_OFF = "off"
NOTIFY_MAIL = SettingType(
    f'{MAILBOX.description}, "" or "{MAIL_OFF}"',
    lambda value: value if value in ("", MAIL_OFF) else MAILBOX.parse(value),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Recipients of alerts. Alerts are always written to the log as well."""

    command: tuple[str, ...] = setting(
        "Program to run for each alert, without a shell, in the folder of config.toml: it gets the alert as JSON on "
        "standard input, and in `PIPELINE_ALERT_…` of its environment.",
        COMMAND,
        [],
    )
    mail: str = setting(
        f'Address for alerts. `""`: the editor, if `[delivery]` names a mail server. `"{MAIL_OFF}"`: nobody.',
        NOTIFY_MAIL,
        "",
    )
