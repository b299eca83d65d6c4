"""The editor's file written anew: what has changed goes in, what a person wrote around it stays.

In: the text of ``editions/2026-W07.md``, what it asks for, what it is to ask for. Out: the new text. Pure.

Only what differs is touched: settings line by line, with all comments where they were; notes, introduction and links
each as a whole, with their comments and with every ``<!-- remark -->`` kept above the part it stood in.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.digest.editor.parse import FENCE, LINKS_HEADING, find_fences
from pipeline.model.edition import EditorLink, Overrides

FRONT_MATTER_KEYS = ("subject", "preheader", "lead", "leave_out", "put_back", "order")
"""Of Overrides: those that stand in the front matter."""
_REMARK = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NOTES = re.compile(r"\s*\[\s*notes\s*\]")
_HEADING = re.compile(r"#{1,6}\s+(?P<words>.*?)\s*#*\s*")


def rewrite(text: str, old: Overrides, new: Overrides) -> str:
    r"""Write into a file that asks for ``old`` what makes it ask for ``new``.

    >>> before = '+++\nsubject = "Bread"  # mine\n# lead = "blog 1"\n+++\nHello.\n'
    >>> print(rewrite(before, Overrides(subject="Bread"), Overrides(subject="Soup", lead="blog 1")))
    +++
    subject = "Soup"
    # lead = "blog 1"
    lead = "blog 1"
    +++
    Hello.
    <BLANKLINE>
    """
    front, body = _parts(text.replace("\r\n", "\n").removeprefix("\ufeff"))
    for key in FRONT_MATTER_KEYS:
        if getattr(old, key) != getattr(new, key):
            front = _with_setting(front, key, getattr(new, key))
    if old.notes != new.notes:
        front = _with_notes(front, new.notes)
    if (old.introduction_md, old.links) != (new.introduction_md, new.links):
        body = _body(body, new)
    return "\n".join([FENCE, *front, FENCE, body.rstrip("\n")]) + "\n"


def format_link(link: EditorLink) -> str:
    r"""Write a link as the list has it.

    >>> link_line(EditorLink(url="https://a.example/(x)", title="Tides [new]", note_md="Worth a look."))
    '- [Tides \\[new\\]](https://a.example/%28x%29): Worth a look.'
    >>> link_line(EditorLink(url="https://a.example/"))
    '- <https://a.example/>'
    """
    url = link.url.replace("(", "%28").replace(")", "%29")
    title = re.sub(r"([\[\]\\])", r"\\\1", " ".join(link.title.split()))
    note = " ".join(link.note_md.split())
    return "- " + (f"[{title}]({url})" if title else f"<{url}>") + (f": {note}" if note else "")


def _parts(text: str) -> tuple[list[str], str]:
    """Take front matter and body apart, as ``editor_file`` does; a file that has no settings gets none."""
    lines = text.split("\n")
    start, end = find_fences(lines)
    if start < 0:
        return [], text
    return lines[start + 1 : end], "\n".join(lines[end + 1 :])


def _with_setting(front: Sequence[str], key: str, value: str | tuple[str, ...]) -> list[str]:
    """Set a key where it stands, else below its sample, else on top; what is empty is taken out."""
    fresh = [f"{key} = {_toml(value)}"] if value else []
    start, end = _span(front, key)
    if start == end and fresh:
        sample = (number for number, line in enumerate(front, 1) if re.match(rf"#\s*{key}\s*=", line))
        start = end = next(sample, 0)
    return [*front[:start], *fresh, *front[end:]]


def _with_notes(front: Sequence[str], notes: Mapping[str, str]) -> list[str]:
    r"""Write the table of notes anew, where it stands, or at the end; comments in it stay.

    >>> _with_notes(['[notes]  # yours', '# "blog 1" = "…"', '"blog 2" = "Soup."'], {"blog 1": "Bread."})
    ['[notes]  # yours', '"blog 1" = "Bread."', '# "blog 1" = "…"']
    """
    rows = [f"{_toml(reference)} = {_quoted(note)}" for reference, note in notes.items()]
    start = next((number for number, line in enumerate(front) if _NOTES.match(line)), None)
    if start is None:
        first, last = _span(front, "notes")
        above = [*front[:first], *front[last:]]
        return [*above, "", "[notes]", *rows] if rows else above
    return [*front[: start + 1], *rows, *_remaining(front[start + 1 :])]


def _remaining(table: Sequence[str]) -> Iterator[str]:
    """Give the lines of a table that set nothing."""
    at = 0
    while at < len(table):
        end = next(end for end in range(at + 1, len(table) + 1) if _whole(table[at:end]))
        if not tomllib.loads("\n".join(table[at:end])):
            yield from table[at:end]
        at = end


def _span(front: Sequence[str], key: str) -> tuple[int, int]:
    """Find the lines a setting takes: it ends where it is whole; nothing when there is none."""
    for start, line in enumerate(front):
        if line.startswith("["):
            break  # from here on keys belong to a table
        if re.match(rf"""\s*["']?{key}["']?\s*=""", line):
            return start, next(end for end in range(start + 1, len(front) + 1) if _whole(front[start:end]))
    return 0, 0


def _whole(lines: Sequence[str]) -> bool:
    try:
        tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _toml(value: str | tuple[str, ...]) -> str:
    """Write a TOML value; what JSON escapes, TOML escapes alike, but for DEL."""
    return _quoted(" ".join(value.split()) if isinstance(value, str) else list(value))


def _quoted(plain: str | list[str]) -> str:
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


def _body(body: str, new: Overrides) -> str:
    above, among = _remarks(body)
    parts = [*above, new.introduction_md.replace("\r\n", "\n").strip(), "## Useful links", *among]
    parts.append("\n".join(map(format_link, new.links)))
    return "\n" + "\n\n".join(filter(None, parts))


def _remarks(body: str) -> tuple[list[str], list[str]]:
    """Give the remarks of the introduction and those among the links, each closed."""
    plain = _REMARK.sub(lambda found: "\n" * found[0].count("\n"), body).split("\n")
    inside = list(_among_links(plain))
    sides: tuple[list[str], list[str]] = [], []
    for found in _REMARK.finditer(body):
        remark = found[0] if found[0].endswith("-->") else f"{found[0].rstrip()} -->"
        sides[inside[body.count("\n", 0, found.start())]].append(remark)
    return sides


def _among_links(lines: Iterable[str]) -> Iterable[bool]:
    """Tell of each line whether it belongs to the useful links."""
    among = False
    for line in lines:
        if heading := _HEADING.fullmatch(line):
            among = heading["words"].rstrip(":").casefold() == LINKS_HEADING
        yield among
