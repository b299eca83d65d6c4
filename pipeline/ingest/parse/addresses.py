"""Addresses of an XML feed: xml:base is resolved and the link to a page is chosen before feedparser sees the document.

feedparser never resets a base, so that one entry's would change its neighbours, and takes the last link of an entry for
its own, even a nested one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urljoin

from lxml import etree

from pipeline.ingest.parse.extensions import TEXT_NAMES
from pipeline.ingest.parse.xml_document import Element, XmlDocument, entry_elements

_BASES = ("{http://www.w3.org/XML/1998/namespace}base", "base")
_BASE_ATTRIBUTE = re.compile(r"base(?<=[\s:]base)\s*=")
"""xml:base or similar. The pattern starts with a fixed string, which makes the search fast."""
_ADDRESS_ATTRIBUTES = ("href", "src", "url")
_ADDRESS_ELEMENTS = frozenset({"link", "url", "icon", "logo", "comments", "uri"})


def resolve_bases(document: XmlDocument, url: str) -> XmlDocument:
    """Return a document without xml:base (https://www.w3.org/TR/xmlbase/); ``url`` is its address.

    Addresses below a base become absolute. The base of each element below one is in ``bases``, for what is no element:
    HTML in a text.

    >>> from pipeline.ingest.parse.xml_document import parse_xml
    >>> feed = '<feed><entry xml:base="a/"><link href="b"/></entry><entry><link href="c"/></entry></feed>'
    >>> resolve_bases(parse_xml(feed), "https://h.example/feed").text
    '<feed><entry><link href="https://h.example/a/b"/></entry><entry><link href="c"/></entry></feed>'
    """
    if document.root is None or not _BASE_ATTRIBUTE.search(document.text):
        return document
    root = deepcopy(document.root)
    bases: dict[Element, str] = {}  # not of links and the like, of which there may be very many
    for element in root.iter("*"):
        base = bases.get(element.getparent(), "")
        written = [value.strip() for name, value in element.items() if name in _BASES]
        for name in _BASES if written else ():
            element.attrib.pop(name, None)
        if written and written[0]:
            base = _join(base or url, written[0])
        if base and not element.tag.endswith("title"):  # a title keeps no links
            if len(element) or element.tag.endswith(TEXT_NAMES):
                bases[element] = base
            _resolve(element, base)
    text = etree.tostring(root, encoding="unicode") if document.is_complete else document.text
    return replace(document, text=text, root=root, elements=tuple(entry_elements(root)), bases=bases)


def page_link(element: Element) -> str:
    """Return the address of an entry's or a channel's own page as written, or "".

    In order of preference: the address before a redirect (origLink), an RSS link, an Atom link that is declared to lead
    to a web page, one without a type, any other, and a guid that is a web address and not declared to be none.

    >>> page_link(etree.fromstring("<item><guid>site/7</guid><x><link>https://h.example/other</link></x></item>"))
    ''
    """
    return min(_page_links(element), key=lambda ranked: ranked[0], default=(0, ""))[1]


def _page_links(element: Element) -> Iterator[tuple[int, str]]:
    """Yield the links of an element, each with its rank."""
    namespace = etree.QName(element).namespace
    yield from ((1, value) for name, value in element.attrib.items() if name.lower() == "href")  # CDF
    for child in element.iterchildren("{*}origLink", "{*}link", "{*}guid", "{*}id"):
        name, text, href = etree.QName(child), _text(child), child.get("href", "").strip()
        if name.localname == "origLink" and text:
            yield 0, text
        elif name.localname == "link" and href:
            if child.get("rel", "alternate").rpartition("/")[2].lower() == "alternate":
                media_type = child.get("type", "").lower()
                yield (2 if "html" in media_type else 4 if media_type else 3), href
        elif name.localname == "link" and text and name.namespace == namespace:
            yield 1, text
        elif is_web_address(text) and child.get("isPermaLink", "true").lower() != "false":
            yield 5, text


def is_web_address(text: str) -> bool:
    """Check whether a text is an absolute http(s) address rather than a name or a relative address."""
    return text[:8].lower().startswith(("http://", "https://"))


def _text(element: Element) -> str:
    return (element.text or "").strip().replace("&amp;", "&")  # some are escaped twice


def _resolve(element: Element, base: str) -> None:
    for name, value in element.items():
        if name in _ADDRESS_ATTRIBUTES and value.strip():
            element.set(name, _join(base, value.strip()))
    if len(element) == 0 and (text := (element.text or "").strip()):
        name = element.tag.rpartition("}")[2]
        if name in _ADDRESS_ELEMENTS or (name == "guid" and element.get("isPermaLink") == "true"):
            element.text = _join(base, text)


@lru_cache(maxsize=1024)
def _join(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # an invalid IPv6 literal
        return address
