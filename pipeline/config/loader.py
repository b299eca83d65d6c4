"""Load and validate config.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pipeline.config.schema import SECTIONS, Config, settings_of
from pipeline.config.sections import DeliverySettings, FeedSettings
from pipeline.config.types import InvalidValueError, SettingType
from pipeline.model.errors import ConfigError


def load_config(path: Path) -> Config:
    """Return the validated config file. Raises ConfigError if it is missing, unreadable or invalid."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; run `pipeline init` to create one, or name yours with --config."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a UTF-8 text file ({error}).") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}.") from error
    return parse_config(document, path)


def parse_config(document: Mapping[str, Any], path: Path) -> Config:
    """Return the validated document. ``path`` is named in errors and is the base of relative paths."""
    _require_known_keys(document, SECTIONS, f"{path}:", "section")
    sections = {name: _parse_section(name, document.get(name, {}), path) for name in SECTIONS if name != "feeds"}
    _validate_delivery(sections["delivery"], f"{path}: [delivery]")
    return Config(path=path, feeds=_parse_feeds(document.get("feeds", []), path), **sections)


def _parse_feeds(tables: Any, path: Path) -> tuple[FeedSettings, ...]:
    if not isinstance(tables, list):
        raise ConfigError(
            f"{path}: feeds = {_to_text(tables)} is not allowed: give [[feeds]] tables with id, url and kind."
        )
    feeds = tuple(_parse_section("feeds", table, path, number) for number, table in enumerate(tables, 1))
    ids: set[str] = set()
    for feed in feeds:
        where = f'{path}: [[feeds]] id = "{feed.id}"'
        _validate_authentication(feed, where)
        if feed.id.lower() in ids:
            raise ConfigError(f"{where} is used twice: give each feed an id of its own.")
        ids.add(feed.id.lower())
    return feeds


def _validate_authentication(feed: FeedSettings, where: str) -> None:
    if bool(feed.username) != bool(feed.password_env):
        raise ConfigError(f"{where} has one of username and password_env: give both or neither.")
    if feed.username and feed.token_env:
        raise ConfigError(f"{where} has both username and token_env: give the one that its publisher gave you.")
    if ":" in feed.username:
        raise ConfigError(f"{where} username has a colon, which HTTP does not allow (RFC 7617): check it.")


def _validate_delivery(settings: DeliverySettings, where: str) -> None:
    if bool(settings.smtp_username) != bool(settings.smtp_password_env):
        raise ConfigError(f"{where} has one of smtp_username and smtp_password_env: give both or neither.")
    if settings.smtp_security == "none" and settings.smtp_host and not _is_loopback(settings.smtp_host):
        raise ConfigError(
            f'{where} smtp_security = "none" would send mails and passwords unencrypted: that is allowed only for a '
            "server on this machine; write starttls or tls."
        )


def _is_loopback(host: str) -> bool:
    """Check whether a host name can only mean this machine.

    >>> [_is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "smtp.example.org", "127.example.org")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _parse_section(name: str, table: Any, path: Path, number: int = 0) -> Any:
    """Return the settings of a table; ``number`` counts the tables of [[feeds]] from 1."""
    where = f"{path}: [[feeds]] number {number}" if number else f"{path}: [{name}]"
    if not isinstance(table, dict):
        raise ConfigError(
            f"{where} is {_to_text(table)}: make it {'[[feeds]] tables' if number else f'a table: [{name}]'}."
        )
    declared = settings_of(SECTIONS[name])
    _require_known_keys(table, declared, where, "setting")
    values = {}
    for key, setting in declared.items():
        setting_type = setting.metadata["type"]
        if key in table:
            values[key] = _parse_value(table[key], setting_type, f"{where} {key}")
        elif setting.default is MISSING:
            raise ConfigError(f"{where} {key} is missing: give {setting_type.description}.")
    return SECTIONS[name](**values)


def _parse_value(value: Any, setting_type: SettingType, where: str) -> Any:
    shown = "" if setting_type.secret else f" = {_to_text(value)}"
    try:
        return setting_type.parse(value)
    except InvalidValueError as error:
        raise ConfigError(f"{where}{shown} is not allowed: {error}.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{where}{shown} is not allowed: give {setting_type.description}.") from error


def _require_known_keys(table: Mapping[str, Any], known: Iterable[str], where: str, kind: str) -> None:
    names = list(known)
    for key in table:
        if key not in names:
            similar = get_close_matches(key, names, n=1, cutoff=0.5)
            hint = f"did you mean {similar[0]}?" if similar else f"there are {', '.join(names)}."
            raise ConfigError(f"{where} {key} is not a {kind}: {hint}")


def _to_text(value: Any) -> str:
    """Return a value as written in TOML, shortened to 80 characters and without user info of URLs."""
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)
    text = re.sub(r"://(?:[^/@\s]*:\S*|[^/\s]*)@", "://…@", text)
    return text if len(text) <= 80 else text[:77] + "…"
