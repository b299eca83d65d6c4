"""Rewriting the editor's file: what changes, what stays, and that it parses to the same overrides."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.digest.editor.parse import parse
from pipeline.digest.editor.write import initial_text, rewrite, to_toml
from pipeline.model.digest import Decision, Edition
from pipeline.model.edition import EditorLink, Overrides, StoryEdit
from tests.factories import MONDAY, entry, episode, stored

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


TABLES = (
    """+++
subject = "Bread"

[stories]  # mine
"blog 1".title = "One"  # shorter
# a remark
[stories."blog 2"]
text = """
    + '"""'
    + """Two
lines."""
    + '"""'
    + """
[related]
"blog 1" = []
# the last remark
+++
"""
)


@pytest.mark.parametrize("text", ["", TABLES, '+++\nstories."blog 1".title = "One"\n+++\n'])
def test_the_texts_of_stories_are_replaced(text: str) -> None:
    """However the table was written; the tables after it and all comments stay."""
    stories = {
        "blog 2": StoryEdit(title='A "fine" one', text_md="Salt.\n\n*Sea.*", alt="Sea", button="Go"),
        "blog 1": StoryEdit(text_md="", picture_url=""),
    }
    before, after = asked(text), changed(text, stories=stories, notes={"blog 1": "Bread."})
    assert asked(after) == replace(before, stories=stories, notes={"blog 1": "Bread."})
    assert asked(changed(after, stories={}, notes={})) == replace(before, stories={})
    for remark in ("# mine", "# a remark", "# the last remark"):
        assert (remark in after) == (remark in text)


def test_notes_and_related_entries_do_not_replace_each_other() -> None:
    """A table ends where the next one begins."""
    before = asked('+++\n[notes]\n"blog 1" = "Old."\n[related]\n"blog 1" = ["blog 2"]\n+++\n')
    text = changed('+++\n[notes]\n"blog 1" = "Old."\n[related]\n"blog 1" = ["blog 2"]\n+++\n', notes={})
    assert asked(text) == replace(before, notes={})


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


@pytest.mark.parametrize(
    ("introduction", "written"),
    [("One\r\ntwo\r\n", "One\ntwo"), ("  One  ", "One"), ("", "")],
)
def test_an_introduction_is_written_with_plain_line_ends(introduction: str, written: str) -> None:
    """As a browser sends it; the comments stay, those of the links below their heading."""
    assert changed(FILE, introduction_md=introduction).partition("+++\n\n<!--")[2] == (
        " Your introduction goes here. -->\n\n" + (f"{written}\n\n" if written else "") + "## Useful links\n\n"
        "<!-- - [Title](https://…): why it matters -->\n\n- [Tides](https://tides.example/): all of them\n"
    )


def test_a_file_of_windows_is_rewritten() -> None:
    """Without its byte order mark and its line ends; one without settings gets them above its text."""
    assert changed("\ufeff" + FILE.replace("\n", "\r\n"), lead="blog 1") == changed(FILE, lead="blog 1")
    assert changed("Hello.\n", lead="blog 1") == '+++\nlead = "blog 1"\n+++\nHello.\n'


@pytest.mark.parametrize(
    ("value", "toml"),
    [("a\x7fb", '"a\\u007fb"'), ("é\n", '"é\\n"'), (["a", 'b"'], '["a", "b\\""]')],
)
def test_values_of_settings(value: str | list[str], toml: str) -> None:
    """Every character is one that TOML allows, and letters stay readable."""
    assert to_toml(value) == toml


EDITION = Edition(
    week="2026-W07",
    state="draft",
    number=1,
    subject="Bread",
    preheader="and salt",
    html=b"",
    text=b"",
    eml=b"",
    manifest=json.dumps(
        {
            "suggestions": {
                "subject": ["Bread", "Salt \x7f"],
                "quotes": [
                    {"feed_id": "podcast", "guid": "1", "title": "Kiln\n fire", "sentences": [{"note_md": "> Hot."}]}
                ],
            },
            "stories": [{"related": [{"feed_id": "blog", "guid": "old", "title": "Oven"}]}],
            "archive": [{"feed_id": "blog", "guid": "older", "title": "Frost"}],
        }
    ).encode(),
)
LONG = entry("One  more", guid="g" * 41, url="https://blog.example/one")
NEW_FILE = """\
+++
# The edition 2026-W07. The program makes its choices; what you write here overrides them.
# A line that begins with # is a comment: remove the # to use it. Then run:
#     pipeline digest --week 2026-W07

# subject = "Bread"
#   subject = "Salt  "
# preheader = "and salt"
# lead = "blog https://blog.example/one"          # the story that opens the newsletter
# brief = ["blog https://blog.example/one"]       # stories to show in one sentence; full: in full
# leave_out = ["blog https://blog.example/one"]
# put_back = []                    # entries that were left out: see below, or any other entry
# order = ["blog https://blog.example/one"]
# split = ["blog https://blog.example/one"]       # an entry that is a story of its own

[notes]                            # your note on a story, as Markdown
# "blog https://blog.example/one" = "…"
# Of the transcript of “Kiln fire”, word for word: how it begins, then sentences to quote:
#   "podcast 1" = "> Hot."

[stories]                          # your own title, text (Markdown), picture, alt and button of a story
# "blog https://blog.example/one".title = "…"

[related]                          # older entries under a story; [] for none
# "blog https://blog.example/one" = []

# In this edition:
#   "blog https://blog.example/one"  One more
#   "podcast 1"                      … the same story
#   "links 2"                        Two
# Older entries it links to, which leave_out removes as well:
#   "blog old"    Oven
#   "blog older"  Frost
# Left out:
"""


def test_a_new_file_lists_what_there_is() -> None:
    """Every setting as a comment, and the references to use: the newest ten of what was left out."""
    stories = [
        (stored(LONG), stored(episode("One", guid="1"), 2)),
        (stored(entry("Two", feed="links", guid="2"), 3),),
    ]
    left_out = [
        Decision(
            feed_id="blog",
            guid=f"{number}",
            title="Salt",
            included=False,
            reason="dated earlier",
            published_at=MONDAY + timedelta(days=number % 12),
        )
        for number in range(101, 113)
    ]
    written = initial_text(EDITION, stories, left_out, link_feed_ids=("links",))
    head, _, tail = written.partition("# Left out:\n")
    assert f"{head}# Left out:\n" == NEW_FILE
    listed, _, body = tail.partition("+++\n")
    order = (107, 106, 105, 104, 103, 102, 101, 112, 111, 110)
    by_date = sorted(order, key=lambda number: number % 12, reverse=True)
    assert listed.splitlines() == [f'#   "blog {number}"  Salt: dated earlier' for number in by_date]
    assert body.startswith("\n<!-- Your introduction goes here")
    assert '# lead = "blog 1" ' in initial_text(EDITION, [], [])
