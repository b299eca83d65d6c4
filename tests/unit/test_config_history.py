"""Undoing changes of config.toml puts back exactly what was there, and nothing that others wrote is overwritten."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pipeline.config.history import change_config, read_changes, remove_feed, undo_change
from pipeline.model.errors import ConfigError, RefusedError

HEAD = '# Mine.\n[publication]\nname = "N"   # a name\nurl = "https://h.example/"\nsender = "N <n@h.example>"\n\n'
BLOG = '[[feeds]]\nid = "blog"\nurl = "https://h.example/feed"\nkind = "blog"\n# interval = "every 6 hours"\n\n'
SHOW = '# The show\n[[feeds]]\nid = "show"   # since 2019\nurl = "https://s.example/"\nkind = "podcast"\n\n'
LINKS = '[[feeds]]\nkind = "links"\nid = "links"\nurl = "https://l.example/"\n\n# How\n[fetch]\nconcurrency = 5\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(HEAD + BLOG + SHOW + LINKS)
    return path


@pytest.mark.parametrize("feed_id", ["blog", "show", "links"])
def test_a_removed_feed_comes_back_as_it_was(config: Path, feed_id: str):
    """First, middle or last: undoing the removal gives the same bytes, comments included."""
    before = config.read_bytes()
    remove_feed(config, feed_id)
    assert f'"{feed_id}"' not in config.read_text()
    (change,) = read_changes(config)
    assert undo_change(config, change.id).name == feed_id
    assert config.read_bytes() == before
    assert read_changes(config) == ()


def test_changes_made_since_stay(config: Path):
    """A feed comes back into its place although others were removed and settings edited; those stay as they are."""
    remove_feed(config, "show")
    remove_feed(config, "blog")
    config.write_text(config.read_text().replace("concurrency = 5", "concurrency = 6 # faster"))
    show, _ = read_changes(config)
    undo_change(config, show.id)
    assert config.read_text() == HEAD + SHOW + LINKS.replace("concurrency = 5", "concurrency = 6 # faster")


def test_the_same_lines_are_not_overwritten(config: Path):
    """If somebody has changed a line since, the change is not undone: an error says so, and the file stays."""
    change = change_config(config, lambda text: text.replace('"N" ', '"Quay" '), kind="settings")
    config.write_text(theirs := config.read_text().replace('"Quay" ', '"Harbour" '))
    with pytest.raises(RefusedError, match="changed in the same place since"):
        undo_change(config, change.id)
    assert config.read_text() == theirs
    assert [kept.id for kept in read_changes(config)] == [change.id]


def test_a_change_is_undone_once(config: Path):
    """A second attempt, as after the button is pressed twice, is refused."""
    remove_feed(config, "show")
    (change,) = read_changes(config)
    undo_change(config, change.id)
    with pytest.raises(RefusedError, match="was undone before"):
        undo_change(config, change.id)


def test_a_refused_change_is_not_recorded(config: Path):
    """A change that would make config.toml invalid leaves no trace."""
    with pytest.raises(ConfigError):
        change_config(config, lambda text: text + "nosuch = 1\n", kind="settings")
    assert [path.name for path in config.parent.iterdir()] == ["config.toml"]


def test_a_damaged_history_is_ignored(config: Path):
    """It holds nothing that cannot be written again: feeds can still be removed."""
    config.with_name(".config.toml.changes").write_text('[{"id": 1')
    remove_feed(config, "show")
    assert [change.name for change in read_changes(config)] == ["show"]
    assert len(tomllib.loads(config.read_text())["feeds"]) == 2


def test_the_history_is_as_private_as_the_file(config: Path):
    """It gets the permissions of config.toml."""
    config.chmod(0o600)
    remove_feed(config, "show")
    assert config.with_name(".config.toml.changes").stat().st_mode & 0o777 == 0o600
