"""RSS 0.9x, 1.0 and 2.0, Atom and CDF, through feedparser: the only file that knows it.

In: decoded text. Out: a ParsedFeed. Touches nothing: feedparser gets a BytesIO, for it opens bytes as a file name and
fetches strings.

Two steps: ``document.split`` finds the items, ``parse_entries`` reads them. Whoever knows most items already leaves them
out of the document before, for feedparser takes nearly all the time.
"""

from __future__ import annotations

import html as entities
import re
from calendar import timegm
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from pipeline.ingest.parse.decode import drop_illegal
from pipeline.ingest.parse.extensions import Extensions, channel_extensions, element_guid, entry_extensions
from pipeline.ingest.parse.rss_fast import parse_simple_entry, supports
from pipeline.ingest.parse.xml_document import Element, XmlDocument, is_feed, parse_xml
from pipeline.model.entry import Enclosure, ParsedFeed, RawEntry
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Channel
from pipeline.text.dates import parse_date

Parsed = Any  # feedparser has no types

_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|webp|gif)(?:\?|$)", re.IGNORECASE)


def can_parse(text: str) -> bool:
    """Tell whether ``text`` has a feed's root element."""
    return is_feed(text)


def parse(text: str, *, url: str) -> ParsedFeed:
    """Read an XML feed, well-formed or not; raises NotAFeed."""
    return parse_entries(parse_xml(text), url=url)


def parse_entries(document: XmlDocument, *, url: str, channel: Channel | None = None) -> ParsedFeed:
    """Read the items of a document. ``channel``: where that is known already.

    A hopeless document that gives none is refused (NotAFeed): an empty feed and a feed that lost its items are not the
    same news.
    """
    items = list(document.elements)
    plain = _plain(document, items)
    rest = [item for item in items if item not in plain]
    if channel and not rest:
        return ParsedFeed(version="rss", channel=channel, entries=tuple(plain.values()), damage=document.damage)
    parsed = _feedparser(document.to_bytes() if len(rest) == len(document.elements) else document.with_only(rest))
    if not document.is_complete and not parsed.entries:
        raise NotAFeedError(f"Ask the publisher to mend this feed: no item can be read. {' '.join(document.warnings)}")
    if plain and len(parsed.entries) != len(rest):  # it counts otherwise, so let it read them all
        plain, parsed = {}, _feedparser(document.with_only(items))
    entries = [_entry(entry, extras) for entry, extras in _matched(parsed.entries, rest if plain else items, url)]
    if plain:
        read = plain | dict(zip(rest, entries, strict=True))
        entries = [read[item] for item in items]
    return ParsedFeed(
        version=dict.get(parsed, "version", "") or "rss",
        channel=_channel(parsed, document.root),
        entries=tuple(entries),
        warnings=document.warnings,
        damage=document.damage,
    )


def _plain(document: XmlDocument, items: Sequence[Element]) -> dict[Element, RawEntry]:
    """Read the items that need no guessing; they are nearly all, and feedparser takes fifty times as long."""
    if not document.is_complete or document.root is None or not supports(document.root):
        return {}
    return {item: entry for item in items if (entry := parse_simple_entry(item))}


def _feedparser(body: bytes) -> Parsed:
    import feedparser  # it takes longer to import than all the rest

    headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        return feedparser.parse(
            BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # it is asked to read what nobody can, and raises whatever its parsers raise
        raise NotAFeedError("Ask the publisher to mend this feed: it is too broken to be read.") from error


def _matched(entries: list[Parsed], items: list[Element], url: str) -> Iterator[tuple[Parsed, Extensions]]:
    """Give each entry its element's extras: by position where the counts agree, else by guid."""
    if len(entries) == len(items):
        yield from ((entry, entry_extensions(item, url)) for entry, item in zip(entries, items, strict=True))
        return
    named = {guid: item for item in items if (guid := element_guid(item))}
    for entry in entries:
        item = named.get(_text(entry, "id"))
        yield entry, (Extensions() if item is None else entry_extensions(item, url))


def _entry(entry: Parsed, extras: Extensions) -> RawEntry:
    summary = _html(_text(entry, "summary"), dict.get(entry, "summary_detail"))
    contents = [_html(_text(part, "value"), part) for part in dict.get(entry, "content", ())]
    media = [part for part in dict.get(entry, "media_content", ()) if _text(part, "url")]
    return RawEntry(
        guid=_text(entry, "id"),
        link=_text(entry, "feedburner_origlink") or _text(entry, "link"),
        title=_text(entry, "title"),
        summary_html=summary,
        content_html=max(contents, key=len, default=""),
        published_at=_date(entry, "published") or _date(entry, "created"),
        updated_at=_date(entry, "updated"),
        author=_author(entry),
        categories=tuple(_text(tag, "label") or _text(tag, "term") for tag in dict.get(entry, "tags", ())),
        enclosures=tuple(_enclosures(entry, media)),
        picture_url=_picture(entry, media),
        duration=_text(entry, "itunes_duration"),
        season=_text(entry, "itunes_season") or extras.season,
        episode=_text(entry, "itunes_episode") or extras.episode,
        episode_type=_text(entry, "itunes_episodetype").lower(),
        explicit=extras.explicit,
        transcripts=extras.transcripts,
        chapters_url=extras.chapters_url,
        persons=extras.persons,
        soundbites=extras.soundbites,
        base_url=extras.base_url,
    )


def _channel(parsed: Parsed, root: Element | None) -> Channel:
    feed = parsed.feed
    own = Channel() if root is None else channel_extensions(root)
    links = dict.get(feed, "links", ())
    return replace(
        own,
        title=_text(feed, "title"),
        url=_text(feed, "link"),
        description=_text(feed, "subtitle"),
        language=_text(feed, "language"),
        author=_author(feed),
        picture_url=_text(dict.get(feed, "image"), "href") or _text(feed, "logo"),
        generator=_text(feed, "generator"),
        self_url=next((_text(link, "href") for link in links if _text(link, "rel") == "self"), ""),
    )


def _html(text: str, detail: Parsed) -> str:
    """Make HTML of what is declared, or looks, plain."""
    if _text(detail, "type") != "text/plain":
        return text
    return entities.escape(text, quote=False)


def _date(entry: Parsed, name: str) -> datetime | None:
    """Read a date ourselves; what only feedparser reads (Greek, Korean, Hungarian) comes as a UTC time tuple."""
    if found := parse_date(_text(entry, name)):
        return found
    parts = dict.get(entry, f"{name}_parsed")
    try:
        return datetime.fromtimestamp(timegm(parts), UTC) if parts else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _author(thing: Parsed) -> str:
    """Return the names of several authors; of a single one what was written, for "address (Name)" is split badly."""
    names = dict.fromkeys(name for person in dict.get(thing, "authors", ()) if (name := _text(person, "name")))
    return ", ".join(names) if len(names) > 1 else _text(thing, "author") or next(iter(names), "")


def _enclosures(entry: Parsed, media: list[Parsed]) -> Iterator[Enclosure]:
    """Yield <enclosure> and rel=enclosure first, then sound and film of Media RSS."""
    links = [link for link in dict.get(entry, "links", ()) if _text(link, "rel") == "enclosure" and _text(link, "href")]
    for link in links:
        yield Enclosure(url=_text(link, "href"), media_type=_text(link, "type"), length_bytes=_size(link, "length"))
    for part in media:
        if _text(part, "medium") in ("audio", "video") or _text(part, "type").startswith(("audio/", "video/")):
            yield Enclosure(
                url=_text(part, "url"), media_type=_text(part, "type"), length_bytes=_size(part, "filesize")
            )


def _picture(entry: Parsed, media: list[Parsed]) -> str:
    """Choose the item's own picture: itunes:image, a Media RSS picture, its thumbnail."""
    own = _text(dict.get(entry, "image"), "href")
    pictures = (_text(part, "url") for part in media if _is_picture(part))
    thumbnails = (_text(part, "url") for part in dict.get(entry, "media_thumbnail", ()))
    return own or next(pictures, "") or next(thumbnails, "")


def _is_picture(part: Parsed) -> bool:
    kind = _text(part, "type") or _text(part, "medium")
    return kind.startswith("image") or (not kind and _PICTURE_FILE.search(_text(part, "url")) is not None)


def _size(part: Parsed, name: str) -> int | None:
    text = _text(part, name).strip()
    return int(text) if text.isdecimal() and len(text) < 15 and int(text) > 0 else None


def _text(thing: Parsed, key: str) -> str:
    """Read a text without feedparser's substitutes for absent keys."""
    value = dict.get(thing, key) if isinstance(thing, dict) else None
    return drop_illegal(value) if isinstance(value, str) else ""
