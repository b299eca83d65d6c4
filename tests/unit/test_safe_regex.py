"""Patterns of config.toml: what is wrong is said with its place, and none can run away."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.text.safe_regex import MAX_TEXT_CHARS, compile_pattern, search_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(?i)advert|sponsored|give-?away",
        r"^\[ad\]",
        r"https?://(www\.)?shop\.example/(sale|ads)/\d+",
        "win .* with .*",
        r"\bpart (one|two|three)\b",
        "[a-z]{3,5}-[0-9]{2}",
        r"(?P<q>['\"]).*(?P=q)",
        "(?:ab){2,5}",
    ],
)
def test_what_an_editor_needs_is_accepted(pattern: str):
    """Words, prefixes, addresses, a gap or two."""
    assert compile_pattern(pattern).pattern == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)+b",
        "(a|b|ab)*c",
        r"(\w+\s?)*x",
        "(.*)*",
        "a?" * 30 + "a" * 30,
        "(a|a)" * 30,
        ".*.*.*.*x",
        "(?=(a+)+b)x",
        "(?:a{0,300}){0,2}a*b",
        "(a|b){1000}(c+)+",
        "(?>a+)+b",
        "((a)?b?)*+c",
    ],
)
def test_what_could_take_for_ever_is_refused(pattern: str):
    """Repetitions of repetitions, of choices, and too many in a row."""
    with pytest.raises(ValueError, match="could take for ever"):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(ad", "at character 1"),
        ("ad)", "at character 3"),
        ("a**", "at character 3"),
        ("[z-a]", "at character 2"),
        (r"a\8", "at character 3"),
        ("x" * 501, "longer than 500"),
        ("(" * 400 + ")" * 400, "longer|deep"),
        ("a{1,99999999999}", "deeply"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(pattern: str, words: str):
    """The place is counted from 1, as editors do."""
    with pytest.raises(ValueError, match=words):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", [".*a.*b", "a*a*b", "a?" * 16 + "b", "(a|a)" * 7 + "b"])
def test_the_worst_that_is_accepted_is_bearable(pattern: str):
    """On the longest and unluckiest text: well under a second."""
    started = time.perf_counter()
    assert not search_pattern(pattern, "a" * 5000)
    assert time.perf_counter() - started < 1


PIECES = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", r"\w", "^", "$"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        inner.map("({})*".format),
        inner.map("(?:{})+?".format),
        inner.map("({}){{0,9}}".format),
        inner.map("({})?".format),
        st.tuples(inner, inner).map("({0[0]}|{0[1]})".format),
    ),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(PIECES)
def test_whatever_is_accepted_ends_soon(pattern: str):
    """Any pattern built of these pieces is refused, or searches an unlucky text in less than a second."""
    started = time.perf_counter()
    with contextlib.suppress(ValueError):
        search_pattern(pattern + "c", "ab" * MAX_TEXT_CHARS)
    assert time.perf_counter() - started < 1
