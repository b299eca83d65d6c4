"""The words of docs/glossary.md in the names and docstrings of ``pipeline/``.

``python tests/contract/test_vocabulary.py [PATH…]`` lists what is left to reword.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pipeline"
GLOSSARY = ROOT / "docs" / "glossary.md"
SOURCES = sorted(PACKAGE.rglob("*.py"))

VAGUE_OPENERS = {"as", "give", "gives", "let", "lets", "look", "looks", "say", "says", "so", "take"}
VAGUE_OPENERS |= {"takes", "tell", "tells", "what", "whatever", "who", "whoever"}
"""Words that the docstring of a module, class or function does not begin with."""
VAGUE_VARIABLES = {"each", "found", "said", "told", "wish", "wishes"}
"""Names that do not say what they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A word in a name or a docstring."""

    path: str
    line: int
    where: str
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: “{self.word}” in {self.where}; use {self.instead}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A word that is not used in some sense: the term to use, the phrases and places where the word is right."""

    words: tuple[str, ...]
    term: str
    phrases: tuple[tuple[str, ...], ...]
    places: tuple[str, ...]


def table(heading: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the glossary's table whose first column has this heading."""
    inside = False
    for line in GLOSSARY.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif inside and not set(line) <= set("|- "):
            yield cells
        elif cells[0] == heading:
            inside = True


def words_of(text: str) -> list[str]:
    """Return the words of a text or of a name, in lower case; ``camelCase`` and ``snake_case`` are taken apart."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return [word.lower() for word in re.findall(r"[^\W\d_]+", parted)]


def singular(words: Sequence[str]) -> tuple[str, ...]:
    """Return words without a plural's s, for comparing."""
    return tuple(word.removesuffix("s") for word in words)


def inflected(word: str) -> set[str]:
    """Return a word's usual forms: ``mend``, ``mends``, ``mended``, ``mending``."""
    stem = word.removesuffix("e")
    plural = f"{word}es" if word.endswith(("s", "sh", "ch")) else f"{word}s"
    return {word, plural, f"{stem}ed", f"{stem}ing"}


def rules() -> tuple[Rule, ...]:
    """Read the glossary."""
    exceptions = {word: (phrases, places) for word, phrases, places in table("word")}
    terms: dict[str, list[str]] = defaultdict(list)
    for term, _, unwanted in table("term"):
        for word in filter(None, (part.strip() for part in unwanted.split(","))):
            terms[word].append(term)
    result = []
    for word, instead in terms.items():
        phrases, places = exceptions.get(word, ("", ""))
        result.append(
            Rule(
                words=tuple(words_of(word)),
                term=" or ".join(instead),
                phrases=tuple(singular(words_of(phrase)) for phrase in phrases.split(",") if phrase.strip()),
                places=tuple(place.strip() for place in places.split(",") if place.strip()),
            )
        )
    return tuple(result)


def unwanted(text: str, path: str, known: Mapping[str, Sequence[Rule]]) -> Iterator[tuple[str, Rule]]:
    """Yield each refused word of a text with its rule, unless an allowed phrase or an allowed place covers it.

    ``known`` maps each form of a first word to the rules that begin with it.
    """
    words = words_of(text)
    plain = singular(words)
    for start, word in enumerate(words):
        for rule in known.get(word, ()):
            end = start + len(rule.words)
            allowed = path.startswith(rule.places) or any(_covers(plain, start, phrase) for phrase in rule.phrases)
            if tuple(words[start + 1 : end]) == rule.words[1:] and not allowed:
                yield " ".join(words[start:end]), rule


def by_first_word(rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    """Return the rules by each form of their first words."""
    known: dict[str, list[Rule]] = defaultdict(list)
    words = {rule.words for rule in rules}
    for rule in rules:
        for form in inflected(rule.words[0]):
            if form == rule.words[0] or (form,) not in words:  # "mailing" has a rule of its own
                known[form].append(rule)
    return known


def _covers(words: Sequence[str], position: int, phrase: Sequence[str]) -> bool:
    starts = range(max(0, position - len(phrase) + 1), position + 1)
    return any(tuple(words[start : start + len(phrase)]) == tuple(phrase) for start in starts)


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every name that a module defines, with its line: classes, functions, parameters, variables, fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.lineno, node.name
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a module, its classes, functions, constants and fields, without code and examples."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose = re.sub(r"(?m)^\s*>>> .*\n(?:\s*\S.*\n?)*", "", node.value.value)
            yield node.lineno, re.sub(r"``?[^`]+``?|“[^”]*”|<[^>\s]+>", " … ", prose)


def definitions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a module, its classes and functions, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "lineno", 1), ast.get_docstring(node) or ""


def uses(paths: Sequence[Path] = SOURCES) -> Iterator[Use]:
    """Yield what the glossary refuses in these files, the names first."""
    known = by_first_word(rules())
    for path in paths:
        shown = path.relative_to(PACKAGE).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = [(line, f"the name {name}", name) for line, name in dict.fromkeys(names(tree))]
        texts += [(1, "the file's name", path.stem)]
        texts += [(line, "a docstring", text) for line, text in docstrings(tree)]
        for line, where, text in texts:
            for word, rule in unwanted(text, shown, known):
                yield Use(path=f"pipeline/{shown}", line=line, where=where, word=word, instead=rule.term)
        for line, name in dict.fromkeys(names(tree)):
            if name in VAGUE_VARIABLES:
                yield Use(
                    path=f"pipeline/{shown}", line=line, where="a name", word=name, instead="a noun of the domain"
                )
        for line, text in definitions(tree):
            opener = (words_of(text) or [""])[0]
            if opener in VAGUE_OPENERS and not re.match(r"\s*Look up\b", text):
                verb = "a verb, or a noun for a record"
                yield Use(
                    path=f"pipeline/{shown}", line=line, where="a docstring's beginning", word=opener, instead=verb
                )


def test_names_and_docstrings_use_the_glossary() -> None:
    """No name and no docstring uses a word in a sense for which the glossary has another."""
    assert [str(use) for use in uses()] == []


def test_no_two_public_classes_share_a_name() -> None:
    """A class name means one thing in the whole package."""
    owners: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                owners[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in owners.items() if len(paths) > 1} == {}


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("the house told nobody", "told", ["told"]),
        ("RssItem", "item", []),
        ("read_items", "item", ["items"]),
        ("mending", "mend", ["mending"]),
        ("entries roll on", "roll on", ["roll on"]),
        ("rolls of bread", "roll on", []),
    ],
)
def test_uses_are_seen_in_every_form(text: str, word: str, expected: list[str]) -> None:
    """Plurals, other forms of a verb and parts of a name count; allowed phrases do not."""
    rule = Rule(words=tuple(word.split()), term="", phrases=(singular(["rss", "item"]),), places=())
    assert [word for word, _ in unwanted(text, "x.py", by_first_word([rule]))] == expected


def test_the_glossary_is_read() -> None:
    """Both tables have rows, and every exception is for a word that is refused."""
    refused = {" ".join(rule.words) for rule in rules()}
    assert {"item", "told", "roll on"} <= refused
    assert {row[0] for row in table("word")} <= refused


if __name__ == "__main__":
    chosen = [path for path in SOURCES if len(sys.argv) < 2 or any(f"{path}".find(part) >= 0 for part in sys.argv[1:])]
    listed = list(uses(chosen))
    print(*listed, sep="\n")
    print(f"{len(listed)} uses; by word: {Counter(use.word for use in listed).most_common(40)}")
