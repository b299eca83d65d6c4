"""The desk's service for settings, over a config.toml that others change, lock or break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.model.errors import ConfigError, RefusedError
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.settings.service import PublicationSettingsDesk
from tests.e2e.test_desk_in_browser import CONFIG, NOW
from tests.empty_store import empty_store

pytestmark = pytest.mark.loopback


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[PublicationSettingsDesk]:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    empty_store(tmp_path)
    with LivePublication(tmp_path / "config.toml", lambda: NOW) as publication:
        yield PublicationSettingsDesk(publication)


def test_only_a_theme_that_exists_is_allowed(settings: PublicationSettingsDesk) -> None:
    """The list has those that come with the program; other settings are checked as the loader does."""
    assert settings.state().themes == ("classic", "journal", "letter")
    assert settings.mistakes({"digest.theme": "letter", "publication.name": "N"}) == {}
    assert set(settings.mistakes({"digest.theme": "nosuch", "publication.name": " "})) == {
        "digest.theme",
        "publication.name",
    }


def test_a_file_that_others_changed_or_locked_stays(settings: PublicationSettingsDesk) -> None:
    """Another version is refused, a read-only file is said to be one, and a broken one is not shown."""
    path = settings.publication.path
    version = settings.state().version
    with pytest.raises(RefusedError, match="changed meanwhile"):
        settings.save({"publication.name": "X"}, "another")
    path.chmod(0o444)
    assert "is read-only" in settings.state().problem
    with pytest.raises(ConfigError, match="is read-only"):
        settings.save({"publication.name": "X"}, version)
    assert path.read_text(encoding="utf-8") == CONFIG
    path.chmod(0o644)
    path.write_text("[publication\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        settings.state()
