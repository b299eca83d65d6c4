"""The first steps of the README work when typed in order, as they stand, in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli_runner import item, rss
from tests.http_server import CannedResponse, HttpServer

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

# Commands that are not run here, with the reason; every other command must exit with 0.
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
    """Yield the code blocks of the README's first steps, in order."""
    steps = README.read_text().split("\n## ")[1:3]
    yield from re.findall(r"^```(?:sh)?\n(.*?)^```", "\n".join(steps), re.MULTILINE | re.DOTALL)


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


@pytest.fixture
def sites() -> Iterator[HttpServer]:
    """A blog and a podcast that have published something every day for two weeks; home pages lead to their feeds."""
    days = [datetime.now(UTC) - timedelta(days=day) for day in range(14)]
    sound = '<enclosure url="https://pod.example/1.mp3" type="audio/mpeg" length="1"/>'
    with HttpServer() as server:
        for name, more in (("site", ""), ("podcast", sound)):
            link = f'<link rel="alternate" type="application/rss+xml" href="/{name}/feed">'
            server.respond(f"/{name}/", CannedResponse(body=f"<!doctype html><html><head>{link}".encode()))
            date = "{:%a, %d %b %Y %H:%M:%S} GMT"
            url = server.url(f"/{name}/")
            items = [item(f"{name} {day.day}", date=date.format(day), link=url, more=more) for day in days]
            server.respond(f"/{name}/feed", CannedResponse(body=rss(*items, title=name)))
        yield server


def set_publication(config: Path, sites: HttpServer) -> None:
    """Edit a new config.toml as the README says; the sites are on this machine, which is not allowed by default."""
    text = config.read_text().replace("https://example.org/", sites.url("/site/"), 1)
    config.write_text(text + "\n[fetch]\nallow_private_networks = true\nhost_gap_seconds = 0\n")


def environment() -> dict[str, str]:
    """Return an environment without this interpreter's programs, with a browser that opens nothing."""
    own = {str(Path(sys.executable).parent), str(Path(sys.prefix) / "bin")}
    places = [place for place in os.environ["PATH"].split(os.pathsep) if place not in own]
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "PIPELINE", "MFLAGS", "VIRTUAL_ENV"))
    }
    return inherited | {"PATH": os.pathsep.join(places), "BROWSER": "true"}


def run_until_interrupted(command: str, folder: Path) -> tuple[int, str]:
    """Start a server, stop it with Ctrl+C after its first line; return its exit code and output."""
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=120)
    return process.returncode, first + rest


def run(command: str, folder: Path) -> tuple[int, str]:
    """Run a command; return its exit code and output."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
@pytest.mark.loopback
def test_the_first_steps_of_the_readme_work(copy: Path, sites: HttpServer) -> None:
    """Every command exits with 0, one after the other; only the environment that is activated has `pipeline`."""
    commands = [command for fence in fences() for command in typed(fence)]
    assert len(commands) >= 11
    changes_of_shell = []  # they last for all commands after them
    for command in commands:
        if command.startswith((". ", "cd ")):
            changes_of_shell.append(command)
            continue
        words = command.replace("make ", "make --old-file=.venv/ready ")  # the copy's .venv is finished
        for name in ("site", "podcast"):
            words = words.replace(f"https://your-{name}.example/", sites.url(f"/{name}/"))
        stays = STAYS.match(command)
        line = " && ".join([*changes_of_shell, f"exec {words}" if stays else words])
        code, output = (run_until_interrupted if stays else run)(line, copy)
        assert code in (0, 130) if stays else code == 0, f"{command}\n{output}"
        assert "Traceback" not in output, f"{command}\n{output}"
        if command.startswith("pipeline init"):
            set_publication(copy / command.split()[-1] / "config.toml", sites)
            assert f"cd {command.split()[-1]}\n" in output
