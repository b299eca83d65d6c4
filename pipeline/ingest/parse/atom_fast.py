"""A fast path for simple entries of Atom (RFC 4287), with the same result as feedparser.

An entry is simple if its texts are plain or escaped HTML and it has no foreign elements that matter. Anything else is
left to feedparser. A test compares the two over the whole corpus.
"""

from __future__ import annotations

import html as entities
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipeline.ingest.parse.addresses import page_link
from pipeline.ingest.parse.extensions import entry_extensions
from pipeline.ingest.parse.rss_fast import UnsupportedError, absolute_url, simple_text
from pipeline.ingest.parse.xml_document import Element
from pipeline.model.entry import Enclosure, RawEntry
from pipeline.text.dates import parse_date

_ATOM = "{http://www.w3.org/2005/Atom}"
_THREAD = "{http://purl.org/syndication/thread/1.0}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_TYPES: Mapping[str, Literal["text", "html"]] = {
    "text": "text",
    "text/plain": "text",
    "html": "html",
    "text/html": "html",
}
_MAX_LENGTH_DIGITS = 14


@dataclass(slots=True)
class _Fields:
    """The values read from an entry so far."""

    texts: dict[str, str] = field(default_factory=dict)
    title_type: Literal["", "text", "html"] = ""
    contents: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    tags: list[tuple[str, str, str]] = field(default_factory=list)
    enclosures: list[Enclosure] = field(default_factory=list)


def supports(root: Element) -> bool:
    """Check whether a document is Atom 1.0."""
    return bool(root.tag == f"{_ATOM}feed")


def parse_simple_entry(element: Element, bases: Mapping[Element, str]) -> RawEntry | None:
    """Return an entry of a supported document, or None if it is not simple; ``bases`` are as in `entry_extensions`."""
    if element.tag != f"{_ATOM}entry" or set(element.keys()) - {_LANGUAGE} or element.getparent().tag != f"{_ATOM}feed":
        return None
    fields = _Fields()
    try:
        for child in element:
            _handler_of(child)(fields, child)
        return _entry(fields, element, bases)
    except UnsupportedError:
        return None


def _entry(fields: _Fields, element: Element, bases: Mapping[Element, str]) -> RawEntry:
    texts = fields.texts
    dates = {name: parse_date(texts.get(name, "")) for name in ("published", "updated")}
    if any(texts.get(name) and not date for name, date in dates.items()):
        raise UnsupportedError
    extensions = entry_extensions(element, bases)
    return RawEntry(
        guid=texts.get("id", ""),
        link=page_link(element),
        title=texts.get("title", ""),
        title_type=fields.title_type,
        summary_html=texts.get("summary", ""),
        content_html=max(fields.contents, key=len, default=""),
        published_at=dates["published"],
        updated_at=dates["updated"],
        author=", ".join(dict.fromkeys(fields.authors)),
        categories=tuple(label or term for term, _, label in fields.tags),
        enclosures=tuple(fields.enclosures),
        base_url=extensions.base_url,
        content_base_url=extensions.content_base_url,
    )


def _handler_of(child: Element) -> Callable[[_Fields, Element], None]:
    """Return the function that reads an element. Raise UnsupportedError."""
    tag = child.tag
    if not isinstance(tag, str):  # a comment
        raise UnsupportedError
    if tag.startswith(_THREAD) and len(child) == 0:
        return _ignore
    handler = _HANDLERS.get(tag)
    if not handler:
        raise UnsupportedError
    return handler


def _ignore(fields: _Fields, child: Element) -> None:
    """Read nothing."""


def _read_text(fields: _Fields, child: Element) -> None:
    name = child.tag.removeprefix(_ATOM)
    if child.attrib or name in fields.texts:
        raise UnsupportedError
    fields.texts[name] = simple_text(child)


def _title(fields: _Fields, child: Element) -> None:
    if fields.title_type:
        raise UnsupportedError
    fields.title_type = _type_of(child)
    fields.texts["title"] = simple_text(child)


def _summary(fields: _Fields, child: Element) -> None:
    """Read a summary; one that comes after the content counts as content, too."""
    if "summary" in fields.texts:
        raise UnsupportedError
    fields.texts["summary"] = _html(child)


def _content(fields: _Fields, child: Element) -> None:
    """Read the content, which is the summary as well if there is none yet."""
    fields.contents.append(_html(child))
    fields.texts.setdefault("summary", simple_text(child))


def _type_of(child: Element) -> Literal["text", "html"]:
    if set(child.keys()) - {"type", _LANGUAGE}:
        raise UnsupportedError
    declared = _TYPES.get(child.get("type", "text").lower())
    if not declared:
        raise UnsupportedError
    return declared


def _html(child: Element) -> str:
    text = simple_text(child)
    return text if _type_of(child) == "html" else entities.escape(text, quote=False)


def _author(fields: _Fields, child: Element) -> None:
    parts = [(part.tag, simple_text(part)) for part in child]
    names = [text for tag, text in parts if tag == f"{_ATOM}name"]
    if (
        len(names) != 1
        or not names[0]
        or "@" in names[0]
        or {tag for tag, _ in parts} - {f"{_ATOM}name", f"{_ATOM}uri"}
    ):
        raise UnsupportedError
    fields.authors.append(names[0])


def _category(fields: _Fields, child: Element) -> None:
    if simple_text(child) or set(child.keys()) - {"term", "scheme", "label"}:
        raise UnsupportedError
    tag = child.get("term", ""), child.get("scheme", ""), child.get("label", "")
    if any(tag) and tag not in fields.tags:
        fields.tags.append(tag)


def _link(fields: _Fields, child: Element) -> None:
    if not child.get("href") or len(child) or (child.text or "").strip():
        raise UnsupportedError
    if child.get("rel", "").lower() == "enclosure":
        length = child.get("length", "").strip()
        is_size = length.isdecimal() and len(length) <= _MAX_LENGTH_DIGITS and int(length) > 0
        fields.enclosures.append(
            Enclosure(
                url=absolute_url(child.get("href")),
                media_type=child.get("type", "text/html").lower(),
                length_bytes=int(length) if is_size else None,
            )
        )


_HANDLERS: dict[str, Callable[[_Fields, Element], None]] = {
    f"{_ATOM}id": _read_text,
    f"{_ATOM}published": _read_text,
    f"{_ATOM}updated": _read_text,
    f"{_ATOM}title": _title,
    f"{_ATOM}summary": _summary,
    f"{_ATOM}content": _content,
    f"{_ATOM}author": _author,
    f"{_ATOM}category": _category,
    f"{_ATOM}link": _link,
}
