"""Read config.toml into one frozen, validated Config, and edit the feeds in it.

``sections`` declares the settings and ``types`` their values; ``loader`` reads the file, ``secrets`` the environment.
"""

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
from pipeline.config.toml_edit import add_feeds, remove_feed

__all__ = [
    "Config",
    "add_feeds",
    "delivery_secret",
    "feed_headers",
    "fetch_proxy",
    "imap_password",
    "load_config",
    "parse_config",
    "reference",
    "remove_feed",
    "secret_values",
    "smtp_password",
]
