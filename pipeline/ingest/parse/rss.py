"""RSS, Atom and CDF: XML feeds, parsed whole or only where they are new.

An incremental parse splits the text at its entry elements and hashes each as written, together with everything that
influences how it is parsed: the document's head (without its dates), its URL and `PARSER_VERSION`. An entry with a
known hash would be parsed to the same result, so only the others reach a parser, inside the same head. A hash starts
with a hash of the entry's own guid, so that entries with one guid are recognised without parsing them. Documents whose
entries have no guids are parsed whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import sha256

from lxml import etree

from pipeline.ingest.parse import PARSER_VERSION
from pipeline.ingest.parse.extensions import element_guid, qualified_name
from pipeline.ingest.parse.result import IncrementalResult, PreviousDocument
from pipeline.ingest.parse.rss_feedparser import parse_entries
from pipeline.ingest.parse.xml_document import (
    Element,
    XmlDocument,
    drop_oversized_tags,
    is_feed,
    parse_xml,
    parse_xml_strict,
    strip_prolog,
)
from pipeline.ingest.parse.xml_split import SplitText, keep_newest, split_elements
from pipeline.model.entry import Entry, ParsedFeed
from pipeline.model.feed import Channel
from pipeline.text.plain_text import clean_text

_PARSER_CONTEXT = f"{PARSER_VERSION} {' '.join(field.name for field in fields(Entry))}"
_GUID_DIGITS = 16
_HASH_DIGITS = 32
"""Hexadecimal digits for the element's text; those for its guid come before them."""
_DATES = frozenset({"lastBuildDate", "pubDate", "updated", "modified", "date"})
"""Elements of a feed's head that change whenever it is generated anew."""


def can_parse(text: str) -> bool:
    """Check whether ``text`` has a feed's root element."""
    return is_feed(text)


def parse(text: str, *, url: str) -> ParsedFeed:
    """Parse an XML feed, well-formed or not. Raise NotAFeedError."""
    text, omitted = keep_newest(text)
    return _with_omitted(parse_entries(parse_xml(text), url=url), omitted)


def parse_incrementally(text: str, previous: PreviousDocument, *, url: str, context: str) -> IncrementalResult:
    """Parse the entries that are not in ``previous``, or all of them where the document cannot be split."""
    text, omitted = keep_newest(text)
    result = _parse_kept(text, previous, url, context)
    return replace(result, parsed=_with_omitted(result.parsed, omitted))


def _with_omitted(parsed: ParsedFeed, omitted: int) -> ParsedFeed:
    return replace(parsed, channel=replace(parsed.channel, omitted_entries=omitted)) if omitted else parsed


def _parse_kept(text: str, previous: PreviousDocument, url: str, context: str) -> IncrementalResult:
    written = drop_oversized_tags(strip_prolog(text))
    if result := _parse_new_elements(written, previous, url, context):
        return result
    document = parse_xml(text)
    repaired = document.is_complete and document.text != written
    if repaired and (result := _parse_new_elements(document.text, previous, url, context)):
        return replace(result, parsed=replace(result.parsed, warnings=document.warnings, damage=document.damage))
    return IncrementalResult(parsed=parse_entries(document, url=url))


@dataclass(frozen=True, slots=True, kw_only=True)
class _SplitFeed:
    """A split text with the hash of its head and of each entry element, guids not included."""

    split: SplitText
    url: str
    head_hash: str
    element_hashes: tuple[str, ...]


def _parse_new_elements(text: str, previous: PreviousDocument, url: str, context: str) -> IncrementalResult | None:
    """Parse the entries with unknown hashes; return None if the document has to be parsed whole."""
    split = split_elements(text)
    if not split:
        return None
    head_hash = _hash_head(split, f"{_PARSER_CONTEXT}\n{url}\n{context}")
    if not head_hash:
        return None
    element_hashes = tuple(_hash(f"{head_hash}\n{element}") for element in split.elements)
    feed = _SplitFeed(split=split, url=url, head_hash=head_hash, element_hashes=element_hashes)
    known = _find_known(element_hashes, previous.raw_hashes)
    channel = replace(previous.channel, omitted_entries=0) if previous.channel.head_hash == head_hash else None
    if channel and len(known) == len(split.elements):
        parsed = ParsedFeed(version="rss", channel=channel, entries=())
        return IncrementalResult(parsed=parsed, hashes=tuple(known.values()), known_hashes=frozenset(known.values()))
    return _parse_unknown(feed, known, channel)


def _find_known(element_hashes: Sequence[str], raw_hashes: Collection[str]) -> dict[int, str]:
    """Return the known hashes by element index, without those that share a guid: such entries are renamed."""
    previous = {raw_hash[_GUID_DIGITS:]: raw_hash for raw_hash in raw_hashes}
    known = {index: previous[digest] for index, digest in enumerate(element_hashes) if digest in previous}
    guid_counts = Counter(raw_hash[:_GUID_DIGITS] for raw_hash in known.values())
    return {index: raw_hash for index, raw_hash in known.items() if guid_counts[raw_hash[:_GUID_DIGITS]] == 1}


def _parse_unknown(feed: _SplitFeed, known: Mapping[int, str], channel: Channel | None) -> IncrementalResult | None:
    unknown = [index for index in range(len(feed.element_hashes)) if index not in known]
    document = parse_xml_strict(feed.split.with_only(set(unknown)))
    guid_hashes = _hash_guids(document, feed.split.tag, len(unknown))
    if document is None or guid_hashes is None:
        return None
    new = {index: guid_hash + feed.element_hashes[index] for index, guid_hash in zip(unknown, guid_hashes, strict=True)}
    distinct = {index: raw_hash for index, raw_hash in known.items() if raw_hash[:_GUID_DIGITS] not in guid_hashes}
    if len(distinct) < len(known):
        return _parse_unknown(feed, distinct, channel)
    parsed = parse_entries(document, url=feed.url, channel=channel)
    if len(parsed.entries) != len(unknown):  # the parser counts differently, so hashes cannot be assigned
        return None
    parsed = replace(
        parsed,
        entries=tuple(
            replace(entry, raw_hash=raw_hash) for entry, raw_hash in zip(parsed.entries, new.values(), strict=True)
        ),
        channel=replace(parsed.channel, head_hash=feed.head_hash),
    )
    hashes = tuple(new[index] if index in new else known[index] for index in range(len(feed.element_hashes)))
    return IncrementalResult(parsed=parsed, hashes=hashes, known_hashes=frozenset(known.values()))


def _hash_guids(document: XmlDocument | None, tag: str, count: int) -> list[str] | None:
    """Return a hash of each entry's guid, or None unless there are ``count`` entries and each has one."""
    if document is None or len(document.elements) != count or not all(_has_tag(e, tag) for e in document.elements):
        return None
    guids = [clean_text(element_guid(element)) for element in document.elements]
    return [_hash(guid)[:_GUID_DIGITS] for guid in guids] if all(guids) else None


def _has_tag(element: Element, tag: str) -> bool:
    return element.prefix is None and str(element.tag).rpartition("}")[2] == tag


def _hash_head(split: SplitText, context: str) -> str:
    """Return a hash of ``context`` and of everything in a document but its entries and dates.

    Returns "" if the document is not well-formed or its entries are not siblings in the usual position.
    """
    document = parse_xml_strict(split.with_empty_elements())
    if document is None or document.root is None or len(document.elements) != len(split.elements):
        return ""
    root, elements = document.root, document.elements
    if any(
        not _has_tag(element, split.tag) or element.attrib or element.text is not None or len(element)
        for element in elements
    ):
        return ""
    parents, children = {element.getparent() for element in elements}, list(root.iterchildren("*"))
    if not parents <= {root, *children}:
        return ""
    containers = [root, *(child for child in children if child in parents)]
    excluded = {*elements, *containers}
    lines = [context]
    for container in containers:
        namespaces = sorted(container.nsmap.items(), key=str)
        lines.append(repr((container.tag, sorted(container.attrib.items()), namespaces)))
        lines += (
            etree.tostring(child, with_tail=False, encoding="unicode")
            for child in container.iterchildren("*")
            if child not in excluded and qualified_name(child.tag) not in _DATES
        )
    digest = _hash("\n".join(lines))
    return f"{PARSER_VERSION}.{digest}"


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
