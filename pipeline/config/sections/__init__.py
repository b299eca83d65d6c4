"""The sections of config.toml, one module each: a frozen dataclass whose fields are declared with ``setting``."""
