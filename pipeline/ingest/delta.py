"""Leave known items out before the slow parser sees them.

In: a document as it came, and the marks of the items that were in it the last time. Out: a ParsedFeed of the others,
and which of the known ones are still there, in the document's order. Touches nothing.

A *mark* is a fingerprint of an item as it is written and of what has a say in how it is read: the head of the document
(its dates aside), its address, the reader's own version. So an item whose mark is known would be read as it was read.
Where items cannot be told apart by their own names, everything is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import blake2b

from lxml import etree

from pipeline.ingest import sources
from pipeline.ingest.decode import decode
from pipeline.ingest.sources import rss
from pipeline.ingest.sources.document import Document, split
from pipeline.ingest.sources.extras import guid_of, name_of
from pipeline.model.entry import Entry, KnownEntry, ParsedFeed
from pipeline.model.feed import Channel
from pipeline.text.html import clean_title

READER = 1
"""Raise it when the same item is read otherwise than before: every feed is then read whole, once."""
_READER = f"{READER} {' '.join(each.name for each in fields(Entry))}"
_MARK_BYTES = 16
_DATES = frozenset({"lastBuildDate", "pubDate", "updated", "modified", "date"})
"""What says in a feed's head that it was built anew, and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is remembered of a feed's document."""

    marks: Collection[str] = ()
    """Of the items that were in it."""
    channel: Channel = field(default_factory=Channel)
    """What it said of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A document, read as far as it is not known."""

    parsed: ParsedFeed
    """``entries`` are those that are not known; the rest as of the whole document."""
    order: tuple[str, ...] = ()
    """The marks of all items, known or not, in the document's order; empty where items have none."""
    known: frozenset[str] = frozenset()
    """The marks of those that were left out."""

    def in_order(self, entries: Sequence[Entry], present: Sequence[KnownEntry]) -> list[Entry | KnownEntry]:
        """Put what ``normalise`` made of the entries, and the stored ones left out, in the document's order."""
        if not self.known:
            return list(entries)
        place = {mark: index for index, mark in reversed(list(enumerate(self.order)))}
        still = [each for each in present if each.mark in self.known]
        return sorted([*entries, *still], key=lambda one: place.get(one.mark, -1))


def read(body: bytes, remembered: Remembered, *, content_type: str = "", url: str = "", context: str = "") -> Reading:
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
    source = sources.source_of(text, body)
    if source is not rss:
        return Reading(parsed=sources.tidy(source.read(text, url=url), url))
    document = split(text)
    names = [clean_title(guid_of(item), markup=False) for item in document.items]
    head = _head_mark(document, url, context) if all(names) else ""
    if not head:
        return Reading(parsed=sources.tidy(rss.read_items(document, url=url), url))
    return _read(document, names, head, remembered, url)


def _read(document: Document, names: Sequence[str], head: str, remembered: Remembered, url: str) -> Reading:
    order = tuple(_mark(etree.tostring(item, with_tail=False), head) for item in document.items)
    known = frozenset(_left_out(names, order, remembered.marks))
    channel = remembered.channel if order and remembered.channel.mark == head else None
    marks = {item: mark for item, mark in zip(document.items, order, strict=True) if mark not in known}
    parsed = sources.tidy(rss.read_items(document, url=url, wanted=marks.keys(), channel=channel), url)
    fresh = list(marks.values())
    if len(fresh) != len(parsed.entries):  # the parser counts otherwise: nobody knows which mark is whose
        return Reading(parsed=sources.tidy(rss.read_items(document, url=url), url))
    entries = tuple(replace(entry, mark=mark) for entry, mark in zip(parsed.entries, fresh, strict=True))
    channel = replace(parsed.channel, mark=head)
    return Reading(parsed=replace(parsed, entries=entries, channel=channel), order=order, known=known)


def _left_out(names: Sequence[str], order: Sequence[str], marks: Collection[str]) -> Iterator[str]:
    """Yield the marks that are known, unless their items share a name: then one is named after the other."""
    times = Counter(names)
    return (mark for mark, name in zip(order, names, strict=True) if mark in marks and times[name] == 1)


def _head_mark(document: Document, url: str, context: str) -> str:
    """Mark all of a document that is not in its items; "" where it is broken, or they lie in odd places."""
    root, items = document.root, set(document.items)
    if root is None or not document.sound:
        return ""
    parents = {item.getparent() for item in items} or {root}
    if not parents <= {root, *root.iterchildren("*")}:
        return ""
    shells = [root, *(parent for parent in parents if parent is not root)]
    lines = [f"{_READER}\n{url}\n{context}".encode("utf-8", "surrogatepass")]
    for shell in shells:
        lines.append(repr((shell.tag, sorted(shell.attrib.items()), sorted(shell.nsmap.items(), key=str))).encode())
        lines += (
            etree.tostring(child, with_tail=False)
            for child in shell.iterchildren("*")
            if child not in items and child not in shells and name_of(child.tag) not in _DATES
        )
    return _mark(b"\n".join(lines), "")


def _mark(written: bytes, head: str) -> str:
    return blake2b(written, digest_size=_MARK_BYTES, key=head.encode()).hexdigest()
