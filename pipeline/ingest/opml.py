"""OPML lists of feeds, as other feed readers export and import them.

Reads OPML 1.0, 1.1 and 2.0 (http://opml.org/spec2.opml), nested or flat, and as much as possible of broken documents;
writes OPML 2.0.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from lxml import etree

from pipeline.ingest.parse.decode import decode
from pipeline.model.errors import UsageError
from pipeline.model.feed import FEED_KINDS, FeedKind
from pipeline.text.urls import replace_feed_scheme

MAX_BYTES = 5_000_000
MAX_OUTLINES = 2_000
_ENDLESS_TAG = re.compile(rb"<[^<>]{10000}")
"""libxml2's time for a tag grows with the square of its attributes."""
_COMMENT = re.compile(r"<!--(?:.*?-->|.*)", re.DOTALL)
_ADDRESS = re.compile(r"\bxmlurl\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
_LOOSE = re.compile(r"&(?:(#\d{1,7}|#x[0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);|(\w{1,31};))?|<(?![/!?\w])")
"""A stray ``&`` or ``<``, or an entity: one of XML is in the first parentheses, perhaps one of HTML in the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of a list, unchecked."""

    url: str
    name: str = ""
    """``text``: a short name."""
    title: str = ""
    kind: FeedKind | None = None
    """None if the document does not say."""
    folder: str = ""
    """The text of the enclosing outline."""
    is_damaged: bool = False
    """True when the address could not be read with certainty; ``url`` is then as written."""


def read_opml(body: bytes) -> tuple[Outline, ...]:
    """Return the feeds of an OPML document in order. Raise UsageError if it is not OPML, or unreasonably large.

    Unescaped ampersands are repaired. Addresses in a broken document that the parser does not find follow as damaged
    outlines, so that none is lost or silently changed.

    >>> read_opml(b'<opml><body><outline text="Salt" xmlUrl="https://h.example/f"/></body></opml>')[0].url
    'https://h.example/f'
    """
    if len(body) > MAX_BYTES or _ENDLESS_TAG.search(body):
        raise UsageError("the file is too large for a list of feeds: export one from your feed reader.")
    text = decode(body).strip()
    try:
        root = _tree(text, recover=False)
    except etree.XMLSyntaxError:
        root = None
    is_broken = root is None
    try:
        root = _tree(_LOOSE.sub(_escape, text), recover=True) if root is None else root
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UsageError("the file is not OPML: export one from your feed reader.") from error
    if root is None or _name(root) != "opml":
        raise UsageError("the file is not OPML: export one from your feed reader.")
    outlines = tuple(_outlines(root))
    if is_broken:
        outlines = _with_damaged(outlines, text)
    if len(outlines) > MAX_OUTLINES:
        raise UsageError(f"the file lists {len(outlines):,} feeds: split it into files of at most {MAX_OUTLINES:,}.")
    return outlines


def write_opml(title: str, outlines: Sequence[Outline]) -> bytes:
    """Return an OPML 2.0 document; consecutive feeds of one folder share its outline."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for folder, feeds in groupby(outlines, key=lambda outline: outline.folder):
        parent = etree.SubElement(body, "outline", text=folder) if folder else body
        for feed in feeds:
            attributes = {
                "text": feed.name,
                "title": feed.title,
                "type": "rss",
                "xmlUrl": feed.url,
                "category": feed.kind,
            }
            etree.SubElement(parent, "outline", {name: value for name, value in attributes.items() if value})
    etree.indent(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8")) + b"\n"


def _tree(text: str, *, recover: bool) -> Any:
    parser = etree.XMLParser(
        encoding="utf-8", recover=recover, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    return etree.fromstring(text.encode("utf-8", "ignore"), parser)


def _escape(match: re.Match[str]) -> str:
    """Return a stray character escaped, and an entity of HTML as its character."""
    if match[1]:
        return match[0]
    plain = entities.unescape(match[0]) if match[2] else match[0]
    return entities.escape(match[0] if plain == match[0] else plain)


def _with_damaged(outlines: tuple[Outline, ...], text: str) -> tuple[Outline, ...]:
    """Return the outlines whose addresses are in the text as read, and the others as damaged."""
    written = [
        replace_feed_scheme(" ".join(entities.unescape(_LOOSE.sub(_escape, address)).split()))
        for match in _ADDRESS.finditer(_COMMENT.sub("", text))
        if (address := next(filter(None, match.groups()), ""))
    ]
    read = [replace(outline, is_damaged=outline.url not in written) for outline in outlines]
    urls = {outline.url for outline in read}
    lost = [Outline(url=url, is_damaged=True) for url in dict.fromkeys(written) if url not in urls]
    return (*read, *lost)


def _outlines(root: Any) -> Iterator[Outline]:
    for element in root.iter():
        if _name(element) != "outline":
            continue
        own = _attributes(element)
        if own.get("xmlurl"):
            parent = element.getparent()
            folder = _attributes(parent) if _name(parent) == "outline" else {}
            yield Outline(
                url=replace_feed_scheme(own["xmlurl"]),
                name=own.get("text", ""),
                title=own.get("title", ""),
                kind=_kind(own, folder.get("text", "")),
                folder="" if folder.get("xmlurl") else folder.get("text", ""),
            )


def _kind(own: dict[str, str], folder: str) -> FeedKind | None:
    """Return the kind of an outline, from its type or categories, else from its folder."""
    return _kind_in(own.get("type", ""), *re.split("[,/]", own.get("category", ""))) or _kind_in(folder)


def _kind_in(*names: str) -> FeedKind | None:
    words = {name.strip().lower().rstrip("s") for name in names}
    return next((kind for kind in FEED_KINDS if kind.rstrip("s") in words), None)


def _attributes(element: Any) -> dict[str, str]:
    """Return an element's attributes by lower-case name, since xmlUrl is also written xmlurl and xmlURL."""
    return {key.lower(): " ".join(value.split()) for key, value in element.attrib.items()}


def _name(element: Any) -> str:
    """Return an element's local name in lower case, or "" for a comment or an instruction."""
    tag = element.tag if element is not None else ""
    return etree.QName(tag).localname.lower() if isinstance(tag, str) and tag else ""
