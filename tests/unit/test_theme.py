"""Themes: what they say about themselves, what they take over, and how they are put right."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from pipeline.digest.checks import preflight
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.palette import contrast
from pipeline.digest.render.render import render
from pipeline.digest.render.style import DEFAULT_STYLE, FONTS
from pipeline.digest.render.theme import load_theme
from pipeline.model.errors import TemplateError
from tests.golden.sample import PUBLICATION, RICH, SAMPLE
from tests.golden.update import THEME_NAMES, THEMES


def theme(folder: Path, said: str) -> Path:
    (folder / "own" / "parts").mkdir(parents=True)
    (folder / "own" / "theme.toml").write_text(said)
    return folder


@pytest.mark.parametrize(("name", "accent"), list(product(THEME_NAMES, ["", "#ffff00", "#000000", "#777777"])))
def test_every_ink_can_be_read_in_every_theme(name: str, accent: str) -> None:
    """Text, small print and accent have 4.5 : 1 on their papers in both schemes, whatever the accent."""
    digest = replace(RICH, publication=replace(PUBLICATION, accent=accent))
    rendered = render(digest, load_theme([THEMES], name))
    checks = preflight(digest, rendered, to_eml(rendered, digest))
    assert [check for check in checks if check.name in ("contrast", "unsafe", "text-part")] == []


def test_pale_colours_are_put_right(tmp_path: Path) -> None:
    """A theme cannot have ink that nobody can read: it is made darker on light paper and lighter on dark."""
    said = 'extends = "classic"\n[light]\ntext = "#cccccc"\n[dark]\nmuted = "#333333"'
    look = load_theme([theme(tmp_path, said), THEMES], "own").style
    assert contrast(look.light.text, look.light.card) >= 4.5
    assert contrast(look.dark.muted, look.dark.page) >= 4.5
    assert look.light.accent == DEFAULT_STYLE.light.accent


def test_a_theme_takes_over_what_it_does_not_have(tmp_path: Path) -> None:
    """One file and one line of theme.toml make a theme; the rest is that of the theme it extends, and of that one's."""
    folder = theme(tmp_path, 'extends = "journal"')
    (folder / "own" / "parts" / "footer.html.j2").write_text("<p>Fair winds</p>")
    own, journal = load_theme([folder, THEMES], "own"), load_theme([THEMES], "journal")
    assert own.style == journal.style
    html = render(SAMPLE, own).html
    assert "Fair winds" in html
    assert 'class="numeral"' in html
    assert 'role="article"' in html


@pytest.mark.parametrize("name", THEME_NAMES)
@pytest.mark.parametrize("fonts", FONTS)
def test_a_family_of_fonts_is_for_everything(fonts: str, name: str) -> None:
    """A publication's fonts stand in titles, text and small print of every theme, Outlook's buttons apart."""
    html = render(replace(SAMPLE, publication=replace(PUBLICATION, fonts=fonts)), load_theme([THEMES], name)).html
    others = [stack for family, stack in FONTS.items() if family != fonts]
    assert FONTS[fonts] in html.replace("&quot;", "'")
    assert [stack for stack in others if f"font-family: {stack}" in html] == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("extends = 3 =", "Fix .*theme.toml"),
        ('extends = "own"', "the theme extends itself"),
        ('extends = "clasic"', 'no theme "clasic"; choose one of: classic, journal, own'),
        ("colour = 1", "Remove colour from .*the keys are extends, fonts, light, dark"),
        ('[fonts]\ntitle = "comic"', "Choose a font of serif, book, sans, system"),
        ('[light]\nink = "#000000"', "Remove ink from"),
        ('[light]\ntext = "black"', "six hexadecimal digits"),
        ('light = "white"', "Replace 'white' in .* by a table"),
    ],
)
def test_a_mistake_in_theme_toml_is_named(said: str, words: str, tmp_path: Path) -> None:
    """Whatever theme.toml says that cannot be, the message names the file and what is allowed."""
    with pytest.raises(TemplateError, match=words) as caught:
        load_theme([theme(tmp_path, said), THEMES], "own")
    assert "theme.toml" in str(caught.value) or "clasic" in said
