"""Mutation tests of the pure modules: ``make mutants``.

mutmut makes the mutants, as ``[tool.mutmut]`` of pyproject.toml says; tools/mutant_runner.py runs the tests. A mutant
that no test notices is open, unless tests/mutants.toml gives the reason why none can. The folder ``mutants/`` keeps
what was killed, so a second run continues the first.

    python -m tools.mutants --sample 40 --seed 1             so many of each package, drawn at random
    python -m tools.mutants 'pipeline.model.week.*'          those of some functions
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import hashlib
import importlib
import json
import os
import random
import shutil
import sys
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutmut.configuration import config
from mutmut.mutation.data import LineSpan
from mutmut.mutation.file_mutation import mutate_file_contents

from tools.mutant_runner import MutantRunner

ROOT = Path(__file__).parents[1]
WORK = ROOT / "mutants"
REASONS = ROOT / "tests" / "mutants.toml"
MIN_KILLED = 0.9
TRAMPOLINE = "from mutmut.mutation.trampoline import wrap_in_trampoline as _mutmut_mutated, MutantDict"
NO_TRAMPOLINE = "_mutmut_mutated, MutantDict = lambda *_, **__: lambda function: function, dict"
"""mutmut selects a mutant at each call; mutant_runner.py replaces the code of the function instead."""
DETECTED = ("killed", "timeout")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A function with one change: the lines ``old`` become ``new``."""

    name: str
    """As mutmut names it: ``pipeline.model.week.xǁWeekǁparse__mutmut_1``."""
    file: str
    old: str
    new: str

    @property
    def package(self) -> str:
        """The folder below ``pipeline/``."""
        return Path(self.file).parent.relative_to("pipeline").as_posix()

    @property
    def function(self) -> str:
        """The name in its module: ``Week.parse``."""
        mangled = self.name.partition("__mutmut_")[0].rpartition(".")[2]
        return ".".join(filter(None, mangled.split("ǁ")[1:])) or mangled.removeprefix("x_")

    def matches(self, pattern: str) -> bool:
        """Check whether the dotted name, ``pipeline.model.week.Week.parse``, has a pattern such as ``*.week.*``."""
        module = self.name.partition("__mutmut_")[0].rpartition(".")[0]
        return fnmatch.fnmatchcase(f"{module}.{self.function}", pattern)


def main() -> int:
    """Run the mutants that the arguments select; return 1 if fewer than 90 % of a package are killed."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants")
    parser.add_argument("functions", nargs="*", default=["*"], help="such as 'pipeline.model.week.*'")
    parser.add_argument("--sample", type=int, default=0, help="how many of each package; 0 takes all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--tests", nargs="*", default=[], help="only these files, instead of all that pyproject.toml names"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    os.chdir(ROOT)
    everything = make_mutants()
    mutants = [each for each in everything if any(map(each.matches, arguments.functions))]
    totals = Counter(each.package for each in mutants)
    if arguments.sample:
        mutants = draw(mutants, arguments.sample, arguments.seed)
    statuses = run(mutants, everything, arguments.tests, arguments.processes)
    return print_report(mutants, statuses, totals)


def make_mutants() -> list[Mutant]:
    """Copy the project to ``mutants/``, write all mutants into the copies of their modules, and return them."""
    for path in [*map(Path, config().also_copy), *config().source_paths]:
        if path.is_dir():
            if path not in config().source_paths:
                shutil.rmtree(WORK / path, ignore_errors=True)
            shutil.copytree(path, WORK / path, dirs_exist_ok=True, ignore=_is_mutated)
        elif path.exists():
            WORK.mkdir(exist_ok=True)
            shutil.copy2(path, WORK / path)
    return [mutant for file in _mutated_files() for mutant in _mutants_of(file)]


def draw(mutants: list[Mutant], size: int, seed: int) -> list[Mutant]:
    """Return ``size`` mutants of each package, drawn at random, or all of a package that has no more."""
    packages = defaultdict(list)
    for mutant in mutants:
        packages[mutant.package].append(mutant)
    chosen = (random.Random(seed).sample(each, min(size, len(each))) for each in packages.values())
    return [mutant for each in chosen for mutant in each]


def run(mutants: list[Mutant], everything: list[Mutant], tests: list[str], processes: int) -> dict[str, str]:
    """Return the status of each mutant by its name. One that was killed is run again only if its module has changed."""
    file = WORK / "killed.json"
    known: dict[str, str] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    keys = {mutant.name: _digest(mutant.name, (ROOT / mutant.file).read_text("utf-8")) for mutant in mutants}
    statuses = {name: known[key] for name, key in keys.items() if key in known}

    def note(name: str, status: str) -> None:
        statuses[name] = status
        if status in DETECTED:
            known[keys[name]] = status
        if len(statuses) % 20 == 0 or len(statuses) == len(mutants):
            print(f"{len(statuses)} of {len(mutants)}: {dict(Counter(statuses.values()))}", flush=True)
            file.write_text(json.dumps(known), "utf-8")

    names = [mutant.name for mutant in mutants if mutant.name not in statuses]
    os.chdir(WORK)
    os.environ.pop("CI", None)  # there, a skipped test fails
    sys.path[:] = [str(WORK), *(path for path in sys.path if path and Path(path).resolve() != ROOT)]
    _hide_doctests_of_mutants()
    shared = _digest(*(path.read_text("utf-8") for path in sorted(_shared_files())))
    plugin = MutantRunner(
        names,
        functions={mutant.name.partition("__mutmut_")[0] for mutant in everything},
        calls_file=WORK / "calls.json",
        version=lambda path: _digest(shared, path.read_text("utf-8")),
        processes=processes,
        report=note,
    )
    options = [*config().pytest_add_cli_args, *(tests or config().pytest_add_cli_args_test_selection)]
    pytest.main(["-q", "--rootdir=.", *options], plugins=[plugin])
    return statuses


def print_report(mutants: list[Mutant], statuses: dict[str, str], totals: Counter[str]) -> int:
    """Print open mutants and a table of packages; return 1 if fewer than 90 % of a package are killed."""
    equivalent = {(each["file"], each["function"], each["old"].strip(), each["new"].strip()) for each in load_reasons()}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in mutants:
        if mutant.name not in statuses:
            continue  # the run was interrupted
        status = statuses[mutant.name]
        if status not in DETECTED and (mutant.file, mutant.function, mutant.old, mutant.new) in equivalent:
            status = "equivalent"
        counts[mutant.package].update({status: 1, "measured": 1})
        if status not in (*DETECTED, "equivalent"):
            print(f'\n# {status}\n[[equivalent]]\nfile = "{mutant.file}"\nfunction = "{mutant.function}"')
            print(f"old = {_toml(mutant.old)}\nnew = {_toml(mutant.new)}", "reason = ''", sep="\n")
    columns = ("measured", "killed", "timeout", "equivalent", "survived", "no tests")
    print(f"\n{'package':20}{'mutants':>10}", *(f"{column:>10}" for column in columns), f"{'killed %':>10}", sep="")
    too_few = False
    for package, count in sorted(counts.items()):
        rest = count["measured"] - count["equivalent"]
        share = (count["killed"] + count["timeout"]) / rest if rest else 1.0
        too_few = too_few or share < MIN_KILLED
        cells = (f"{count[column]:>10}" for column in columns)
        print(f"{package:20}{totals[package]:>10}", *cells, f"{100 * share:>10.1f}", sep="")
    return int(too_few)


def load_reasons() -> list[dict[str, str]]:
    """Return the mutants that no test can notice: file, function, old, new, reason."""
    entries: list[dict[str, str]] = tomllib.loads(REASONS.read_text("utf-8"))["equivalent"]
    return entries


def _toml(text: str) -> str:
    return f"'''\n{text}'''"


def _mutants_of(file: Path) -> list[Mutant]:
    source = file.read_text("utf-8")
    index, version = WORK / f"{file}.json", _digest(source)
    known = json.loads(index.read_text("utf-8")) if index.exists() else {}
    if known.get("version") != version:
        print(f"Making the mutants of {file} …", flush=True)
        mutated = mutate_file_contents(str(file), source)
        (WORK / file).write_text(mutated.code.replace(TRAMPOLINE, NO_TRAMPOLINE), "utf-8")
        lines, spans = mutated.code.splitlines(), mutated.line_span_by_function_name
        module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        mutants = []
        for name in mutated.mutant_names:
            original = _lines(lines, spans[name.partition("__mutmut_")[0] + "__mutmut_orig"])
            mutants.append((f"{module}.{name}", str(file), *_difference(original, _lines(lines, spans[name]))))
        known = {"version": version, "mutants": mutants}
        index.write_text(json.dumps(known), "utf-8")
    return [Mutant(*mutant) for mutant in known["mutants"]]


def _lines(lines: list[str], span: LineSpan) -> list[str]:
    code = [line.strip() for line in lines[span.start - 1 : span.end]]
    first = next(number for number, line in enumerate(code) if line.startswith(("def ", "async def ")))
    return [code[first].partition("(")[2], *code[first + 1 :]]


def _difference(original: list[str], mutated: list[str]) -> tuple[str, str]:
    old, new = [], []
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(None, original, mutated, False).get_opcodes():
        if kind != "equal":
            old += original[start:end]
            new += mutated[new_start:new_end]
    return "\n".join(old), "\n".join(new)


def _hide_doctests_of_mutants() -> None:
    for file in _mutated_files():
        module = importlib.import_module(".".join(file.with_suffix("").parts).removesuffix(".__init__"))
        for owner in [module, *(each for each in vars(module).values() if isinstance(each, type))]:
            for name, value in list(vars(owner).items()):
                function = getattr(value, "__func__", value)
                if "__mutmut_" in name and callable(function):
                    function.__doc__ = None


def _mutated_files() -> list[Path]:
    files = (path.relative_to(ROOT) for path in (ROOT / "pipeline").rglob("*.py"))
    return sorted(file for file in files if config().should_mutate(file))


def _is_mutated(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" or config().should_mutate(Path(folder, name))}


def _shared_files() -> list[Path]:
    helpers = (path for path in (ROOT / "tests").rglob("*.py") if not path.name.startswith("test_"))
    return [*(ROOT / "pipeline").rglob("*.py"), *helpers]


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
