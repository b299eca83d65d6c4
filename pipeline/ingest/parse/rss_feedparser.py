"""Parses the entries of RSS 0.9x, 1.0 and 2.0, Atom and CDF: the only module that imports feedparser.

feedparser takes nearly all the time of a parse, so it only gets the entries that `rss_fast` and `atom_fast` do not
support. It gets a BytesIO, because it opens bytes as a file name and fetches strings.
"""

from __future__ import annotations

import html as entities
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any, Literal

from pipeline.ingest.parse import atom_fast, rss_fast
from pipeline.ingest.parse.addresses import page_link, resolve_bases
from pipeline.ingest.parse.decode import drop_illegal
from pipeline.ingest.parse.extensions import (
    Extensions,
    channel_extensions,
    element_guid,
    entry_extensions,
    image_descriptions,
)
from pipeline.ingest.parse.result import clean_channel
from pipeline.ingest.parse.xml_document import Element, XmlDocument
from pipeline.model.cpu_budget import check_cpu_budget
from pipeline.model.entry import Enclosure, ParsedFeed, Picture, RawEntry
from pipeline.model.errors import ExpensiveDocumentError, NotAFeedError
from pipeline.model.feed import Channel
from pipeline.text.dates import parse_date
from pipeline.text.html_images import is_image_file, pixels

Parsed = Any  # feedparser has no types

REPAIR = "ask the publisher to repair this feed"


def parse_entries(document: XmlDocument, *, url: str, channel: Channel | None = None) -> ParsedFeed:
    """Return the entries of a document, and its channel unless ``channel`` is given because it is known.

    Raise NotAFeedError if a damaged document yields no entry: an empty feed and a feed that lost its entries are not
    the same.
    """
    document = resolve_bases(document, url)
    elements = list(document.elements)
    simple: dict[Element, RawEntry] = {}
    fast = next((fast for fast in (rss_fast, atom_fast) if document.is_complete and fast.supports(document.root)), None)
    if fast:
        # Nearly all entries are simple, and feedparser takes fifty times as long.
        simple = {e: entry for e in elements if (entry := fast.parse_simple_entry(e, document.bases))}
    rest = [element for element in elements if element not in simple]
    if channel and not rest:
        version = "atom10" if fast is atom_fast else "rss"
        return ParsedFeed(version=version, channel=channel, entries=tuple(simple.values()), damage=document.damage)
    parsed = _feedparser(document.to_bytes() if len(rest) == len(elements) else document.with_only(rest))
    if not document.is_complete and not parsed.entries:
        raise NotAFeedError(f"has no readable entry ({' '.join(document.warnings).rstrip('.')})", REPAIR)
    if simple and len(parsed.entries) != len(rest):  # feedparser counts differently: let it parse all of them
        simple, parsed = {}, _feedparser(document.with_only(elements))
    is_atom = str(dict.get(parsed, "version", "")).startswith("atom")
    entries = [
        _entry(entry, element, document.bases, is_atom=is_atom)
        for entry, element in _with_elements(parsed.entries, rest if simple else elements)
    ]
    if simple:
        by_element = simple | dict(zip(rest, entries, strict=True))
        entries = [by_element[element] for element in elements]
    return ParsedFeed(
        version=dict.get(parsed, "version", "") or "rss",
        channel=channel
        or replace(clean_channel(_channel(parsed, document.root), url), omitted_entries=document.omitted),
        entries=tuple(entries),
        warnings=document.warnings,
        damage=document.damage,
    )


class _Never:
    """False, as an option that feedparser reads at the end of each element; the CPU budget is checked there."""

    def __bool__(self) -> bool:
        check_cpu_budget()
        return False


def _feedparser(body: bytes) -> Parsed:
    import feedparser  # takes longer to import than the rest of the program

    headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        return feedparser.parse(
            BytesIO(body), response_headers=headers, sanitize_html=_Never(), resolve_relative_uris=False
        )
    except ExpensiveDocumentError:
        raise
    except Exception as error:  # on broken documents it raises whatever its parsers raise
        raise NotAFeedError("is too damaged to be read", REPAIR) from error


def _with_elements(entries: list[Parsed], elements: list[Element]) -> Iterator[tuple[Parsed, Element | None]]:
    """Yield each entry with its element: matched by position if the counts agree, else by guid."""
    if len(entries) == len(elements):
        yield from zip(entries, elements, strict=True)
        return
    by_guid = {guid: element for element in elements if (guid := element_guid(element))}
    yield from ((entry, by_guid.get(_text(entry, "id"))) for entry in entries)


def _entry(entry: Parsed, element: Element | None, bases: Mapping[Element, str], *, is_atom: bool = False) -> RawEntry:
    check_cpu_budget()
    extensions = Extensions() if element is None else entry_extensions(element, bases)
    media = [part for part in dict.get(entry, "media_content", ()) if _text(part, "url")]
    pictures = tuple(_pictures(entry, media, element))
    summary, *contents = _texts(entry, pictures)
    written = {name: _text(entry, name) for name in ("published", "created", "updated")}
    dates = {name: parse_date(text) for name, text in written.items()}  # feedparser accepts the beginning of a date
    return RawEntry(
        guid=_text(entry, "id"),
        link=_text(entry, "link") if element is None else page_link(element),
        title=_text(entry, "title"),
        title_type=_title_type(entry) if is_atom else "",
        summary_html=summary,
        subtitle=_text(entry, "subtitle"),
        content_html=max(contents, key=len, default=""),
        published_at=dates["published"] or dates["created"],
        updated_at=dates["updated"],
        unreadable_date=next((text for name, text in written.items() if text and not dates[name]), ""),
        author=_author(entry),
        categories=tuple(_text(tag, "label") or _text(tag, "term") for tag in dict.get(entry, "tags", ())),
        enclosures=tuple(_enclosures(entry, media)),
        picture_url=_text(dict.get(entry, "image"), "href"),
        pictures=pictures,
        duration=_text(entry, "itunes_duration"),
        season=_text(entry, "itunes_season") or extensions.season,
        episode=_text(entry, "itunes_episode") or extensions.episode,
        episode_type=_text(entry, "itunes_episodetype").lower(),
        explicit=extensions.explicit,
        transcripts=extensions.transcripts,
        chapters_url=extensions.chapters_url,
        persons=extensions.persons,
        soundbites=extensions.soundbites,
        base_url=extensions.base_url,
        content_base_url=extensions.content_base_url,
    )


def _channel(parsed: Parsed, root: Element | None) -> Channel:
    feed = parsed.feed
    own = Channel() if root is None else channel_extensions(root)
    home = "" if root is None else page_link(next(root.iterchildren("{*}channel"), root))
    links = dict.get(feed, "links", ())
    return replace(
        own,
        title=_text(feed, "title"),
        url=home or _text(feed, "link"),
        description=_text(feed, "subtitle"),
        language=_text(feed, "language"),
        author=_author(feed),
        picture_url=_text(dict.get(feed, "image"), "href") or _text(feed, "logo"),
        icon_url=_text(feed, "icon"),
        generator=_text(feed, "generator"),
        self_url=next((_text(link, "href") for link in links if _text(link, "rel") == "self"), ""),
    )


def _texts(entry: Parsed, pictures: Sequence[Picture]) -> list[str]:
    """Return the summary and the contents as HTML, without captions of pictures unless there is nothing else.

    feedparser reads the media:description of a picture as if it were the entry's.
    """
    captions = {picture.alt for picture in pictures if picture.alt}
    written = [(_text(entry, "summary"), dict.get(entry, "summary_detail"))]
    written += [(_text(part, "value"), part) for part in dict.get(entry, "content", ())]
    own = [(text, detail) for text, detail in written if text not in captions]
    return [_html(text, detail) for text, detail in (own if any(text for text, _ in own) else written)]


def _html(text: str, detail: Parsed) -> str:
    """Return a text as HTML, escaped if feedparser takes it for plain text; "" for the base64 of a file."""
    if _text(detail, "type").startswith(("image/", "audio/", "video/", "application/octet-stream", "application/pdf")):
        return ""
    if _text(detail, "type") != "text/plain":
        return text
    return entities.escape(text, quote=False)


def _title_type(entry: Parsed) -> Literal["", "text", "html"]:
    """Return the declared type of an Atom title; RSS has none, and feedparser guesses it."""
    media_type = _text(dict.get(entry, "title_detail"), "type")
    return "text" if media_type == "text/plain" else "html" if media_type else ""


def _author(thing: Parsed) -> str:
    """Return the names of several authors, but a single one as written: feedparser splits "address (Name)" badly."""
    names = dict.fromkeys(name for person in dict.get(thing, "authors", ()) if (name := _text(person, "name")))
    return ", ".join(names) if len(names) > 1 else _text(thing, "author") or next(iter(names), "")


def _enclosures(entry: Parsed, media: list[Parsed]) -> Iterator[Enclosure]:
    """Yield <enclosure> and rel=enclosure first, then the audio and video of Media RSS."""
    links = [link for link in dict.get(entry, "links", ()) if _text(link, "rel") == "enclosure" and _text(link, "href")]
    for link in links:
        yield Enclosure(url=_text(link, "href"), media_type=_text(link, "type"), length_bytes=_size(link, "length"))
    for part in media:
        if _text(part, "medium") in ("audio", "video") or _text(part, "type").startswith(("audio/", "video/")):
            yield Enclosure(
                url=_text(part, "url"), media_type=_text(part, "type"), length_bytes=_size(part, "filesize")
            )


def _pictures(entry: Parsed, media: list[Parsed], element: Element | None) -> Iterator[Picture]:
    """Yield the images of Media RSS, then its thumbnails, with the sizes and descriptions that are declared."""
    parts = [part for part in media if _is_picture(part)] + dict.get(entry, "media_thumbnail", [])
    descriptions = dict(image_descriptions(element)) if parts and element is not None else {}
    for part in parts:
        if url := _text(part, "url"):
            width, height = pixels(_text(part, "width")), pixels(_text(part, "height"))
            yield Picture(url=url, width=width, height=height, alt=descriptions.get(url, ""))


def _is_picture(part: Parsed) -> bool:
    kind = _text(part, "type") or _text(part, "medium")
    return kind.startswith("image") or (not kind and is_image_file(_text(part, "url")))


def _size(part: Parsed, name: str) -> int | None:
    text = _text(part, name).strip()
    return int(text) if text.isdecimal() and len(text) < 15 and int(text) > 0 else None


def _text(thing: Parsed, key: str) -> str:
    """Return a string value, or "" if absent, without feedparser's substitutes for other keys."""
    value = dict.get(thing, key) if isinstance(thing, dict) else None
    return drop_illegal(value) if isinstance(value, str) else ""
