"""Golden files: rendered digests, byte for byte. ``make golden`` writes them anew after a wanted change."""

from __future__ import annotations

import pytest

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
