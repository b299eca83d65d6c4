"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/). Values of the wrong type are treated as absent."""

from __future__ import annotations

import html as entities
import json
import re
from dataclasses import replace
from typing import Any

from pipeline.ingest.parse.decode import drop_illegal
from pipeline.ingest.parse.result import IncrementalResult, PreviousDocument, clean_channel, newest_indexes
from pipeline.model.cpu_budget import check_cpu_budget
from pipeline.model.entry import Enclosure, ParsedFeed, RawEntry
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Channel
from pipeline.text.dates import parse_date

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/1(?:\.(\d))?/?")

Json = dict[str, Any]


def can_parse(text: str) -> bool:
    """Check whether ``text`` is JSON that names a supported JSON Feed version."""
    return text.lstrip()[:1] == "{" and _VERSION.search(text) is not None


def parse(text: str, *, url: str) -> ParsedFeed:
    """Parse a JSON Feed. Raise NotAFeedError.

    >>> text = '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 7, "content_text": "Salt & fat"}]}'
    >>> entry = parse(text, url="").entries[0]
    >>> entry.guid, entry.content_html
    ('7', 'Salt &amp; fat')
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAFeedError("returns JSON that is not valid") from error
    version = _VERSION.fullmatch(_text(document, "version"))
    if not version:
        raise NotAFeedError("returns JSON that is not a feed")
    items = [item for item in _list(document, "items") if isinstance(item, dict)]
    kept = newest_indexes([_text(item, "date_published") or _text(item, "date_modified") for item in items])
    return ParsedFeed(
        version=f"json1{version[1] or '0'}",
        channel=replace(clean_channel(_channel(document), url), omitted_entries=len(items) - len(kept)),
        entries=tuple(_entry(items[index]) for index in kept),
    )


def parse_incrementally(text: str, previous: PreviousDocument, *, url: str, context: str) -> IncrementalResult:
    """Parse all entries: JSON is parsed fast enough to do without hashes."""
    return IncrementalResult(parsed=parse(text, url=url))


def _channel(document: Json) -> Channel:
    return Channel(
        title=_text(document, "title"),
        url=_text(document, "home_page_url"),
        description=_text(document, "description"),
        language=_text(document, "language"),
        author=_author(document),
        picture_url=_text(document, "icon"),
        icon_url=_text(document, "favicon"),
        self_url=_text(document, "feed_url"),
    )


def _entry(item: Json) -> RawEntry:
    check_cpu_budget()
    written = (_text(item, "date_published"), _text(item, "date_modified"))
    published_at, updated_at = map(parse_date, written)
    attachments = [part for part in _list(item, "attachments") if isinstance(part, dict) and _text(part, "url")]
    return RawEntry(
        guid=_text(item, "id"),
        link=_text(item, "url") or _text(item, "external_url"),
        title=_text(item, "title"),
        title_type="text",
        summary_html=entities.escape(_text(item, "summary"), quote=False),
        content_html=_text(item, "content_html") or entities.escape(_text(item, "content_text"), quote=False),
        published_at=published_at,
        updated_at=updated_at,
        unreadable_date=next(
            (text for text, date in zip(written, (published_at, updated_at), strict=True) if text and not date), ""
        ),
        author=_author(item),
        categories=tuple(tag for tag in _list(item, "tags") if isinstance(tag, str)),
        enclosures=tuple(_enclosure(part) for part in attachments),
        picture_url=_text(item, "image") or _text(item, "banner_image"),
        duration=next((text for part in attachments if (text := _text(part, "duration_in_seconds"))), ""),
    )


def _enclosure(part: Json) -> Enclosure:
    length = part.get("size_in_bytes")
    whole = length if isinstance(length, int) and not isinstance(length, bool) and length > 0 else None
    return Enclosure(url=_text(part, "url"), media_type=_text(part, "mime_type"), length_bytes=whole)


def _author(thing: Json) -> str:
    """Return the authors' names, each once; version 1.0 has ``author`` instead of ``authors``, and some have both."""
    people = [*_list(thing, "authors"), thing.get("author")]
    return ", ".join(dict.fromkeys(name for person in people if (name := _text(person, "name"))))


def _text(thing: Any, key: str) -> str:
    value = thing.get(key) if isinstance(thing, dict) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)  # the specification asks for numeric ids to be accepted
    return drop_illegal(value) if isinstance(value, str) else ""  # JSON can escape characters that XML forbids


def _list(thing: Json, key: str) -> list[Any]:
    value = thing.get(key)
    return value if isinstance(value, list) else []
