"""The sections of config.toml: what each setting is for, holds and defaults to."""
