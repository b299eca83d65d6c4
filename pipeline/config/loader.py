"""config.toml -> one frozen, validated Config.

In: a file. Out: a Config, or ConfigError with the file, the key, what was found and what is allowed.
Reads that file and nothing else.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pipeline.config.declare import settings_of
from pipeline.config.schema import SECTIONS, Config
from pipeline.config.sections.delivery import DeliverySettings
from pipeline.config.sections.feeds import FeedSettings
from pipeline.config.types import InvalidValueError, SettingType
from pipeline.model.errors import ConfigError


def load_config(path: Path) -> Config:
    """Read and validate a config file; ConfigError when it is missing, broken or says something impossible."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as missing:
        raise ConfigError(
            f"{path}: there is no such file; run `pipeline init` to write one, or name yours with --config."
        ) from missing
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigError(f"{path}: cannot be read as a UTF-8 text file ({unreadable}).") from unreadable
    except tomllib.TOMLDecodeError as broken:
        raise ConfigError(f"{path}: is not valid TOML: {broken}.") from broken
    return parse_config(document, path)


def parse_config(document: Mapping[str, Any], path: Path) -> Config:
    """Validate a parsed document; ``path`` is for messages and as the root of relative paths."""
    _refuse_unknown(document, SECTIONS, f"{path}:", "section")
    sections = {name: _section(name, document.get(name, {}), path) for name in SECTIONS if name != "feeds"}
    _refuse_open_mail(sections["delivery"], path)
    return Config(path=path, feeds=_feeds(document.get("feeds", []), path), **sections)


def _feeds(tables: Any, path: Path) -> tuple[Any, ...]:
    if not isinstance(tables, list):
        shown = f"{path}: feeds = {_shown(tables)}"
        raise ConfigError(f"{shown} is not allowed: give [[feeds]] tables with id, url and kind.")
    feeds = tuple(_section("feeds", table, path, nth) for nth, table in enumerate(tables, 1))
    for feed in feeds:
        _refuse_half_a_key(feed, path)
    seen: set[str] = set()
    for feed in feeds:
        if feed.id.lower() in seen:
            raise ConfigError(f'{path}: [[feeds]] id = "{feed.id}" is there twice: give each feed an id of its own.')
        seen.add(feed.id.lower())
    return feeds


def _refuse_half_a_key(feed: FeedSettings, path: Path) -> None:
    where = f'{path}: [[feeds]] id = "{feed.id}"'
    if bool(feed.username) != bool(feed.password_env):
        raise ConfigError(f"{where} has one of username and password_env: give both or neither.")
    if feed.username and feed.token_env:
        raise ConfigError(f"{where} has a username and token_env: give what its publisher gave you, not both.")
    if ":" in feed.username:
        raise ConfigError(f"{where} username has a colon, which HTTP cannot send: check it (RFC 7617).")


def _refuse_open_mail(said: DeliverySettings, path: Path) -> None:
    where = f"{path}: [delivery]"
    if bool(said.smtp_username) != bool(said.smtp_password_env):
        raise ConfigError(f"{where} has one of smtp_username and smtp_password_env: give both or neither.")
    if said.smtp_security == "none" and said.smtp_host and not _on_this_machine(said.smtp_host):
        raise ConfigError(
            f'{where} smtp_security = "none" would send mails and passwords for everybody to read: '
            "that is for a server on this machine only; write starttls or tls."
        )


def _on_this_machine(host: str) -> bool:
    """Tell whether a mail server's name can only mean this machine.

    >>> [_on_this_machine(host) for host in ("localhost", "127.0.0.1", "::1", "smtp.example.org", "127.example.org")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _section(name: str, table: Any, path: Path, nth: int = 0) -> Any:
    where = f"{path}: [{name}]" if not nth else f"{path}: [[feeds]] number {nth}"
    if not isinstance(table, dict):
        wanted = "[[feeds]] tables" if nth else f"a table: [{name}]"
        raise ConfigError(f"{where} is {_shown(table)}: make it {wanted}.")
    known = settings_of(SECTIONS[name])
    _refuse_unknown(table, known, where, "setting")
    values = {}
    for key, each in known.items():
        if key in table:
            values[key] = _value(table[key], each.metadata["kind"], f"{where} {key}")
        elif each.default is MISSING:
            raise ConfigError(f"{where} {key} is missing: give {each.metadata['kind'].words}.")
    return SECTIONS[name](**values)


def _value(found: Any, kind: SettingType, where: str) -> Any:
    try:
        return kind.parse(found)
    except InvalidValueError as bad:
        raise ConfigError(f"{where}{_shown_as(found, kind)} is not allowed: {bad}.") from bad
    except (ValueError, TypeError, AttributeError) as bad:
        raise ConfigError(f"{where}{_shown_as(found, kind)} is not allowed: give {kind.description}.") from bad


def _refuse_unknown(table: Mapping[str, Any], known: Iterable[str], where: str, what: str) -> None:
    names = list(known)
    for key in table:
        if key not in names:
            near = get_close_matches(key, names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
            raise ConfigError(f"{where} {key} is not a {what}: {hint}")


def _shown_as(found: Any, kind: SettingType) -> str:
    return "" if kind.secret else f" = {_shown(found)}"


def _shown(value: Any) -> str:
    """Show a value as it stands in the file, cut to a line, secrets in addresses hidden."""
    shown = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)
    shown = re.sub(r"://(?:[^/@\s]*:\S*|[^/\s]*)@", "://…@", shown)
    return shown if len(shown) <= 80 else shown[:77] + "…"
