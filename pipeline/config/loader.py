"""Load and validate config.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipeline.config.bounces import bounces_mistakes
from pipeline.config.editors import editors_mistakes
from pipeline.config.public import DEFAULT_FORM
from pipeline.config.schema import REPEATED_SECTIONS, SECTIONS, Config, settings_of
from pipeline.config.toml_lines import find_line
from pipeline.config.types import InvalidValueError, SettingType
from pipeline.delivery.services import SERVICES
from pipeline.model.errors import ConfigError
from pipeline.text.message_headers import find_control_character
from pipeline.text.urls import is_loopback


def load_config(path: Path) -> Config:
    """Return the validated config file. Raises ConfigError if it is missing, unreadable or invalid."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; run `pipeline init` to create one, or name yours with --config."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a UTF-8 text file ({error}).") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}.") from error
    return parse_config(document, path, text)


def parse_config(document: Mapping[str, Any], path: Path, text: str = "") -> Config:
    """Return the validated document. Raises ConfigError with every mistake in it.

    ``path`` is named in errors and is the base of relative paths; ``text`` is what the document was read from, for the
    lines of mistakes.
    """
    mistakes = _Mistakes(path, text)
    _check_keys(document, SECTIONS, mistakes)
    repeated = {name: _parse_tables(document.get(name, []), name, mistakes) for name in REPEATED_SECTIONS}
    single = [name for name in SECTIONS if name not in REPEATED_SECTIONS]
    tables = {name: _parse_table(document.get(name, {}), name, mistakes) for name in single}
    _check_feeds(repeated["feeds"], mistakes)
    _check_blocks(repeated["blocks"], mistakes)
    _check_forms(repeated["forms"], mistakes)
    for number, key, message in editors_mistakes(repeated["editors"]):
        mistakes.add(message, "editors", key, number)
    _check_delivery(tables["delivery"], tables["public"], mistakes)
    _check_dkim(tables["delivery"], mistakes)
    for key, message in bounces_mistakes(tables["bounces"]):
        mistakes.add(message, "bounces", key)
    mistakes.raise_if_any()
    sections: dict[str, Any] = {name: SECTIONS[name](**values) for name, values in tables.items()}
    for name, parsed in repeated.items():
        sections[name] = tuple(SECTIONS[name](**values) for values in parsed)
    return Config(path=path, **sections)


class _Mistakes:
    """The mistakes found in a config file."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text
        self._messages: list[tuple[int, str]] = []

    def add(self, message: str, section: str, key: str = "", number: int = 1) -> None:
        """Add a mistake in a setting; ``number`` counts the tables of a repeated section from 1."""
        line = find_line(self._text, section, key, number)
        self._messages.append((line, f"{self._path}: {f'line {line}: ' if line else ''}{message}"))

    def raise_if_any(self) -> None:
        """Raise ConfigError with the mistakes in the order of their lines."""
        if self._messages:
            raise ConfigError(*(message for _, message in sorted(self._messages, key=lambda located: located[0])))


def _parse_tables(tables: Any, section: str, mistakes: _Mistakes) -> list[dict[str, Any]]:
    """Return the settings of each table of a repeated section."""
    if not isinstance(tables, list):
        *keys, last = (key for key, one in settings_of(SECTIONS[section]).items() if one.default is MISSING)
        form = f"give [[{section}]] tables with {', '.join(keys)} and {last}."
        mistakes.add(f"{section} = {_to_text(tables)} is not allowed: {form}", section)
        return []
    return [_parse_table(table, section, mistakes, number) for number, table in enumerate(tables, 1)]


def _check_blocks(blocks: Iterable[Mapping[str, Any]], mistakes: _Mistakes) -> None:
    for number, block in enumerate(blocks, 1):
        first, last = block.get("first_day"), block.get("last_day")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            message = f"[[blocks]] number {number} until = {last} is before from = {first}: correct one of them."
            mistakes.add(message, "blocks", "until", number)


def _check_forms(forms: Iterable[Mapping[str, Any]], mistakes: _Mistakes) -> None:
    ids = {DEFAULT_FORM}
    for number, form in enumerate(forms, 1):
        form_id = str(form.get("id", ""))
        if form_id in ids:
            message = f'[[forms]] id = "{form_id}" is used twice: give each form an id of its own.'
            mistakes.add(message, "forms", "id", number)
        ids.add(form_id)


def _check_feeds(feeds: Iterable[Mapping[str, Any]], mistakes: _Mistakes) -> None:
    ids: set[str] = set()
    for number, feed in enumerate(feeds, 1):
        feed_id = str(feed.get("id", ""))
        if feed_id.lower() in ids:
            message = f'[[feeds]] id = "{feed_id}" is used twice: give each feed an id of its own.'
            mistakes.add(message, "feeds", "id", number)
        ids |= {feed_id.lower()} - {""}
        for key, message in _authentication_mistakes(feed):
            mistakes.add(f'[[feeds]] id = "{feed_id}" {message}', "feeds", key, number)


def _authentication_mistakes(feed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    username, password = feed.get("username"), feed.get("password_env")
    if bool(username) != bool(password):
        key = "username" if username else "password_env"
        yield key, "has one of username and password_env: give both or neither."
    if username and feed.get("token_env"):
        yield "token_env", "has both username and token_env: give the one that its publisher gave you."
    if ":" in str(username):
        yield "username", "username has a colon, which HTTP does not allow (RFC 7617): check it."


def _check_delivery(settings: Mapping[str, Any], public: Mapping[str, Any], mistakes: _Mistakes) -> None:
    username, host = settings.get("smtp_username"), str(settings.get("smtp_host", ""))
    backend = settings.get("backend")
    if backend == "smtp" and not host:
        mistakes.add('[delivery] backend = "smtp" needs a mail server: set smtp_host.', "delivery", "smtp_host")
    if backend in SERVICES and not settings.get("api_key_env"):
        message = f"[delivery] backend = {_to_text(backend)} needs a key: set api_key_env (docs/services.md)."
        mistakes.add(message, "delivery", "api_key_env")
    if backend != "outbox" and not public.get("url"):
        why = "needs pages on which subscribers can unsubscribe: set [public] url."
        mistakes.add(f"[delivery] backend = {_to_text(backend)} {why}", "delivery", "backend")
    if settings.get("count_links") is True and not (public.get("url") and public.get("listen") and backend != "outbox"):
        message = (
            "[delivery] count_links = true needs a backend that delivers to subscribers, and [public] url and listen: "
            "the links lead through those pages. Set them, or write false."
        )
        mistakes.add(message, "delivery", "count_links")
    if bool(username) != bool(settings.get("smtp_password_env")):
        message = "[delivery] has one of smtp_username and smtp_password_env: give both or neither."
        mistakes.add(message, "delivery", "smtp_username" if username else "smtp_password_env")
    if settings.get("smtp_security") == "none" and host and not is_loopback(host):
        message = (
            '[delivery] smtp_security = "none" would send mails and passwords unencrypted: that is allowed only for a '
            "server on this machine; write starttls or tls."
        )
        mistakes.add(message, "delivery", "smtp_security")


def _check_dkim(settings: Mapping[str, Any], mistakes: _Mistakes) -> None:
    for kind in ("", "ed25519_"):
        key, selector = f"dkim_{kind}key", f"dkim_{kind}selector"
        if bool(settings.get(key)) != bool(settings.get(selector)):
            message = f"[delivery] has one of {key} and {selector}: give both or neither."
            mistakes.add(message, "delivery", key if settings.get(key) else selector)
    if settings.get("dkim_ed25519_key") and not settings.get("dkim_key"):
        message = "[delivery] dkim_ed25519_key is for a second signature: set dkim_key too, which all receivers verify."
        mistakes.add(message, "delivery", "dkim_ed25519_key")
    if settings.get("dkim_selector") and settings.get("dkim_selector") == settings.get("dkim_ed25519_selector"):
        message = "[delivery] dkim_ed25519_selector is that of the RSA key: each key has a selector of its own."
        mistakes.add(message, "delivery", "dkim_ed25519_selector")


def _parse_table(table: Any, section: str, mistakes: _Mistakes, number: int = 0) -> dict[str, Any]:
    """Return the settings of a table by field, those with a mistake as they are; ``number`` counts from 1."""
    where = f"[[{section}]] number {number}" if number else f"[{section}]"
    if not isinstance(table, dict):
        form = f"[[{section}]] tables" if number else f"a table: [{section}]"
        mistakes.add(f"{where} is {_to_text(table)}: make it {form}.", section, number=number or 1)
        return {}
    declared = settings_of(SECTIONS[section])
    _check_keys(table, declared, mistakes, section, number)
    values = {}
    for key, setting in declared.items():
        setting_type = setting.metadata["type"]
        if key in table:
            values[setting.name], message = _parse_value(table[key], setting_type)
        else:
            values[setting.name] = setting.default
            message = f" is missing: give {setting_type.description}." if setting.default is MISSING else ""
        if message:
            mistakes.add(f"{where} {key}{message}", section, key, number or 1)
    return values


def _parse_value(value: Any, setting_type: SettingType) -> tuple[Any, str]:
    """Return a converted value, or the value itself and why it is not allowed."""
    shown = "" if setting_type.secret else f" = {_to_text(value)}"
    if name := find_control_character(value):
        return value, f"{shown} is not allowed: remove the control character {name}."
    try:
        return setting_type.parse(value), ""
    except InvalidValueError as error:
        advice = str(error)
    except (ValueError, TypeError, AttributeError):
        advice = f"give {setting_type.description}"
    return value, f"{shown} is not allowed: {advice}{'' if advice.endswith('?') else '.'}"


def setting_mistake(section: str, key: str, value: Any) -> str:
    """Return why a value of a setting is not allowed, as ``load_config`` does; empty if it is allowed.

    >>> setting_mistake("publication", "accent", "red")[:50], setting_mistake("publication", "name", "N")
    ('[publication] accent = "red" is not allowed: give ', '')
    """
    _, message = _parse_value(value, settings_of(SECTIONS[section])[key].metadata["type"])
    return f"[{section}] {key}{message}" if message else ""


def _check_keys(
    table: Mapping[str, Any], known: Iterable[str], mistakes: _Mistakes, section: str = "", number: int = 0
) -> None:
    """Report the keys of a table that do not exist, those of the document itself if ``section`` is empty."""
    names = list(known)
    where = f"[[{section}]] number {number} " if number else f"[{section}] " if section else ""
    for key in (key for key in table if key not in names):
        similar = get_close_matches(key, names, n=1, cutoff=0.5)
        hint = f"did you mean {similar[0]}?" if similar else f"there are {', '.join(names)}."
        kind = "setting" if section else "section"
        mistakes.add(f"{where}{key} is not a {kind}: {hint}", section or key, key if section else "", number or 1)


def _to_text(value: Any) -> str:
    """Return a value as written in TOML, shortened to 80 characters and without user info of URLs."""
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    if isinstance(value, bool | date):
        text = str(value).lower()
    text = text.replace("\n", "\\n")
    text = re.sub(r"://(?:(?:(?!://)\S)*)@", "://…@", text)
    return text if len(text) <= 80 else text[:77] + "…"
