"""One setting: how it is declared, and how it is told in the reference.

In: kinds and words. Out: dataclass fields. Touches nothing.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from pipeline.config.types import SettingType


def setting(doc: str, kind: SettingType, default: Any = MISSING) -> Any:
    """Declare a setting; ``default`` is what one would write in TOML, and without one it must be given."""
    value = default if default is MISSING else kind.parse(default)
    return field(default=value, metadata={"doc": doc, "kind": kind, "default": default})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of the config reference."""

    section: str
    key: str
    allowed: str
    default: str
    """As it would be written in TOML; ``required`` when it must be given."""
    doc: str


def settings_of(section: type) -> dict[str, Field[Any]]:
    """List a section's settings by key."""
    return {each.name: each for each in fields(section)}


def to_toml(value: Any) -> str:
    """Write a default as TOML.

    >>> to_toml(True), to_toml("mon 00:00"), to_toml(16_000_000), to_toml({}), to_toml([])
    ('true', '"mon 00:00"', '16_000_000', '{}', '[]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:_.10g}" if isinstance(value, float) else f"{value:_}"
    return f'"{value}"' if isinstance(value, str) else str(value)
