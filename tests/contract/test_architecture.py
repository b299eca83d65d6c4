"""The house rules that a linter of imports cannot see; the imports themselves are `lint-imports`' part.

Reads the source as syntax trees, so a rule is broken by what is written, not by what happens to run.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "pipeline").rglob("*.py"))

LONGEST_FUNCTION = 40
LONGEST_FILE = 300

# Where a limit is passed for a reason: path -> reason. An entry that is no longer needed fails.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

# Where the outside world comes in: path -> why there.
READS_THE_CLOCK = {
    "pipeline/cli/__init__.py": "gives `now` to the one command it runs",
    "pipeline/daemon.py": "gives `now` to each beat",
}
READS_THE_ENVIRONMENT = {
    "pipeline/cli/__init__.py": "$PIPELINE_CONFIG",
    "pipeline/cli/log.py": "$NO_COLOR and $JOURNAL_STREAM",
    "pipeline/app/feeds.py": "the feeds' passwords and tokens",
    "pipeline/app/delivery.py": "the mail server's password",
    "pipeline/app/notifications.py": "handed on to the program of [notify] command",
}

# In the rooms that decide, what is not pure: path -> what it touches.
SHELL = {
    "pipeline/ingest/http/connect.py": "sockets",
    "pipeline/ingest/http/request.py": "nothing, but speaks of httpx's requests and responses",
    "pipeline/ingest/http/fetcher.py": "the network",
    "pipeline/ingest/http/transport.py": "the network",
    "pipeline/ingest/http/rate_limit.py": "waiting, locks",
    "pipeline/ingest/http/replay.py": "a folder",
    "pipeline/ingest/http/spool.py": "a temporary file",
    "pipeline/digest/render/proof_banner.py": "templates",
    "pipeline/digest/render/translations.py": "catalogs",
    "pipeline/digest/render/render.py": "templates",
    "pipeline/digest/render/theme.py": "templates",
}

WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
WALL_CLOCK |= {f"datetime.{name}" for name in WALL_CLOCK} | {"time.localtime", "time.gmtime", "time.strftime"}
CHANCE = {"uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4"}
DISK = {"open", "io.open", "codecs.open", "print", "input"}
DISK_METHODS = {"read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "mkdir", "unlink", "exists"}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pure_files() -> list[Path]:
    """List the files of the modules that the import contract calls pure: one list serves both."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    modules = next(contract for contract in contracts if contract["id"] == "pure")["source_modules"]
    places = [ROOT.joinpath(*module.split(".")) for module in modules]
    return sorted(
        path for path in SOURCES if any(path == place.with_suffix(".py") or place in path.parents for place in places)
    )


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Give every call in a file as (dotted name, line)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Give every function in a file as (path::name, lines from def to end without the docstring).

    A class inside a function (it waits for a heavy import) is not the function's own length: its methods count alone.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = node.body[:1] if ast.get_docstring(node) is not None else []
            inner = [each for each in node.body if isinstance(each, ast.ClassDef)]
            yield f"{name_of(path)}::{node.name}", lines(node) - sum(map(lines, [*documented, *inner]))


def lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_pure_modules_call_no_clock_no_chance_and_no_file(path: Path) -> None:
    """What a pure function returns depends on its arguments alone."""
    impure = [
        f"{name_of(path)}:{line} calls {call}"
        for call, line in calls(path)
        if call in WALL_CLOCK | CHANCE | DISK or call.rpartition(".")[2] in DISK_METHODS
    ]
    assert impure == []


def test_a_room_that_decides_is_pure_but_for_a_named_shell() -> None:
    """A new file in ingest or digest is on the list of pure modules, or says here what it touches."""
    deciding = [path for path in SOURCES if path.relative_to(ROOT / "pipeline").parts[0] in ("ingest", "digest")]
    unlisted = {name_of(path) for path in deciding if path.name != "__init__.py"} - set(map(name_of, pure_files()))
    assert unlisted == set(SHELL)


def test_only_the_edges_read_the_wall_clock() -> None:
    """Everywhere else ``now`` is an argument, so a test can pass any."""
    readers = {name_of(path) for path in SOURCES for call, _ in calls(path) if call in WALL_CLOCK}
    assert readers == set(READS_THE_CLOCK)


def test_only_the_edges_read_the_environment() -> None:
    """A setting comes from config.toml; what comes from the environment is read in one place."""
    readers = {
        name_of(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Call) and ast.unparse(node).startswith(("os.environ", "os.getenv"))
    }
    assert readers == set(READS_THE_ENVIRONMENT)


def test_functions_fit_a_screen() -> None:
    """No function is over forty lines, and nine in ten are under thirty."""
    lengths = [found for path in SOURCES for found in functions(path)]
    long = {name for name, length in lengths if length > LONGEST_FUNCTION}
    assert long == set(LONG_FUNCTIONS)
    by_length = sorted(length for _, length in lengths)
    assert by_length[len(by_length) * 9 // 10] < 30
    assert median(by_length) <= 8


def test_files_are_short() -> None:
    """No file is over three hundred lines."""
    long = {name_of(path) for path in SOURCES if len(path.read_text().splitlines()) > LONGEST_FILE}
    assert long == set(LONG_FILES)


def test_names_say_what_is_inside() -> None:
    """There is no module or package whose name fits anything."""
    assert [name_of(path) for path in SOURCES if {path.stem, path.parent.name} & VAGUE_NAMES] == []


def test_records_are_frozen_and_have_slots() -> None:
    """A record of the model cannot be changed under somebody who holds it."""
    loose = [
        f"{name_of(path)}::{node.name}"
        for path in SOURCES
        if path.parent.name == "model"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("dataclass")
        and not {"frozen=True", "slots=True"} <= {ast.unparse(word) for word in getattr(decorator, "keywords", [])}
    ]
    assert loose == []


@pytest.mark.parametrize("exceptions", [LONG_FILES, LONG_FUNCTIONS, SHELL, READS_THE_CLOCK, READS_THE_ENVIRONMENT])
def test_every_exception_gives_its_reason(exceptions: dict[str, str]) -> None:
    """A rule is passed for a reason that is written down."""
    assert all(exceptions.values())
