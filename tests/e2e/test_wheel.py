"""The wheel: built, installed into an empty environment elsewhere, and used there as a person would."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.xdist_group("wheel")  # one worker builds and installs it for all


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program without anything of this test's environment that could lead back to the repository."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIPELINE"))}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the hatchling that is installed: nothing is downloaded."""
    out = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    built = run(*build, cwd=out)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel, and borrows its dependencies from this one."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home)
    install = (sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--no-index", "--no-deps")
    done = run(*install, wheel, cwd=home)
    assert done.returncode == 0, done.stderr
    site = next(home.glob("lib/python*/site-packages"))
    # A path in a .pth file comes after the environment's own packages, and .pth files in it are not read:
    # the editable install of this repository stays unseen.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n" + sysconfig.get_path("platlib") + "\n")
    return home / "bin"


def test_the_wheel_carries_what_lies_outside_the_package(wheel: Path) -> None:
    """Templates, fixtures and the demo's config.toml are in it; tests, benchmarks and caches are not."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {"pipeline/_data/config.toml", "pipeline/_data/templates/classic/digest.html.j2"} <= set(names)
    assert {"pipeline/_data/templates/journal/theme.toml", "pipeline/digest/locale/ar/LC_MESSAGES/mail.mo"} <= set(
        names
    )
    assert "pipeline/_data/fixtures/harbourandhearth.example/feed/index.xml" in names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"pipeline"}
    assert [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".db"))] == []


def test_the_installed_program_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    """What runs below is not the repository."""
    where = run(installed / "python", "-c", "import pipeline; print(pipeline.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(installed.parent))


def test_it_writes_the_demo_newsletter_elsewhere(installed: Path, tmp_path: Path) -> None:
    """help, init, fetch and digest work with nothing of the repository at hand, and exit 0."""
    pipeline = installed / "pipeline"
    assert "digest" in run(pipeline, "--help", cwd=tmp_path).stdout
    for words in (["init", "--demo", "."], ["fetch"], ["digest", "--week", "2026-W07"]):
        done = run(pipeline, *words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    written = tmp_path / "editions" / "2026-W07"
    assert {path.name for path in written.iterdir()} == {"digest.html", "digest.txt", "digest.eml", "manifest.json"}
    assert "Harbour &amp; Hearth" in (written / "digest.html").read_text()


def test_init_writes_a_config_that_is_accepted(installed: Path, tmp_path: Path) -> None:
    """What init writes to start from is valid as it stands: status reads it and finds its feeds unread."""
    pipeline = installed / "pipeline"
    assert run(pipeline, "init", "mine", cwd=tmp_path).returncode == 0
    status = run(pipeline, "--config", "mine/config.toml", "status", cwd=tmp_path)
    assert (status.returncode, status.stderr) == (0, "")
