"""Changing settings in config.toml leaves every other byte unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import change_settings, read_settings, undo_change
from pipeline.config.settings_edit import format_settings, set_values
from pipeline.model.errors import ConfigError, RefusedError

CONFIG = """\
# Ours. Do not sort.
[publication]
name = "Harbour & Hearth"   # as on the sign
url = 'https://h.example/'
sender='H <h@h.example>'
# accent = "#1d5c63"

# When it goes out
[schedule]
"send" = "fri 07:00" # was "thu 07:00"
  draft   =   'thu 16:00'

[[feeds]]
id = "blog"
url = "https://h.example/feed"
kind = "blog"
"""


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_values_are_replaced_where_they_are(tmp_path: Path, line_break: str) -> None:
    """Comments, order, spacing, line ends and the byte order mark stay; undoing restores the same bytes."""
    path = tmp_path / "config.toml"
    before = b"\xef\xbb\xbf" + CONFIG.replace("\n", line_break).encode()
    path.write_bytes(before)
    values = {
        ("publication", "name"): 'Salt "&" \\ Bread',
        ("publication", "accent"): "#135e4b",
        ("schedule", "send"): "",
        ("schedule", "draft"): "wed 16:00",
        ("digest", "theme"): "journal",
    }
    change = change_settings(path, values, "everything")
    expected = (
        CONFIG.replace('"Harbour & Hearth"', r'"Salt \"&\" \\ Bread"')
        .replace("example>'\n", 'example>\'\naccent = "#135e4b"\n')
        .replace('"fri 07:00"', '""')
        .replace("'thu 16:00'", '"wed 16:00"')
    ) + '\n[digest]\ntheme = "journal"\n'
    assert path.read_bytes() == b"\xef\xbb\xbf" + expected.replace("\n", line_break).encode()
    assert read_settings(path, list(values)) == values
    undo_change(path, change.id)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        'publication = { name = "N" }\n',
        'publication.name = "N"\n',
        '[publication]\nname = """N"""\n',
        '[publication]\nname = """\nN"""\n',
        "[publication]\nname = '''N'''\n",
    ],
)
def test_what_is_written_otherwise_is_refused(text: str) -> None:
    """Inline tables, dotted keys and long strings are left to the person who wrote them."""
    with pytest.raises(RefusedError, match="nothing was changed"):
        set_values(text, {("publication", "name"): "M"})


def test_lines_in_strings_are_no_settings() -> None:
    """A line of a string that looks like a setting or a section is not changed."""
    text = '[publication]\nreason = """\n[publication]\nname = "no"\n"""\nname = "N"\n'
    changed = set_values(text, {("publication", "name"): "M"})
    assert changed == text.replace('name = "N"', 'name = "M"')


def test_a_section_without_a_last_line_break_gets_one() -> None:
    """A setting, or a section, is added on a line of its own."""
    text = '[publication]\nname = "N"'
    assert set_values(text, {("publication", "fonts"): "serif"}) == text + '\nfonts = "serif"\n'
    assert set_values(text, {("digest", "theme"): "letter"}) == text + '\n\n[digest]\ntheme = "letter"\n'
    assert set_values("", {("digest", "theme"): "letter"}) == '[digest]\ntheme = "letter"\n'


def test_an_invalid_value_is_not_written(tmp_path: Path) -> None:
    """The loader refuses the new text before it replaces the old one."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    with pytest.raises(ConfigError, match='send = "noon" is not allowed'):
        change_settings(path, {("schedule", "send"): "noon"}, "")
    assert path.read_text() == CONFIG


def test_lines_to_put_into_the_file_are_valid() -> None:
    """They are what ``set_values`` makes of an empty file."""
    values = {("publication", "name"): 'a "b"\x7f', ("publication", "tagline"): "t", ("digest", "theme"): "letter"}
    assert format_settings(values) == set_values("", values)
