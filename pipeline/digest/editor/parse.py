"""The editor's file of an edition: what a person asks for instead of what the program would choose.

In: the text of ``editions/2026-W07.md``, the entries that may be named. Out: Overrides, or EditorFileError with the
line and what is allowed. Pure.

    +++
    subject = "…"            TOML, as in config.toml: an editor learns one way to write settings, and no parser is added
    +++
    The introduction, in Markdown.

    ## Useful links
    - [Title](https://…): why it matters

What stands in ``<!-- -->`` is a remark and is never shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from pipeline.model.edition import EditorLink, Overrides, matches
from pipeline.model.entry import Entry
from pipeline.model.errors import EditorFileError
from pipeline.text.urls import clean_url, url_key

FENCE = "+++"
_LINE, _LIST, _NOTES, _RELATED = (
    "text in quotation marks, on one line",
    'a list such as ["blog 7"]',
    "a table of its own: [notes]",
    "a table of its own: [related]",
)
SETTINGS: Mapping[str, str] = {
    "subject": _LINE,
    "preheader": _LINE,
    "lead": _LINE,
    "leave_out": _LIST,
    "put_back": _LIST,
    "order": _LIST,
    "notes": _NOTES,
    "related": _RELATED,
}
_REMARK = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HEADING = re.compile(r"#{1,6}\s+(?P<words>.*?)\s*#*\s*")
_ITEM = re.compile(
    r"[-*+]\s+(?:\[(?P<title>(?:[^\]\\]|\\.)*)\]\(\s*<?(?P<url>[^\s>)]*)>?\s*\)|<?(?P<bare>https?://[^\s>]+)>?)\s*(?P<note>.*)"
)
_NEARLY_FENCE = re.compile(r"\s*[-+]+\s*")
_ASTRAY = re.compile(rf"\s*(?:\++|(?:#\s*)?(?:{'|'.join(SETTINGS)})\s*=.*|\[(?:notes|related)\]\s*(?:#.*)?)\s*")
"""A line of the settings, which nobody is to read in the mail."""
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")
LINKS_HEADING = "useful links"
LINK_EXAMPLE = "- [Title](https://…): why it matters"

FindEntry = Callable[[str, str], Entry | None]
"""Looks for an entry that is not at hand, by feed id and by guid or address."""


def find_fences(lines: Sequence[str]) -> tuple[int, int]:
    """Find the lines ``+++`` around the settings, from 0; -1 for one that is missing. Above them may be blank lines.

    >>> fences(["", "+++", "+++", "Hello."]), fences(["Hello.", "+++"]), fences(["+++", "lead = 1"])
    ((1, 2), (-1, -1), (0, -1))
    """
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[start].strip() != FENCE:
        return -1, -1
    return start, next((number for number, line in enumerate(lines) if number > start and line.strip() == FENCE), -1)


def parse(
    text: str,
    file: str,
    entries: Sequence[Entry],
    *,
    link_feed_ids: Collection[str] = (),
    find_entry: FindEntry = lambda feed_id, name: None,
) -> Overrides:
    """Read an editor's file.

    ``file`` is what messages call it, ``entries`` are those a person may have in mind, ``link_feed_ids`` the ids of the
    feeds that carry links: what of theirs stands in the editor's own list is told there.

    >>> read('+++\\nsubject = "Bread"\\n+++\\nGood morning.', "2026-W07.md", []).introduction_md
    'Good morning.'
    """
    plain = text.replace("\r\n", "\n").removeprefix("\ufeff")
    return _Reader(text=plain, file=file, entries=entries, link_feeds=link_feed_ids, find=find_entry).read()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """One file being read; line numbers count from 1."""

    text: str
    file: str
    entries: Sequence[Entry]
    link_feeds: Collection[str]
    find: FindEntry

    def read(self) -> Overrides:
        front, body = self._parts()
        said = self._front(front)
        introduction, links = self._body(body)
        leave_out, put_back, order = (
            self._references(said.get(key, ()), key) for key in ("leave_out", "put_back", "order")
        )
        lead = self._reference(said["lead"], "lead") if said.get("lead") else ""
        for each in dict.fromkeys((*put_back, lead)):
            if each in leave_out:
                self._fail(self._line_of(each), f'"{each}" is in leave_out, so it cannot be asked for, too')
        notes = {self._reference(key, key): self._words(note, key) for key, note in said["notes"].items()}
        return Overrides(
            leave_out=leave_out,
            put_back=(*put_back, *self._taken_up(links, put_back)),
            order=order,
            lead=lead,
            subject=said.get("subject", ""),
            preheader=said.get("preheader", ""),
            introduction_md=introduction,
            notes={reference: note for reference, note in notes.items() if note},
            links=tuple(links),
            related={self._reference(key, key): self._pieces(older, key) for key, older in said["related"].items()},
        )

    def _parts(self) -> tuple[list[str], list[tuple[int, str]]]:
        """Take the front matter and the body apart; the body's lines keep their numbers."""
        lines = self.text.split("\n")
        start, end = find_fences(lines)
        if start < 0:
            first = next((number for number, line in enumerate(lines, 1) if line.strip()), 0)
            if first and _NEARLY_FENCE.fullmatch(lines[first - 1]):
                self._fail(first, f"settings begin and end with a line {FENCE}: write it so, or take this line out")
            return [], list(enumerate(lines, 1))
        if end < 0:
            self._fail(start + 1, f"the settings begin with {FENCE} and never end: close them with a line {FENCE}")
        above = [""] * (start + 1)  # so that lines count as an editor counts them
        return [*above, *lines[start + 1 : end]], list(enumerate(lines[end + 1 :], end + 2))

    def _front(self, lines: Sequence[str]) -> dict[str, Any]:
        try:
            said = tomllib.loads("\n".join(lines))
        except tomllib.TOMLDecodeError as broken:
            at = _AT_LINE.search(str(broken))
            line = int(at[1]) if at and at[1] else len(lines)
            what = _AT_LINE.sub("", str(broken)).rstrip(".")
            raise self._error(line, f'{what}: write settings such as subject = "Bread"') from broken
        for key, value in said.items():
            self._check(key, value)
        return {"notes": {}, "related": {}} | said

    def _check(self, key: str, value: Any) -> None:
        if key not in SETTINGS:
            near = get_close_matches(key, SETTINGS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(SETTINGS)}."
            self._fail(self._line_of(key), f"{key} is no setting of an edition: {hint}")
        allowed = SETTINGS[key]
        fits = {
            _LINE: isinstance(value, str) and "\n" not in value,
            _LIST: isinstance(value, list) and all(isinstance(each, str) for each in value),
            _NOTES: isinstance(value, dict),
            _RELATED: isinstance(value, dict),
        }[allowed]
        if not fits:
            self._fail(self._line_of(key), f"{key} must be {allowed}")

    def _words(self, value: Any, key: str) -> str:
        if not isinstance(value, str):
            self._fail(self._line_of(key), f"a note must be text in quotation marks{_above(key)}")
        return value.strip()

    def _pieces(self, value: Any, key: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._fail(self._line_of(key), f"what is related must be {_LIST}, or [] for nothing{_above(key)}")
        return self._references(value, key)

    def _references(self, words: Sequence[str], key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._reference(each, key) for each in words))

    def _reference(self, words: str, key: str) -> str:
        """Find the entry that is meant, and name it as the program does: feed id, a blank, guid."""
        entry = next(self._meant(words), None)
        if entry is None:
            belongs = _above(key)[2:] if words == key else ""
            hint = belongs or _nearest(words, self.entries)
            self._fail(self._line_of(words), f'there is no entry "{words}": {hint}')
        return f"{entry.feed_id} {entry.guid}"

    def _meant(self, words: str) -> Iterator[Entry]:
        feed_id, _, name = words.replace("/", " ", 1).partition(" ") if " " not in words else words.partition(" ")
        address = url_key(words)
        yield from (entry for entry in self.entries if matches(f"{feed_id} {name}", entry))
        yield from (
            entry for entry in self.entries if words == entry.guid or (address and address == url_key(entry.url))
        )
        if found := self.find(feed_id, name):
            yield found

    def _taken_up(self, links: Sequence[EditorLink], put_back: Sequence[str]) -> Iterator[str]:
        """Name the entries that the editor's own list tells: they are carried with it, and not told twice."""
        addresses = {url_key(link.url) for link in links}
        for entry in self.entries:
            reference = f"{entry.feed_id} {entry.guid}"
            told = entry.feed_id in self.link_feeds and entry.url and url_key(entry.url) in addresses
            if told and reference not in put_back:
                yield reference

    def _body(self, lines: Sequence[tuple[int, str]]) -> tuple[str, list[EditorLink]]:
        """Take the introduction and the useful links apart."""
        plain = _REMARK.sub(lambda found: "\n" * found[0].count("\n"), "\n".join(line for _, line in lines))
        introduction: list[str] = []
        items: list[tuple[int, str]] = []
        among_links = False
        for number, line in enumerate(plain.split("\n"), lines[0][0] if lines else 1):
            heading = _HEADING.fullmatch(line)
            if heading:
                among_links = heading["words"].rstrip(":").casefold() == LINKS_HEADING
            if not among_links:
                self._own(number, line)
                introduction.append(line)
            elif line.strip() and not heading:
                self._add(items, number, line)
        return "\n".join(introduction).strip(), self._links(items)

    def _own(self, number: int, line: str) -> None:
        """Refuse a setting among the words that readers get."""
        if _ASTRAY.fullmatch(line):
            self._fail(number, f"settings stand at the head of the file, between two lines {FENCE}, and nowhere else")

    def _add(self, items: list[tuple[int, str]], number: int, line: str) -> None:
        """Take a line of the list: an item, or more of the item before."""
        if line.lstrip()[:2] in ("- ", "* ", "+ ") and not line.startswith("    "):
            items.append((number, line.strip()))
        elif items and line[:1] in (" ", "\t"):
            items[-1] = (items[-1][0], f"{items[-1][1]} {line.strip()}")
        else:
            self._fail(number, f"under “Useful links” there are only lines such as {LINK_EXAMPLE}")

    def _links(self, items: Sequence[tuple[int, str]]) -> list[EditorLink]:
        links: dict[str, EditorLink] = {}
        for number, item in items:
            found = _ITEM.fullmatch(item)
            url = clean_url(found["url"] or found["bare"] or "") if found else ""
            if not found or not url:
                self._fail(number, f"this is no link: write {LINK_EXAMPLE}")
            if url_key(url) in links:
                self._fail(number, f"{url} is in the list twice: keep one of the lines")
            title = re.sub(r"\\(.)", r"\1", found["title"] or "").strip()
            links[url_key(url)] = EditorLink(url=url, title=title, note_md=found["note"].lstrip(":–—- ").strip())
        return list(links.values())

    def _line_of(self, words: str) -> int:
        """Find the line something stands in, comments aside."""
        lines = enumerate(self.text.split("\n"), 1)
        return next((number for number, line in lines if words in line and not line.lstrip().startswith("#")), 0)

    def _error(self, line: int, message: str) -> EditorFileError:
        where = f"{self.file}, line {line}" if line else self.file
        end = "" if message.endswith((".", "?")) else "."
        return EditorFileError(f"{where}: {message}{end}", file=self.file, line=line)

    def _fail(self, line: int, message: str) -> NoReturn:
        raise self._error(line, message)


def _above(key: str) -> str:
    """Say where a setting belongs that was found below the name of a table."""
    return f"; {key} belongs above [notes] and [related]" if key in SETTINGS else ""


def _nearest(words: str, entries: Sequence[Entry]) -> str:
    """Say which reference comes nearest, by its spelling or by the entry's title."""
    names = {f"{entry.feed_id} {entry.guid}": entry for entry in entries}
    titles = {entry.title.casefold(): name for name, entry in reversed(names.items())}
    near = get_close_matches(words.replace("/", " ", 1), names, n=1, cutoff=0.5)
    near = near or [titles[title] for title in get_close_matches(words.casefold(), titles, n=1, cutoff=0.6)]
    if near:
        return f'did you mean "{near[0]}" ({names[near[0]].title})?'
    return "name it by its feed's id and its guid or address, as the comments of a new file and --explain do."
