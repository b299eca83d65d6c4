"""config.toml -> one frozen, validated Config.

``schema`` says what there is, section by section, ``kinds`` what each setting may hold; ``read`` reads it, ``access``
adds the secrets; ``write`` changes which feeds there are, by lines that ``edit`` chooses.
"""

from pipeline.config.declare import Setting
from pipeline.config.loader import load_config, parse_config
from pipeline.config.schema import Config, reference
from pipeline.config.secrets import feed_headers, secret_values, smtp_password
from pipeline.config.toml_edit import add_feeds, remove_feed

__all__ = [
    "Config",
    "Setting",
    "add_feeds",
    "feed_headers",
    "load_config",
    "parse_config",
    "reference",
    "remove_feed",
    "secret_values",
    "smtp_password",
]
