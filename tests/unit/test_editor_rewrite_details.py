"""Rewriting the editor's file in detail: the lines that change, and how references, links and values are written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.digest.editor.parse import parse
from pipeline.digest.editor.write import format_link, initial_text, rewrite, short_reference
from pipeline.model.digest import Decision, Edition
from pipeline.model.edition import EditorLink, Overrides
from tests.factories import MONDAY, entry, stored

ALL_SET = {
    "subject": "S",
    "preheader": "P",
    "lead": "blog 1",
    "leave_out": ("blog 1",),
    "put_back": ("blog 2",),
    "order": ("blog 2", "blog 1"),
    "brief": ("blog 1",),
    "full": ("blog 2",),
}


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ("", {"lead": "blog 1"}, 'lead = "blog 1"\n'),
        ("# a", {"lead": "blog 1"}, 'lead = "blog 1"\n# a'),
        (
            '# a\n#lead="x"\n#  lead = "y"\n# b',
            {"lead": "blog 1"},
            '# a\n#lead="x"\nlead = "blog 1"\n#  lead = "y"\n# b',
        ),
        ("#   subject = x\n# mislead = 1", {"lead": "blog 1"}, 'lead = "blog 1"\n#   subject = x\n# mislead = 1'),
        ('a = 1\n  "lead"="x" # y\nb = 2', {"lead": "blog 1"}, 'a = 1\nlead = "blog 1"\nb = 2'),
        ("leader = 1\n'lead' = 'x'", {"lead": ""}, "leader = 1"),
        ('[notes]\nlead = "x"', {"lead": "blog 1"}, 'lead = "blog 1"\n[notes]\nlead = "x"'),
        ('[notes]\nlead = "x"', {"lead": ""}, '[notes]\nlead = "x"'),
        ('order = [\n"a", # b\n]\n# c\nlead = "x"', {"order": ("b c",)}, 'order = ["b c"]\n# c\nlead = "x"'),
        ('order = [\n"a", # b\n]\n# c', {"order": ()}, "# c"),
        ('subject = """a\nb"""\n# c', {"subject": " é\n  x "}, 'subject = "é x"\n# c'),
        ("# lead =\n", {"brief": ("a", "b")}, 'brief = ["a", "b"]\n# lead =\n'),
        (
            "",
            {**ALL_SET, "notes": {"blog  1": "N\n2"}},
            'full = ["blog 2"]\nbrief = ["blog 1"]\norder = ["blog 2", "blog 1"]\nput_back = ["blog 2"]\n'
            'leave_out = ["blog 1"]\nlead = "blog 1"\npreheader = "P"\nsubject = "S"\n\n\n[notes]\n"blog 1" = "N\\n2"',
        ),
        ("# a", {"notes": {"b": "c"}}, '# a\n\n[notes]\n"b" = "c"'),
        ('notes = {a = "b"}\n# c', {"notes": {"b": "c"}}, '# c\n\n[notes]\n"b" = "c"'),
        ('# a\nnotes = {a = "b"}\n# c', {"notes": {}}, "# a\n# c"),
        ('[notes]\na = "b"\n# c', {"notes": {}}, "[notes]\n# c"),
        ("# a", {"notes": {}}, "# a"),
        (
            'x = 1\n [ notes ] # d\n# a\n"b" = """c\n\nd"""\n\n"e" = "f"\n# g',
            {"notes": {"b": "c", "d": "é"}},
            'x = 1\n [ notes ] # d\n"b" = "c"\n"d" = "é"\n# a\n\n# g',
        ),
    ],
)
def test_lines_of_settings(before: str, changes: dict[str, object], after: str) -> None:
    """In place, else below the first example, else at the top; only what differs from before is touched."""
    old = Overrides(subject="old", lead="old", order=("old",), notes={"blog 1": "old"})
    new = replace(old, **changes)  # type: ignore[arg-type]
    assert rewrite(f"+++\n{before}\n+++\nHi.\n", old, new) == f"+++\n{after}\n+++\nHi.\n"


@pytest.mark.parametrize(
    ("body", "changes", "after"),
    [
        ("", {"introduction_md": "Hi."}, "\nHi.\n\n## Useful links"),
        ("Old.\n\n\n", {}, "Old."),
        (
            "<!-- a -->\nOld. <!-- b -->\n## Useful links\n- x <!-- c -->\n# More\n<!-- d\ne -->",
            {"introduction_md": "\n Hi.\r\nYou. "},
            "\n<!-- a -->\n\n<!-- b -->\n\n<!-- d\ne -->\n\nHi.\nYou.\n\n## Useful links\n\n<!-- c -->",
        ),
        (
            "<!-- ## Useful links\n-->a <!-- b \n",
            {"links": (EditorLink(url="https://a.example/"), EditorLink(url="https://b.example/", note_md="N"))},
            "\n<!-- ## Useful links\n-->\n\n<!-- b -->\n\n## Useful links\n\n"
            "- <https://a.example/>\n- <https://b.example/>: N",
        ),
    ],
)
def test_the_text_below_the_settings(body: str, changes: dict[str, object], after: str) -> None:
    """Remarks stay, each in its part, before the introduction and before the links."""
    old = Overrides()
    assert rewrite(f"+++\n+++\n{body}", old, replace(old, **changes)) == f"+++\n+++\n{after}\n"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("link", "line"),
    [
        (EditorLink(url="https://a.example/"), "- <https://a.example/>"),
        (EditorLink(url="https://a.example/", note_md=" x\n y "), "- <https://a.example/>: x y"),
        (EditorLink(url="https://a.example/(1)(2)", title="A"), "- [A](https://a.example/%281%29%282%29)"),
        (EditorLink(url="https://a.example/", title=" a\n[b] \\ c"), r"- [a \[b\] \\ c](https://a.example/)"),
    ],
)
def test_links_are_lines(link: EditorLink, line: str) -> None:
    """One each, with escaped brackets."""
    assert format_link(link) == line


@pytest.mark.parametrize(
    ("guid", "url", "reference"),
    [
        ("g" * 40, "u", f"blog {'g' * 40}"),
        ("g" * 41, "u", "blog u"),
        ("g" * 41, "", f"blog {'g' * 41}"),
        ("g" * 41, "u" * 40, f"blog {'u' * 40}"),
        ("g" * 41, "u" * 41, f"blog {'g' * 41}"),
        ("g", "", "blog g"),
    ],
)
def test_a_reference_is_short(guid: str, url: str, reference: str) -> None:
    """The URL stands for a guid of more than 40 characters if it is shorter."""
    assert short_reference(entry("A", guid=guid, url=url)) == reference


def draft(manifest: dict[str, object], subject: str = "S") -> Edition:
    values = {"stories": [], "archive": []} | manifest
    return Edition(week="2026-W07", state="draft", number=1, subject=subject, preheader="", html=b"", text=b"", eml=b"",
                   manifest=json.dumps(values).encode())  # fmt: skip


def test_a_new_file_of_an_empty_week() -> None:
    """No list without an entry, and no suggestion without one; the text below the settings is a remark."""
    text = initial_text(draft({}), [], [])
    for words in ("In this edition", "Older entries", "Left out", "Of the transcript", "#   subject", "#   preheader"):
        assert words not in text
    assert '# subject = "S"\n# preheader = ""\n# lead = "blog 1"' in text
    assert "\n# order = []\n" in text
    assert text.endswith(
        '[] for none\n# "blog 1" = []\n\n+++\n\n'
        "<!-- Your introduction goes here, in Markdown. Up to 60 words are a good length. -->\n\n"
        "## Useful links\n\n<!-- - [Title](https://…): why it matters -->\n"
    )
    assert parse(text, "a.md", []) == Overrides()


def test_lists_of_a_new_file_are_columns() -> None:
    """As wide as the longest reference, or 70 characters; the newest come first."""
    stories = [(stored(entry("One\n two", guid="a"), 1),), (stored(entry("Two", feed="links", guid="b"), 2),)]
    left_out = [
        Decision(feed_id="blog", guid="c" * length, title="T", included=False, reason="r", published_at=MONDAY)
        for length in (60, 80, 3)
    ]
    lines = initial_text(draft({}), stories, left_out).splitlines()
    assert '# order = ["blog a", "links b"]' in lines
    assert lines[lines.index("# In this edition:") + 1 :][:2] == ['#   "blog a"   One two', '#   "links b"  Two']
    assert lines[lines.index("# Left out:") + 1 :][:3] == [
        f'#   "blog {"c" * 60}"     T: r',
        f'#   "blog {"c" * 80}"  T: r',
        f'#   "blog ccc"{" " * 60}  T: r',
    ]


def test_suggestions_of_a_new_file() -> None:
    """Below the setting, without the one in use; control characters become one blank."""
    manifest = {
        "suggestions": {
            "subject": ["A", "S\x00\x1f\x7f!", "B \x20é"],
            "quotes": [{"feed_id": "p", "guid": "1", "title": "T", "sentences": []}],
        }
    }
    text = initial_text(draft(manifest, "S\x00\x1f\x7f!"), [], [])
    assert '# subject = "S !"\n#   subject = "A"\n#   subject = "B  é"\n# preheader = ""\n# lead' in text
    assert "# Of the transcript of “T”, word for word: how it begins, then sentences to quote:\n\n[stories]" in text
