"""Golden files: rendered digests, byte for byte. ``make golden`` writes them anew after a wanted change."""

from __future__ import annotations

import pytest

from tests.golden.person_mails import CONTENTS, MAILS, golden_mails, person_mail
from tests.golden.update import CHECKS, DIGESTS, HERE, THEME_NAMES, golden, mail


@pytest.mark.parametrize(("file", "name", "theme", "ending"), list(golden()), ids=lambda value: value)
def test_files_are_unchanged(file: str, name: str, theme: str, ending: str) -> None:
    """HTML, text and message file of each hand-written digest equal the golden files."""
    content = mail(DIGESTS[name], theme)[ending]
    assert content.decode().split("\n") == (HERE / file).read_bytes().decode().split("\n"), "read make golden's diff"


@pytest.mark.parametrize("name", sorted(set(DIGESTS) - {"stress"}))
def test_themes_have_the_same_text(name: str) -> None:
    """The text part is the same in every theme, unless one has to be shortened."""
    assert len({mail(DIGESTS[name], theme)["txt"] for theme in THEME_NAMES}) == 1


def test_every_golden_file_is_compared() -> None:
    """There is no golden file without a test."""
    kept = {path.name for path in HERE.iterdir() if path.suffix in (".html", ".txt", ".eml")}
    assert kept == {CHECKS.name, *(file for file, *_ in golden())}


@pytest.mark.parametrize("file", golden_mails())
def test_mails_to_one_person_are_unchanged(file: str) -> None:
    """The text of each kind, and its HTML in one theme, equal the golden files."""
    assert golden_mails()[file].decode().split("\n") == (MAILS / file).read_bytes().decode().split("\n")
    assert {path.name for path in MAILS.iterdir()} == set(golden_mails())


@pytest.mark.parametrize("theme", THEME_NAMES)
@pytest.mark.parametrize("name", CONTENTS)
def test_mails_to_one_person_have_the_same_text_in_every_theme(theme: str, name: str) -> None:
    """Themes change only the HTML."""
    assert person_mail(theme, name).text == person_mail("classic", name).text
