"""Regular expressions from config.toml, matched in linear time with RE2."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

MAX_PATTERN_CHARS = 500


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:  # re2 has no types
    """Return a compiled pattern in RE2 syntax, which has no lookaround and no backreferences.

    Raises ValueError with the reason if the pattern is invalid.

    >>> compile_pattern("(?i)advert").search("An Advertisement") is not None
    True
    >>> compile_pattern("(ad")
    Traceback (most recent call last):
    ValueError: missing ): (ad
    """
    import re2  # only needed by feeds with a pattern

    if len(pattern) > MAX_PATTERN_CHARS:
        raise ValueError(f"it is longer than {MAX_PATTERN_CHARS} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(error.args[0].decode() if error.args else "it is invalid") from error


def search_pattern(pattern: str, text: str) -> bool:
    """Check whether a valid pattern matches anywhere in a text.

    >>> search_pattern("(?i)^ad:", "AD: buy this"), search_pattern("x", "y")
    (True, False)
    """
    return compile_pattern(pattern).search(text) is not None
