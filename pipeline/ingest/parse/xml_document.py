"""XML feed documents: repaired where necessary, bounded, and split into their entry elements, but not yet interpreted.

Nothing is loaded: no DTD, no entity, no network.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from lxml import etree

from pipeline.ingest.parse.decode import resolve_surrogates
from pipeline.ingest.parse.xml_split import remove_oldest
from pipeline.model.cpu_budget import check_cpu_budget

MAX_RECOVERED_TAGS = 5_000
MAX_CHILDREN = 500
"""Of one element, entries not counted: feedparser compares each category and each link with all others."""
MAX_ATTRIBUTES = 100
MAX_PREFIXES = 50
MAX_TEXT = 300_000
"""Characters of one element, about a book: feedparser is slow on long texts."""
MAX_KEYWORDS = 5_000
"""Characters of a list of keywords: each keyword is compared with all others."""

Element = Any  # lxml has no types

ROOT = re.compile(r"<(?:rss|feed|channel|(?:\w{1,20}:)?(?:RDF|rss|feed))(?=[\s>/])", re.IGNORECASE)
_PAGE = re.compile(r"<html\b", re.IGNORECASE)
_PROLOG = re.compile(r"(?:\s|<!--.*?-->|<\?.*?\?>|<!(?!--)[^<>\[]*(?:\[.*?\]\s*)?>)*", re.DOTALL)
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_ENTITY = re.compile(r"<!ENTITY\s+(\w{1,30})\s+([\"'])([^&%<\"']{0,60})\2\s*>")
# CDATA, comments and instructions are kept as they are; an unclosed one runs to the end, which keeps the search linear.
_LOOSE = re.compile(
    r"(?P<kept><!\[CDATA\[(?:.*?\]\]>|.*)|<!--(?:.*?-->|.*)|<\?(?:.*?\?>|.*))"
    r"|(?P<run>&+(?=&)|<+(?=<))"
    r"|&(?:#(?P<number>[0-9]{1,8}|x[0-9a-fA-F]{1,7});|(?P<name>\w{1,31});)?"
    r"|<(?!/?\w)",
    re.DOTALL | re.ASCII,
)
# A parser compares each attribute with all others, so oversized tags are cut before one sees them.
_OVERSIZED_TAG_CHARS = 100_000
_OVERSIZED_TAG = re.compile(rf"(<\w[\w:.-]{{0,50}})[^<>]{{{_OVERSIZED_TAG_CHARS},}}?(/?>)")
_PARTIAL_TAG = re.compile(r"<[^<>]{0,300}\Z")
_LONG_KEYWORDS = re.compile(rf"(<[\w:]{{0,30}}(?:keywords|tags)>(?:<!\[CDATA\[)?[^<\]]{{{MAX_KEYWORDS}}})[^<\]]*")
_XMLNS = re.compile(r"\bxmlns:?\w{0,20}=(?:\"[^\"<>]{0,200}\"|'[^'<>]{0,200}')")
_IDENTIFIED = re.compile(r"</(?:\w{1,20}:)?(?:item|entry|guid|id)\s*>|<(?:\w{1,20}:)?(?:item|entry)\b[^<>]{0,300}/>")
_FIELD_END = re.compile(r"</[\w:.-]{1,60}\s*>|/>")
_MARKUP = re.compile(
    r"<!\[CDATA\[(?:.*?\]\]>|.*)|<!--(?:.*?-->|.*)|(?P<tag><(?P<entry>(?:\w{1,20}:)?(?:item|entry)[\s>/])?)", re.DOTALL
)
_CROWDED = etree.XPath(f"//*[count(@*) > {MAX_ATTRIBUTES} or count(*) > {MAX_CHILDREN}]")
_NAMESPACES = {
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
    """A feed document with its entry elements."""

    text: str
    """From the root element on, as written or repaired."""
    root: Element | None
    """The tree; None if not even a tolerant parser found one."""
    elements: tuple[Element, ...]
    is_complete: bool
    """True when the tree contains everything that is in the text, so that entries can be removed from it."""
    warnings: tuple[str, ...] = ()
    damage: str = ""
    """The same as ``ParsedFeed.damage``."""
    omitted: int = 0
    """Number of entries that were removed because there are too many."""
    bases: Mapping[Element, str] = field(default_factory=dict)
    """The base URL of each element below an xml:base that has children or text; see ``addresses.resolve_bases``."""

    def to_bytes(self) -> bytes:
        """Return the document as UTF-8."""
        return self.text.encode("utf-8", "ignore")

    def with_only(self, elements: Collection[Element]) -> bytes:
        """Return the document as UTF-8 with only these entries, or all of it unless the tree is complete."""
        if not self.is_complete:
            return self.to_bytes()
        root, kept = deepcopy(self.root), set(elements)
        for element, copy in zip(self.elements, entry_elements(root), strict=True):
            if element not in kept:
                copy.getparent().remove(copy)
        return bytes(etree.tostring(root, encoding="utf-8"))


def is_feed(text: str) -> bool:
    """Check whether a feed's root element comes first, after any junk but a web page.

    >>> is_feed("Warning: x in y.php <?xml version='1.0'?><rss version='2.0'>"), is_feed("<html><rss>")
    (True, False)
    """
    start = _PROLOG.match(text).end()  # type: ignore[union-attr]  # it matches the empty string
    root = ROOT.search(text, start, start + 20_000)
    page = _PAGE.search(text, start, start + 20_000)
    return root is not None and (page is None or root.start() < page.start())


def parse_xml(text: str) -> XmlDocument:
    """Parse a document strictly if it is well-formed or can be repaired, otherwise with a tolerant parser."""
    root_text = drop_oversized_tags(strip_prolog(text))
    declared = {name: value for name, _, value in _ENTITY.findall(text[: len(text) - len(root_text)][:20_000])}
    try:
        return _document(root_text, _tree(root_text, recover=False))
    except etree.XMLSyntaxError as error:
        reason = str(error).partition(" (<")[0].partition(", line")[0].rstrip(".")[:120]
        damage = f"XML is broken: {reason}"
    check_cpu_budget()
    repaired = _repair(root_text, declared)
    check_cpu_budget()
    try:
        return _document(repaired, _tree(repaired, recover=False), warning=f"The {damage}.")
    except etree.XMLSyntaxError:
        return _recover(_without_partial_entry(repaired), damage)


def parse_xml_strict(text: str) -> XmlDocument | None:
    """Parse a text that begins with the root element; return None unless it is well-formed."""
    try:
        return _document(text, _tree(text, recover=False))
    except etree.XMLSyntaxError:
        return None


def strip_prolog(text: str) -> str:
    """Return the text from the root element on, without junk, the XML declaration and the DTD before it.

    References to surrogates become characters everywhere, or nothing where one is alone, because the tolerant parser
    fails on them even in CDATA.
    """
    start = _PROLOG.match(text).end()  # type: ignore[union-attr]  # it matches the empty string
    root = ROOT.search(text, start)
    return resolve_surrogates(text[root.start() :] if root else text[start:])


def drop_oversized_tags(text: str) -> str:
    """Return the text with the attributes of oversized tags cut off."""
    half = _OVERSIZED_TAG_CHARS // 2  # an oversized tag spans at least one such stretch completely
    if all(text.find("<", at, at + half) >= 0 for at in range(0, len(text) - half, half)):
        return text
    return _OVERSIZED_TAG.sub(r"\1\2", text)


def _document(text: str, root: Element | None, *, is_complete: bool = True, warning: str = "") -> XmlDocument:
    warnings, omitted = [warning] if warning else [], 0
    if root is not None and is_complete:
        omitted = remove_oldest(entry_elements(root))
        if shortened := any((_prune(root), _shorten_texts(root, text))):
            limits = f"{MAX_CHILDREN} children, {MAX_ATTRIBUTES} attributes, {MAX_KEYWORDS:,} characters of keywords"
            warnings.append(f"An element has more than {limits} or {MAX_TEXT:,} of other text; some were cut.")
        if omitted or shortened:
            text = etree.tostring(root, encoding="unicode")
    elements = tuple(entry_elements(root)) if root is not None else ()
    return XmlDocument(
        text=text, root=root, elements=elements, is_complete=is_complete, warnings=tuple(warnings), omitted=omitted
    )


def _prune(root: Element) -> bool:
    """Remove what only a hostile document has: hundreds of children or attributes. Return whether anything was."""
    crowded = _CROWDED(root)
    kept = set(entry_elements(root)) if crowded else set()
    cut = False
    for element in crowded:
        for name in element.keys()[MAX_ATTRIBUTES:]:
            del element.attrib[name]
            cut = True
        for child in [child for child in element if child not in kept][MAX_CHILDREN:]:
            element.remove(child)
            cut = True
    return cut


def _shorten_texts(root: Element, text: str) -> bool:
    """Cut texts longer than ``MAX_TEXT``, and keywords longer than ``MAX_KEYWORDS``; return whether there were any."""
    long = [element for element in root.iter("*") if len(element.text or "") > MAX_TEXT] if len(text) > MAX_TEXT else []
    for element in long:
        element.text = element.text[:MAX_TEXT]
    lists = [element for element in root.iter("{*}keywords", "{*}tags") if len(element.text or "") > MAX_KEYWORDS]
    for element in lists:
        element.text = element.text[:MAX_KEYWORDS]
    return bool(long or lists)


def _recover(text: str, damage: str) -> XmlDocument:
    """Return the document of a tolerant parser; it is complete if every entry and 90 % of the characters are in it.

    A document that was cut off, or closes the wrong tag, is then parsed exactly as a well-formed one.
    """
    text, warning = _LONG_KEYWORDS.sub(r"\1", text), f"The {damage}."
    try:
        tree = _tree(text, recover=True)
        rewritten = "" if tree is None else etree.tostring(tree, encoding="utf-8").decode("utf-8", "ignore")
        root = _tree(rewritten, recover=False)  # the tolerant tree may contain characters that XML forbids
    except etree.XMLSyntaxError:
        return replace(_document(_cut_after_max_tags(text), None, is_complete=False, warning=warning), damage=damage)
    expected = sum(1 for match in _MARKUP.finditer(text) if match["entry"])
    is_complete = expected == len(entry_elements(root)) and len(rewritten) >= 0.9 * len(text)
    kept = rewritten if is_complete else _cut_after_max_tags(text)
    document = _document(kept, root, is_complete=is_complete, warning=warning)
    return document if is_complete and _root_end(text) else replace(document, damage=damage)


def _without_partial_entry(text: str) -> str:
    """Return a text that was cut off without its last, partial field: half a date is a different date.

    The last entry is removed completely unless its guid is complete: half a guid would make it a different entry.
    """
    if _root_end(text):
        return text
    start = max((match.start() for match in _MARKUP.finditer(text) if match["entry"]), default=len(text))
    if not _IDENTIFIED.search(text, start):
        return text[:start]
    return text[: max(match.end() for match in _FIELD_END.finditer(text, start))]


def _cut_after_max_tags(text: str) -> str:
    """Return at most ``MAX_RECOVERED_TAGS`` tags of a text: the tolerant parser's time grows with their square."""
    tags = (match.start() for match in _MARKUP.finditer(text) if match["tag"])
    return text[: next(islice(tags, MAX_RECOVERED_TAGS, None), len(text))]


def entry_elements(root: Element) -> list[Element]:
    """Return the entries below a root element, in document order."""
    return [element for element in root.iter("{*}item", "{*}entry") if element is not root]


def _tree(text: str, *, recover: bool) -> Element | None:
    parser = etree.XMLParser(
        recover=recover, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, strip_cdata=False
    )
    return etree.fromstring(text.encode("utf-8", "ignore"), parser)


def _repair(text: str, declared: dict[str, str]) -> str:
    """Replace named entities by characters, escape stray ``&`` and ``<``, and declare missing namespace prefixes."""

    def repair(match: re.Match[str]) -> str:
        if match["kept"] is not None:
            return match[0]
        if match["run"]:
            return entities.escape(match["run"])
        if match["number"]:
            return _character(match["number"])
        name = match["name"]
        if name is None:
            return "&lt;" if match[0] == "<" else "&amp;"
        if name in _XML_ENTITIES:
            return match[0]
        plain = declared.get(name) or entities.unescape(f"&{name};")
        return f"&amp;{name};" if plain == f"&{name};" else entities.escape(plain)

    text = _XMLNS.sub(lambda match: "".join(match[0].split()), text[: _root_end(text)], count=50)
    return _declare_prefixes(_LOOSE.sub(repair, _PARTIAL_TAG.sub("", text)))


def _character(number: str) -> str:
    """Return a numeric reference as a character; "" if XML forbids it."""
    code = int(number[1:], 16) if number.startswith("x") else int(number)
    legal = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    # Beyond ASCII no character is markup, and the tolerant parser does not resolve such references in attributes.
    return chr(code) if legal and code > 0x7F else f"&#{code};" if legal else ""


def _root_end(text: str) -> int | None:
    """Return where the root element ends (servers may append to it), or None if the text was cut off before."""
    root = re.match(r"<([\w:]{1,40})", text)
    ends = re.finditer(rf"</{root[1]}\s*>", text[-5000:], re.IGNORECASE) if root else ()
    return max((max(len(text) - 5000, 0) + match.end() for match in ends), default=None)


def _declare_prefixes(text: str) -> str:
    used = set(re.findall(r"[</\s]([A-Za-z][\w-]{0,19}):[A-Za-z]", text)) - {"xmlns", "xml"}
    root = re.match(r"<[\w:]+", text)
    if len(used) > MAX_PREFIXES or not root:
        return text
    missing = sorted(prefix for prefix in used if f"xmlns:{prefix}" not in text and f"<{prefix}:" in text)
    declared = "".join(f' xmlns:{prefix}="{_NAMESPACES.get(prefix, f"urn:undeclared:{prefix}")}"' for prefix in missing)
    return text[: root.end()] + declared + text[root.end() :]
