"""config.toml -> one frozen, validated Config.

``schema`` says what there is, ``kinds`` what each may hold, ``read`` reads it, ``access`` adds the secrets.
"""

from pipeline.config.access import Headers, headers_of
from pipeline.config.read import load_config, parse_config
from pipeline.config.schema import Config, Setting, reference

__all__ = ["Config", "Headers", "Setting", "headers_of", "load_config", "parse_config", "reference"]
