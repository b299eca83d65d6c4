"""Palettes: a publication's accent is readable in light and in dark."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.digest.render.palette import DARK, LIGHT, Palette, contrast
from pipeline.digest.render.render import render
from pipeline.digest.render.style import DEFAULT_STYLE, with_branding
from pipeline.digest.render.theme import load_theme
from pipeline.model.errors import ConfigError
from tests.golden.sample import PUBLICATION, SAMPLE

THEMES = Path(__file__).parent.parent.parent / "templates"


@given(st.integers(min_value=0, max_value=0xFFFFFF))
def test_any_accent_is_readable(number: int) -> None:
    """Whatever the colour, links and buttons have a contrast of 4.5 : 1 in both schemes."""
    style = with_branding(DEFAULT_STYLE, accent=f"#{number:06x}")
    for palette in (style.light, style.dark):
        assert contrast(palette.accent, palette.card) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_readable_on_all_backgrounds(palette: Palette) -> None:
    """Text and small print on page and card, and alt texts where an image is missing."""
    for text, background in product((palette.text, palette.muted), (palette.card, palette.page)):
        assert contrast(text, background) >= 4.5
    assert contrast(palette.muted, palette.rule) >= 4.5


def test_a_readable_accent_is_unchanged() -> None:
    """It is exactly the colour that was set."""
    assert with_branding(DEFAULT_STYLE, accent="#b3541e").light.accent == "#b3541e"


def test_the_accent_replaces_the_themes_own() -> None:
    """Links and buttons, Outlook's too, have the accent."""
    html = render(
        replace(SAMPLE, publication=replace(PUBLICATION, accent="#8A1F4D")), load_theme([THEMES], "classic")
    ).html
    assert 'fillcolor="#8a1f4d"' in html
    assert "background-color: #8a1f4d" in html
    assert LIGHT.accent not in html
    assert DARK.accent not in html


@pytest.mark.parametrize("accent", ["teal", "#123", "#12345g", "red;background:url(x)"])
def test_an_accent_has_six_digits(accent: str) -> None:
    """Anything but #rrggbb is refused with an example."""
    with pytest.raises(ConfigError, match="#1d5c63"):
        with_branding(DEFAULT_STYLE, accent=accent)
