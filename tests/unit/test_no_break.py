"""Numbers stay with their units on one line, in HTML and in wrapped text; mixed scripts are cut as they should be."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.text.html import reading_minutes
from pipeline.text.markdown import excerpt, to_plain
from pipeline.text.no_break import keep_together, keep_together_in_html
from pipeline.text.plain_text import count_words, excerpt_text, first_words
from pipeline.text.sentences import split_sentences
from pipeline.text.wrap import wrap
from tests.golden.sample import SAMPLE
from tests.golden.update import THEME_NAMES, THEMES
from tests.golden.weeks import WEEKS

JAPANESE = ("塩", "港町の朝", "。", "、", "「", "」", "！？", "と", "3.12")
OTHERS = ("salt ", "N-23 ", "42 min ", "5 km ", "A. ", "z. B. ", "رغيف ", "مهل؟ ", "वह आया। ", "Привет. ")
MARKS = ("\u2068", "\u2069", "— ", "…", "!", "\n\n", "- ", "**b** ")
TEXTS = st.lists(st.sampled_from([*JAPANESE, *OTHERS, *MARKS])).map("".join)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It takes 42 min.", "42_min"), ("LISTEN · 42 MIN", "42_MIN"), ("1 h 12 min", "1_h_12_min"),
        ("1 Std. 5 Min.", "1_Std._5_Min."), ("5 km 30 mills", "5_km 30"),
        ("5 % of 3,5 km", "5_% of 3,5_km"), ("on the N-23 road", "N=23"), ("COVID-19", "COVID=19"),
        ("at 9 a.m. sharp", "9_a.m."), ("5 mills", "5 mills"), ("2026-02-16", "2026-02-16"), ("a-1", "a-1"),
        ("F-35s", "F-35s"), ("x-N-23", "x-N-23"), ("42  min", "42  min"),
    ],
)  # fmt: skip
def test_units_stay_with_their_numbers(text: str, kept: str) -> None:
    """Here _ stands for a no-break space and = for a no-break hyphen; words and dates are left alone."""
    shown = keep_together(text).replace("\N{NO-BREAK SPACE}", "_").replace("\N{NON-BREAKING HYPHEN}", "=")
    assert kept in shown


def test_html_keeps_its_addresses() -> None:
    """Only text between tags changes."""
    html = '<a href="https://a.example/N-23?q=5 km" title="5 km">N-23</a><img alt="5 km">'
    assert keep_together_in_html(html) == html.replace(">N-23<", ">N\N{NON-BREAKING HYPHEN}23<")


def test_newsletters_break_no_line_before_a_unit() -> None:
    """A title with a road and a distance is kept together in HTML, and its words are those of the feed in the text."""
    title = "Walking the N-23 for 12 km in the rain with a loaf that takes two days and 5 min of work"
    posts = replace(SAMPLE.sections[0], stories=(replace(SAMPLE.stories[0], title=title),))
    mail = render(replace(SAMPLE, sections=(posts,)), load_theme([THEMES], "classic"))
    assert "N\N{NON-BREAKING HYPHEN}23 for 12\N{NO-BREAK SPACE}km" in mail.html
    assert title in " ".join(mail.text.split())


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_short_phrases_are_on_one_line(theme: str) -> None:
    """No line ends within a byline, a link to read, or how long the episode of a brief is."""
    html = render(WEEKS["heavy"], load_theme([THEMES], theme)).html.replace("&nbsp;", "_")
    assert all(phrase in html for phrase in ("By_Morwenna_Pryce", "Read_the_post", "Listen_·_20_min"))


@given(st.lists(st.sampled_from(["42 min", "5 km", "salt", "2", "h", "https://a.example/"])), st.integers(8, 30))
def test_wrapping_keeps_words_and_units(words: list[str], width: int) -> None:
    """Every word stays, and no line begins with a unit whose number ends the line before."""
    text = " ".join(words)
    wrapped = wrap(text, width)
    assert wrapped.split() == text.split()
    assert re.search(r"\d\n(?:min|km|h)\b", wrapped) is None


@given(TEXTS, st.integers(1, 40))
def test_excerpts_of_mixed_scripts(text: str, most: int) -> None:
    """They are never too long, in words or in characters, and begin as the text does."""
    assert count_words(excerpt_text(text, most)) <= most + 1
    assert count_words(to_plain(excerpt(text, most))) <= most + 1
    start = first_words(text, most)
    assert " ".join(text.split()).startswith(start)
    assert first_words(start, most) == start


@given(TEXTS, st.lists(st.sampled_from(JAPANESE)).map("".join))
def test_sentences_of_mixed_scripts(text: str, japanese: str) -> None:
    """No character is lost between sentences, and none begins with a full stop."""
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())
    assert not any(sentence[0] in "。！？" for sentence in list(split_sentences(japanese))[1:])


@pytest.mark.parametrize(
    ("body", "minutes"),
    [("字" * 5000, 10), ("字" * 1000, 2), ("字" * 20, 1), ("w " * 2380, 10), ("字" * 2500 + " w" * 1190, 10), ("", 0)],
)
def test_chinese_and_japanese_are_read_by_characters(body: str, minutes: int) -> None:
    """About 500 in a minute; Latin words among them are counted as words."""
    assert reading_minutes(f"<p>{body}</p>" if body else "") == minutes
