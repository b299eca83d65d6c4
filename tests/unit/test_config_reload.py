"""An App that follows its config.toml: new settings count from the next beat on, broken ones never."""

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
def living(tmp_path: Path) -> Iterator[ReloadingApp]:
    """A publication whose feeds fail, which is all the same here."""
    create_publication(tmp_path)
    with ReloadingApp(tmp_path / "config.toml") as living:
        run_tick(living, START)
        yield living


def approval(living: ReloadingApp) -> str:
    return living.app.config.digest.approval


def test_a_file_that_did_not_change_is_not_read_again(living: ReloadingApp) -> None:
    """The App stays the very same, and what it has opened stays open."""
    before = living.app
    run_tick(living, START + SECOND)
    assert living.app is before


def test_a_changed_file_counts_from_the_next_beat_on(living: ReloadingApp, tmp_path: Path) -> None:
    """Written over, renamed over, or the same length: it is noticed."""
    write_config(tmp_path, "unless-held")
    assert approval(living) == "required"
    run_tick(living, START + SECOND)
    assert approval(living) == "unless-held"


def test_it_is_read_again_on_request(living: ReloadingApp) -> None:
    """What it leads to may have changed though it has not: a secret, a theme."""
    before = living.app
    living.request_reload()
    run_tick(living, START + SECOND)
    assert living.app is not before


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('theme = "small"', 'theme = "gone"', "gone"),
        ('draft = "fri 06:00"', 'draft = "fri 25:00"', "draft"),
        ('send = "sun 01:30"', 'send = "every 2 hours"', "name it, as in"),
        ("pipeline.db", "no/such/folder/pipeline.db", "cannot be opened"),
        ('fixtures = "net"', 'fixtures = "nowhere"', "there is no folder"),
        ("[digest]", "[digest", "is not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_refused_once_and_the_old_settings_stay(
    living: ReloadingApp, tmp_path: Path, caplog: pytest.LogCaptureFixture, old: str, new: str, sentence: str
) -> None:
    """Its sentence is in the log, once for each change; the beats go on; a mended file is taken."""
    before, good = living.app, (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(good.replace(old, new))
    with caplog.at_level(logging.WARNING, logger="pipeline.app.reload"):
        for nth in range(3):
            assert [beat.task_id for beat in run_tick(living, START + (3 + nth) * 3 * HOUR)][:1] == ["fetch"]
    told = [record.getMessage() for record in caplog.records if record.name == "pipeline.app.reload"]
    assert len(told) == 1
    assert sentence in told[0]
    assert living.app is before
    (tmp_path / "config.toml").write_text(good.replace("12 hours", "11 hours"))
    run_tick(living, START + 24 * HOUR)
    assert living.app.config.schedule.late_limit == 11 * HOUR


def test_a_file_that_is_gone_leaves_everything_as_it_was(living: ReloadingApp, tmp_path: Path) -> None:
    """An editor's program takes it away for a moment; when it is back, it is read."""
    (tmp_path / "config.toml").unlink()
    run_tick(living, START + SECOND)
    assert approval(living) == "required"
    write_config(tmp_path, "unless-held")
    run_tick(living, START + 2 * SECOND)
    assert approval(living) == "unless-held"


def test_a_daemon_does_not_start_on_a_broken_file(tmp_path: Path) -> None:
    """There are no old settings to go on by."""
    (tmp_path / "config.toml").write_text("[digest")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        ReloadingApp(tmp_path / "config.toml")
