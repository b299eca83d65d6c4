"""Hostile texts for a regular expression, made from the expression itself.

A pattern that backtracks is slow on a text that repeats what one of its repetitions matches, and then does not go on as
the pattern does. `attacks` derives such texts from the parsed pattern: an example of what comes before a repetition, an
example of what it repeats, and an ending that does not match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, product
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

Parsed = Any  # re's parser has no types

_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
_CATEGORIES = {
    ops.CATEGORY_DIGIT: "1",
    ops.CATEGORY_SPACE: " \n",
    ops.CATEGORY_WORD: "a1_",
    ops.CATEGORY_NOT_DIGIT: "a ",
    ops.CATEGORY_NOT_SPACE: "a<",
    ops.CATEGORY_NOT_WORD: " -",
}
_ORDINARY = ("a", " ", "<", "1", "\n", '"', "-")
_ALWAYS = (" ", "\n", "a", "1", "<", "<a ", ".", '"', "-", "&", "[", "(", " \n", "a ", "a.", "é", "\u00a0")
_ENDINGS = ("", "\x01\n<( x")
"""The second contains something that any class of characters excludes."""
_MAX_ATTACKS = 80


class Attack(NamedTuple):
    """A text of any length: a beginning, a part that is repeated, and an ending."""

    beginning: str
    repeated: str
    ending: str

    def text(self, length: int) -> str:
        """Return the text with about ``length`` characters."""
        return self.beginning + self.repeated * max(1, length // len(self.repeated)) + self.ending


def attacks(pattern: re.Pattern[Any]) -> Iterator[Attack]:
    """Yield hostile texts for a pattern, the same ones in every run."""
    parsed = _parser.parse(pattern.pattern, pattern.flags if isinstance(pattern.pattern, str) else 0)
    found = dict.fromkeys((beginning, repeated) for beginning, repeated in _repetitions(parsed, "") if repeated)
    found |= {("", text): None for text in (*_ALWAYS, *_examples(parsed)) if text}
    characters = sorted({character for text in _examples(parsed, 12) for character in text})[:8]
    found |= dict.fromkeys(("", one + other) for one, other in product(characters, " \na1"))
    for (beginning, repeated), ending in islice(product(found, _ENDINGS), _MAX_ATTACKS):
        yield Attack(beginning, repeated, ending)


def _repetitions(parsed: Parsed, before: str) -> Iterator[tuple[str, str]]:
    """Yield (beginning, repeated) for each repetition in a pattern, and for each of its beginnings."""
    items = list(parsed)
    for index, (op, argument) in enumerate(items):
        beginnings = [before + text for text in _examples(items[:index], 2)]
        yield from (("", beginning + _example(op, argument)[-1]) for beginning in beginnings)
        if op in _REPEATS:
            examples = _examples(argument[2])
            yield from product(beginnings, examples)
            yield from (("", beginning + examples[0] * count) for count, beginning in enumerate(beginnings, 1))
        for inner in _inner(op, argument):
            yield from _repetitions(inner, beginnings[0])


def _inner(op: Any, argument: Any) -> list[Parsed]:
    """Return the patterns inside a part of a pattern."""
    if op in _REPEATS:
        return [argument[2]]
    if op is ops.BRANCH:
        return list(argument[1])
    return [argument[3]] if op is ops.SUBPATTERN else [argument] if op is ops.ATOMIC_GROUP else []


def _examples(parsed: Parsed, limit: int = 6) -> list[str]:
    """Return texts that a pattern matches, lookarounds and references aside."""
    texts = [""]
    for op, argument in parsed:
        texts = [text + more for text, more in product(texts, _example(op, argument))][:limit]
    return texts


def _example(op: Any, argument: Any) -> list[str]:
    """Return texts that one part of a pattern matches, the one of a repetition with as few repeats as may be."""
    if op is ops.LITERAL:
        return [chr(argument)]
    if op is ops.NOT_LITERAL:
        return [character for character in _ORDINARY if ord(character) != argument][:2]
    if op is ops.ANY:
        return ["a", "<"]
    if op is ops.IN:
        return _members(argument)
    if op in _REPEATS:
        least, _, inner = argument
        return [*([""] if least == 0 else []), *(text * max(least, 1) for text in _examples(inner, 3))]
    if op is ops.BRANCH:
        return [text for inner in argument[1] for text in _examples(inner, 2)][:8]
    return [text for inner in _inner(op, argument) for text in _examples(inner)] or [""]


def _members(items: Any) -> list[str]:
    """Return up to four characters that a class of characters contains."""
    members: list[str] = []
    for op, argument in items:
        if op is ops.LITERAL:
            members.append(chr(argument))
        elif op is ops.RANGE:
            members += map(chr, argument)
        elif op is ops.CATEGORY:
            members += _CATEGORIES[argument]
    if items[0][0] is ops.NEGATE:
        return [character for character in _ORDINARY if character not in members][:3] or ["é"]
    return list(dict.fromkeys(members))[:4]
