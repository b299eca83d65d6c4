"""Lines of a TOML file: where tables begin and end, and where a setting is.

tomllib decides what is a table and what is text, but keeps no positions.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile

Lines = list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The lines ``start`` to ``end`` (exclusive) of a table: its header, settings and comments."""

    start: int
    end: int
    name: str
    repeated: bool
    """True for ``[[name]]``, False for ``[name]`` and ``[name.more]``."""


def find_feeds(lines: Lines) -> list[Table]:
    """Return the [[feeds]] tables, each including the [feeds.…] tables that continue it."""
    feeds: list[Table] = []
    previous = ""
    for table in find_tables(lines):
        if table.name == "feeds" and table.repeated:
            feeds.append(table)
        elif table.name == "feeds" == previous and feeds:
            feeds[-1] = Table(start=feeds[-1].start, end=table.end, name="feeds", repeated=True)
        previous = table.name
    return feeds


def find_tables(lines: Lines) -> Iterator[Table]:
    """Yield every table, in order."""
    for start, following in pairwise([*header_lines(lines), len(lines)]):
        ((name, value),) = tomllib.loads(lines[start]).items()
        yield Table(start=start, end=_table_end(lines, start, following), name=name, repeated=isinstance(value, list))


def header_lines(lines: Lines) -> Iterator[int]:
    """Yield the indexes of table headers: lines that start with "[" and do not continue a string or list."""
    last = 0
    for index, line in enumerate(lines):
        if line.lstrip(" \t").startswith("[") and is_whole(lines[last:index]):
            yield index
            last = index


def _table_end(lines: Lines, start: int, following: int) -> int:
    """Return the end of a table: its last setting, and the comments below it unless they belong to the next table."""
    end = following
    while (is_blank(lines[end - 1]) or is_comment(lines[end - 1])) and is_whole(lines[start : end - 1]):
        end -= 1
    comments = len(list(takewhile(is_comment, lines[end:following])))
    belongs_to_next = comments and end + comments == following < len(lines)
    return end if belongs_to_next else end + comments


def is_whole(lines: Lines) -> bool:
    """Check whether lines are valid TOML by themselves, so that no string or list continues after them."""
    try:
        tomllib.loads("".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def is_blank(line: str) -> bool:
    """Check whether a line has nothing but space."""
    return not line.strip()


def is_comment(line: str) -> bool:
    """Check whether a line has nothing but a comment."""
    return line.lstrip(" \t").startswith("#")


def split_lines(text: str) -> Lines:
    """Return the lines of a text, each with its line break."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def find_line(text: str, section: str, key: str = "", number: int = 1) -> int:
    r"""Return the line of a setting, from 1: its section's if it is not there, 0 if there is no such section either.

    ``number`` counts the tables of a section that is repeated, from 1. ``text`` must be valid TOML.

    >>> text = 'a = 1\n[fetch]\nproxy = ""\n[[feeds]]\nid = "blog"\n[[feeds]]\nid = "show"\n[feeds.listen]\nB = ""\n'
    >>> [find_line(text, "fetch", key) for key in ("proxy", "nosuch", "")], find_line(text, "a")
    ([3, 2, 2], 1)
    >>> find_line(text, "feeds", "id", 2), find_line(text, "feeds", "listen", 2), find_line(text, "nosuch", "id")
    (7, 8, 0)
    """
    lines = split_lines(text)
    tables = find_feeds(lines) if section == "feeds" else []
    tables = tables or [one for one in find_tables(lines) if one.name == section]
    if len(tables) < number:
        without_table = lines[: next(header_lines(lines), len(lines))]
        dotted = find_key(without_table, f"{section}.{key}")
        return (find_key(without_table, section) if dotted < 0 else dotted) + 1
    table = tables[number - 1]
    offset = find_key(lines[table.start : table.end], key, section) if key else 0
    return table.start + max(offset, 0) + 1


def find_key(lines: Lines, key: str, section: str = "") -> int:
    """Return the index of the line that sets a key, or begins the table ``[section.key]``; -1 if there is none."""
    own_table = rf"(\[\s*{re.escape(section)}\s*\.\s*)?"
    sets_key = re.compile(rf"\s*{own_table}[\"']?{re.escape(key)}[\"']?\s*[.=\]]")
    return next((index for index, line in enumerate(lines) if sets_key.match(line) and is_whole(lines[:index])), -1)
