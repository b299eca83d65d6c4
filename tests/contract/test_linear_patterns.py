"""Every regular expression of the package takes time in proportion to its text."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import pipeline
from tests.growth import SuperlinearError, assert_linear
from tests.pattern_attacks import attacks

METHODS = frozenset({"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"})
LENGTH = 250
HELD = {  # patterns that are not used by their own name: in a table, or passed to a function
    "_WIDTHS": {"search"}, "_DATES": {"fullmatch"}, "_FILMS": {"match"}, "_NOT_TEXT": {"search"},
    "_BOILERPLATE": {"sub"}, "_TRACKING_PIXEL": {"search"}, "_DECORATION_URL": {"search"}, "_TEXT_URL": {"search"},
    "_SERIAL": {"sub", "match"}, "_SERIAL_BEHIND": {"sub"}, "_TAGS": {"fullmatch", "sub"}, "_NEXT": {"split"},
    "_DELIVERY": {"finditer"}, "_SUBSCRIBER": {"finditer"},
}  # fmt: skip
DYNAMIC = {  # patterns that a function builds from parts which are fixed, escaped or bounded
    "config/types.py": 1, "digest/editor/write.py": 2, "delivery/personalise.py": 1, "model/schedule.py": 1,
    "ingest/parse/xml_document.py": 1, "ingest/parse/xml_split.py": 1, "delivery/service_tags.py": 1,
}  # fmt: skip


class Use(NamedTuple):
    """A pattern and a method that is called on it."""

    name: str
    pattern: re.Pattern[Any]
    method: str

    def call(self, text: str) -> None:
        """Call the method as the package does, to the end."""
        subject = text.encode("latin-1", "ignore") if isinstance(self.pattern.pattern, bytes) else text
        arguments = (b"" if isinstance(subject, bytes) else "", subject) if "sub" in self.method else (subject,)
        result = getattr(self.pattern, self.method)(*arguments)
        if self.method == "finditer":
            list(result)


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    """Yield the patterns that a value is or contains."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from patterns_in(each)


def named_uses(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield (name, method) of each pattern that a module uses by its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            value = node.value.value if isinstance(node.value, ast.Subscript) else node.value
            yield getattr(value, "id", getattr(value, "attr", "")), node.attr


def inline_uses(module: ModuleType, tree: ast.Module) -> Iterator[Use | None]:
    """Yield each pattern that a module passes to a function of ``re``; None if it is not a constant."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("re."):
            continue
        method = ast.unparse(node.func).removeprefix("re.")
        if method not in METHODS:
            continue
        flags = re.NOFLAG
        for argument in (*node.args[1:], *(keyword.value for keyword in node.keywords)):
            if re.fullmatch(r"re\.[A-Z]+( \| re\.[A-Z]+)*", ast.unparse(argument)):
                flags |= eval(ast.unparse(argument))
        if isinstance(node.args[0], ast.Constant):
            name = f"{module.__name__}:{node.lineno}"
            yield Use(name, re.compile(node.args[0].value, flags), method)
        else:
            yield None


@cache
def collected() -> tuple[tuple[Use, ...], dict[str, int]]:
    """Return all uses of patterns in the package, and the number of patterns that are no constants by file."""
    sources = {module: ast.parse(inspect.getsource(module)) for module in modules() if module.__file__}
    everywhere: dict[str, set[str]] = {}
    for tree in sources.values():
        for name, method in named_uses(tree):
            everywhere.setdefault(name, set()).add(method)
    uses: dict[tuple[int, str], Use] = {}
    dynamic: dict[str, int] = {}
    root = Path(pipeline.__path__[0])
    for module, tree in sources.items():
        own = {name: {m for n, m in named_uses(tree) if n == name} for name, _ in named_uses(tree)}
        for name, value in vars(module).items():
            for pattern in patterns_in(value) if not name.startswith("__") else ():
                methods = HELD.get(name) or own.get(name) or everywhere.get(name, set())
                for method in methods or {""}:
                    uses.setdefault((id(pattern), method), Use(f"{module.__name__}.{name}", pattern, method))
        for use in inline_uses(module, tree):
            if use is None:
                file = Path(module.__file__ or "").relative_to(root).as_posix()
                dynamic[file] = dynamic.get(file, 0) + 1
            else:
                uses[(id(use.pattern), use.method)] = use
    return tuple(sorted(uses.values(), key=lambda use: use.name)), dynamic


def check(use: Use, **limits: float) -> None:
    """Raise SuperlinearError, with the text, if a pattern is slow on any hostile text."""
    for attack in attacks(use.pattern):
        try:
            assert_linear(lambda length, attack=attack: use.call(attack.text(length)), LENGTH, **limits)
        except SuperlinearError as error:
            raise SuperlinearError(f"{use.name} {use.method} {attack}: {error}") from error


def test_every_pattern_is_collected() -> None:
    """It is known how each pattern is used; one that a function builds is listed here with a reason."""
    uses, dynamic = collected()
    assert len(uses) > 250
    assert [use.name for use in uses if not use.method] == []
    assert dynamic == DYNAMIC


@pytest.mark.parametrize("share", range(4))
def test_patterns_take_linear_time(share: int) -> None:
    """No pattern takes more than forty times as long for sixteen times the text, whatever the text repeats."""
    slow = []
    for use in collected()[0][share::4]:
        try:
            check(use)
        except SuperlinearError as error:
            slow.append(str(error))
    assert slow == []


@pytest.mark.parametrize("pattern", [r"\s+$", r"(a+)+b", r"\d[\d.,]*x"])
def test_superlinear_patterns_are_found(pattern: str) -> None:
    """The attacks find the usual mistakes."""
    use = Use("example", re.compile(pattern, re.MULTILINE | re.DOTALL), "search")
    with pytest.raises(SuperlinearError):
        check(use, hopeless=0.5)
