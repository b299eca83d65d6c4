"""Read config.toml into one frozen, validated Config, and edit it.

``sections`` declares the settings and ``types`` their values; ``loader`` reads the file, ``secrets`` the environment.
"""

from pipeline.config.history import ConfigChange, read_changes, remove_feed, undo_change
from pipeline.config.loader import load_config, parse_config
from pipeline.config.schema import Config, reference
from pipeline.config.secrets import (
    delivery_secret,
    feed_headers,
    fetch_proxy,
    imap_password,
    secret_values,
    smtp_password,
)
from pipeline.config.toml_edit import add_feeds

__all__ = [
    "Config",
    "ConfigChange",
    "add_feeds",
    "delivery_secret",
    "feed_headers",
    "fetch_proxy",
    "imap_password",
    "load_config",
    "parse_config",
    "read_changes",
    "reference",
    "remove_feed",
    "secret_values",
    "smtp_password",
    "undo_change",
]
