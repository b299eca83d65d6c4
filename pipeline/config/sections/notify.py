"""[notify]: who is told when something is the matter, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.config.declare import setting
from pipeline.config.types import MAILBOX, SettingType

MAIL_OFF = "off"


def _command(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and "\0" not in each for each in value):
        raise ValueError
    if value and not value[0].strip():
        raise ValueError
    return tuple(value)


COMMAND = SettingType('a program and its arguments, such as ["/usr/local/bin/tell", "--urgent"], or []', _command)
NOTIFY_MAIL = SettingType(
    f'{MAILBOX.description}, "" or "{MAIL_OFF}"',
    lambda value: value if value in ("", MAIL_OFF) else MAILBOX.parse(value),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Who is told when something is the matter: see docs/notices.md. A line in the log there is always."""

    command: tuple[str, ...] = setting(
        "A program to run for each notice, without a shell, in config.toml's folder: it gets the notice as JSON on its "
        "standard input, and in `PIPELINE_NOTICE_…` of its environment.",
        COMMAND,
        [],
    )
    mail: str = setting(
        f'Whom to write to. `""`: the editor, once `[delivery]` names a mail server. `"{MAIL_OFF}"`: nobody.',
        NOTIFY_MAIL,
        "",
    )
