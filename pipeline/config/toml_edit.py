"""config.toml with a feed more or less, and every other byte as it was.

In: the text of a config.toml that can be read, what to add or remove. Out: the new text. Touches nothing.

A person's file is edited as a person would: lines go in, lines come out. Where a table begins and ends, tomllib
decides (a line that looks like a header is one when the lines before it are whole), and before the new text is given
away it is read again: it must say what the old one said, and the change, and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

from pipeline.config.loader import load_config, parse_config
from pipeline.model.errors import ConfigError, RefusedError

Lines = list[str]


def format_feed(settings: Mapping[str, str]) -> str:
    r"""Write one [[feeds]] table.

    >>> format_feed({"id": "blog", "section": "“Salt” \\ sand"})
    '[[feeds]]\nid = "blog"\nsection = "“Salt” \\\\ sand"\n'
    """
    # A JSON string is a TOML string, but for DEL, which JSON lets pass.
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in settings.items())
    return "[[feeds]]\n" + "".join(lines).replace("\x7f", "\\u007f")


def insert_feeds(text: str, feeds: Sequence[Mapping[str, str]]) -> str:
    r"""Add [[feeds]] tables after the last one; Refused when the file leaves no place for them.

    >>> insert_feeds('[[feeds]]\nid = "a"\n# spare\n\n# Fetching\n[fetch]\n', [{"id": "b"}])
    '[[feeds]]\nid = "a"\n# spare\n\n[[feeds]]\nid = "b"\n\n# Fetching\n[fetch]\n'
    """
    lines, fresh = _lines(text), "\n".join(map(format_feed, feeds))
    last = max((table.end for table in _feeds(lines)), default=len(lines))
    before = "" if not last else "\n" if lines[last - 1].endswith("\n") else "\n\n"
    after = "\n" if lines[last:] and lines[last].strip() else ""
    added = (before + fresh + after).replace("\n", _newline(text))
    wanted = [*tomllib.loads(text).get("feeds", []), *feeds]
    return _verify("".join((*lines[:last], added, *lines[last:])), text, wanted, f"add this to it:\n\n{fresh}")


def delete_feed(text: str, index: int) -> str:
    r"""Take out the ``nth`` [[feeds]] table (from 0) with the comments in and right below it; Refused as above.

    >>> delete_feed('[[feeds]]\nid = "a"\n# spare\n\n# The other\n[[feeds]]\nid = "b"\n', 0)
    '# The other\n[[feeds]]\nid = "b"\n'
    """
    lines, tables = _lines(text), _feeds(_lines(text))
    wanted: list[Any] = tomllib.loads(text)["feeds"]
    advice = f'take the table of "{wanted[index].get("id", "")}" out yourself.'
    if len(tables) != len(wanted):
        raise _not_editable(advice)
    kept, rest = lines[: tables[index].start], lines[tables[index].end :]
    rest = rest[len(list(takewhile(_is_blank, rest))) :]
    while not rest and kept and _is_blank(kept[-1]):
        kept.pop()
    return _verify("".join((*kept, *rest)), text, wanted[:index] + wanted[index + 1 :], advice)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Lines ``start`` to ``end`` (not included): a header, its settings, and what belongs to them."""

    start: int
    end: int
    name: str
    repeated: bool
    """True for ``[[name]]``, False for ``[name]`` and ``[name.more]``."""


def _feeds(lines: Lines) -> list[_Table]:
    """Find the [[feeds]] tables, each with the [feeds.…] tables that continue it."""
    found: list[_Table] = []
    before = ""
    for table in _tables(lines):
        if table.name == "feeds" and table.repeated:
            found.append(table)
        elif table.name == "feeds" == before and found:
            found[-1] = _Table(start=found[-1].start, end=table.end, name="feeds", repeated=True)
        before = table.name
    return found


def _tables(lines: Lines) -> Iterator[_Table]:
    for start, following in pairwise([*_header_lines(lines), len(lines)]):
        ((name, held),) = tomllib.loads(lines[start]).items()
        yield _Table(start=start, end=_end(lines, start, following), name=name, repeated=isinstance(held, list))


def _header_lines(lines: Lines) -> Iterator[int]:
    since = 0
    for number, line in enumerate(lines):
        if line.lstrip(" \t").startswith("[") and _is_whole(lines[since:number]):
            yield number
            since = number


def _end(lines: Lines, start: int, following: int) -> int:
    """Find where a table ends: with its last setting, and the comments right below that lead to no other table."""
    end = following
    while _is_blank_or_comment(lines[end - 1]) and _is_whole(lines[start : end - 1]):
        end -= 1
    comments = len(list(takewhile(_is_comment, lines[end:following])))
    leads_on = comments and end + comments == following < len(lines)
    return end if leads_on else end + comments


def _is_whole(lines: Lines) -> bool:
    """Tell whether lines are TOML by themselves, so that no text or list goes on after them."""
    try:
        tomllib.loads("".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _is_blank(line: str) -> bool:
    return not line.strip()


def _is_comment(line: str) -> bool:
    return line.lstrip(" \t").startswith("#")


def _is_blank_or_comment(line: str) -> bool:
    return _is_blank(line) or _is_comment(line)


def _lines(text: str) -> Lines:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _verify(fresh: str, text: str, feeds: Sequence[Any], advice: str) -> str:
    """Give the new text away only when it says what the old one said, with these feeds."""
    try:
        now, before = tomllib.loads(fresh), tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise _not_editable(advice) from broken
    before.pop("feeds", None)
    if now.pop("feeds", []) != list(feeds) or now != before:
        raise _not_editable(advice)
    return fresh


def _not_editable(advice: str) -> RefusedError:
    return RefusedError(f"the feeds are not written as [[feeds]] tables that can be edited safely: {advice}")


_BOM = "\ufeff"


def add_feeds(path: Path, feeds: Sequence[Mapping[str, str]]) -> None:
    """Write [[feeds]] tables into a config file; ConfigError when it cannot be written or would not be valid."""
    rewrite_config(path, lambda text: insert_feeds(text, feeds))


def remove_feed(path: Path, feed_id: str) -> None:
    """Take a feed's table out of a config file; errors as above."""
    ids = [feed.id for feed in load_config(path).feeds]
    rewrite_config(path, lambda text: delete_feed(text, ids.index(feed_id)))


def rewrite_config(path: Path, edit: Callable[[str], str]) -> None:
    """Replace a config file by what ``edit`` makes of its text; Refused when somebody else changed it meanwhile."""
    _refuse_unwritable(path)
    try:
        before = path.read_bytes()
        text = before.decode("utf-8")
        bom = _BOM if text.startswith(_BOM) else ""
        after = edit(text.removeprefix(_BOM))
        parse_config(tomllib.loads(after), path)
        _replace(path, before, (bom + after).encode("utf-8"))
    except OSError as trouble:
        raise ConfigError(f"{path}: cannot be written ({trouble.strerror}), so nothing was changed.") from trouble


def _refuse_unwritable(path: Path) -> None:
    """Refuse what a replacement would quietly undo: a link to the real file, and a file its owner has locked."""
    if path.is_symlink():
        raise ConfigError(f"{path}: is a link to {path.resolve()}: name that file with --config to have it changed.")
    if path.exists() and not path.stat().st_mode & stat.S_IWUSR:
        raise ConfigError(f"{path}: is read-only, so nothing was changed: make it writable, or edit it yourself.")


def _replace(path: Path, before: bytes, after: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, fresh)
        with suppress(OSError, AttributeError):  # not ours to give away, or a system without owners
            os.chown(fresh, path.stat().st_uid, path.stat().st_gid)
        if path.read_bytes() != before:
            raise RefusedError(f"{path} was changed by somebody else just now and was left alone: try again.")
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
