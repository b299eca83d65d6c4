"""Ports of the page of settings: the service behind it, and its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

SettingValues = Mapping[str, str]
"""Values of settings as config.toml has them, by name such as ``publication.name``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """A change that can be undone."""

    id: str
    detail: str
    """What was saved, as in ``theme journal, colour #135e4b``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsState:
    """The values in config.toml, and whether they can be changed."""

    values: SettingValues
    themes: tuple[str, ...]
    version: str
    """Hash of the file."""
    zone: str = "UTC"
    problem: str = ""
    """Why the file cannot be written; empty if it can."""
    last_change: SettingsChange | None = None
    public_url: str = ""
    """URL of the public pages, which show an uploaded logo; empty if there are none."""


class SettingsService(Protocol):
    """The settings in config.toml that the desk offers."""

    def state(self) -> SettingsState:
        """Return all values. Raise ConfigError if the file cannot be read."""
        ...

    def mistakes(self, values: SettingValues) -> SettingValues:
        """Return why values are not allowed, by name."""
        ...

    def save(self, values: SettingValues, version: str) -> str:
        """Write values and return a sentence.

        Raise RefusedError if the file has another version, and ConfigError if it cannot be written.
        """
        ...

    def lines(self, values: SettingValues) -> str:
        """Return values as lines of config.toml."""
        ...

    def undo(self, change_id: str) -> str:
        """Undo a change and return a sentence. Raise RefusedError."""
        ...
