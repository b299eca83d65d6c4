"""The section ``[[editors]]`` of config.toml: who may log in to the desk, and what they may do there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config.types import FLAG, InvalidValueError, SettingType, setting, string
from pipeline.model.errors import UsageError

MAX_NAME_CHARS = 80


def _address(value: Any) -> str:
    from pipeline.audience.addresses import normalise_address  # slow to import, and few publications name editors

    if not isinstance(value, str):
        raise TypeError
    try:
        return normalise_address(value)
    except UsageError as error:
        raise InvalidValueError(f"give {ADDRESS.description}") from error


ADDRESS = SettingType('an address without a name, such as "ann@example.org"', _address)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorSettings:
    """An editor who may log in to the desk behind `[web] url`; repeat the table for each."""

    name: str = setting(
        "The name under which everything the editor does is recorded.",
        string(f"text of 1 to {MAX_NAME_CHARS} characters", empty=False, pattern=rf".{{1,{MAX_NAME_CHARS}}}"),
    )
    address: str = setting("The address that links to log in are sent to.", ADDRESS)
    may_approve: bool = setting(
        "Whether the editor may also approve, hold, skip, send and correct editions, and change feeds, settings and "
        "subscribers.",
        FLAG,
        False,
    )


def editors_mistakes(editors: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str, str]]:
    """Yield the number of a table (from 1), the key and a sentence for each name or address that is used twice."""
    seen: dict[str, set[str]] = {"name": set(), "address": set()}
    for number, editor in enumerate(editors, 1):
        for key, used in seen.items():
            value = str(editor.get(key, ""))
            if value and value.casefold() in used:
                message = f'[[editors]] {key} = "{value}" is used twice: give each editor a {key} of their own.'
                yield number, key, message
            used.add(value.casefold())
