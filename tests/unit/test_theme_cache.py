"""Cache of compiled templates: used by the next process, and never relied upon."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.app import resources_folder

Load = Callable[..., str]
_LOAD = """
import sys
from pathlib import Path
from jinja2 import Environment
if "idle" in sys.argv:
    def compile(*_, **__):
        raise SystemExit("compiled again")
    Environment.compile = compile
from pipeline.digest.render.theme import load_theme
print(load_theme([Path(sys.argv[1])], "classic").html.name)
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a theme in another process, whose temporary folder is the test's."""

    def run(*words: str) -> str:
        command = [sys.executable, "-c", _LOAD, str(resources_folder() / "templates"), *words]
        done = subprocess.run(command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip()

    return run


def test_the_next_process_compiles_nothing(load: Load, tmp_path: Path) -> None:
    """It loads the templates from a folder that belongs to the user alone."""
    assert load() == "digest.html.j2"
    assert load("idle") == "digest.html.j2"
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_damaged_files_are_compiled_again(load: Load, tmp_path: Path) -> None:
    """A truncated file counts as missing."""
    assert load() == "digest.html.j2"
    files = sorted(tmp_path.glob("*/*.cache"))
    for file, keep in zip(files, (40, 20, 0), strict=False):
        file.write_bytes(file.read_bytes()[:keep])
    assert len(files) > 1
    assert load() == "digest.html.j2"
    assert load("idle") == "digest.html.j2"


def test_without_a_safe_folder_nothing_is_cached(load: Load, tmp_path: Path) -> None:
    """A folder that somebody else created is not used, and the theme is compiled as usual."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"_jinja2-cache-{os.getuid()}").symlink_to(elsewhere)
    assert load() == "digest.html.j2"
    assert list(elsewhere.iterdir()) == []
