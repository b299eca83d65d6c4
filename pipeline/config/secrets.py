"""Read passwords, tokens and secret headers from the environment, or from files named by ``NAME_FILE`` variables.

Errors name the variable, never its value.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from pipeline.config.bounces import BouncesSettings
from pipeline.config.delivery import DeliverySettings
from pipeline.config.schema import Config
from pipeline.config.sections import FeedSettings, FetchSettings
from pipeline.config.types import ENV_REFERENCE, ENV_VAR, HEADERS
from pipeline.model.errors import ConfigError, MissingSecretError
from pipeline.model.fetch import Headers, Proxy


def feed_headers(feed: FeedSettings, environment: Mapping[str, str]) -> Headers:
    """Return the extra headers of a feed's requests: its own, then basic (RFC 7617) or bearer (RFC 6750) credentials.

    Raises MissingSecretError if the environment lacks a secret.
    """
    headers = [
        (name, _header_secret(match[1], environment) if (match := ENV_REFERENCE.fullmatch(value)) else value)
        for name, value in feed.headers
    ]
    if feed.username:
        credentials = f"{feed.username}:{_feed_secret(feed.password_env, environment)}"
        headers.append(("Authorization", f"Basic {b64encode(credentials.encode()).decode('ascii')}"))
    if feed.token_env:
        headers.append(("Authorization", f"Bearer {_header_secret(feed.token_env, environment)}"))
    return tuple(headers)


def smtp_password(settings: DeliverySettings, environment: Mapping[str, str]) -> str:
    """Return the password of the mail server, "" if none is configured. Raises ConfigError if it is missing."""
    return delivery_secret(settings, "smtp_password_env", environment)


def delivery_secret(settings: DeliverySettings, key: str, environment: Mapping[str, str]) -> str:
    """Return the secret that a setting of [delivery] refers to, "" if it is empty. ConfigError if it is missing."""
    name = getattr(settings, key)
    try:
        return read_secret(name, environment) if name else ""
    except LookupError as error:
        raise ConfigError(f"[delivery] {key}: {error.args[0]}.") from error


def imap_password(settings: BouncesSettings, environment: Mapping[str, str]) -> str:
    """Return the password of the mailbox for bounces. Raises ConfigError if it is missing."""
    try:
        return read_secret(settings.imap_password_env, environment)
    except LookupError as error:
        raise ConfigError(f"[bounces] imap_password_env: {error.args[0]}.") from error


def fetch_proxy(settings: FetchSettings, environment: Mapping[str, str]) -> Proxy | None:
    """Return the HTTP proxy of config.toml or of ``HTTPS_PROXY``, with the hosts of ``NO_PROXY``; None without one.

    Raises ConfigError if the variable is not the URL of an HTTP proxy.
    """
    url = settings.proxy or _lower_or_upper("HTTPS_PROXY", environment)
    if not url:
        return None
    if not re.match(r"https?://[^/?#\s]+/?\Z", url):
        raise ConfigError('HTTPS_PROXY: set it to a URL such as "http://proxy.example:3128".')
    return Proxy(url=url, bypass=tuple(_lower_or_upper("NO_PROXY", environment).split(",")))


def _lower_or_upper(name: str, environment: Mapping[str, str]) -> str:
    return environment.get(name.lower()) or environment.get(name, "")


def secret_values(config: Config, environment: Mapping[str, str]) -> frozenset[str]:
    """Return the values of all secrets that a config refers to and the environment contains."""
    sections = [section for name in Config.__slots__ if is_dataclass(section := getattr(config, name))]
    names = {"PGPASSWORD", *(name for section in (*sections, *config.feeds) for name in _secret_names(section))}
    values = set()
    for name in names:
        try:
            values.add(read_secret(name, environment))
        except LookupError:
            continue
    if match := re.match(r"https?://[^/@\s]*:([^/@\s]+)@", _lower_or_upper("HTTPS_PROXY", environment)):
        values.add(match[1])
    return frozenset(values)


def _secret_names(section: Any) -> Iterator[str]:
    for declared in fields(section):
        value = getattr(section, declared.name)
        if declared.metadata["type"] is ENV_VAR and value:
            yield value
        elif declared.metadata["type"] is HEADERS:
            yield from (match[1] for _, content in value if (match := ENV_REFERENCE.fullmatch(content)))


def _header_secret(name: str, environment: Mapping[str, str]) -> str:
    """Return a secret that may be sent in a header unencoded: printable ASCII only (RFC 9110, section 5.5)."""
    secret = _feed_secret(name, environment)
    if not re.fullmatch(r"[\x20-\x7e]+", secret):
        raise MissingSecretError(f"was not fetched, because the value of {name} cannot be sent in a header")
    return secret


def _feed_secret(name: str, environment: Mapping[str, str]) -> str:
    try:
        return read_secret(name, environment)
    except LookupError as error:
        raise MissingSecretError(f"was not fetched, because {error.args[0]}") from error


def read_secret(name: str, environment: Mapping[str, str]) -> str:
    """Return a variable of the environment, or the content of the file named by ``NAME_FILE`` without its last newline.

    Raises LookupError saying what is missing.
    """
    file = environment.get(f"{name}_FILE", "")
    try:
        secret = environment.get(name, "") or (Path(file).read_text("utf-8").rstrip("\r\n") if file else "")
    except (OSError, ValueError) as error:
        raise LookupError(f"the file named by {name}_FILE cannot be read") from error
    if not secret:
        raise LookupError(
            f"the file named by {name}_FILE is empty" if file else f"the environment variable {name} is not set"
        )
    return secret
