"""What is in deploy/ and docs/deploy.md: checked by the tools for it, and executed as it stands."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import find_tool
from tests.isolated import run_isolated

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = ("pipeline.service", "pipeline-tick.service", "pipeline-tick.timer")
SERVICES = UNITS[:2]
MOST_EXPOSED = 15
"""Tenths: systemd calls what is below 2.0 safe, and what asks for nothing 9.6."""
ELSEWHERE = {
    "python3 -m venv": "the environment with the wheel stands in",
    ".venv/bin/pip ": "the environment with the wheel stands in",
    "editor": "a person's part",
    "crontab": "would change this machine",
    ".venv/bin/pipeline feeds add": "leads into the network",
    ".venv/bin/pipeline doctor": "leads into the network; typed below without it",
}


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as on a machine where the program is installed: in this environment instead of /opt."""
    program = Path(sys.executable).with_name("pipeline")
    for name in UNITS:
        (tmp_path / name).write_text((DEPLOY / name).read_text().replace("/opt/pipeline/bin/pipeline", str(program)))
    return tmp_path


@pytest.mark.requires("systemd-analyze")
def test_systemd_understands_every_line(units: Path) -> None:
    """No unknown setting, no impossible value, no unit that names another one that is not there."""
    checked = run_isolated("systemd-analyze", "verify", "--man=no", *(f"./{name}" for name in UNITS), cwd=units)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.requires("systemd-analyze")
@pytest.mark.parametrize("name", SERVICES)
def test_the_services_are_exposed_to_next_to_nothing(units: Path, name: str) -> None:
    """Checked by systemd itself."""
    words = ("security", "--offline=true", f"--threshold={MOST_EXPOSED}", f"./{name}")
    checked = run_isolated("systemd-analyze", *words, cwd=units)
    assert checked.returncode == 0, checked.stdout


def test_both_services_are_fenced_in_alike() -> None:
    """What the daemon may not do, a tick may not either."""
    fences = [(DEPLOY / name).read_text().partition("# --- ")[2].splitlines()[1:] for name in SERVICES]
    daemon, tick = ([line for line in fence if "=" in line and "WantedBy" not in line] for fence in fences)
    assert daemon == tick
    assert {"DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "MemoryDenyWriteExecute=yes"} <= set(tick)


@pytest.mark.slow
def test_the_program_needs_no_memory_that_is_written_and_run(tmp_path: Path) -> None:
    """Under the kernel's own form of MemoryDenyWriteExecute it fetches, digests and opens its databases."""
    deny, set_mdwe = 1, 65  # prctl(2): PR_MDWE_REFUSE_EXEC_GAIN, PR_SET_MDWE; kept by what is executed next

    def refuse_execution_of_what_was_written() -> None:
        ctypes.CDLL(None, use_errno=True).prctl(set_mdwe, deny, 0, 0, 0)

    program = Path(sys.executable).with_name("pipeline")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIPELINE")}
    for words in ("init --demo .", "fetch", "digest --week 2026-W07", "backup b.db"):
        done = subprocess.run(
            [program, *words.split()],
            cwd=tmp_path,
            env=environment,
            preexec_fn=refuse_execution_of_what_was_written,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.requires("hadolint")
def test_the_image_is_made_as_images_should_be() -> None:
    """The linter of Dockerfiles, hadolint, finds nothing to say."""
    checked = run_isolated(find_tool("hadolint"), "--failure-threshold", "style", DEPLOY / "Dockerfile", cwd=ROOT)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_image_runs_as_nobody_and_holds_no_secret() -> None:
    """Two stages from one pinned base, a user of its own, a health check, and a context of what is named alone."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    bases = {line.split()[1] for line in lines if line.startswith("FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases.pop())
    assert re.search(r"^USER 10001:10001$[\s\S]*^HEALTHCHECK[\s\S]*^ENTRYPOINT", "\n".join(lines), re.MULTILINE)
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]} - {"--from=build"}
    context = (ROOT / ".dockerignore").read_text().split("*\n", 1)[1]
    let_in = {line[1:] for line in context.splitlines() if line.startswith("!")}
    assert copied - {"/opt/pipeline"} == let_in
    assert all((ROOT / name).exists() for name in let_in)


def test_the_image_is_given_all_that_the_program_is_made_of(tmp_path: Path) -> None:
    """What .dockerignore lets in builds the very files that the whole repository builds."""
    context = tmp_path / "context"
    context.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            put = shutil.copytree if (ROOT / line[1:]).is_dir() else shutil.copy
            put(ROOT / line[1:], context / line[1:])
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, context)
    built = run_isolated(*build, cwd=tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert {"pipeline/_data/config.toml", "pipeline/_data/templates/classic/digest.html.j2"} <= set(names)
    assert "pipeline/_data/fixtures/harbourandhearth.example/feed/index.xml" in names


def test_the_crontab_line_is_one_that_cron_takes() -> None:
    """Five fields, a command that names the config and ticks, no bare percent sign."""
    lines = (DEPLOY / "crontab").read_text().splitlines()
    (line,) = (each for each in lines if each and not each.startswith("#") and not re.match(r"\w+=", each))
    fields, command = line.split(maxsplit=5)[:5], line.split(maxsplit=5)[5]
    assert fields == ["*/5", "*", "*", "*", "*"]
    assert re.match(r"(\S+)/\.venv/bin/pipeline --config \1/config\.toml --quiet tick\b", command)
    assert "%" not in command


def typed(section: str) -> Iterator[str]:
    """Give the commands of a section of docs/deploy.md, in order, without comments."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    inside = re.split(r"^## ", page.partition(f"## {section}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    for fence in re.findall(r"^```sh\n(.*?)^```", inside, re.MULTILINE | re.DOTALL):
        for line in fence.replace("\\\n", " ").splitlines():
            if command := re.sub(r"(^|\s)#\s.*$", "", line).strip():
                yield command


@pytest.mark.slow
@pytest.mark.xdist_group("wheel")
def test_the_walk_with_cron_leads_to_a_proof(installed: Path, tmp_path: Path) -> None:
    """Typed as it stands, up to one's own config.toml, where doctor finds nothing in its way and a tick runs."""
    folder = tmp_path / "newsletter"
    lines = [line.replace("/srv/newsletter", str(folder)) for line in typed("With cron")]
    first = run_isolated("sh", "-c", lines[0], cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(installed)
    proofs = ""
    for line in lines[1:]:
        if not line.startswith(tuple(ELSEWHERE)):
            done = run_isolated("sh", "-c", line, cwd=folder)
            assert done.returncode == 0, f"{line}: {done.stderr}"
            proofs += done.stdout if line.startswith("ls outbox") else ""
    assert ".proof@" in proofs
    looked = run_isolated(folder / ".venv" / "bin" / "pipeline", "doctor", "--offline", cwd=folder)
    assert "pipeline.db: is intact" in looked.stdout
    assert looked.returncode == 0, looked.stdout


def test_everything_in_deploy_is_told() -> None:
    """docs/deploy.md names each file, and names none that is not there."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    named = {name.rsplit("/", 1)[1] for name in re.findall(r"deploy/[\w.-]+", page)}
    assert named == {each.name for each in DEPLOY.iterdir()}
    assert shutil.which("sh")
