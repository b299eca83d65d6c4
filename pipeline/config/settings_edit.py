"""Change single settings in config.toml and leave every other byte unchanged.

Only settings whose values are strings, in sections that are not repeated. As in ``toml_edit``, the result is parsed
again before it is written, and must differ from the original in nothing but these settings.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import MISSING
from pathlib import Path
from typing import Any

from pipeline.config.history import ConfigChange, change_config
from pipeline.config.schema import SECTIONS, settings_of
from pipeline.config.toml_lines import Lines, find_key, find_tables, is_blank, is_comment, split_lines
from pipeline.model.errors import ConfigError, RefusedError

SettingName = tuple[str, str]
"""Section and key."""
_ASSIGNMENT = re.compile(r"""(\s*+["']?[\w-]++["']?\s*+=\s*+)("(?:[^"\\]|\\.)*"|'[^']*')(?!["'])""")
"""A setting on a line of its own, whose value is a string, up to the end of the value."""


def read_settings(path: Path, names: list[SettingName]) -> dict[SettingName, str]:
    """Return the values of settings as a config file has them, or else their defaults; required ones default to "".

    Raise ConfigError if the file cannot be read.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}), so its settings are not shown: correct it.") from error
    return {name: _value_in(document, name) for name in names}


def change_settings(path: Path, values: Mapping[SettingName, str], detail: str) -> ConfigChange:
    """Change settings in a config file and record it; ``detail`` describes the change.

    Raise ConfigError if the file cannot be written or would be invalid, and RefusedError if that is not safe.
    """
    return change_config(path, lambda text: set_values(text, values), kind="settings", detail=detail)


def set_values(text: str, values: Mapping[SettingName, str]) -> str:
    r"""Return ``text`` with other values of some settings. Raise RefusedError if that is not safe.

    >>> text = '# Mine\n[publication]\nname = "N" # short\n\n[fetch]\n'
    >>> set_values(text, {("publication", "name"): "M", ("digest", "theme"): "letter"})
    '# Mine\n[publication]\nname = "M" # short\n\n[fetch]\n\n[digest]\ntheme = "letter"\n'
    """
    wanted: dict[str, Any] = deepcopy(tomllib.loads(text))
    lines = split_lines(text)
    for (section, key), value in values.items():
        wanted.setdefault(section, {})[key] = value
        lines = _set_value(lines, section, key, value, "\r\n" if "\r\n" in text else "\n")
    edited = "".join(lines)
    try:
        same = tomllib.loads(edited) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise RefusedError("The settings are not written in a form that can be edited safely: nothing was changed.")
    return edited


def format_settings(values: Mapping[SettingName, str]) -> str:
    r"""Return settings as lines of a config file.

    >>> format_settings({("digest", "theme"): "letter", ("publication", "name"): "N"})
    '[digest]\ntheme = "letter"\n\n[publication]\nname = "N"\n'
    """
    sections: dict[str, list[str]] = {}
    for (section, key), value in values.items():
        sections.setdefault(section, []).append(f"{key} = {_quote(value)}\n")
    return "\n".join(f"[{section}]\n{''.join(lines)}" for section, lines in sections.items())


def _value_in(document: Mapping[str, Any], name: SettingName) -> str:
    section, key = name
    default = settings_of(SECTIONS[section])[key].metadata["default"]
    table = document.get(section, {})
    return str(table.get(key, "" if default is MISSING else default) if isinstance(table, Mapping) else "")


def _set_value(lines: Lines, section: str, key: str, value: str, line_break: str) -> Lines:
    """Replace a value where it is; else add the setting below the last one of its section, or a section at the end."""
    table = next((one for one in find_tables(lines) if one.name == section and not one.repeated), None)
    assignment = f"{key} = {_quote(value)}{line_break}"
    if table is None:
        gap = [line_break] if lines and lines[-1].endswith("\n") else [line_break * 2] if lines else []
        return [*lines, *gap, f"[{section}]{line_break}", assignment]
    index = find_key(lines[table.start : table.end], key, section)
    if index >= 0:
        at = table.start + index
        match = _ASSIGNMENT.match(lines[at])
        edited = f"{match[1]}{_quote(value)}{lines[at][match.end() :]}" if match else lines[at]
        return [*lines[:at], edited, *lines[at + 1 :]]
    end = table.end
    while is_blank(lines[end - 1]) or is_comment(lines[end - 1]):
        end -= 1
    before = lines[:end]
    if not before[-1].endswith("\n"):
        before[-1] += line_break
    return [*before, assignment, *lines[end:]]


def _quote(value: str) -> str:
    # A JSON string is a valid TOML string, except that TOML requires DEL to be escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
