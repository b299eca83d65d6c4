"""The last changes that the program made to config.toml, so that each can be undone.

They are kept in a file beside config.toml. Undoing a change puts back the lines that it replaced; what was changed
elsewhere in the file since then stays.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path
from secrets import token_urlsafe
from typing import Literal

from pipeline.config.loader import load_config
from pipeline.config.toml_edit import delete_feed, rewrite_config
from pipeline.config.toml_lines import split_lines
from pipeline.model.errors import RefusedError

MAX_CHANGES = 20
"""How many changes can be undone, in any order."""
ChangeKind = Literal["feed removed", "settings"]
_Hunk = tuple[int, int, list[str]]
"""The lines (from, to) of the old text, and what replaces them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """One change of config.toml, with the whole text before and after."""

    id: str
    kind: ChangeKind
    name: str
    """The id of the feed that was removed; empty for settings."""
    detail: str = ""
    before: str
    after: str


def change_config(
    path: Path, edit: Callable[[str], str], *, kind: ChangeKind, name: str = "", detail: str = ""
) -> ConfigChange:
    """Change a config file as ``rewrite_config`` does, and record the change."""
    texts: list[str] = []

    def edit_and_keep(text: str) -> str:
        texts[:] = text, edit(text)
        return texts[1]

    rewrite_config(path, edit_and_keep)
    before, after = texts
    change = ConfigChange(id=token_urlsafe(9), kind=kind, name=name, detail=detail, before=before, after=after)
    _write(path, (*read_changes(path), change)[-MAX_CHANGES:])
    return change


def remove_feed(path: Path, feed_id: str) -> None:
    """Remove the table of a feed from a config file. Raises ConfigError if it cannot be written or would be invalid."""
    feeds = load_config(path).feeds
    index = [feed.id for feed in feeds].index(feed_id)
    change_config(
        path, lambda text: delete_feed(text, index), kind="feed removed", name=feed_id, detail=feeds[index].url
    )


def read_changes(path: Path) -> tuple[ConfigChange, ...]:
    """Return the changes of a config file that can be undone, the oldest first."""
    try:
        return tuple(ConfigChange(**values) for values in json.loads(_history_file(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return ()  # never written, or damaged: there is nothing to undo


def undo_change(path: Path, change_id: str) -> ConfigChange:
    """Undo a change. Raise RefusedError if it is unknown or was undone, or if the same lines have changed since."""
    changes = read_changes(path)
    change = next((change for change in changes if change.id == change_id), None)
    if change is None:
        raise RefusedError(f"{path.name}: this change was undone before, or is too old to be undone.")
    rewrite_config(path, lambda text: revert(text, change))
    _write(path, [other for other in changes if other.id != change_id])
    return change


def revert(text: str, change: ConfigChange) -> str:
    r"""Return ``text`` without a change. Raise RefusedError if somebody has changed the same lines since.

    >>> change = ConfigChange(id="", kind="settings", name="", before="a = 1\nb = 1\n", after="a = 2\nb = 1\n")
    >>> revert("a = 2\nb = 3\n", change)
    'a = 1\nb = 3\n'
    """
    changed = split_lines(change.after)
    undone = list(_hunks(changed, split_lines(change.before)))
    since = list(_hunks(changed, split_lines(text)))
    if any(_overlap(one, other) for one in undone for other in since):
        raise RefusedError(
            "config.toml was changed in the same place since, so this was not undone and nothing was overwritten: "
            "edit the file yourself."
        )
    for start, end, lines in sorted((*undone, *since), key=lambda hunk: hunk[:2], reverse=True):
        changed[start:end] = lines
    return "".join(changed)


def _hunks(old: Sequence[str], new: Sequence[str]) -> Iterator[_Hunk]:
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield start, end, list(new[new_start:new_end])


def _overlap(one: _Hunk, other: _Hunk) -> bool:
    if one[:2] == other[:2]:
        return one[0] != one[1]  # both replace the same lines; insertions in the same place follow each other
    return one[0] < other[1] and other[0] < one[1]


def _history_file(path: Path) -> Path:
    return path.with_name(f".{path.name}.changes")


def _write(path: Path, changes: Sequence[ConfigChange]) -> None:
    """Save the changes. A failure is no error: config.toml was changed, and only the undo is missing."""
    file = _history_file(path)
    new = file.with_name(f"{file.name}.new")
    with suppress(OSError):
        new.write_text(json.dumps([asdict(change) for change in changes], ensure_ascii=False), encoding="utf-8")
        shutil.copymode(path, new)
        os.replace(new, file)
