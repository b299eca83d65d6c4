"""The commands of the README work when typed in order in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

# Commands that are not run here, with the reason; every other command in a ```sh fence must exit with 0.
NOT_TYPED = {
    "git clone": "the copy is the clone",
    "make test": "this very run",
    "make check": "CI's own step",
    "make golden": "writes into the repository",
    "python3 -m venv": "installing is tested with the wheel",
    "pip install": "installing is tested with the wheel",
    "pipx install": "installing is tested with the wheel",
    "crontab": "would change this machine",
    "sudo ": "would change this machine",
}
STAYS = re.compile(r"(\.venv/bin/)?pipeline (--\S+ \S+ )*(preview|run)\b")


def fences() -> Iterator[str]:
    """Yield the README's ```sh fences, in order."""
    yield from re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


def typed(fence: str) -> Iterator[str]:
    """Yield the commands of a fence without comments and prompts."""
    for line in fence.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s)#\s.*$", "", line).strip().removeprefix("$ ")
        if command and not command.startswith(tuple(NOT_TYPED)):
            yield command


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the files in git, with this environment as its .venv."""
    copy = tmp_path / "pipeline"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


def environment() -> dict[str, str]:
    """Return an environment with this interpreter's programs, a browser that opens nothing, and nothing of make."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PIPELINE", "MFLAGS"))
    }
    return inherited | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "BROWSER": "true"}


def run_until_interrupted(command: str, folder: Path) -> tuple[int, str]:
    """Start a server, stop it with Ctrl+C after its first line; return its exit code and output."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=folder,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    return process.returncode, first + rest


def runs(command: str, folder: Path) -> tuple[int, str]:
    """Run a command; return its exit code and output. make treats .venv as up to date."""
    words = command.replace("make ", "make --old-file=.venv/ready ", 1) if command.startswith("make ") else command
    done = subprocess.run(
        ["bash", "-c", words],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def test_commands_of_the_readme_work(copy: Path) -> None:
    """Every command in a shell fence exits with 0, one after the other; `cd` is followed."""
    commands = [command for fence in fences() for command in typed(fence)]
    assert len(commands) >= 3
    folder = copy
    for command in commands:
        if command.startswith("cd "):
            folder = folder if command == "cd pipeline" else folder / command.removeprefix("cd ")
            continue
        code, output = (run_until_interrupted if STAYS.match(command) else runs)(command, folder)
        assert code in (0, 130) if STAYS.match(command) else code == 0, f"{command}\n{output}"
        assert "Traceback" not in output, f"{command}\n{output}"
