"""Declare settings as dataclass fields, and list them for the loader and the reference."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from pipeline.config.types import SettingType


def setting(doc: str, setting_type: SettingType, default: Any = MISSING) -> Any:
    """Return a dataclass field for a setting. ``default`` is a TOML value; without one the setting is required."""
    value = default if default is MISSING else setting_type.parse(default)
    return field(default=value, metadata={"doc": doc, "type": setting_type, "default": default})


def settings_of(section: type) -> dict[str, Field[Any]]:
    """Return the fields of a section by key."""
    return {declared.name: declared for declared in fields(section)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingReference:
    """One line of the reference in docs/config.md."""

    section: str
    key: str
    allowed: str
    default: str
    """TOML syntax; ``required`` if there is none."""
    doc: str


def describe_setting(section: str, declared: Field[Any]) -> SettingReference:
    """Return the reference of a declared setting."""
    metadata = declared.metadata
    return SettingReference(
        section=section,
        key=declared.name,
        allowed=metadata["type"].description,
        default="required" if declared.default is MISSING else to_toml(metadata["default"]),
        doc=metadata["doc"],
    )


def to_toml(value: Any) -> str:
    """Return a default in TOML syntax.

    >>> to_toml(True), to_toml("mon 00:00"), to_toml(16_000_000), to_toml({}), to_toml([])
    ('true', '"mon 00:00"', '16_000_000', '{}', '[]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:_.10g}" if isinstance(value, float) else f"{value:_}"
    return f'"{value}"' if isinstance(value, str) else str(value)
