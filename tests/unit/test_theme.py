"""Themes: their style, what they inherit, and how mistakes are reported."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from pipeline.digest.checks import preflight
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.palette import contrast
from pipeline.digest.render.person_mail import load_person_mail_templates
from pipeline.digest.render.render import render
from pipeline.digest.render.style import DEFAULT_STYLE, FONTS
from pipeline.digest.render.theme import compile_theme, load_theme
from pipeline.model.errors import TemplateError
from tests.golden.person_mails import CONTENTS, person_mail
from tests.golden.sample import PUBLICATION, RICH, SAMPLE
from tests.golden.update import THEME_NAMES, THEMES


def theme(folder: Path, settings: str) -> Path:
    (folder / "own" / "parts").mkdir(parents=True)
    (folder / "own" / "theme.toml").write_text(settings)
    return folder


@pytest.mark.parametrize(("name", "accent"), list(product(THEME_NAMES, ["", "#ffff00", "#000000", "#777777"])))
def test_every_theme_is_readable_with_any_accent(name: str, accent: str) -> None:
    """Text, small print and accent have a contrast of 4.5 : 1 in both schemes."""
    digest = replace(RICH, publication=replace(PUBLICATION, accent=accent))
    rendered = render(digest, load_theme([THEMES], name))
    checks = preflight(digest, rendered, to_eml(rendered, digest))
    assert [check for check in checks if check.name in ("contrast", "unsafe", "text-part")] == []


def test_low_contrast_colours_are_adjusted(tmp_path: Path) -> None:
    """They become darker on a light background and lighter on a dark one."""
    settings = 'extends = "classic"\n[light]\ntext = "#cccccc"\n[dark]\nmuted = "#333333"'
    style = load_theme([theme(tmp_path, settings), THEMES], "own").style
    assert contrast(style.light.text, style.light.card) >= 4.5
    assert contrast(style.dark.muted, style.dark.page) >= 4.5
    assert style.light.accent == DEFAULT_STYLE.light.accent


def test_a_theme_inherits_missing_files(tmp_path: Path) -> None:
    """One file and one line of theme.toml are enough for a theme."""
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
def test_fonts_apply_to_everything(fonts: str, name: str) -> None:
    """A publication's fonts are used in titles, text and small print, Outlook's buttons apart."""
    html = render(replace(SAMPLE, publication=replace(PUBLICATION, fonts=fonts)), load_theme([THEMES], name)).html
    others = [stack for family, stack in FONTS.items() if family != fonts]
    assert FONTS[fonts] in html.replace("&quot;", "'")
    assert [stack for stack in others if f"font-family: {stack}" in html] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("extends = 3 =", "Fix .*theme.toml"),
        ('extends = "own"', "the theme extends itself"),
        ('extends = "clasic"', 'no theme "clasic"; choose one of: classic, journal, letter, own'),
        ("colour = 1", "Remove colour from .*the keys are extends, fonts, light, dark"),
        ('[fonts]\ntitle = "comic"', "Choose a font of serif, book, sans, system"),
        ('[light]\nink = "#000000"', r"Remove \[light\] ink from .*theme.toml: the keys are .*accent"),
        ('[light]\nacent = "#000000"', r"Remove \[light\] acent from .*, or write accent: the keys are"),
        ('[light]\ntext = "black"', r"Write \[light\] text in .*theme.toml as six hexadecimal digits .* not 'black'"),
        ("[dark]\npage = 7", r"Write \[dark\] page in .*theme.toml as six hexadecimal digits .* not 7"),
        ('[fonts]\nlabel = ["sans"]', r"for \[fonts\] label in .*theme.toml, not \['sans'\]"),
        ('[fonts]\nbody = "sans"', r"Remove \[fonts\] body from .*: the keys are title, text, label"),
        ("extends = 7", "Write extends in .*theme.toml as the name of a theme"),
        ('extends = "clasic"', "for extends in .*theme.toml"),
        ('light = "white"', "Replace 'white' in .* by a table"),
    ],
)
def test_a_mistake_in_theme_toml_is_reported(settings: str, message: str, tmp_path: Path) -> None:
    """The message names the file and what is allowed."""
    with pytest.raises(TemplateError, match=message) as caught:
        load_theme([theme(tmp_path, settings), THEMES], "own")
    assert "theme.toml" in str(caught.value) or "clasic" in settings


def test_an_unknown_theme_names_the_setting(tmp_path: Path) -> None:
    """The message names the themes there are and the key to change."""
    with pytest.raises(TemplateError, match=r"choose one of: .*classic.*, for \[digest\] theme in config\.toml"):
        load_theme([THEMES], "clasic")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ digest.subjekt }}", r"no attribute 'subjekt', did you mean subject; its names are .*preheader"),
        ("{{ digest.light.acent }}", "did you mean accent"),
        ("{{ digets.subject }}", r"'digets' is undefined \(a template gets digest\)"),
    ],
)
def test_an_unknown_name_in_a_template_is_reported_with_the_names_there_are(
    template: str, message: str, tmp_path: Path
) -> None:
    """The error has the file, its line, what is unknown, and what could have been meant."""
    folder = theme(tmp_path, 'extends = "classic"')
    (folder / "own" / "digest.html.j2").write_text(f"<p>\n{template}\n")
    broken = load_theme([folder, THEMES], "own")
    with pytest.raises(TemplateError, match=message) as caught:
        render(SAMPLE, broken)
    assert caught.value.line == 2
    assert str(caught.value).startswith(f"Fix {folder}/own/digest.html.j2, line 2: ")


def test_mails_use_the_parts_of_classic_in_a_theme_that_extends_none(tmp_path: Path) -> None:
    """It needs only the two templates of the newsletter; a folder mail/ of its own replaces one for it alone."""
    own = tmp_path / "own"
    (own / "mail").mkdir(parents=True)
    for name in ("digest.html.j2", "digest.txt.j2"):
        (own / name).write_text("{{ digest.subject }}")
    (own / "mail" / "guide.txt.j2").write_text("Mine: {{ mail.frame.subject }}")
    theirs = load_person_mail_templates([tmp_path, THEMES], "own")
    assert theirs.render(CONTENTS["confirmation"]).text == person_mail("classic", "confirmation").text
    assert theirs.render(CONTENTS["guide"]).text == "Mine: Your guide: Bread for beginners\n"
    assert compile_theme([tmp_path, THEMES], "own") == 3


def test_a_broken_mail_template_is_named(tmp_path: Path) -> None:
    """Also when a theme is only compiled, as `pipeline doctor` does."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "guide.html.j2").write_text("Hello\n{% if %}")
    with pytest.raises(TemplateError, match=r"Fix .*/mail/guide\.html\.j2, line 2"):
        compile_theme([tmp_path, THEMES], "classic")
