"""Read config.toml into one frozen, validated Config, and edit it.

``sections`` declares the settings and ``types`` their values; ``loader`` reads the file, ``secrets`` the environment.
"""

from pipeline.config.history import ConfigChange, read_changes, remove_feed, undo_change
from pipeline.config.loader import load_config, parse_config, setting_mistake
from pipeline.config.schema import Config, reference
from pipeline.config.secrets import (
    delivery_secret,
    feed_headers,
    fetch_proxy,
    imap_password,
    secret_values,
    smtp_password,
)
from pipeline.config.settings_edit import change_settings, format_settings, read_settings
from pipeline.config.toml_edit import add_feeds, require_writable

__all__ = [
    "Config",
    "ConfigChange",
    "add_feeds",
    "change_settings",
    "delivery_secret",
    "feed_headers",
    "fetch_proxy",
    "format_settings",
    "imap_password",
    "load_config",
    "parse_config",
    "read_changes",
    "read_settings",
    "reference",
    "remove_feed",
    "require_writable",
    "secret_values",
    "setting_mistake",
    "smtp_password",
    "undo_change",
]
