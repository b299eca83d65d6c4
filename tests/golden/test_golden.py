"""The mails as they are, byte for byte. ``make golden`` writes them anew when a change is wanted."""

from __future__ import annotations

import pytest

from tests.golden.update import DIGESTS, HERE, THEME_NAMES, golden, mail


@pytest.mark.parametrize(("file", "name", "theme", "ending"), list(golden()), ids=lambda value: value)
def test_mail_is_as_it_was(file: str, name: str, theme: str, ending: str) -> None:
    """HTML, text and mail file of each hand-written digest are the very bytes that were last looked at."""
    content = mail(DIGESTS[name], theme)[ending]
    assert content.decode().split("\n") == (HERE / file).read_bytes().decode().split("\n"), "read make golden's diff"


@pytest.mark.parametrize("name", sorted(set(DIGESTS) - {"stress"}))
def test_themes_say_the_same(name: str) -> None:
    """A theme is how it looks: the text part is the same, unless one theme's weight asks for fewer words."""
    assert len({mail(DIGESTS[name], theme)["txt"] for theme in THEME_NAMES}) == 1


def test_nothing_golden_is_forgotten() -> None:
    """Every golden file is compared with something."""
    kept = {path.name for path in HERE.iterdir() if path.suffix in (".html", ".txt", ".eml")}
    assert kept == {file for file, *_ in golden()}
