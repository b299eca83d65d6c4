"""The editor's file: what is parsed, and how mistakes are reported; the initial text of a new file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.digest.editor.parse import parse
from pipeline.digest.editor.write import initial_text
from pipeline.model.digest import Decision, Edition
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.errors import EditorFileError
from tests.factories import MONDAY, entry, episode, stored

BREAD = entry("Bread on a stone", guid="bread")
SOUP = entry("Soup", guid="https://blog.example/?p=7")
SALT = episode("The salt road", guid="ep-14")
LINK = entry("Tide tables", feed="links", guid="tides", url="https://tides.example.org/table")
ALL = [BREAD, SOUP, SALT, LINK]
FILE = """+++
subject = "Bread, slowly"
preheader = "And a road of salt."
lead = "podcast ep-14"
leave_out = ["blog https://blog.example/?p=7"]
put_back = ["links tides"]
order = ["podcast ep-14", "blog bread"]

[notes]
"blog bread" = "Bake it *twice*."

[related]
"blog bread" = ["blog https://blog.example/?p=7", "podcast ep-14"]
"podcast ep-14" = []
+++

<!-- a remark
over two lines -->
Good morning from the quay.

## What we did

We baked.

## Useful links

- [A map](https://maps.example.org/?utm_source=x): every hearth
  in the county
- <https://bare.example.org/>
"""


def parsed(front: str = "", body: str = "") -> Overrides:
    return parse(f"+++\n{front}\n+++\n{body}", "2026-W07.md", ALL, link_feed_ids=["links"])


def refused(text: str) -> tuple[int, str]:
    with pytest.raises(EditorFileError) as found:
        parse(text, "2026-W07.md", ALL, link_feed_ids=["links"])
    return found.value.line, str(found.value)


def test_a_complete_file():
    """Settings, notes, introduction and links are parsed, comments are not, and URLs are cleaned."""
    assert parse(FILE, "2026-W07.md", ALL) == Overrides(
        subject="Bread, slowly",
        preheader="And a road of salt.",
        lead="podcast ep-14",
        leave_out=("blog https://blog.example/?p=7",),
        put_back=("links tides",),
        order=("podcast ep-14", "blog bread"),
        notes={"blog bread": "Bake it *twice*."},
        related={"blog bread": ("blog https://blog.example/?p=7", "podcast ep-14"), "podcast ep-14": ()},
        introduction_md="Good morning from the quay.\n\n## What we did\n\nWe baked.",
        links=(
            EditorLink(url="https://maps.example.org/", title="A map", note_md="every hearth in the county"),
            EditorLink(url="https://bare.example.org/"),
        ),
    )


@pytest.mark.parametrize("text", ["", "\n", "+++\n+++\n", "<!-- nothing yet -->", "## Useful links\n\n<!-- none -->\n"])
def test_an_empty_file_overrides_nothing(text: str):
    """The same holds for a file with comments only."""
    assert parse(text, "2026-W07.md", ALL) == Overrides()


def test_a_file_without_settings_is_the_introduction():
    """Windows line ends are removed."""
    assert parse("Hello.\r\n\r\nAnd more.\r\n", "2026-W07.md", ALL).introduction_md == "Hello.\n\nAnd more."


@pytest.mark.parametrize("above", ["\n", " \n\n", "\ufeff", "\ufeff\r\n"])
def test_blank_lines_before_the_settings_are_ignored(above: str):
    """A byte order mark is ignored, too; settings never become part of the introduction."""
    assert parse(above + FILE, "f.md", ALL, link_feed_ids=["links"]) == parse(
        FILE, "f.md", ALL, link_feed_ids=["links"]
    )


def test_text_that_resembles_settings_is_text():
    """A horizontal rule, a sum and a bracket belong to the introduction."""
    text = "Hello.\n\n---\n\nIn order = in peace.\n[notes] were taken.\n1 + 1"
    assert parse(text, "f.md", ALL).introduction_md == text


@pytest.mark.parametrize(
    "words",
    [
        "blog bread",
        "blog/bread",
        "bread",
        "blog https://blog.example/bread-on-a-stone",
        "http://www.blog.example/bread-on-a-stone/",
    ],
)
def test_references(words: str):
    """Feed and guid, feed and URL, the guid or the URL alone: all name the same entry."""
    assert parsed(f'lead = "{words}"').lead == "blog bread"


def test_an_entry_outside_the_week_is_searched_for():
    """Its reference has the feed id and the guid."""
    old = entry("Old", guid="old")
    found = parse(
        '+++\nput_back = ["blog old"]\n+++\n', "f.md", ALL, find_entry=lambda feed, name: old if name == "old" else None
    )
    assert found.put_back == ("blog old",)


def test_a_link_entry_in_the_editors_list_is_included_there():
    """The same page in the list and in a link feed is one link: the entry is put back."""
    assert parsed(body="## Useful links\n- [Tides](http://www.tides.example.org/table/): at last").put_back == (
        "links tides",
    )
    assert parsed(body="## Useful links\n- [Mine](https://blog.example/bread-on-a-stone): own page").put_back == ()


MISTAKES = {
    "unknown setting": (
        '+++\nsubjekt = "x"\n+++\n',
        2,
        "subjekt is not a setting of an edition: did you mean subject?",
    ),
    "far from any": ('+++\nsubject = "x"\nzzz = 1\n+++\n', 3, "the settings are subject, preheader, lead"),
    "wrong type": ("+++\nlead = 7\n+++\n", 2, "lead must be text in quotation marks, on one line"),
    "no list": ('+++\n\nleave_out = "blog bread"\n+++\n', 3, 'leave_out must be a list such as ["blog 7"]'),
    "two lines": ('+++\nsubject = """a\nb"""\n+++\n', 2, "on one line"),
    "not TOML": ("+++\nsubject = Bread\n+++\n", 2, "write settings such as subject"),
    "ends early": ('+++\norder = ["blog bread",\n+++\n', 2, "write settings such as subject"),
    "never closed": ('+++\nsubject = "x"\n', 1, "add a line +++ after them"),
    "fence of two": ("++\n# The edition 2026-W07.\n++\nHello.\n", 1, "settings begin and end with a line +++"),
    "fence of YAML": ('\n---\nsubject: "x"\n---\n', 2, "settings begin and end with a line +++"),
    "first fence gone": ("# The edition 2026-W07.\n+++\nHello.\n", 2, "settings belong at the top of the file"),
    "both fences gone": ('# The edition.\n\n# subject = "x"\nHello.\n', 3, "settings belong at the top of the file"),
    "below the fence": ('+++\n+++\nHello.\nlead = "blog bread"\n', 4, "settings belong at the top of the file"),
    "table below the fence": ("+++\n+++\n[notes]   # yours\n", 3, "settings belong at the top of the file"),
    "after a blank line": ("\n\n+++\nlead = 7\n+++\n", 4, "lead must be text"),
    "not TOML after a blank line": ("\n+++\nsubject = Bread\n+++\n", 3, "write settings such as subject"),
    "misspelt": (
        '+++\n\norder = ["blog bread", "blog bred"]\n+++\n',
        3,
        'did you mean "blog bread" (Bread on a stone)?',
    ),
    "by its title": ('+++\nlead = "bread on a stone!"\n+++\n', 2, 'did you mean "blog bread"'),
    "nothing near": ('+++\nlead = "xyzzy"\n+++\n', 2, "name it by its feed's id and its guid or URL"),
    "in and out": ('+++\nput_back = ["blog bread"]\nleave_out = ["blog bread"]\n+++\n', 2, "is in leave_out"),
    "story of nothing": ('+++\n[stories]\n"blog x".title = "hm"\n+++\n', 3, 'there is no entry "blog x"'),
    "no story": ('+++\n[stories]\n"blog bread" = "hm"\n+++\n', 3, 'such as "blog bread".title = "Bread"'),
    "no field of a story": (
        '+++\n[stories]\n"blog bread".titel = "hm"\n+++\n',
        3,
        "titel is nothing that can be set for a story: did you mean title?",
    ),
    "picture of a story": (
        '+++\n[stories]\n"blog bread".picture = "javascript:x"\n+++\n',
        3,
        '"javascript:x" is not the address of a picture: write one that begins with https://, or "" for none',
    ),
    "title of two lines": ('+++\n[stories]\n"blog bread".title = "a\\nb"\n+++\n', 3, "must be on one line"),
    "number in a story": ('+++\n[stories]\n"blog bread".alt = 3\n+++\n', 3, "the alt of a story must be text"),
    "one joined": ('+++\njoin = [["blog bread"]]\n+++\n', 2, "joined of two or more entries, each of another feed"),
    "joined twice": (
        '+++\njoin = [["blog bread", "podcast ep-14"], ["podcast ep-14", "blog bread"]]\n+++\n',
        2,
        "is joined twice",
    ),
    "no lists": ('+++\njoin = ["blog bread"]\n+++\n', 2, "join must be a list of lists"),
    "note of nothing": ('+++\n[notes]\n"blog x" = "hm"\n+++\n', 3, 'there is no entry "blog x"'),
    "note not text": ('+++\n[notes]\n"blog bread" = 3\n+++\n', 3, "a note must be text"),
    "below notes": ('+++\n[notes]\norder = "blog bread"\n+++\n', 3, "order belongs above [notes]"),
    "below related": (
        '+++\n[related]\nlead = "blog bread"\n+++\n',
        3,
        "lead belongs above [notes], [stories] and [related]",
    ),
    "one related": ('+++\n[related]\n"blog bread" = "podcast ep-14"\n+++\n', 3, 'a list such as ["blog 7"], or []'),
    "related to none": ('+++\n[related]\n"blog bread" = ["blog x"]\n+++\n', 3, 'there is no entry "blog x"'),
    "related is no table": ("+++\nrelated = false\n+++\n", 2, "related must be a table: [related]"),
    "no link": (
        "Hi.\n\n## Useful links\n- just words\n",
        4,
        "this is not a link: write - [Title](https://…): why it matters",
    ),
    "bad address": ("## Useful links\n- [x](javascript:alert(1)): no\n", 2, "this is not a link"),
    "no list item": ("## Useful links\n\nSee also:\n", 3, "may hold only lines such as"),
    "twice": ("## Useful links\n- <https://a.example/>\n- [A](http://www.a.example): b\n", 3, "in the list twice"),
    "control character": ('+++\nsubject = "Salt\x1b[2J"\n+++\n', 2, "Illegal character"),
    "escaped one": ('+++\n[notes]\n"blog bread" = "a\\u0000b"\n+++\n', 2, "the control character U+0000"),
    "one in the text": ("Good\x07 morning.\n\n## Useful links\n", 1, "the control character U+0007"),
    "one in a link": ("## Useful links\n- [A\x9d](https://a.example/): b\n", 2, "the control character U+009D"),
    "after a remark": ("<!-- one\ntwo -->\n## Useful links\n- x\n", 4, "this is not a link"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_reported_with_its_line(case: str):
    """One sentence with the file, the line and what is allowed."""
    text, line, words = MISTAKES[case]
    found_line, message = refused(text)
    assert found_line == line
    assert message.startswith(f"2026-W07.md, line {line}: ")
    assert words in message
    assert "\n" not in message


AGAIN = {"title": "What the potter kept", "url": "https://blog.example/potter", "feed_id": "blog", "guid": "potter"}
QUOTES = [{"text": f"Salt {verb}.", "note_md": f"> Salt {verb}."} for verb in ("keeps", r"\*burns\*")]
SUGGESTIONS = {
    "subject": ['Bread "on" a stone', "Salt", "Bread\nand salt"],
    "preheader": ["Also: salt"],
    "quotes": [{"feed_id": "podcast", "guid": "ep-14", "title": "Salt\nof the sea", "sentences": QUOTES}],
}
MANIFEST = {
    "stories": [{"related": [AGAIN]}],
    "archive": [AGAIN | {"title": "Marmalade", "guid": "jam"}],
    "suggestions": SUGGESTIONS,
}


def edition() -> Edition:
    return Edition(week="2026-W07", state="draft", number=1, subject='Bread "on" a stone', preheader="", html=b"",
                   text=b"", eml=b"", manifest=json.dumps(MANIFEST).encode())  # fmt: skip


def offered() -> str:
    out = Decision(feed_id="blog", guid="old", title="Old\nnews", included=False, reason="dated", published_at=MONDAY)
    groups = [(stored(LINK, 1),), (stored(BREAD, 2), stored(SALT, 3))]
    return initial_text(
        edition(), groups, [replace(out, published_at=MONDAY - timedelta(days=1))], link_feed_ids=["links"]
    )


def test_a_new_file_overrides_nothing():
    """The initial text parses to empty overrides."""
    assert parse(offered(), "f.md", ALL) == Overrides()


def test_the_examples_of_a_new_file_are_valid():
    """Every commented-out setting parses once its # is removed."""
    front, _, rest = offered().removeprefix("+++\n").partition("+++")
    lines = [
        line.removeprefix("# ") if " = " in line and not line.startswith("#  ") else line for line in front.split("\n")
    ]
    lines = [line for line in lines if not line.startswith("leave_out")]
    found = parse("+++\n" + "\n".join(lines) + "+++" + rest, "f.md", ALL)
    assert found.subject == 'Bread "on" a stone'
    assert found.lead == "blog bread"
    assert found.order == ("blog bread",)
    assert found.notes == {"blog bread": "…"}
    assert found.related == {"blog bread": ()}


def test_a_new_file_suggests_inbox_lines():
    """What is used comes first; each of the others is a setting once its # is removed, and no more than one line."""
    text = offered()
    for line in ('#   subject = "Salt"', '#   subject = "Bread and salt"', '#   preheader = "Also: salt"'):
        assert f"\n{line}\n" in text
        found = parse(text.replace(line, line[1:]), "f.md", ALL)
        assert found.subject + found.preheader == line.split('"')[1]
    assert text.count(r"Bread \"on\" a stone") == 1


def test_a_new_file_offers_sentences_of_transcripts():
    """Each as a note that quotes it, once its # is removed; below the heading of notes, which it needs."""
    text = offered()
    lines = [line for line in text.splitlines() if line.startswith('#   "podcast ep-14" = ')]
    assert len(lines) == 2
    for line, quote in zip(lines, QUOTES, strict=True):
        assert parse(text.replace(line, line[1:]), "f.md", ALL).notes == {"podcast ep-14": quote["note_md"]}
    assert "# Of the transcript of “Salt of the sea”, word for word" in text


def test_a_new_file_lists_included_and_left_out_entries():
    """Each with its reference; entries of one story together; each title on one line."""
    text = offered()
    assert '#   "links tides"' in text
    assert text.index('#   "blog bread" ') < text.index('#   "podcast ep-14"  … the same story')
    assert "Old news: dated" in text
    older = text.partition("# Older entries it links to")[2]
    assert '"blog potter"  What the potter kept' in older
    assert '"blog jam"     Marmalade' in older


def test_a_mistake_names_file_and_line() -> None:
    """For the desk in fields, for people in the message: also a mistake of TOML, at the line where it is."""
    with pytest.raises(EditorFileError) as found:
        parse('+++\nsubject = "Bread"\npreheader = \nlead = "blog bread"\n+++\n', "2026-W07.md", ALL)
    assert (found.value.file, found.value.line) == ("2026-W07.md", 3)
    assert str(found.value).startswith("2026-W07.md, line 3: ")
    assert "(at line" not in str(found.value)


def test_a_line_before_the_first_link_is_no_link() -> None:
    """Only an indented line continues a link, and there must be one."""
    for lines, number in (("Look here.\n- <https://a.example/>", 2), ("- <https://a.example/>\nLook here.", 3)):
        assert refused(f"## Useful links\n{lines}\n")[0] == number
    assert refused("## Useful links\n  indented\n")[0] == 2
