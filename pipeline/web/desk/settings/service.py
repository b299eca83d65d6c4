"""The desk's service for settings in config.toml."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from pipeline.app.audience import public_url
from pipeline.app.digests import template_folders
from pipeline.config import (
    change_settings,
    format_settings,
    read_changes,
    read_settings,
    require_writable,
    setting_mistake,
    undo_change,
)
from pipeline.digest.render.theme import theme_names
from pipeline.model.errors import ConfigError, RefusedError
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.settings.fields import FIELDS
from pipeline.web.desk.settings.ports import SettingsChange, SettingsState, SettingValues


@dataclass(frozen=True, slots=True)
class PublicationSettingsDesk:
    """``SettingsService`` of a publication."""

    publication: LivePublication

    def state(self) -> SettingsState:
        """Return all values. Raise ConfigError if config.toml cannot be read."""
        path, app = self.publication.path, self.publication.current_app()
        values = read_settings(path, [(field.section, field.key) for field in FIELDS.values()])
        changes = [change for change in read_changes(path) if change.kind == "settings"]
        return SettingsState(
            values={f"{section}.{key}": value for (section, key), value in values.items()},
            themes=theme_names(template_folders(app)),
            version=self._version(),
            zone=app.config.publication.timezone,
            problem=self._problem(),
            public_url=public_url(app),
            last_change=SettingsChange(id=changes[-1].id, detail=changes[-1].detail) if changes else None,
        )

    def mistakes(self, values: SettingValues) -> SettingValues:
        """Return why values are not allowed, by name."""
        messages = {name: setting_mistake(*_split(name), value) for name, value in values.items()}
        themes = theme_names(template_folders(self.publication.current_app()))
        if (theme := values.get("digest.theme", themes[0])) not in themes:
            messages["digest.theme"] = f'[digest] theme = "{theme}": there is no such theme; choose one of the list.'
        return {name: message for name, message in messages.items() if message}

    def save(self, values: SettingValues, version: str) -> str:
        """Write values to config.toml. Raise RefusedError for another version, ConfigError if it cannot be written."""
        if version != self._version():
            raise RefusedError("config.toml was changed meanwhile, so nothing was overwritten.")
        detail = ", ".join(FIELDS[name].describe(value) for name, value in values.items())
        change_settings(self.publication.path, {_split(name): value for name, value in values.items()}, detail)
        return f"Saved: {detail}."

    def lines(self, values: SettingValues) -> str:
        """Return values as lines of config.toml."""
        return format_settings({_split(name): value for name, value in values.items()})

    def undo(self, change_id: str) -> str:
        """Undo a change of settings."""
        return f"Undone: {undo_change(self.publication.path, change_id).detail}."

    def _version(self) -> str:
        return sha256(self.publication.path.read_bytes()).hexdigest()[:16]

    def _problem(self) -> str:
        try:
            require_writable(self.publication.path)
        except ConfigError as error:
            return str(error)
        return ""


def _split(name: str) -> tuple[str, str]:
    section, _, key = name.partition(".")
    return section, key
