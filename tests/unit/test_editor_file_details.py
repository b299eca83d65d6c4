"""The editor's file in detail: what each mistake says, and which spellings of references, headings and links count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.digest.editor.parse import find_fences, is_links_heading, parse, without_comments
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.entry import Entry
from pipeline.model.errors import EditorFileError
from tests.factories import entry, episode

KILN = entry("The kiln", guid="kiln")
KILNS = entry("The kiln", guid="kiln-2", feed="clay")
PATH = entry("Ash", guid="2026/ash")
WORD = entry("Order", guid="order")
BARE = replace(episode("Glaze", guid="ep 3"), url="")
LINKS = [entry("Clay", feed="links", guid="clay", url="https://clay.example/"), entry("Sand", feed="links", url="")]
ALL = [KILN, KILNS, PATH, WORD, BARE, *LINKS]
NAMED = "name it by its feed's id and its guid or URL, as listed in a new editor's file and by --explain."


def front(settings: str, body: str = "") -> Overrides:
    return parse(f"+++\n{settings}\n+++\n{body}", "a.md", ALL, link_feed_ids=["links"])


def linked(*lines: str) -> Overrides:
    return parse("\n".join(["Hi.", "## Useful links", *lines]), "a.md", ALL, link_feed_ids=["links"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("fuxx = 1", "a.md, line 2: fuxx is not a setting of an edition: did you mean full?"),
        (
            "qqq = 1",
            "a.md, line 2: qqq is not a setting of an edition: the settings are subject, preheader, lead, leave_out, "
            "put_back, order, brief, full, split, join, notes, stories, related.",
        ),
        ("subject = 7", "a.md, line 2: subject must be text in quotation marks, on one line."),
        ('preheader = ["a"]', "a.md, line 2: preheader must be text in quotation marks, on one line."),
        ('lead = """\na\nb"""', "a.md, line 2: lead must be text in quotation marks, on one line."),
        ('brief = "blog kiln"', 'a.md, line 2: brief must be a list such as ["blog 7"].'),
        ('full = ["blog kiln", 7]', 'a.md, line 2: full must be a list such as ["blog 7"].'),
        ("notes = []", "a.md, line 2: notes must be a table: [notes]."),
        ("related = 1", "a.md, line 2: related must be a table: [related]."),
        (
            'subject = "a\\u0007b"',
            "a.md, line 2: the control character U+0007 cannot be published: delete it.",
        ),
        ("subject = ", 'a.md, line 2: Invalid value: write settings such as subject = "Bread".'),
        ('order = ["a",', 'a.md, line 2: Invalid value: write settings such as subject = "Bread".'),
        ('lead = "blog kilm"', 'a.md, line 2: there is no entry "blog kilm": did you mean "blog kiln" (The kiln)?'),
        ('lead = "blog/kilm"', 'a.md, line 2: there is no entry "blog/kilm": did you mean "blog kiln" (The kiln)?'),
        ('lead = "THE KILN"', 'a.md, line 2: there is no entry "THE KILN": did you mean "blog kiln" (The kiln)?'),
        ('lead = "zzz"', f'a.md, line 2: there is no entry "zzz": {NAMED}'),
        ('order = [""]', f'a.md, line 2: there is no entry "": {NAMED}'),
        ('lead = "zz\\u007a"', f'a.md: there is no entry "zzz": {NAMED}'),
        ('# lead = "zzz"\n  # zzz\nlead = "zzz"', f'a.md, line 4: there is no entry "zzz": {NAMED}'),
        (
            'leave_out = ["blog kiln"]\nput_back = ["kiln"]',
            'a.md, line 2: "blog kiln" is in leave_out: remove it there or here.',
        ),
        (
            'put_back = ["blog/kiln"]\nleave_out = ["blog kiln"]',
            'a.md, line 3: "blog kiln" is in leave_out: remove it there or here.',
        ),
        ('[notes]\n"blog kiln" = 7', "a.md, line 3: a note must be text in quotation marks."),
        (
            "[notes]\norder = 7",
            "a.md, line 3: a note must be text in quotation marks; order belongs above [notes], "
            "[stories] and [related].",
        ),
        (
            '[notes]\nlead = "x"',
            'a.md, line 3: there is no entry "lead": lead belongs above [notes], [stories] and [related].',
        ),
        (
            '[related]\n"blog kiln" = "x"',
            'a.md, line 3: related entries must be a list such as ["blog 7"], or [] for none.',
        ),
        (
            "[related]\norder = [7]",
            'a.md, line 3: related entries must be a list such as ["blog 7"], or [] for none; order belongs above '
            "[notes], [stories] and [related].",
        ),
        ('[related]\n"blog kiln" = ["lead"]', f'a.md, line 3: there is no entry "lead": {NAMED}'),
    ],
)
def test_a_mistake_in_the_settings_says_what_is_allowed(settings: str, message: str) -> None:
    """At the first line with the words that is no comment; without a line where no line has them."""
    with pytest.raises(EditorFileError) as found:
        front(settings)
    assert str(found.value) == message
    number = message.partition(": ")[0].rpartition("line ")[2]
    assert (found.value.file, found.value.line) == ("a.md", int(number) if number != "a.md" else 0)


def test_a_hint_reads_the_first_slash_as_a_blank() -> None:
    """It may end the feed's id; those after it belong to the guid."""
    entries = [replace(KILN, guid=guid) for guid in ("a bx", "a/bx")]
    with pytest.raises(EditorFileError, match='did you mean "blog a/bx"'):
        parse('+++\nlead = "blog/a/b"\n+++\n', "a.md", entries)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\n+++\nHello.", "line 3: the settings begin with +++ but do not end: add a line +++ after them."),
        ("\n -- \n", "line 2: settings begin and end with a line +++: write it so, or remove this line."),
        ("Hi\n## A\n[notes]", "line 3: settings belong at the top of the file, between two lines +++."),
        ("Hi\n\n# brief=[]", "line 3: settings belong at the top of the file, between two lines +++."),
        ("Hi\x07", "line 1: the control character U+0007 cannot be published: delete it."),
        ("+++\n+++\n\nHi\x07", "line 4: the control character U+0007 cannot be published: delete it."),
        (
            "## Useful links\nWords",
            "line 2: “Useful links” may hold only lines such as - [Title](https://…): why it matters.",
        ),
        ("## Useful links\n- x\n  y", "line 2: this is not a link: write - [Title](https://…): why it matters."),
        ("## Useful links\n- [x]()", "line 2: this is not a link: write - [Title](https://…): why it matters."),
        (
            "<!--\n-->## A\n## Useful links\n- <https://a.example/x>\n\n- [B](http://www.a.example/x/)",
            "line 6: http://www.a.example/x/ is in the list twice: keep one of the lines.",
        ),
    ],
)
def test_a_mistake_in_the_text_says_what_is_allowed(text: str, message: str) -> None:
    """With the number of the line in the file, remarks and settings included."""
    with pytest.raises(EditorFileError) as found:
        parse(text, "a.md", ALL)
    assert str(found.value) == f"a.md, {message}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ('lead = ""\norder = []', Overrides()),
        ('order = ["blog kiln", "blog/kiln", "kiln-2", "kiln"]', Overrides(order=("blog kiln", "clay kiln-2"))),
        ('brief = ["blog/2026/ash", "2026/ash"]', Overrides(brief=("blog 2026/ash",))),
        ('full = ["blog 2026/ash", "podcast ep 3"]', Overrides(full=("blog 2026/ash", "podcast ep 3"))),
        ('lead = "order"', Overrides(lead="blog order")),
        ('leave_out = ["kiln"]\nput_back = ["links clay"]\nlead = "blog order"',
         Overrides(leave_out=("blog kiln",), put_back=("links clay",), lead="blog order")),
        ('[notes]\n"blog kiln" = " \\n"\n"order" = " Hot. "', Overrides(notes={"blog order": "Hot."})),
        ('[related]\nkiln = ["order", "blog order"]\norder = []',
         Overrides(related={"blog kiln": ("blog order",), "blog order": ()})),
    ],
)  # fmt: skip
def test_settings_name_entries(settings: str, expected: Overrides) -> None:
    """Each entry once, by its feed and guid, however it was named; an empty setting is none."""
    assert front(settings) == expected


def test_the_week_comes_before_what_is_found_elsewhere() -> None:
    """And feed and guid together before a guid alone; only what is not of the week is looked up, by feed and name."""
    asked = []

    def find_entry(feed_id: str, name: str) -> Entry | None:
        asked.append((feed_id, name))
        return replace(KILN, guid="elsewhere") if feed_id == "blog" else None

    entries = [replace(KILNS, guid="blog kiln"), KILN]
    text = '+++\norder = ["blog kiln", "blog/a/b", "blog c d/e"]\n+++\n'
    assert parse(text, "a.md", entries, find_entry=find_entry).order == ("blog kiln", "blog elsewhere")
    assert asked == [("blog", "a/b"), ("blog", "c d/e")]
    with pytest.raises(EditorFileError, match="there is no entry"):
        parse('+++\nlead = "blog a"\n+++\n', "a.md", entries)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- [A](https://a.example/): Look.", ("A", "Look.")),
        ("* [A](<https://a.example/>)", ("A", "")),
        ("+ https://a.example/ – Look.", ("", "Look.")),
        ("   - [ A ]( https://a.example/ )— x: y", ("A", "x: y")),
        (r"- [A \[b\] \\](https://a.example/) - x", ("A [b] \\", "x")),
        ("- <https://a.example/>\n    - more\n\tand more", ("", "more and more")),
        ("- [](https://a.example/?utm_source=x)", ("", "")),
    ],
)
def test_lines_of_the_list(line: str, expected: tuple[str, str]) -> None:
    """Bullets of three kinds; an indented line continues the one above; a note begins after its dash or colon."""
    title, note = expected
    assert linked(line) == Overrides(
        introduction_md="Hi.", links=(EditorLink(url="https://a.example/", title=title, note_md=note),)
    )


def test_the_list_ends_at_another_heading() -> None:
    """The text after it belongs to the introduction, and a second list to the first."""
    found = linked("- <https://a.example/>", "### More", "Bye.", "# USEFUL LINKS: ##", "- <https://b.example/>")
    assert found.introduction_md == "Hi.\n### More\nBye."
    assert [link.url for link in found.links] == ["https://a.example/", "https://b.example/"]


def test_an_entry_in_the_list_is_put_back_once() -> None:
    """Only one of a link feed, with the URL of a link in the list."""
    body = "## Useful links\n- https://clay.example/\n- https://blog.example/the-kiln"
    assert front("", body).put_back == ("links clay",)
    assert front('put_back = ["blog kiln"]', body).put_back == ("blog kiln", "links clay")
    assert front('put_back = ["links clay"]', body).put_back == ("links clay",)
    assert parse(body, "a.md", ALL).put_back == ()


@pytest.mark.parametrize(
    ("lines", "fences"),
    [
        ([""], (-1, -1)),
        (["", " "], (-1, -1)),
        ([" +++ ", "+++\t", "+++"], (0, 1)),
        (["", "+++", "a", "+++", "+++"], (1, 3)),
        (["++++", "+++"], (-1, -1)),
        (["+++"], (0, -1)),
    ],
)
def test_fences(lines: list[str], fences: tuple[int, int]) -> None:
    """The first line with words, and the next one; blanks around them do not count."""
    assert find_fences(lines) == fences


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        ("Useful links", True),
        ("USEFUL LINKS", True),
        ("useful links: ##\t", True),
        ("Useful links #", True),
        ("Useful link", False),
        ("Our useful links", False),
    ],
)
def test_the_heading_of_the_list(words: str, is_one: bool) -> None:
    """In any case, with a colon or closing marks."""
    assert is_links_heading(words) is is_one


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ("a <!-- b --> c", "a  c"),
        ("a\n<!-- b\n\nc -->d<!----> e", "a\n\n\nd e"),
        ("a <!-- b\nc", "a \n"),
        ("a --> b", "a --> b"),
    ],
)
def test_remarks_are_taken_out(body: str, rest: str) -> None:
    """Lines keep their numbers; a remark that is not closed ends with the text."""
    assert without_comments(body) == rest
