"""Patterns of config.toml: errors name their reason, and every pattern is matched in linear time."""

from __future__ import annotations

import pytest

from pipeline.text.safe_regex import compile_pattern, search_pattern
from tests.measure_cost import scaled_seconds


@pytest.mark.parametrize(
    "pattern",
    [
        "(?i)advert|sponsored|give-?away",
        r"^\[ad\]",
        r"https?://(www\.)?shop\.example/(sale|ads)/\d+",
        "win .* with .*",
        r"\bpart (one|two|three)\b",
        "[a-z]{3,5}-[0-9]{2}",
        "(?:ab){2,5}",
    ],
)
def test_common_patterns_are_accepted(pattern: str):
    """Words, prefixes, addresses, gaps and repetitions compile."""
    assert compile_pattern(pattern).pattern == pattern


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(ad", "missing ): (ad"),
        ("ad)", "unexpected ): ad)"),
        ("a**", "bad repetition operator"),
        ("[z-a]", "invalid character class range: z-a"),
        (r"a\8", "invalid escape sequence"),
        ("(?=ad)", "invalid perl operator"),
        ("a{1001}", "invalid repetition size"),
        ("x" * 501, "longer than 500"),
    ],
)
def test_invalid_patterns_are_refused_with_the_reason(pattern: str, reason: str):
    """The message quotes the part of the pattern that is invalid; lookaround is not supported."""
    with pytest.raises(ValueError, match=reason.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)+b", r"(\w+\s?)*x", "(.*)*c", "a?" * 30 + "a" * 30 + "c", ".*.*.*.*x"]
)
def test_patterns_that_backtrack_elsewhere_are_fast(pattern: str):
    """What a backtracking engine would search for ever takes no longer than parsing a few ordinary documents."""
    assert scaled_seconds(lambda: search_pattern(pattern, "a" * 100_000)) < 1
    assert not search_pattern(pattern, "a" * 100_000)
