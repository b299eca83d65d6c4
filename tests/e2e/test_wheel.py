"""The wheel: built, installed into an empty environment elsewhere, and used there as a person would."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.isolated import run_isolated

pytestmark = pytest.mark.xdist_group("wheel")  # one worker builds and installs it for all


def test_the_wheel_carries_what_lies_outside_the_package(wheel: Path) -> None:
    """Templates, fixtures and the demo's config.toml are in it; tests, benchmarks and caches are not."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {"pipeline/_data/config.toml", "pipeline/_data/templates/classic/digest.html.j2"} <= set(names)
    assert {
        "pipeline/_data/templates/journal/theme.toml",
        "pipeline/digest/render/locale/ar/LC_MESSAGES/mail.mo",
    } <= set(names)
    assert "pipeline/_data/fixtures/harbourandhearth.example/feed/index.xml" in names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"pipeline"}
    assert [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".db"))] == []


def test_the_installed_program_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    """What runs below is not the repository."""
    where = run_isolated(installed / "python", "-c", "import pipeline; print(pipeline.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(installed.parent))


def test_it_writes_the_demo_newsletter_elsewhere(installed: Path, tmp_path: Path) -> None:
    """help, init, fetch and digest work with nothing of the repository at hand, and exit 0."""
    pipeline = installed / "pipeline"
    assert "digest" in run_isolated(pipeline, "--help", cwd=tmp_path).stdout
    for words in (["init", "--demo", "."], ["fetch"], ["digest", "--week", "2026-W07"]):
        done = run_isolated(pipeline, *words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    written = tmp_path / "editions" / "2026-W07"
    assert {path.name for path in written.iterdir()} == {"digest.html", "digest.txt", "digest.eml", "manifest.json"}
    assert "Harbour &amp; Hearth" in (written / "digest.html").read_text()


@pytest.mark.slow
def test_init_writes_a_config_that_is_accepted(installed: Path, tmp_path: Path) -> None:
    """What init writes to start from is valid as it stands: status reads it and finds its feeds unread."""
    pipeline = installed / "pipeline"
    assert run_isolated(pipeline, "init", "mine", cwd=tmp_path).returncode == 0
    status = run_isolated(pipeline, "--config", "mine/config.toml", "status", cwd=tmp_path)
    assert (status.returncode, status.stderr) == (0, "")
