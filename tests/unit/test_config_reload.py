"""ReloadingApp: new settings count from the next tick on, invalid ones never."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.app.reload import ReloadingApp
from pipeline.model.errors import ConfigError
from tests.year_simulation import HOUR, START, create_publication, run_tick, write_config

SECOND = timedelta(seconds=1)


@pytest.fixture
def reloading(tmp_path: Path) -> Iterator[ReloadingApp]:
    """A publication whose feeds fail, which does not matter here."""
    create_publication(tmp_path)
    with ReloadingApp(tmp_path / "config.toml") as reloading:
        run_tick(reloading, START)
        yield reloading


def approval(reloading: ReloadingApp) -> str:
    return reloading.app.config.digest.approval


def test_an_unchanged_file_is_not_reloaded(reloading: ReloadingApp) -> None:
    """The App stays the same object, with its store open."""
    before = reloading.app
    run_tick(reloading, START + SECOND)
    assert reloading.app is before


def test_a_changed_file_counts_from_the_next_tick_on(reloading: ReloadingApp, tmp_path: Path) -> None:
    """A change of the file is noticed by its stamp."""
    write_config(tmp_path, "unless-held")
    assert approval(reloading) == "required"
    run_tick(reloading, START + SECOND)
    assert approval(reloading) == "unless-held"


def test_a_reload_can_be_requested(reloading: ReloadingApp) -> None:
    """A secret or a theme may have changed although the file has not."""
    before = reloading.app
    reloading.request_reload()
    run_tick(reloading, START + SECOND)
    assert reloading.app is not before


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('theme = "small"', 'theme = "gone"', "gone"),
        ('draft = "fri 06:00"', 'draft = "fri 25:00"', "draft"),
        ('send = "sun 01:30"', 'send = "every 2 hours"', "name them, as in"),
        ("pipeline.db", "no/such/folder/pipeline.db", "cannot be opened"),
        ('fixtures = "net"', 'fixtures = "nowhere"', "there is no folder"),
        ("[digest]", "[digest", "is not valid TOML"),
    ],
)
def test_invalid_settings_are_refused_and_the_old_ones_stay(
    reloading: ReloadingApp, tmp_path: Path, caplog: pytest.LogCaptureFixture, old: str, new: str, sentence: str
) -> None:
    """The error is logged once for each change, ticks go on, and a corrected file is loaded."""
    before, valid = reloading.app, (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(valid.replace(old, new))
    with caplog.at_level(logging.WARNING, logger="pipeline.app.reload"):
        for nth in range(3):
            assert [result.task_id for result in run_tick(reloading, START + (3 + nth) * 3 * HOUR)][:1] == ["fetch"]
    messages = [record.getMessage() for record in caplog.records if record.name == "pipeline.app.reload"]
    assert len(messages) == 1
    assert sentence in messages[0]
    assert reloading.app is before
    (tmp_path / "config.toml").write_text(valid.replace("12 hours", "11 hours"))
    run_tick(reloading, START + 24 * HOUR)
    assert reloading.app.config.schedule.late_limit == 11 * HOUR


def test_a_missing_file_leaves_everything_as_it_was(reloading: ReloadingApp, tmp_path: Path) -> None:
    """A text editor may remove the file for a moment; when it is back, it is loaded."""
    (tmp_path / "config.toml").unlink()
    run_tick(reloading, START + SECOND)
    assert approval(reloading) == "required"
    write_config(tmp_path, "unless-held")
    run_tick(reloading, START + 2 * SECOND)
    assert approval(reloading) == "unless-held"


def test_a_daemon_does_not_start_with_an_invalid_file(tmp_path: Path) -> None:
    """There are no old settings to use."""
    (tmp_path / "config.toml").write_text("[digest")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        ReloadingApp(tmp_path / "config.toml")
