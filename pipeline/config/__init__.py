"""config.toml -> one frozen, validated Config.

``schema`` says what there is, section by section, ``kinds`` what each setting may hold; ``read`` reads it, ``access``
adds the secrets; ``write`` changes which feeds there are, by lines that ``edit`` chooses.
"""

from pipeline.config.access import Headers, headers_of, known_secrets, mail_password
from pipeline.config.read import load_config, parse_config
from pipeline.config.schema import Config, reference
from pipeline.config.setting import Setting
from pipeline.config.write import add_feeds, remove_feed

__all__ = [
    "Config",
    "Headers",
    "Setting",
    "add_feeds",
    "headers_of",
    "known_secrets",
    "load_config",
    "mail_password",
    "parse_config",
    "reference",
    "remove_feed",
]
