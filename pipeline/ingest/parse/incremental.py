"""Leave known items out before the slow parser sees them.

In: a document as it came, and the marks of the items that were in it the last time. Out: a ParsedFeed of the others,
and which of the known ones are still there, in the document's order. Touches nothing.

A *mark* is a fingerprint of an item as it is written and of what has a say in how it is read: the head of the document
(its dates aside), its address, the reader's own version. So an item whose mark is known would be read as it was read.
It begins with a fingerprint of the item's own name, so that items of one name are noticed without being read. Where
items cannot be told apart by their own names, everything is read.

A document is cut at its items, and a parser sees what is around them and those that are not known. That is enough: what
was once well-formed between two tags is so again, in the same place of the same head.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256

from lxml import etree

from pipeline.ingest.parse import parser as sources
from pipeline.ingest.parse import rss
from pipeline.ingest.parse.decode import decode
from pipeline.ingest.parse.extensions import element_guid, qualified_name
from pipeline.ingest.parse.xml_document import (
    Element,
    XmlDocument,
    drop_oversized_tags,
    parse_xml,
    parse_xml_strict,
    strip_prolog,
)
from pipeline.ingest.parse.xml_split import SplitText, split_elements
from pipeline.model.entry import Entry, EntryIdentity, ParsedFeed
from pipeline.model.feed import Channel
from pipeline.text.plain_text import clean_title

PARSER_VERSION = 2
"""Raise it when the same item is read otherwise than before: every feed is then read whole, once."""
_READER = f"{PARSER_VERSION} {' '.join(each.name for each in fields(Entry))}"
_NAME_DIGITS = 16
_MARK_DIGITS = 32
"""Of what is written; the name's come before them."""
_DATES = frozenset({"lastBuildDate", "pubDate", "updated", "modified", "date"})
"""What says in a feed's head that it was built anew, and nothing else."""
_BASE = re.compile(r"base(?<=[\s:]base)\s*=")
"""xml:base, or what passes for it; that the pattern begins with letters makes the search fast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousDocument:
    """What is remembered of a feed's document."""

    raw_hashes: Collection[str] = ()
    """Of the items that were in it."""
    channel: Channel = field(default_factory=Channel)
    """What it said of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncrementalResult:
    """A document, read as far as it is not known."""

    parsed: ParsedFeed
    """``entries`` are those that are not known; the rest as of the whole document."""
    hashes: tuple[str, ...] = ()
    """The marks of all items, known or not, in the document's order; empty where items have none."""
    known_hashes: frozenset[str] = frozenset()
    """The marks of those that were left out."""

    def in_document_order(
        self, entries: Sequence[Entry], present: Sequence[EntryIdentity]
    ) -> list[Entry | EntryIdentity]:
        """Put what ``normalise`` made of the entries, and the stored ones left out, in the document's order."""
        if not self.known_hashes:
            return list(entries)
        place = {mark: index for index, mark in reversed(list(enumerate(self.hashes)))}
        still = [each for each in present if each.raw_hash in self.known_hashes]
        return sorted([*entries, *still], key=lambda one: place.get(one.raw_hash, -1))


def parse_incrementally(
    body: bytes, previous: PreviousDocument, *, content_type: str = "", url: str = "", context: str = ""
) -> IncrementalResult:
    """Read a feed document of any kind as far as it is not known.

    ``content_type`` and ``url`` as for ``sources.parse``; ``context`` is what else has a say in how it is read. Raises
    NotAFeed.

    >>> one = b"<rss version='2.0'><channel><item><guid>1</guid></item></channel></rss>"
    >>> two = one.replace(b"<item>", b"<item><guid>2</guid></item><item>")
    >>> before = read(one, Remembered())
    >>> later = read(two, Remembered(marks=before.order))
    >>> [entry.guid for entry in later.parsed.entries], len(later.known)
    (['2'], 1)
    """
    text = decode(body, content_type)
    source = sources.detect_parser(text, body)
    if source is not rss:
        return IncrementalResult(parsed=sources.clean_channel(source.parse(text, url=url), url))
    written = drop_oversized_tags(strip_prolog(text))
    if reading := _by_items(written, previous, url, context):
        return reading
    document = parse_xml(text)
    mended = document.is_complete and document.text != written
    if mended and (reading := _by_items(document.text, previous, url, context)):
        said = replace(reading.parsed, warnings=document.warnings, damage=document.damage)
        return replace(reading, parsed=said)
    return IncrementalResult(parsed=sources.clean_channel(rss.parse_entries(document, url=url), url))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A text cut at its items, and what each of them is marked with but for its name."""

    cut: SplitText
    url: str
    head: str
    prints: tuple[str, ...]


def _by_items(text: str, remembered: PreviousDocument, url: str, context: str) -> IncrementalResult | None:
    """Read the items that are not known; None where it takes a look at all of them."""
    cut = split_elements(text)
    if cut and "base" in text and _lends_its_base(cut):
        return None
    head = _head_mark(cut, f"{_READER}\n{url}\n{context}") if cut else ""
    if not cut or not head:
        return None
    sheet = _Sheet(cut=cut, url=url, head=head, prints=tuple(_print(f"{head}\n{item}") for item in cut.elements))
    known = _known(sheet.prints, remembered.raw_hashes)
    channel = remembered.channel if remembered.channel.head_hash == head else None
    if channel and len(known) == len(cut.elements):
        nothing = ParsedFeed(version="rss", channel=channel, entries=())
        return IncrementalResult(parsed=nothing, hashes=tuple(known.values()), known_hashes=frozenset(known.values()))
    return _read_others(sheet, known, channel)


def _lends_its_base(cut: SplitText) -> bool:
    """Tell whether an item's xml:base may have a say in how its neighbours are read.

    Where nothing around the items has one, feedparser does not find back to none.
    """
    return any(map(_BASE.search, cut.elements)) and not _BASE.search(cut.gaps[0].partition(">")[0])


def _known(prints: Sequence[str], marks: Collection[str]) -> dict[int, str]:
    """Find the items that are known, by place, unless items share a name: then one is named after the other."""
    remembered = {mark[_NAME_DIGITS:]: mark for mark in marks}
    known = {place: remembered[each] for place, each in enumerate(prints) if each in remembered}
    times = Counter(mark[:_NAME_DIGITS] for mark in known.values())
    return {place: mark for place, mark in known.items() if times[mark[:_NAME_DIGITS]] == 1}


def _read_others(sheet: _Sheet, known: Mapping[int, str], channel: Channel | None) -> IncrementalResult | None:
    wanted = [place for place in range(len(sheet.prints)) if place not in known]
    document = parse_xml_strict(sheet.cut.with_only(set(wanted)))
    names = _names(document, sheet.cut.tag, len(wanted))
    if document is None or names is None:
        return None
    marks = {place: name + sheet.prints[place] for place, name in zip(wanted, names, strict=True)}
    unlike = {place: mark for place, mark in known.items() if mark[:_NAME_DIGITS] not in names}
    if len(unlike) < len(known):
        return _read_others(sheet, unlike, channel)
    parsed = rss.parse_entries(document, url=sheet.url, channel=channel)
    if len(parsed.entries) != len(wanted):  # the parser counts otherwise: nobody knows which mark is whose
        return None
    entries = tuple(replace(entry, raw_hash=mark) for entry, mark in zip(parsed.entries, marks.values(), strict=True))
    parsed = parsed if channel else sources.clean_channel(parsed, sheet.url)
    said = replace(parsed, entries=entries, channel=replace(parsed.channel, head_hash=sheet.head))
    everything = marks | dict(known)
    order = tuple(everything[place] for place in range(len(sheet.prints)))
    return IncrementalResult(parsed=said, hashes=order, known_hashes=frozenset(known.values()))


def _names(document: XmlDocument | None, tag: str, count: int) -> list[str] | None:
    """Fingerprint the own names of a document's items; None unless there are so many, and each has one."""
    if document is None or len(document.elements) != count or not all(_is(item, tag) for item in document.elements):
        return None
    names = [clean_title(element_guid(item), markup=False) for item in document.elements]
    return [_print(name)[:_NAME_DIGITS] for name in names] if all(names) else None


def _is(element: Element, tag: str) -> bool:
    return element.prefix is None and str(element.tag).rpartition("}")[2] == tag


def _head_mark(cut: SplitText, said: str) -> str:
    """Mark all of a document that is not in its items, and what is ``said`` besides.

    "" where it is not well-formed, or its items lie in odd places.
    """
    document = parse_xml_strict(cut.with_empty_elements())
    if document is None or document.root is None or len(document.elements) != len(cut.elements):
        return ""
    root, items = document.root, document.elements
    if not all(_is(item, cut.tag) and _is_empty(item) for item in items):
        return ""
    parents, children = {item.getparent() for item in items}, list(root.iterchildren("*"))
    if not parents <= {root, *children}:
        return ""
    shells = [root, *(child for child in children if child in parents)]
    beside = {*items, *shells}
    lines = [said]
    for shell in shells:
        lines.append(repr((shell.tag, sorted(shell.attrib.items()), sorted(shell.nsmap.items(), key=str))))
        lines += (
            etree.tostring(child, with_tail=False, encoding="unicode")
            for child in shell.iterchildren("*")
            if child not in beside and qualified_name(child.tag) not in _DATES
        )
    return _print("\n".join(lines))


def _is_empty(item: Element) -> bool:
    return not item.attrib and item.text is None and not len(item)


def _print(written: str) -> str:
    return sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:_MARK_DIGITS]
