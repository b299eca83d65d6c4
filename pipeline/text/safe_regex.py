"""Patterns a person writes into config.toml: regular expressions that cannot run away.

In: a pattern. Out: the compiled expression, or ValueError with what is wrong and where. Touches nothing.

Python's ``re`` tries every way to match, and ``(a+)+b`` has 2ⁿ of them. So the ways are counted beforehand, for the
longest text that is looked at, and a pattern with too many is refused while somebody is there to mend it: a time limit
would make the digest depend on the machine.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod

# The parsed tree is not public, but nothing else tells what a pattern repeats.
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_PATTERN_CHARS = 500
MAX_TEXT_CHARS = 300
"""A pattern sees so much of a title or an address."""
MAX_WAYS = 100_000
"""For one place to start at: two open repetitions in a row, ``.*ad.*break``, and no third."""
_TOO_MANY = MAX_WAYS + 1


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern in the syntax of Python's ``re``; ValueError with a sentence when it is wrong or too costly.

    >>> compile_pattern("(?i)advert").search("An Advertisement") is not None
    True
    >>> compile_pattern("(a+)+b")
    Traceback (most recent call last):
    ValueError: it could take for ever: repeat nothing that repeats itself, and use *, + and {} twice at most
    >>> compile_pattern("(ad")
    Traceback (most recent call last):
    ValueError: missing ), unterminated subpattern at character 1
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        raise ValueError(f"it is longer than {MAX_PATTERN_CHARS} characters")
    try:
        compiled, ways = re.compile(pattern), _ways(parser.parse(pattern))
    except re.error as wrong:
        raise ValueError(f"{wrong.msg} at character {(wrong.pos or 0) + 1}") from wrong
    except (RecursionError, OverflowError) as wrong:
        raise ValueError("it is nested too deeply") from wrong
    if ways > MAX_WAYS:
        raise ValueError(
            "it could take for ever: repeat nothing that repeats itself, and use *, + and {} twice at most"
        )
    return compiled


def search_pattern(pattern: str, text: str) -> bool:
    """Tell whether a pattern that was accepted before is found in the beginning of a text.

    >>> found_in("(?i)^ad:", "AD: buy this"), found_in("x", "y" * 300 + "x")
    (True, False)
    """
    return compile_pattern(pattern).search(text[:MAX_TEXT_CHARS]) is not None


def _ways(tree: Any) -> int:
    """Count, from above, the ways to match a parsed pattern from one place of the longest text."""
    return min(_TOO_MANY, prod(_ways_of(str(operation), argument) for operation, argument in tree))


def _ways_of(operation: str, argument: Any) -> int:
    if operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, body = argument
        return _repeated(_ways(body), min(int(least), MAX_TEXT_CHARS), min(int(most), MAX_TEXT_CHARS))
    if operation == "BRANCH":
        return sum(_ways(branch) for branch in argument[1])
    if operation == "GROUPREF_EXISTS":
        return sum(_ways(branch) for branch in argument[1:] if branch)
    if operation == "SUBPATTERN":
        return _ways(argument[-1])
    if operation in ("ASSERT", "ASSERT_NOT"):
        return _ways(argument[1])
    return _ways(argument) if operation == "ATOMIC_GROUP" else 1


def _repeated(ways: int, least: int, most: int) -> int:
    if ways == 1:
        return most - least + 1
    return min(_TOO_MANY, sum(int(ways ** min(times, 20)) for times in range(least, most + 1)))
