"""The styles of the mail: only what mail programs are known to understand, or to leave out without harm."""

from __future__ import annotations

import re
from functools import cache

from pipeline.digest.render import load_theme, render
from tests.golden.sample import RICH, STRESS
from tests.golden.update import THEME_NAMES, THEMES

EVERYWHERE = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-top", "color",
    "font-family", "font-size", "font-style", "font-weight", "height", "letter-spacing", "line-height", "margin",
    "padding", "padding-bottom", "padding-left", "padding-right", "table-layout", "text-align", "text-decoration",
    "text-transform", "vertical-align", "white-space", "width",
}  # fmt: skip
HARMLESS = {
    "border-inline-start": "a quote without its line is still set in italics",
    "border-radius": "corners stay square in Outlook",
    "color-scheme": "asks Apple Mail for the authored dark scheme",
    "display": "only hides the inbox line and stacks cells on phones",
    "mso-hide": "Outlook's own way to hide the inbox line",
    "max-height": "only hides the inbox line",
    "max-width": "Outlook has the ghost table and width attributes instead",
    "overflow": "only hides the inbox line",
    "overflow-wrap": "word-break does the same",
    "padding-inline-start": "a list is set in by the program's own measure instead",
    "supported-color-schemes": "the older name of color-scheme",
    "word-break": "overflow-wrap does the same",
    "-webkit-text-size-adjust": "keeps iPhones from enlarging text",
}


@cache
def declarations() -> tuple[tuple[str, str], ...]:
    """Collect (property, value) of every style attribute and style element, in every theme, of full mails."""
    mails = (render(digest, load_theme([THEMES], theme)).html for theme in THEME_NAMES for digest in (STRESS, RICH))
    html = "".join(mails)
    attributes = re.findall(r'\sstyle="([^"]*)"', re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL))
    blocks = re.findall(r"\{([^{}]*)\}", "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL)))
    pairs = (each.split(":", 1) for block in attributes + blocks for each in block.split(";") if ":" in each)
    return tuple((name.strip(), value.strip()) for name, value in pairs)


def test_only_reviewed_properties() -> None:
    """Every CSS property is one all programs know, or one whose absence has been thought about."""
    assert {name for name, _ in declarations()} - EVERYWHERE - set(HARMLESS) == set()


def test_review_has_no_leftovers() -> None:
    """A property that is no longer used is no longer excused."""
    assert set(HARMLESS) - {name for name, _ in declarations()} == set()


def test_colours_have_six_digits() -> None:
    """Outlook reads ``#rrggbb`` and little else; nothing is loaded by a style."""
    values = " ".join(value for _, value in declarations())
    assert set(map(len, re.findall(r"#\w+", values))) == {7}
    assert not re.search(r"\b(?:rgba?|hsla?|var|calc|url)\(", values)
