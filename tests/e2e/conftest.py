"""What more than one of these tests uses: the program, built and installed into an environment of its own."""

from __future__ import annotations

import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.isolated import run_isolated

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the hatchling that is installed: nothing is downloaded."""
    out = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    built = run_isolated(*build, cwd=out)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel, and borrows its dependencies from this one."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home)
    install = (sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--no-index", "--no-deps")
    done = run_isolated(*install, wheel, cwd=home)
    assert done.returncode == 0, done.stderr
    site = next(home.glob("lib/python*/site-packages"))
    # A path in a .pth file comes after the environment's own packages, and .pth files in it are not read:
    # the editable install of this repository stays unseen.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n" + sysconfig.get_path("platlib") + "\n")
    return home / "bin"
