"""Rules of the code base that import-linter cannot check.

The source is read as syntax trees, so that code counts whether or not a test runs it.
"""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "pipeline").rglob("*.py"))
APP = sorted((ROOT / "pipeline" / "app").rglob("*.py"))

MAX_FUNCTION_LINES = 40
MAX_FILE_LINES = 300
MIN_FILE_LINES = 40
MAX_MODULES = 15
MANY_MODULES = {"pipeline/store", "pipeline/store/migrations", "pipeline/model", "pipeline/text"}
"""Folders in which a module is one record type, repository, migration or topic."""

# Exceptions, each with its reason: path -> reason. An exception that is no longer needed fails.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {
    "pipeline/digest/render/digest_view.py::digest_view": "a line for each field; themes read them unnested",
}
SHORT_FILES: dict[str, str] = {
    "pipeline/digest/render/translations.py": "reads catalogues; the translator is pure",
    "pipeline/store/migrations/m0002_timed_episode_details.py": "one change of the database",
    "pipeline/store/migrations/m0003_remember_former_releases.py": "one change of the database",
    "pipeline/store/migrations/m0004_remember_failed_media.py": "one change of the database",
    "pipeline/store/migrations/m0006_variants_of_editions.py": "one change of the database",
    "pipeline/store/migrations/m0007_deliveries.py": "one change of the database",
    "pipeline/store/migrations/m0008_delivery_events.py": "one change of the database",
    "pipeline/store/migrations/m0009_link_clicks.py": "one change of the database",
    "pipeline/store/migrations/m0010_corrections.py": "one change of the database",
    "pipeline/store/migrations/m0011_editor_sessions.py": "one change of the database",
    "pipeline/cli/desk_link.py": "one command; its links are those of the desk, not of the daemon's tasks",
    "pipeline/delivery/serial_worker.py": "the worker of several backends",
    "pipeline/model/alert.py": "an alert and its delivery, apart from other records",
}

# The only modules that read the clock or the environment: path -> what for.
READS_THE_CLOCK = {
    "pipeline/cli/__init__.py": "passes `now` to the command it runs",
    "pipeline/daemon.py": "passes `now` to each tick",
}
READS_THE_ENVIRONMENT = {
    "pipeline/cli/__init__.py": "$PIPELINE_CONFIG, and whether a shell asks for completions",
    "pipeline/cli/log.py": "$NO_COLOR and $JOURNAL_STREAM",
    "pipeline/app/app.py": "the feeds' passwords and tokens",
    "pipeline/app/bounces.py": "the password of the mailbox for bounces",
    "pipeline/app/delivery.py": "the mail server's password; passed on to the [notify] command",
    "pipeline/app/services.py": "the keys of mail services",
}

# Modules of ingest and digest that are not pure: path -> what they touch.
IMPURE = {
    "pipeline/ingest/http/connect.py": "sockets",
    "pipeline/ingest/http/request.py": "nothing, but uses the types of httpx",
    "pipeline/ingest/http/fetcher.py": "the network",
    "pipeline/ingest/http/transport.py": "the network",
    "pipeline/ingest/http/rate_limit.py": "waiting, locks",
    "pipeline/ingest/http/replay.py": "a folder",
    "pipeline/ingest/http/spool.py": "a temporary file",
    "pipeline/digest/build.py": "templates, by way of render",
    "pipeline/digest/render/person_mail.py": "templates",
    "pipeline/digest/render/proof_banner.py": "templates",
    "pipeline/digest/render/translations.py": "catalogs",
    "pipeline/digest/render/render.py": "templates",
    "pipeline/digest/render/theme.py": "templates",
}

WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
WALL_CLOCK |= {f"datetime.{name}" for name in WALL_CLOCK} | {"time.localtime", "time.gmtime", "time.strftime"}
RANDOMNESS = {"uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4"}
DISK = {"open", "io.open", "codecs.open", "print", "input"}
DISK_METHODS = {"read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "mkdir", "unlink", "exists"}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pure_files() -> list[Path]:
    """Return the files of the modules that the import contract `pure` names."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    modules = next(contract for contract in contracts if contract["id"] == "pure")["source_modules"]
    places = [ROOT.joinpath(*module.split(".")) for module in modules]
    return sorted(
        path for path in SOURCES if any(path == place.with_suffix(".py") or place in path.parents for place in places)
    )


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every call in a file as (dotted name, line)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every function in a file as (path::name, lines from def to end without the docstring).

    A class inside a function, put there to delay a heavy import, does not count towards the function's length.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = node.body[:1] if ast.get_docstring(node) is not None else []
            inner = [statement for statement in node.body if isinstance(statement, ast.ClassDef)]
            yield f"{name_of(path)}::{node.name}", lines(node) - sum(map(lines, [*documented, *inner]))


def lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_pure_modules_use_no_clock_randomness_or_files(path: Path) -> None:
    """The result of a pure function depends on its arguments alone."""
    impure = [
        f"{name_of(path)}:{line} calls {call}"
        for call, line in calls(path)
        if call in WALL_CLOCK | RANDOMNESS | DISK or call.rpartition(".")[2] in DISK_METHODS
    ]
    assert impure == []


def test_ingest_and_digest_are_pure_but_for_listed_modules() -> None:
    """A new file in ingest or digest is in the contract `pure` of pyproject.toml, or in IMPURE with a reason."""
    candidates = [path for path in SOURCES if path.relative_to(ROOT / "pipeline").parts[0] in ("ingest", "digest")]
    unlisted = {name_of(path) for path in candidates if path.name != "__init__.py"} - set(map(name_of, pure_files()))
    assert unlisted == set(IMPURE)


def test_only_entry_points_read_the_clock() -> None:
    """Everywhere else ``now`` is an argument."""
    readers = {name_of(path) for path in SOURCES for call, _ in calls(path) if call in WALL_CLOCK}
    assert readers == set(READS_THE_CLOCK)


def test_only_listed_modules_read_the_environment() -> None:
    """Settings come from config.toml; secrets and terminal settings are read from the environment in few modules."""
    readers = {
        name_of(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Call) and ast.unparse(node).startswith(("os.environ", "os.getenv"))
    }
    assert readers == set(READS_THE_ENVIRONMENT)


def test_functions_fit_a_screen() -> None:
    """No function is longer than 40 lines, and nine in ten are shorter than 30."""
    lengths = [function for path in SOURCES for function in functions(path)]
    long = {name for name, length in lengths if length > MAX_FUNCTION_LINES}
    assert long == set(LONG_FUNCTIONS)
    by_length = sorted(length for _, length in lengths)
    assert by_length[len(by_length) * 9 // 10] < 30
    assert median(by_length) <= 8


def test_files_are_neither_long_nor_tiny() -> None:
    """A file has 40 to 300 lines, except ``__init__`` and ``__main__`` modules and those with a stated reason."""
    lengths = {path: len(path.read_text().splitlines()) for path in SOURCES}
    assert {name_of(path) for path, length in lengths.items() if length > MAX_FILE_LINES} == set(LONG_FILES)
    short = {path for path, length in lengths.items() if length < MIN_FILE_LINES and not path.stem.startswith("__")}
    assert {name_of(path) for path in short} == set(SHORT_FILES)


def test_folders_have_few_modules() -> None:
    """A folder has at most 15 modules, so that its listing is read at a glance."""
    modules = Counter(name_of(path.parent) for path in SOURCES if path.stem != "__init__")
    assert {folder for folder, count in modules.items() if count > MAX_MODULES} <= MANY_MODULES


def test_module_names_are_specific() -> None:
    """No module or package has a name that fits anything."""
    assert [name_of(path) for path in SOURCES if {path.stem, path.parent.name} & VAGUE_NAMES] == []


def test_app_properties_build_nothing() -> None:
    """Reading a property of ``app/`` opens, compiles and builds nothing: what builds is a method."""
    building = [
        f"{name_of(path)}::{node.name}"
        for path in APP
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and {"property", "cached_property"} & {ast.unparse(decorator) for decorator in node.decorator_list}
        and any(_builds(part) for part in ast.walk(node))
    ]
    assert building == []


def _builds(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
    return name[:1].isupper() or name.startswith(("build", "compile", "load", "open", "parse"))


def test_app_is_composed_without_inheritance() -> None:
    """No class of ``app/`` extends another one of ``app/``."""
    classes = {
        node.name: [ast.unparse(base) for base in node.bases]
        for path in APP
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    assert [name for name, bases in classes.items() if set(bases) & set(classes)] == []


def test_records_are_frozen_and_have_slots() -> None:
    """A record of the model is immutable."""
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


@pytest.mark.parametrize(
    "exceptions",
    [LONG_FILES, LONG_FUNCTIONS, SHORT_FILES, IMPURE, READS_THE_CLOCK, READS_THE_ENVIRONMENT],
)
def test_every_exception_has_a_reason(exceptions: dict[str, str]) -> None:
    """Every exception to a rule states its reason."""
    assert all(exceptions.values())
