"""Faults put into the code by hand, each with the test that must notice it: tests of the tests.

`tests/breakages.toml` has the list. ``make test`` checks that each fault still fits the code; ``make test-slow`` puts
it into a copy of the project and expects the named test to fail there. `tests/mutants.toml` lists the changes by
``make mutants`` that no test can notice.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("pipeline", "tests", "templates", "fixtures", "config.toml", "pyproject.toml")
ONE_TEST_FAILED = 1
"""pytest's exit code; an error while collecting, or no such test, has another one."""


@dataclass(frozen=True, kw_only=True)
class Breakage:
    """A fault: ``old`` in ``file``, once, becomes ``new``."""

    fault: str
    file: str
    old: str
    new: str
    test: str
    """The node id of a test, or of several separated by blanks, that notices it."""


BREAKAGES = [
    Breakage(**entry) for entry in tomllib.loads((ROOT / "tests/breakages.toml").read_text("utf-8"))["breakage"]
]
each = pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.fault)


@each
def test_breakage_fits_the_code(breakage: Breakage) -> None:
    """After a change of that code, change the list, too: the fault, and perhaps the test that notices it."""
    code = (ROOT / breakage.file).read_text("utf-8")
    assert code.count(breakage.old) == 1, f"adapt {breakage.fault!r}"
    compile(code.replace(breakage.old, breakage.new), breakage.file, "exec")
    for node in breakage.test.split():
        file, _, name = node.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text("utf-8"), f"there is no test {node}"


def test_equivalent_mutants_fit_the_code() -> None:
    """After a change of that code, take them off the list."""
    for mutant in tomllib.loads((ROOT / "tests/mutants.toml").read_text("utf-8"))["equivalent"]:
        lines = {line.strip() for line in (ROOT / mutant["file"]).read_text("utf-8").splitlines()}
        lines |= {line.partition("(")[2] for line in lines if line.startswith("def ")}  # without its name
        assert not set(mutant["old"].strip().splitlines()) - lines, f"remove {mutant['old']!r} of {mutant['function']}"
        assert mutant["reason"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def replace(file: Path, code: str) -> None:
    """Replace the code of a module, and forget its bytecode; that of all others is compiled once for all breakages."""
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
        compiled.unlink()
    file.write_text(code, "utf-8")


@pytest.mark.slow
@each
def test_breakage_is_noticed(breakage: Breakage, project: Path) -> None:
    """The named test fails."""
    file = project / breakage.file
    intact = file.read_text("utf-8")
    replace(file, intact.replace(breakage.old, breakage.new))
    try:
        options = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly", "--tb=line")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *breakage.test.split()],
            cwd=project,
            env={**environment, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": ""},
            capture_output=True,
            text=True,
            timeout=300,
        )
    finally:
        replace(file, intact)
    assert done.returncode == ONE_TEST_FAILED, f"{breakage.test} does not notice it:\n{done.stdout[-2000:]}"
