"""[notify]: who is told when something is the matter, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.config.kinds import MAILBOX, Kind
from pipeline.config.setting import setting

OFF = "off"


def _command(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and "\0" not in each for each in value):
        raise ValueError
    if value and not value[0].strip():
        raise ValueError
    return tuple(value)


COMMAND = Kind('a program and its arguments, such as ["/usr/local/bin/tell", "--urgent"], or []', _command)
NOTIFY_MAIL = Kind(
    f'{MAILBOX.words}, "" or "{OFF}"', lambda value: value if value in ("", OFF) else MAILBOX.read(value)
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
        f'Whom to write to. `""`: the editor, once `[delivery]` names a mail server. `"{OFF}"`: nobody.',
        NOTIFY_MAIL,
        "",
    )
