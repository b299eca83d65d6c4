"""Change the feeds in a config.toml: all of it or nothing, and never into something that cannot be read.

In: the file, what to add or remove. Out: the file replaced in one step, or an error and the file as it was.
"""

from __future__ import annotations

import os
import shutil
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.config.edit import with_feeds, without_feed
from pipeline.config.read import load_config, parse_config
from pipeline.model.errors import ConfigError, Refused

_BOM = "\ufeff"


def add_feeds(path: Path, feeds: Sequence[Mapping[str, str]]) -> None:
    """Write [[feeds]] tables into a config file; ConfigError when it cannot be written or would not be valid."""
    rewrite(path, lambda text: with_feeds(text, feeds))


def remove_feed(path: Path, feed_id: str) -> None:
    """Take a feed's table out of a config file; errors as above."""
    ids = [feed.id for feed in load_config(path).feeds]
    rewrite(path, lambda text: without_feed(text, ids.index(feed_id)))


def rewrite(path: Path, edit: Callable[[str], str]) -> None:
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
            raise Refused(f"{path} was changed by somebody else just now and was left alone: try again.")
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
