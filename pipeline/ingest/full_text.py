"""The article in a web page, for entries whose feed only has an excerpt.

The only module that imports trafilatura, which takes half a second and is therefore imported for the first page only.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from pipeline.ingest.body import clean_body
from pipeline.ingest.parse.decode import decode
from pipeline.model.cpu_budget import check_cpu_budget
from pipeline.model.entry import Entry
from pipeline.model.errors import ExpensiveDocumentError
from pipeline.text.html import plain_text, reading_minutes
from pipeline.text.plain_text import count_words

MAX_PAGE_CHARS = 2_000_000
MAX_PAGE_TAGS = 20_000
"""trafilatura compares elements with each other: with this many it takes a few seconds, with twice as many a minute."""
MAX_EXCERPT_MINUTES = 1
"""A body that takes longer to read is no excerpt, unless it says that it goes on."""

_HTML = {"item": "li", "ref": "a", "graphic": "img", "quote": "blockquote", "lb": "br", "row": "tr", "cell": "td"}
_EMPHASIS = {"#b": "strong", "#t": "code", "#sub": "sub", "#sup": "sup"}
_ATTRIBUTES = {"ref": {"target": "href"}, "graphic": {"src": "src", "alt": "alt"}}


def needs_full_text(entry: Entry) -> bool:
    """Check whether an entry has a page and only an excerpt. Episodes are skipped: their content is the audio."""
    return (
        bool(entry.url)
        and not (entry.is_episode or entry.needs_password)
        and (entry.is_cut or reading_minutes(entry.body_html) <= MAX_EXCERPT_MINUTES)
    )


def with_full_text(entry: Entry, page: bytes, *, content_type: str, url: str) -> Entry:
    """Return the entry with its page's article as its body if that is longer, else unchanged.

    ``url`` is the page's, for relative URLs. Raises ExpensiveDocumentError.
    """
    text = decode(page, content_type)[:MAX_PAGE_CHARS]
    if text.count("<") > MAX_PAGE_TAGS:
        raise ExpensiveDocumentError(f"has more than {MAX_PAGE_TAGS:,} tags")
    article = _article(text, entry.title)
    check_cpu_budget()
    body_html = clean_body(article, url)
    if count_words(plain_text(body_html)) <= count_words(plain_text(entry.body_html)):
        return entry
    return replace(entry, body_html=body_html, summaries=entry.summaries or (entry.excerpt_text,), is_cut=False)


def _article(page: str, title: str) -> str:
    """Return the article as HTML, neither sanitised nor with absolute links, or "" if there is none."""
    from trafilatura import bare_extraction
    from trafilatura.settings import Document, Extractor

    logging.getLogger("trafilatura").setLevel(
        logging.CRITICAL
    )  # warnings about the page are of no interest to the user
    options = Extractor(links=True, images=True, formatting=True, comments=False)
    try:
        document = bare_extraction(page, options=options)
    except Exception:  # trafilatura raises anything on broken pages; the excerpt stays
        return ""
    return _html(document.body, title) if isinstance(document, Document) else ""


def _html(body: Any, title: str) -> str:
    """Return trafilatura's TEI as HTML, without a headline that repeats the entry's title."""
    from lxml import etree

    headline = next(body.iter("head"), None)
    if headline is not None and _normalise("".join(headline.itertext())) == _normalise(title):
        headline.getparent().remove(headline)
    for element in list(body.iter(etree.Element)):
        attributes = {new: element.get(old, "") for old, new in _ATTRIBUTES.get(element.tag, {}).items()}
        element.tag = _tag(element.tag, element.get("rend", ""))
        element.attrib.clear()
        element.attrib.update(attributes)
    return "".join(etree.tostring(child, encoding="unicode", method="html") for child in body)


def _tag(name: str, rendition: str) -> str:
    """Return the name of the HTML element for a TEI element.

    >>> _tag("list", "ol"), _tag("hi", "#b"), _tag("head", "h1"), _tag("p", "")
    ('ol', 'strong', 'h2', 'p')
    """
    if name == "list":
        return "ol" if rendition == "ol" else "ul"
    if name == "head":
        return max(rendition, "h2")  # h1 is for the page's own title
    return _EMPHASIS.get(rendition, "em") if name == "hi" else _HTML.get(name, name)


def _normalise(text: str) -> str:
    return " ".join(text.split()).casefold()
