"""Parse the editor's file of an edition into Overrides.

The file has TOML settings between two lines ``+++``, as config.toml writes them, and a Markdown body:

    +++
    subject = "…"
    +++
    The introduction, in Markdown.

    ## Useful links
    - [Title](https://…): why it matters

``<!-- comments -->`` are never shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.digest.editor.settings import (
    LIST,
    SETTINGS,
    TABLES,
    closest_reference,
    is_list_of_text,
    misplaced_hint,
    read_story,
    setting_problem,
    story_problem,
)
from pipeline.model.edition import EditorLink, Overrides, StoryEdit, matches
from pipeline.model.entry import Entry
from pipeline.model.errors import EditorFileError
from pipeline.text.message_headers import find_control_character
from pipeline.text.urls import clean_url, url_key

FENCE = "+++"
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
HEADING = re.compile(r"#{1,6}\s++(?P<words>.*)")
_LINK = re.compile(
    r"[-*+]\s+(?:\[(?P<title>(?:[^\]\\]|\\.)*)\]\(\s*+<?(?P<url>[^\s>)]*)>?\s*+\)|<?(?P<bare>https?://[^\s>]+)>?)\s*(?P<note>.*)"
)
_ALMOST_FENCE = re.compile(r"\s*[-+]+\s*")
_MISPLACED = re.compile(
    rf"\++|(?:#\s*+)?(?:{'|'.join(SETTINGS)})\s*+=.*+|\[(?:{'|'.join(TABLES)})\b[^\]]*+\]\s*+(?:#.*+)?"
)
"""A line of the settings, which must not be published."""
_TOML_POSITION = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")
LINKS_HEADING = "useful links"
LINK_EXAMPLE = "- [Title](https://…): why it matters"

FindEntry = Callable[[str, str], Entry | None]
"""Return an entry that is not among the candidates, by feed id and by guid or URL."""


def find_fences(lines: Sequence[str]) -> tuple[int, int]:
    """Return the indexes of the lines ``+++`` around the settings; -1 for a missing one. Blank lines may precede them.

    >>> find_fences(["", "+++", "+++", "Hello."]), find_fences(["Hello.", "+++"]), find_fences(["+++", "lead = 1"])
    ((1, 2), (-1, -1), (0, -1))
    """
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[start].strip() != FENCE:
        return -1, -1
    return start, next((index for index, line in enumerate(lines) if index > start and line.strip() == FENCE), -1)


def parse(
    text: str,
    file: str,
    entries: Sequence[Entry],
    *,
    link_feed_ids: Collection[str] = (),
    find_entry: FindEntry = lambda feed_id, name: None,
) -> Overrides:
    """Parse an editor's file; raise EditorFileError with the line and what is allowed there.

    ``file`` is its name in messages, ``entries`` are the candidates of the week. An entry of a feed in
    ``link_feed_ids`` whose URL is in the editor's own list is included there.

    >>> parse('+++\\nsubject = "Bread"\\n+++\\nGood morning.', "2026-W07.md", []).introduction_md
    'Good morning.'
    """
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    return _Parser(text=text, file=file, entries=entries, link_feed_ids=link_feed_ids, find_entry=find_entry).parse()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parser:
    """The parser of one file; line numbers count from 1."""

    text: str
    file: str
    entries: Sequence[Entry]
    link_feed_ids: Collection[str]
    find_entry: FindEntry

    def parse(self) -> Overrides:
        front_matter, body = self._split()
        settings = self._parse_settings(front_matter)
        introduction, links = self._parse_body(body)
        leave_out, put_back, order, brief, full, split = (
            self._references(settings.get(key, ()), key)
            for key in ("leave_out", "put_back", "order", "brief", "full", "split")
        )
        lead = self._reference(settings["lead"], "lead") if settings.get("lead") else ""
        for reference in put_back:
            if reference in leave_out:
                self._fail(self._line_of(reference), f'"{reference}" is in leave_out: remove it there or here')
        return Overrides(
            leave_out=leave_out,
            put_back=(*put_back, *self._linked_entries(links, put_back)),
            order=order,
            lead=lead,
            brief=brief,
            full=full,
            subject=settings.get("subject", ""),
            preheader=settings.get("preheader", ""),
            introduction_md=introduction,
            notes=self._notes(settings["notes"]),
            stories=self._story_edits(settings["stories"]),
            split=split,
            join=self._joined(settings.get("join", ())),
            links=tuple(links),
            related={
                self._reference(key, key): self._related(older, key) for key, older in settings["related"].items()
            },
        )

    def _split(self) -> tuple[list[str], list[tuple[int, str]]]:
        """Return the lines of the front matter, and the numbered lines of the body."""
        lines = self.text.split("\n")
        start, end = find_fences(lines)
        if start < 0:
            first = next((number for number, line in enumerate(lines, 1) if line.strip()), 0)
            if first and _ALMOST_FENCE.fullmatch(lines[first - 1]):
                self._fail(first, f"settings begin and end with a line {FENCE}: write it so, or remove this line")
            return [], list(enumerate(lines, 1))
        if end < 0:
            self._fail(start + 1, f"the settings begin with {FENCE} but do not end: add a line {FENCE} after them")
        padding = [""] * (start + 1)  # TOML errors then have the line numbers of the file
        return [*padding, *lines[start + 1 : end]], list(enumerate(lines[end + 1 :], end + 2))

    def _parse_settings(self, lines: Sequence[str]) -> dict[str, Any]:
        try:
            settings = tomllib.loads("\n".join(lines))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            position = _TOML_POSITION.search(str(error))
            line = int(position[1]) if position and position[1] else len(lines)
            message = _TOML_POSITION.sub("", str(error)).rstrip(".")
            raise self._error(line, f'{message}: write settings such as subject = "Bread"') from error
        for key, value in settings.items():
            if problem := setting_problem(key, value):
                self._fail(self._line_of(key), problem)
        return {name: {} for name in TABLES} | settings

    def _notes(self, notes: Mapping[str, Any]) -> dict[str, str]:
        parsed = {}
        for key, note in notes.items():
            reference = self._reference(key, key)
            if not isinstance(note, str):
                self._fail(self._line_of(key), f"a note must be text in quotation marks{misplaced_hint(key)}")
            if note.strip():
                parsed[reference] = note.strip()
        return parsed

    def _story_edits(self, stories: Mapping[str, Any]) -> dict[str, StoryEdit]:
        """Return the editor's own texts of stories; an unset field and a story without any are left out."""
        edits = {}
        for key, values in stories.items():
            reference = self._reference(key, key)
            if problem := story_problem(key, values):
                self._fail(self._line_of(key), problem)
            edits[reference] = read_story(values)
        return {reference: edit for reference, edit in edits.items() if edit != StoryEdit()}

    def _joined(self, stories: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
        """Return the references of entries that are one story: at least two in each story, of different feeds."""
        joined = tuple(self._references(story, "join") for story in stories)
        seen: set[str] = set()
        for story in joined:
            feeds = {reference.partition(" ")[0] for reference in story}
            if len(story) < 2 or len(feeds) < len(story):
                self._fail(self._line_of("join"), "a story is joined of two or more entries, each of another feed")
            if twice := seen.intersection(story):
                self._fail(self._line_of("join"), f'"{min(twice)}" is joined twice: an entry is in one story')
            seen.update(story)
        return joined

    def _related(self, value: Any, key: str) -> tuple[str, ...]:
        if not is_list_of_text(value):
            self._fail(self._line_of(key), f"related entries must be {LIST}, or [] for none{misplaced_hint(key)}")
        return self._references(value, key)

    def _references(self, names: Sequence[str], key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._reference(name, key) for name in names))

    def _reference(self, name: str, key: str) -> str:
        """Return the reference of the entry that the editor names: feed id, space, guid."""
        if name.startswith(f"{EDITOR_FEED_ID} "):  # a link of the list below, or one that was removed since
            return name
        entry = next(self._matching(name), None)
        if entry is None:
            misplaced = misplaced_hint(key)[2:] if name == key else ""
            hint = misplaced or closest_reference(name, self.entries)
            self._fail(self._line_of(name or key), f'there is no entry "{name}": {hint}')
        return f"{entry.feed_id} {entry.guid}"

    def _matching(self, words: str) -> Iterator[Entry]:
        feed_id, _, name = words.replace("/", " ", 1).partition(" ") if " " not in words else words.partition(" ")
        yield from (entry for entry in self.entries if matches(f"{feed_id} {name}", entry))
        yield from (
            entry for entry in self.entries if words == entry.guid or url_key(words) == url_key(entry.url) != ""
        )
        if entry := self.find_entry(feed_id, name):
            yield entry

    def _linked_entries(self, links: Sequence[EditorLink], put_back: Sequence[str]) -> Iterator[str]:
        """Yield the references of link entries that the editor's own list includes, so that they appear only once."""
        keys = {url_key(link.url) for link in links}
        for entry in self.entries:
            reference = f"{entry.feed_id} {entry.guid}"
            linked = entry.feed_id in self.link_feed_ids and entry.url and url_key(entry.url) in keys
            if linked and reference not in put_back:
                yield reference

    def _parse_body(self, lines: Sequence[tuple[int, str]]) -> tuple[str, list[EditorLink]]:
        """Return the introduction and the useful links."""
        text = without_comments("\n".join(line for _, line in lines))
        introduction: list[str] = []
        links: list[tuple[int, str]] = []
        in_links = False
        for number, line in enumerate(text.split("\n"), lines[0][0] if lines else 1):
            if name := find_control_character(line):
                self._fail(number, f"the control character {name} cannot be published: delete it")
            if heading := HEADING.fullmatch(line):
                in_links = is_links_heading(heading["words"])
            if not in_links:
                if _MISPLACED.fullmatch(line.strip()):
                    self._fail(number, f"settings belong at the top of the file, between two lines {FENCE}")
                introduction.append(line)
            elif line.strip() and not heading:
                self._add_line(links, number, line)
        return "\n".join(introduction).strip(), self._parse_links(links)

    def _add_line(self, links: list[tuple[int, str]], number: int, line: str) -> None:
        """Add a line of the list: a new link, or more text of the previous one."""
        if line.lstrip()[:2] in ("- ", "* ", "+ ") and not line.startswith("    "):
            links.append((number, line.strip()))
        elif links and line[:1] in (" ", "\t"):
            links[-1] = (links[-1][0], f"{links[-1][1]} {line.strip()}")
        else:
            self._fail(number, f"“Useful links” may hold only lines such as {LINK_EXAMPLE}")

    def _parse_links(self, lines: Sequence[tuple[int, str]]) -> list[EditorLink]:
        links: dict[str, EditorLink] = {}
        for number, line in lines:
            parts = _LINK.fullmatch(line)
            url = clean_url(parts["url"] or parts["bare"] or "") if parts else ""
            if not parts or not url:
                self._fail(number, f"this is not a link: write {LINK_EXAMPLE}")
            if url_key(url) in links:
                self._fail(number, f"{url} is in the list twice: keep one of the lines")
            title = re.sub(r"\\(.)", r"\1", parts["title"] or "").strip()
            links[url_key(url)] = EditorLink(url=url, title=title, note_md=parts["note"].lstrip(":–—- ").strip())
        return list(links.values())

    def _line_of(self, words: str) -> int:
        """Return the number of the line that holds the words, comments aside; 0 if there is none."""
        lines = enumerate(self.text.split("\n"), 1)
        return next((number for number, line in lines if words in line and not line.lstrip().startswith("#")), 0)

    def _error(self, line: int, message: str) -> EditorFileError:
        where = f"{self.file}, line {line}" if line else self.file
        end = "" if message.endswith((".", "?")) else "."
        return EditorFileError(f"{where}: {message}{end}", file=self.file, line=line)

    def _fail(self, line: int, message: str) -> NoReturn:
        raise self._error(line, message)


def without_comments(body: str) -> str:
    """Return a body without its ``<!-- comments -->``; lines keep their numbers."""
    return COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), body)


def is_links_heading(words: str) -> bool:
    """Return whether a heading begins the useful links."""
    return words.rstrip("# \t").rstrip(":").casefold() == LINKS_HEADING
