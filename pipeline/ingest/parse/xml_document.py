"""An XML feed document and its items, before anybody reads them.

In: decoded text. Out: a Document: the tree, the items in it, and the bytes for the slow parser, whole or with some
items left out. Touches nothing: no DTD, no entity, no network.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from lxml import etree

MAX_RECOVERED_TAGS = 5_000
MAX_CHILDREN = 500
"""Of one element, items not counted: the slow parser compares each category and each link with all others."""
MAX_ATTRIBUTES = 100
MAX_PREFIXES = 50
MAX_TEXT = 300_000
"""Characters of one element: a book has no more, and the slow parser takes its time for each line."""
MAX_ENTRIES = 5_000
"""The newest; what lies further back in a document was read long ago, or never will be news."""

Element = Any  # lxml has no types

ROOT = re.compile(r"<(?:rss|feed|channel|(?:\w{1,20}:)?(?:RDF|rss|feed))(?=[\s>/])", re.IGNORECASE)
_PAGE = re.compile(r"<html\b", re.IGNORECASE)
_LEAD = re.compile(r"(?:\s|<!--.*?-->|<\?.*?\?>|<!(?!--)[^<>\[]*(?:\[.*?\]\s*)?>)*", re.DOTALL)
_XML_OWN = frozenset({"amp", "lt", "gt", "quot", "apos"})
_ENTITY = re.compile(r"<!ENTITY\s+(\w{1,30})\s+([\"'])([^&%<\"']{0,60})\2\s*>")
# CDATA, comments and instructions pass untouched; an unclosed one runs to the end, so that no search starts over.
_LOOSE = re.compile(
    r"(?P<kept><!\[CDATA\[(?:.*?\]\]>|.*)|<!--(?:.*?-->|.*)|<\?(?:.*?\?>|.*))"
    r"|(?P<run>&+(?=&)|<+(?=<))"
    r"|&(?:#(?P<number>[0-9]{1,8}|x[0-9a-fA-F]{1,7});(?:&#(?P<low>5[67][0-9]{3});)?|(?P<name>\w{1,31});)?"
    r"|<(?!/?\w)",
    re.DOTALL | re.ASCII,
)
# A parser compares each attribute with all others, so that a tag longer than any letter is cut before one sees it.
_GIANT_TAG_CHARS = 100_000
_GIANT_TAG = re.compile(rf"(<\w[\w:.-]{{0,50}})[^<>]{{{_GIANT_TAG_CHARS},}}?(/?>)")
_HALF_TAG = re.compile(r"<[^<>]{0,300}\Z")
_HALF_CHARACTER = re.compile(r"&#(?:[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}|5[567][0-9]{3})(?![0-9a-fA-F]);?")
_XMLNS = re.compile(r"\bxmlns:?\w{0,20}=(?:\"[^\"<>]{0,200}\"|'[^'<>]{0,200}')")
_NAMED = re.compile(r"</(?:\w{1,20}:)?(?:item|entry|guid|id)\s*>|<(?:\w{1,20}:)?(?:item|entry)\b[^<>]{0,300}/>")
_FIELD_END = re.compile(r"</[\w:.-]{1,60}\s*>|/>")
_MARKUP = re.compile(
    r"<!\[CDATA\[(?:.*?\]\]>|.*)|<!--(?:.*?-->|.*)|(?P<tag><(?P<item>(?:\w{1,20}:)?(?:item|entry)[\s>/])?)", re.DOTALL
)
_CROWDED = etree.XPath(f"//*[count(@*) > {MAX_ATTRIBUTES} or count(*) > {MAX_CHILDREN}]")
_PREFIXES = {
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "media": "http://search.yahoo.com/mrss/",
    "atom": "http://www.w3.org/2005/Atom",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlDocument:
    """A feed document taken apart into its items."""

    text: str
    """From the root element on, as written or mended."""
    root: Element | None
    """The tree; None where not even a tolerant reader found one."""
    elements: tuple[Element, ...]
    is_complete: bool
    """True when the tree holds all there is to read, so that items can be taken out of it."""
    warnings: tuple[str, ...] = ()
    damage: str = ""
    """As ``ParsedFeed.broken``."""

    def to_bytes(self) -> bytes:
        """Return the document as UTF-8."""
        return self.text.encode("utf-8", "ignore")

    def with_only(self, wanted: Collection[Element]) -> bytes:
        """Return the document as UTF-8 with the wanted items alone; the whole where the tree cannot be trusted."""
        if not self.is_complete:
            return self.to_bytes()
        root = deepcopy(self.root)
        for item, copy in zip(self.elements, _items(root), strict=True):
            if item not in wanted:
                copy.getparent().remove(copy)
        return bytes(etree.tostring(root, encoding="utf-8"))


def is_feed(text: str) -> bool:
    """Tell whether a feed's root element comes first, after junk that is not a web page.

    >>> is_feed("Warning: x in y.php <?xml version='1.0'?><rss version='2.0'>"), is_feed("<html><rss>")
    (True, False)
    """
    start = _LEAD.match(text).end()  # type: ignore[union-attr]  # it matches the empty string
    root = ROOT.search(text, start, start + 20_000)
    page = _PAGE.search(text, start, start + 20_000)
    return root is not None and (page is None or root.start() < page.start())


def parse_xml(text: str) -> XmlDocument:
    """Take a feed document apart: strictly where it is well-formed, mended where that helps, tolerantly otherwise."""
    root_text = drop_oversized_tags(strip_prolog(text))
    own = {name: value for name, _, value in _ENTITY.findall(text[: len(text) - len(root_text)][:20_000])}
    try:
        return _document(root_text, _tree(root_text, recover=False))
    except etree.XMLSyntaxError as error:
        problem = f"The XML is broken: {_shorten(error)}."
    mended = _mended(root_text, own)
    try:
        return _document(mended, _tree(mended, recover=False), oddity=problem)
    except etree.XMLSyntaxError:
        return _recovered(_without_half_item(mended), problem)


def parse_xml_strict(text: str) -> XmlDocument | None:
    """Take a feed document apart that begins with its root element; None where it is not well-formed."""
    try:
        return _document(text, _tree(text, recover=False))
    except etree.XMLSyntaxError:
        return None


def strip_prolog(text: str) -> str:
    """Cut what stands before the root: junk, the XML declaration (all is decoded), the DTD (no entity is needed).

    And references to half characters wherever they stand, for the tolerant reader stumbles over them in a CDATA, too.
    """
    start = _LEAD.match(text).end()  # type: ignore[union-attr]  # it matches the empty string
    root = ROOT.search(text, start)
    return _HALF_CHARACTER.sub("", text[root.start() :] if root else text[start:])


def drop_oversized_tags(text: str) -> str:
    """Cut tags that are longer than any letter."""
    half = _GIANT_TAG_CHARS // 2  # a run as long as that holds one of these stretches, whole
    if all(text.find("<", at, at + half) >= 0 for at in range(0, len(text) - half, half)):
        return text
    return _GIANT_TAG.sub(r"\1\2", text)


def _document(text: str, root: Element | None, *, sound: bool = True, oddity: str = "") -> XmlDocument:
    oddities = [oddity] if oddity else []
    if root is not None and sound and any((_pruned(root), len(text) > MAX_TEXT and _shortened(root))):
        text = etree.tostring(root, encoding="unicode")
        oddities.append(
            f"There are more than {MAX_ENTRIES:,} items, or an element has more than {MAX_CHILDREN} children, "
            f"{MAX_ATTRIBUTES} attributes or {MAX_TEXT:,} characters; some were cut."
        )
    items = tuple(_items(root)) if root is not None else ()
    return XmlDocument(text=text, root=root, elements=items, is_complete=sound, warnings=tuple(oddities))


def _pruned(root: Element) -> bool:
    """Cut what no feed needs and only a hostile one has: hundreds of children or attributes of one element."""
    crowded = _CROWDED(root)
    every = _items(root)
    items = set(every) if crowded else set()
    for item in every[MAX_ENTRIES:]:
        item.getparent().remove(item)
    cut = len(every) > MAX_ENTRIES
    for element in crowded:
        for name in element.keys()[MAX_ATTRIBUTES:]:
            del element.attrib[name]
            cut = True
        for child in [child for child in element if child not in items][MAX_CHILDREN:]:
            element.remove(child)
            cut = True
    return cut


def _shortened(root: Element) -> bool:
    """Cut texts that are too long for any letter."""
    long = [element for element in root.iter("*") if len(element.text or "") > MAX_TEXT]
    for element in long:
        element.text = element.text[:MAX_TEXT]
    return bool(long)


def _recovered(text: str, problem: str) -> XmlDocument:
    """Trust a tree made of broken XML when it lost nothing: every item is in it, and nine tenths of the characters.

    A document that was cut off, or closes the wrong tag, is then read exactly as a sound one.
    """
    try:
        tree = _tree(text, recover=True)
        rewritten = "" if tree is None else etree.tostring(tree, encoding="utf-8").decode("utf-8", "ignore")
        root = _tree(rewritten, recover=False)  # the tolerant tree may hold what no text can, such as half a character
    except etree.XMLSyntaxError:
        return replace(_document(_bounded(text), None, sound=False, oddity=problem), damage=_clause(problem))
    written = sum(1 for found in _MARKUP.finditer(text) if found["item"])
    sound = written == len(_items(root)) and len(rewritten) >= 0.9 * len(text)
    document = _document(rewritten if sound else _bounded(text), root, sound=sound, oddity=problem)
    return document if sound and _end(text) else replace(document, damage=_clause(problem))


def _clause(sentence: str) -> str:
    return sentence.removeprefix("The ").rstrip(".")


def _without_half_item(text: str) -> str:
    """Leave out the field in which a document broke off, for half a date is another date.

    And the whole item, where its name was not whole before: under half a name it would be another one.
    """
    if _end(text):
        return text
    start = max((found.start() for found in _MARKUP.finditer(text) if found["item"]), default=len(text))
    if not _NAMED.search(text, start):
        return text[:start]
    return text[: max(found.end() for found in _FIELD_END.finditer(text, start))]


def _bounded(text: str) -> str:
    """Cut hopeless XML after ``MAX_RECOVERED_TAGS`` tags: the tolerant reader's time grows with their square."""
    tags = (found.start() for found in _MARKUP.finditer(text) if found["tag"])
    return text[: next(islice(tags, MAX_RECOVERED_TAGS, None), len(text))]


def _items(root: Element) -> list[Element]:
    return [element for element in root.iter("{*}item", "{*}entry") if element is not root]


def _tree(text: str, *, recover: bool) -> Element | None:
    parser = etree.XMLParser(
        recover=recover, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, strip_cdata=False
    )
    return etree.fromstring(text.encode("utf-8", "ignore"), parser)


def _mended(text: str, own: dict[str, str]) -> str:
    """Write named entities as characters, lone ``&`` and ``<`` as text; mend and add declarations of prefixes."""

    def mend(found: re.Match[str]) -> str:
        if found["kept"] is not None:
            return found[0]
        if found["run"]:
            return entities.escape(found["run"])
        if found["number"]:
            return _character(found["number"], found["low"])
        name = found["name"]
        if name is None:
            return "&lt;" if found[0] == "<" else "&amp;"
        if name in _XML_OWN:
            return found[0]
        plain = own.get(name) or entities.unescape(f"&{name};")
        return f"&amp;{name};" if plain == f"&{name};" else entities.escape(plain)

    return _declared(_LOOSE.sub(mend, _HALF_TAG.sub("", _XMLNS.sub(_without_blanks, text[: _end(text)], count=50))))


def _without_blanks(found: re.Match[str]) -> str:
    return "".join(found[0].split())


def _character(number: str, low: str | None) -> str:
    """Write a numeric reference out; two halves of a surrogate pair make one character, half of one makes none."""
    code = int(number[1:], 16) if number.startswith("x") else int(number)
    if low and 0xD800 <= code < 0xDC00 and 0xDC00 <= int(low) < 0xE000:
        return chr(0x10000 + ((code - 0xD800) << 10) + (int(low) - 0xDC00))
    legal = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    # Beyond ASCII nothing is markup, and the tolerant parser does not read such references in attributes.
    own = chr(code) if legal and code > 0x7F else f"&#{code};" if legal else ""
    return own + (f"&#{low};" if low and not 0xD800 <= int(low) < 0xE000 else "")


def _end(text: str) -> int | None:
    """Find where the root element ends: what servers add after it is no part of the feed. None where it broke off."""
    root = re.match(r"<([\w:]{1,40})", text)
    ends = re.finditer(rf"</{root[1]}\s*>", text[-5000:], re.IGNORECASE) if root else ()
    return max((max(len(text) - 5000, 0) + found.end() for found in ends), default=None)


def _declared(text: str) -> str:
    used = set(re.findall(r"[</\s]([A-Za-z][\w-]{0,19}):[A-Za-z]", text)) - {"xmlns", "xml"}
    found = re.match(r"<[\w:]+", text)
    if len(used) > MAX_PREFIXES or not found:
        return text
    missing = sorted(prefix for prefix in used if f"xmlns:{prefix}" not in text and f"<{prefix}:" in text)
    declared = "".join(f' xmlns:{prefix}="{_PREFIXES.get(prefix, f"urn:undeclared:{prefix}")}"' for prefix in missing)
    return text[: found.end()] + declared + text[found.end() :]


def _shorten(error: Exception) -> str:
    return str(error).partition(" (<")[0].partition(", line")[0].rstrip(".")[:120]
