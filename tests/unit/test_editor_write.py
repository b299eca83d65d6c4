"""Rewriting the editor's file: what changes, what stays, and that it parses to the same overrides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.digest.editor.parse import parse
from pipeline.digest.editor.write import rewrite
from pipeline.model.edition import EditorLink, Overrides
from tests.factories import entry

FILE = """+++
# The edition 2026-W07.
# subject = "Bread"
subject = 'As it was'   # mine
order = [
  "blog 1",   # first
  "blog 2",
]

[notes]
"blog 1" = "subject = no setting here"
+++

<!-- Your introduction goes here. -->
Good morning.

## Useful links

<!-- - [Title](https://…): why it matters -->
- [Tides](https://tides.example/): all of them
"""
ENTRIES = [entry("One", guid="1"), entry("Two", guid="2")]
LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40).map(
    lambda words: " ".join(words.split())
)


def asked(text: str) -> Overrides:
    return parse(text, "2026-W07.md", ENTRIES)


def changed(text: str, **changes: object) -> str:
    old = asked(text)
    values = {name: getattr(old, name) for name in Overrides.__slots__}
    return rewrite(text, old, Overrides(**(values | changes)))


def test_unchanged_overrides_give_the_same_file() -> None:
    """Every line stays."""
    assert changed(FILE) == FILE


def test_a_setting_is_replaced_in_place() -> None:
    """One line changes; comments, notes and the body stay."""
    before, after = FILE.splitlines(), changed(FILE, subject='Bread, "salt"').splitlines()
    assert [line for line in after if line not in before] == ['subject = "Bread, \\"salt\\""']
    assert len(before) == len(after)


def test_a_setting_of_several_lines_is_removed_completely() -> None:
    """The lines after it stay."""
    after = changed(FILE, order=())
    assert asked(after).order == ()
    assert '"blog 2"' not in after
    assert '"blog 1" = "subject = no setting here"' in after


def test_a_new_setting_is_written_above_the_tables() -> None:
    """Below [notes] a key would belong to that table."""
    assert asked(changed(FILE, lead="blog 2")).lead == "blog 2"
    assert asked(changed("+++\n[notes]\n+++\n", lead="blog 2")).lead == "blog 2"


@pytest.mark.parametrize(
    "text",
    [
        FILE,
        "",
        "+++\n+++\nHello.",
        "+++\n[notes]\n+++\n",
        '+++\nnotes = {"blog 1" = "Old."}\nsubject = "Bread"\n+++\n',
        '+++\n[notes] # mine\n"blog 1" = """Old,\nin two lines."""\n# a remark\n+++\n',
    ],
)
def test_notes_are_replaced(text: str) -> None:
    """Wherever the table is, or if there is none; everything else stays."""
    notes = {"blog 2": 'Two "lines",\n\nof *soup*.', "blog 1": "Bread."}
    before, after = asked(text), changed(text, notes=notes)
    assert asked(after) == replace(before, notes=notes)
    assert asked(changed(after, notes={})) == replace(before, notes={})
    assert ("# a remark" in after) == ("# a remark" in text)


def test_comments_are_kept() -> None:
    """Comments stay in their part of the body and are never shown."""
    after = changed(FILE, introduction_md="Good evening.", links=(EditorLink(url="https://charts.example/"),))
    introduction, _, links = after.partition("## Useful links")
    assert "<!-- Your introduction goes here. -->" in introduction
    assert "<!-- - [Title](https://…): why it matters -->" in links
    assert asked(after).introduction_md == "Good evening."
    assert [link.url for link in asked(after).links] == ["https://charts.example/"]


@pytest.mark.parametrize(
    "text", ["", "Hello.", "+++\n+++\n", "\ufeffHello.\r\n", "<!-- never closed", "## Useful links\n"]
)
def test_any_file_can_be_rewritten(text: str) -> None:
    """Without settings or text, with Windows line ends or an unclosed comment."""
    after = changed(
        text, subject="Bread", introduction_md="Good evening.", links=(EditorLink(url="https://a.example/"),)
    )
    found = asked(after)
    assert (found.subject, found.introduction_md) == ("Bread", "Good evening.")
    assert [link.url for link in found.links] == ["https://a.example/"]


@given(subject=LINE, title=LINE, preheader=LINE)
def test_all_characters_survive(subject: str, title: str, preheader: str) -> None:
    """Quotes, brackets, backslashes and other scripts are parsed as they were written."""
    if title and not title.strip("\\[]"):
        title = f"a{title}"
    link = EditorLink(url="https://a.example/", title=title)
    if "<!--" in title:
        return  # a remark, which the job refuses
    found = asked(changed(FILE, subject=subject, preheader=preheader, links=(link,)))
    assert (found.subject, found.preheader, found.links[0].title) == (subject, preheader, title)
