"""Add and remove feeds in config.toml and leave every other byte unchanged.

Lines are inserted and deleted. The result is parsed again before it is written, and must differ from the original in
nothing but its feeds.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

from pipeline.config.loader import parse_config
from pipeline.config.toml_lines import find_feeds, is_blank, split_lines
from pipeline.model.errors import ConfigError, RefusedError

_BOM = "\ufeff"


def add_feeds(path: Path, feeds: Sequence[Mapping[str, str]]) -> None:
    """Add [[feeds]] tables to a config file. Raises ConfigError if it cannot be written or would become invalid."""
    rewrite_config(path, lambda text: insert_feeds(text, feeds))


def rewrite_config(path: Path, edit: Callable[[str], str]) -> None:
    """Replace the text of a config file by ``edit(text)``. Raises RefusedError if it changed in the meantime."""
    require_writable(path)
    try:
        before = path.read_bytes()
        text = before.decode("utf-8")
        bom = _BOM if text.startswith(_BOM) else ""
        after = edit(text.removeprefix(_BOM))
        parse_config(tomllib.loads(after), path)
        _replace(path, before, (bom + after).encode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}), so nothing was changed.") from error


def require_writable(path: Path) -> None:
    """Raise ConfigError if a file is a symbolic link or read-only: replacing it would undo that."""
    if path.is_symlink():
        raise ConfigError(f"{path}: is a link to {path.resolve()}: name that file with --config.")
    if path.exists() and not path.stat().st_mode & stat.S_IWUSR:
        raise ConfigError(f"{path}: is read-only, so nothing was changed: make it writable, or edit it yourself.")


def _replace(path: Path, before: bytes, after: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, new)
        with suppress(OSError, AttributeError):  # the file belongs to another user, or the system has no file owners
            os.chown(new, path.stat().st_uid, path.stat().st_gid)
        if path.read_bytes() != before:
            raise RefusedError(f"{path} was changed by another process and was not overwritten: try again.")
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def format_feed(settings: Mapping[str, str]) -> str:
    r"""Return one [[feeds]] table.

    >>> format_feed({"id": "blog", "section": "“Salt” \\ sand"})
    '[[feeds]]\nid = "blog"\nsection = "“Salt” \\\\ sand"\n'
    """
    # A JSON string is a valid TOML string, except that TOML requires DEL to be escaped.
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in settings.items())
    return "[[feeds]]\n" + "".join(lines).replace("\x7f", "\\u007f")


def insert_feeds(text: str, feeds: Sequence[Mapping[str, str]]) -> str:
    r"""Return ``text`` with [[feeds]] tables added after the last one. Raises RefusedError if that is not safe.

    >>> insert_feeds('[[feeds]]\nid = "a"\n# spare\n\n# Fetching\n[fetch]\n', [{"id": "b"}])
    '[[feeds]]\nid = "a"\n# spare\n\n[[feeds]]\nid = "b"\n\n# Fetching\n[fetch]\n'
    """
    lines, tables = split_lines(text), "\n".join(map(format_feed, feeds))
    last = max((table.end for table in find_feeds(lines)), default=len(lines))
    before = "" if not last else "\n" if lines[last - 1].endswith("\n") else "\n\n"
    after = "\n" if lines[last:] and lines[last].strip() else ""
    added = (before + tables + after).replace("\n", "\r\n" if "\r\n" in text else "\n")
    wanted = [*tomllib.loads(text).get("feeds", []), *feeds]
    return _verify("".join((*lines[:last], added, *lines[last:])), text, wanted, f"add this to it:\n\n{tables}")


def delete_feed(text: str, index: int) -> str:
    r"""Return ``text`` without the [[feeds]] table at ``index`` (from 0) and the comments in and right below it.

    Raises RefusedError if that is not safe.

    >>> delete_feed('[[feeds]]\nid = "a"\n# spare\n\n# The other\n[[feeds]]\nid = "b"\n', 0)
    '# The other\n[[feeds]]\nid = "b"\n'
    """
    lines, tables = split_lines(text), find_feeds(split_lines(text))
    wanted: list[Any] = tomllib.loads(text)["feeds"]
    advice = f'remove the table of "{wanted[index].get("id", "")}" yourself.'
    if len(tables) != len(wanted):
        raise _not_editable(advice)
    kept, rest = lines[: tables[index].start], lines[tables[index].end :]
    rest = rest[len(list(takewhile(is_blank, rest))) :]
    while not rest and kept and is_blank(kept[-1]):
        kept.pop()
    return _verify("".join((*kept, *rest)), text, wanted[:index] + wanted[index + 1 :], advice)


def _verify(edited: str, text: str, feeds: Sequence[Any], advice: str) -> str:
    """Return ``edited`` if it differs from ``text`` in nothing but its feeds, else raise RefusedError."""
    try:
        now, before = tomllib.loads(edited), tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_editable(advice) from error
    before.pop("feeds", None)
    if now.pop("feeds", []) != list(feeds) or now != before:
        raise _not_editable(advice)
    return edited


def _not_editable(advice: str) -> RefusedError:
    return RefusedError(f"the feeds are not written as [[feeds]] tables that can be edited safely: {advice}")
