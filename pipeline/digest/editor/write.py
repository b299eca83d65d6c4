"""Write the editor's file: the initial text of a new one, and its text after a change at the desk.

A new file has every setting as a comment, with the week's references to use. A change keeps what a person wrote around
it: settings change line by line, and all comments stay where they are. Notes, introduction and links are each rewritten
as a whole: their comments are kept, every ``<!-- comment -->`` above the part that held it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pipeline.digest.editor.parse import (
    COMMENT,
    FENCE,
    HEADING,
    LINK_EXAMPLE,
    find_fences,
    is_links_heading,
    without_comments,
)
from pipeline.digest.editor.settings import STORY_FIELDS
from pipeline.model.digest import Decision, Edition
from pipeline.model.edition import EditorLink, Overrides, StoryEdit
from pipeline.model.entry import Entry, StoredEntry

FRONT_MATTER_KEYS = ("subject", "preheader", "lead", "leave_out", "put_back", "order", "brief", "full", "split", "join")
"""Fields of Overrides that are single settings of the front matter."""
_TABLE = re.compile(r"\s*\[\s*[\"']?(?P<name>\w+)[\"']?\s*(?P<end>[.\]])")
"""The header of a table, or of a table in it."""
MAX_LEFT_OUT = 10
_LONG_GUID_CHARS = 40
_MAX_COLUMN_WIDTH = 70
StoryEntries = tuple[StoredEntry, ...]


def initial_text(
    edition: Edition,
    stories: Sequence[StoryEntries],
    left_out: Sequence[Decision],
    *,
    link_feed_ids: Collection[str] = (),
) -> str:
    """Return the text of a new file for a draft; unchanged, it overrides nothing.

    ``left_out`` are entries the editor may want to include; the newest ``MAX_LEFT_OUT`` are listed.
    """
    order = [short_reference(story[0].entry) for story in stories if story[0].entry.feed_id not in link_feed_ids]
    first = next(iter(order), "blog 1")
    lines = [
        FENCE,
        f"# The edition {edition.week}. The program makes its choices; what you write here overrides them.",
        "# A line that begins with # is a comment: remove the # to use it. Then run:",
        f"#     pipeline digest --week {edition.week}",
        "",
        *_suggestions("subject", edition.subject, edition),
        *_suggestions("preheader", edition.preheader, edition),
        f"# lead = {_quoted(first)}          # the story that opens the newsletter",
        f"# brief = [{_quoted(first)}]       # stories to show in one sentence; full: in full",
        f"# leave_out = [{_quoted(first)}]",
        "# put_back = []                    # entries that were left out: see below, or any other entry",
        *_examples_of_lists(order, first),
        "",
        "[notes]                            # your note on a story, as Markdown",
        f'# {_quoted(first)} = "…"',
        *_quotes(edition),
        "",
        "[stories]                          # your own title, text (Markdown), picture, alt and button of a story",
        f'# {_quoted(first)}.title = "…"',
        "",
        f"[related]                          # older entries under a story; [] for none\n# {_quoted(first)} = []",
        "",
        *_references(edition, stories, left_out),
        FENCE,
        "",
        "<!-- Your introduction goes here, in Markdown. Up to 60 words are a good length. -->",
        "",
        f"## Useful links\n\n<!-- {LINK_EXAMPLE} -->",
    ]
    return "\n".join(lines) + "\n"


def _examples_of_lists(order: Sequence[str], first: str) -> Iterator[str]:
    """Yield the settings that order, split and join stories, as comments."""
    yield f"# order = [{', '.join(map(_quoted, order))}]"
    yield f"# split = [{_quoted(first)}]       # an entry that is a story of its own"
    other = next((name for name in order if name.partition(" ")[0] != first.partition(" ")[0]), "")
    if other:
        yield f"# join = [[{_quoted(first)}, {_quoted(other)}]]  # entries that are one story"


def short_reference(entry: Entry) -> str:
    """Return an entry's reference: its feed, and its guid or, where that is long, a shorter URL."""
    use_url = entry.url and len(entry.guid) > _LONG_GUID_CHARS and len(entry.url) < len(entry.guid)
    return f"{entry.feed_id} {entry.url if use_url else entry.guid}"


def _suggestions(key: str, current: str, edition: Edition) -> Iterator[str]:
    """Yield a setting as it is and, below it, what else it could be, as comments."""
    yield f"# {key} = {_quoted(current)}"
    suggestions = json.loads(edition.manifest).get("suggestions", {}).get(key, ())
    yield from (f"#   {key} = {_quoted(text)}" for text in suggestions if text != current)


def _quotes(edition: Edition) -> Iterator[str]:
    """Yield the beginning and sentences of the episodes' transcripts as notes that quote them, as comments."""
    for story in json.loads(edition.manifest).get("suggestions", {}).get("quotes", ()):
        title = " ".join(story["title"].split())
        yield f"# Of the transcript of “{title}”, word for word: how it begins, then sentences to quote:"
        reference = _quoted(f"{story['feed_id']} {story['guid']}")
        yield from (f"#   {reference} = {_quoted(quote['note_md'])}" for quote in story["sentences"])


def _references(edition: Edition, stories: Iterable[StoryEntries], left_out: Iterable[Decision]) -> Iterator[str]:
    """Yield comments that list the references to use in the settings."""
    included = []
    for first, *others in stories:
        included.append((short_reference(first.entry), first.entry.title))
        included += [(short_reference(stored.entry), "… the same story") for stored in others]
    yield from _listed("# In this edition:", included)
    manifest = json.loads(edition.manifest)
    related = (entry for story in manifest["stories"] for entry in story["related"])
    older = [(f"{entry['feed_id']} {entry['guid']}", entry["title"]) for entry in (*related, *manifest["archive"])]
    yield from _listed("# Older entries it links to, which leave_out removes as well:", older)
    newest = sorted(left_out, key=lambda decision: decision.published_at, reverse=True)[:MAX_LEFT_OUT]
    rows = [(f"{decision.feed_id} {decision.guid}", f"{decision.title}: {decision.reason}") for decision in newest]
    yield from _listed("# Left out:", rows)


def _listed(heading: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    quoted = [(_quoted(reference), " ".join(text.split())) for reference, text in rows]
    if quoted:
        width = min(max(len(reference) for reference, _ in quoted), _MAX_COLUMN_WIDTH)
        yield heading
        yield from (f"#   {reference.ljust(width)}  {text}" for reference, text in quoted)


def _quoted(text: str) -> str:
    return to_toml(re.sub(r"[\x00-\x1f\x7f]+", " ", text))


def rewrite(text: str, old: Overrides, new: Overrides) -> str:
    r"""Return the text of a file that held the overrides ``old`` so that it holds ``new``.

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
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    lines = text.split("\n")
    start, end = find_fences(lines)
    front_matter, body = (lines[start + 1 : end], "\n".join(lines[end + 1 :])) if start >= 0 else ([], text)
    for key in FRONT_MATTER_KEYS:
        if getattr(old, key) != getattr(new, key):
            front_matter = _with_setting(front_matter, key, getattr(new, key))
    if old.notes != new.notes:
        front_matter = _with_table(front_matter, "notes", {_key(story): note for story, note in new.notes.items()})
    if old.stories != new.stories:
        front_matter = _with_table(front_matter, "stories", _story_rows(new.stories))
    if (old.introduction_md, old.links) != (new.introduction_md, new.links):
        of_introduction, of_links = _comments(body)
        introduction = new.introduction_md.replace("\r\n", "\n").strip()
        links = "\n".join(map(format_link, new.links))
        parts = filter(None, [*of_introduction, introduction, "## Useful links", *of_links, links])
        body = "\n" + "\n\n".join(parts)
    return "\n".join([FENCE, *front_matter, FENCE, body.rstrip("\n")]) + "\n"


def format_link(link: EditorLink) -> str:
    r"""Return a link as a line of the list.

    >>> format_link(EditorLink(url="https://a.example/(x)", title="Tides [new]", note_md="Worth a look."))
    '- [Tides \\[new\\]](https://a.example/%28x%29): Worth a look.'
    >>> format_link(EditorLink(url="https://a.example/"))
    '- <https://a.example/>'
    """
    url = link.url.replace("(", "%28").replace(")", "%29")
    title = re.sub(r"([\[\]\\])", r"\\\1", " ".join(link.title.split()))
    note = " ".join(link.note_md.split())
    return "- " + (f"[{title}]({url})" if title else f"<{url}>") + (f": {note}" if note else "")


def to_toml(value: str | list[str] | list[object]) -> str:
    """Return a string, or a list of strings or of lists, as TOML. JSON escapes the same characters, except for DEL.

    >>> print(to_toml('Salt, "smoke" and patience'))
    "Salt, \\"smoke\\" and patience"
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _with_setting(front_matter: Sequence[str], key: str, value: str | tuple[object, ...]) -> list[str]:
    """Set a key where it is set, else below its commented-out example, else at the top; remove it if empty."""
    toml = to_toml(" ".join(value.split()) if isinstance(value, str) else list(value))
    setting = [f"{key} = {toml}"] if value else []
    start, end = _span(front_matter, key)
    if start == end and setting:
        examples = (number for number, line in enumerate(front_matter, 1) if re.match(rf"#\s*{key}\s*=", line))
        start = end = next(examples, 0)
    return [*front_matter[:start], *setting, *front_matter[end:]]


def _story_rows(stories: Mapping[str, StoryEdit]) -> dict[str, str]:
    """Return the keys and values of [stories].

    >>> _story_rows({"blog 1": StoryEdit(title="Bread", picture_url="")})
    {'"blog 1".title': 'Bread', '"blog 1".picture': ''}
    """
    return {
        f"{_key(reference)}.{key}": value
        for reference, edit in stories.items()
        for key, name in STORY_FIELDS.items()
        if (value := getattr(edit, name)) or (value == "" and name.endswith(("_md", "_url")))
    }


def _key(reference: str) -> str:
    return to_toml(" ".join(reference.split()))


def _with_table(front_matter: Sequence[str], name: str, values: Mapping[str, str]) -> list[str]:
    r"""Replace the values of a table, or add it at the end; its comments and the other tables stay.

    >>> before = ['[notes]  # yours', '# "blog 1" = "…"', '"blog 2" = "Soup."', '[related]', '"blog 2" = []']
    >>> _with_table(before, "notes", {'"blog 1"': "Bread."})
    ['[notes]  # yours', '"blog 1" = "Bread."', '# "blog 1" = "…"', '[related]', '"blog 2" = []']
    """
    rows = [f"{key} = {to_toml(value)}" for key, value in values.items()]
    lines: list[str] = []
    header_end, table = -1, ""
    for chunk in _statements(front_matter):
        if header := _TABLE.match(chunk[0]):
            table = header["name"]
            if table == name and header_end < 0:
                lines += chunk if header["end"] == "]" else [f"[{name}]"]
                header_end = len(lines)
            elif table != name:
                lines += chunk
        elif not (set_keys := tomllib.loads("\n".join(chunk))) or name not in (table, *(() if table else set_keys)):
            lines += chunk
    if header_end < 0:
        return [*lines, "", f"[{name}]", *rows] if rows else lines
    return [*lines[:header_end], *rows, *lines[header_end:]]


def _statements(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the lines of each statement of TOML: a comment, a header, or a key with its value on one or more lines."""
    start = 0
    while start < len(lines):
        end = next(end for end in range(start + 1, len(lines) + 1) if _is_toml(lines[start:end]))
        yield lines[start:end]
        start = end


def _span(front_matter: Sequence[str], key: str) -> tuple[int, int]:
    """Return the start and end of a setting's lines, which may be several; an empty range if it is not set."""
    for start, line in enumerate(front_matter):
        if line.startswith("["):
            break  # the keys below belong to a table
        if re.match(rf"""\s*["']?{key}["']?\s*=""", line):
            ends = range(start + 1, len(front_matter) + 1)
            return start, next(end for end in ends if _is_toml(front_matter[start:end]))
    return 0, 0


def _is_toml(lines: Sequence[str]) -> bool:
    try:
        tomllib.loads("\n".join(lines))
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return True


def _comments(body: str) -> tuple[list[str], list[str]]:
    """Return the comments of the introduction and those of the links, each closed."""
    in_links = False
    lines_in_links = []
    for line in without_comments(body).split("\n"):
        if heading := HEADING.fullmatch(line):
            in_links = is_links_heading(heading["words"])
        lines_in_links.append(in_links)
    comments: tuple[list[str], list[str]] = [], []
    for match in COMMENT.finditer(body):
        comment = match[0] if match[0].endswith("-->") else f"{match[0].rstrip()} -->"
        comments[lines_in_links[body.count("\n", 0, match.start())]].append(comment)
    return comments
