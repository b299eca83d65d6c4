"""What feeds and the mail server ask for: headers and passwords, with their secrets from the environment.

In: settings, the environment. Out: headers, a password, or an error that names the variable and never its value.
Reads the files that ``NAME_FILE`` variables name, and nothing else.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from pipeline.config.schema import Config
from pipeline.config.sections.delivery import DeliverySettings
from pipeline.config.sections.feeds import FeedSettings
from pipeline.config.types import ENV_REFERENCE, ENV_VAR, HEADERS
from pipeline.model.errors import ConfigError, MissingSecretError
from pipeline.model.fetch import Headers


def feed_headers(feed: FeedSettings, environment: Mapping[str, str]) -> Headers:
    """Return the extra headers of a feed's requests: its own, then basic (RFC 7617) or bearer (RFC 6750) access.

    SecretMissing when the environment does not give what they name.
    """
    headers = [(name, _resolve_header(value, environment)) for name, value in feed.headers]
    if feed.username:
        pair = f"{feed.username}:{_require_secret(feed.password_env, environment)}"
        headers.append(("Authorization", f"Basic {b64encode(pair.encode()).decode('ascii')}"))
    if feed.token_env:
        headers.append(("Authorization", f"Bearer {_require_header_safe(feed.token_env, environment)}"))
    return tuple(headers)


def secret_values(config: Config, environment: Mapping[str, str]) -> frozenset[str]:
    """Give the value of every secret that a config names, as far as the environment has it."""
    parts = [part for each in fields(config) if is_dataclass(part := getattr(config, each.name))]
    names = {name for part in (*parts, *config.feeds) for name in _secret_names(part)}
    return frozenset(value for name in (*names, "PGPASSWORD") if (value := _secret_or_empty(name, environment)))


def _secret_names(part: Any) -> Iterator[str]:
    for each in fields(part):
        said = getattr(part, each.name)
        if each.metadata["kind"] is ENV_VAR and said:
            yield said
        elif each.metadata["kind"] is HEADERS:
            yield from (named[1] for _, value in said if (named := ENV_REFERENCE.fullmatch(value)))


def _secret_or_empty(name: str, environment: Mapping[str, str]) -> str:
    try:
        return read_secret(name, environment)
    except LookupError:
        return ""


def _resolve_header(value: str, environment: Mapping[str, str]) -> str:
    named = ENV_REFERENCE.fullmatch(value)
    return _require_header_safe(named[1], environment) if named else value


def _require_header_safe(name: str, environment: Mapping[str, str]) -> str:
    """Give a secret that goes into a header as it is: visible ASCII alone (RFC 9110, 5.5)."""
    secret = _require_secret(name, environment)
    if not re.fullmatch(r"[\x20-\x7e]+", secret):
        raise MissingSecretError(f"was not asked, since what {name} holds cannot be sent in a header")
    return secret


def _require_secret(name: str, environment: Mapping[str, str]) -> str:
    try:
        return read_secret(name, environment)
    except LookupError as missing:
        raise MissingSecretError(f"was not asked, since {missing.args[0]}") from missing


def smtp_password(settings: DeliverySettings, environment: Mapping[str, str]) -> str:
    """Read the mail server's password, empty where it asks for none; ConfigError when the environment lacks it."""
    if not settings.smtp_password_env:
        return ""
    try:
        return read_secret(settings.smtp_password_env, environment)
    except LookupError as missing:
        raise ConfigError(f"[delivery] smtp_password_env: {missing.args[0]}.") from missing


def read_secret(name: str, environment: Mapping[str, str]) -> str:
    """Read a secret: the variable, or else the file that ``NAME_FILE`` names; a line break at its end is none of it.

    LookupError says what is missing, never what was found.
    """
    file = environment.get(f"{name}_FILE", "")
    try:
        found = environment.get(name, "") or (Path(file).read_text("utf-8").rstrip("\r\n") if file else "")
    except (OSError, ValueError) as unreadable:
        raise LookupError(f"the file that {name}_FILE names cannot be read") from unreadable
    if not found:
        raise LookupError(
            f"the file that {name}_FILE names is empty" if file else f"the environment variable {name} is not set"
        )
    return found
