"""config.toml -> one frozen, validated Config. ``schema`` says what there is, ``read`` reads it."""

from pipeline.config.read import load_config, parse_config
from pipeline.config.schema import Config, Setting, reference

__all__ = ["Config", "Setting", "load_config", "parse_config", "reference"]
