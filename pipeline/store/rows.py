"""Records to rows and back.

In: frozen records, or rows. Out: rows, or the equal records. Touches no database.

A column exists for what queries read; everything else of an entry is one JSON object, ``facts``, that leaves out
what has its default. So a new field of ``Entry`` with a default needs no migration, nor does one that goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any

from sqlalchemy import RowMapping

from pipeline.model.entry import Enclosure, Entry, Person, Picture, Soundbite, StoredEntry, Transcript
from pipeline.model.feed import Channel, FeedState
from pipeline.model.update import EntryChange
from pipeline.text.urls import media_key, url_key

_COLUMNS = ("feed_id", "guid", "title", "published_at", "dated_by", "duration_seconds", "raw_hash")
_KEPT_BESIDE = (
    *("entry_id", "first_seen_at", "changed_at", "vanished_at", "archived", "fingerprint", "withdrawn_at"),
    "quarantined_at",
)
_FACTS = {
    each.name: each.default for each in fields(Entry) if each.name not in {*_COLUMNS, "body_html"}
}  # name to default
_facts = attrgetter(*_FACTS)
_REVIVE: dict[str, Callable[[Any], Any]] = {
    "updated_at": datetime.fromisoformat,
    "categories": tuple,
    "picture": lambda found: Picture(**found),
    "enclosure": lambda found: Enclosure(**found),
    "transcripts": lambda found: tuple(Transcript(**each) for each in found),
    "persons": lambda found: tuple(Person(**each) for each in found),
    "soundbites": lambda found: tuple(Soundbite(**each) for each in found),
}


def storable(text: str) -> str:
    r"""Drop what a database refuses: NUL (PostgreSQL) and lone surrogates (UTF-8).

    >>> storable("Har\x00bour \ud800& Hearth")
    'Harbour & Hearth'
    """
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def guid_sha256(guid: str) -> str:
    """Give the key of a guid, 64 hexadecimal digits however long the guid is."""
    return sha256(storable(guid).encode()).hexdigest()


def feed_row(state: FeedState) -> dict[str, Any]:
    """Give the row of a feed."""
    kept = {each.name: getattr(state, each.name) for each in fields(state)}
    return {name: value if isinstance(value, datetime) else _plain(value) for name, value in kept.items()}


def feed_state(row: RowMapping) -> FeedState:
    """Read a feed's row back."""
    return FeedState(**{**row, "channel": _channel(row["channel"])})


def entry_row(change: EntryChange) -> dict[str, Any]:
    """Give what the document decides of an entry's row; marks and first dates are the store's."""
    entry = change.entry
    enclosure = entry.enclosure or Enclosure(url="")
    return entry_names(entry) | {
        "feed_id": entry.feed_id,
        "guid": storable(entry.guid),
        "media_type": storable(enclosure.media_type),
        "fingerprint": change.fingerprint,
        "title": storable(entry.title),
        "duration_seconds": entry.duration_seconds,
        "published_at": entry.published_at,
        "dated_by": entry.dated_by,
        "raw_hash": entry.raw_hash,
    }


def entry_names(entry: Entry) -> dict[str, str]:
    """Give the names by which an entry is looked up."""
    return {
        "guid_sha256": guid_sha256(entry.guid),
        "url_key": storable(url_key(entry.url)),
        "enclosure_key": storable(media_key(entry.enclosure.url)) if entry.enclosure else "",
    }


def content_row(entry: Entry) -> dict[str, Any]:
    """Give what is only shown of an entry."""
    values = zip(_FACTS.items(), _facts(entry), strict=True)
    facts = {name: _plain(value) for (name, default), value in values if value is not default and value != default}
    return {"details": facts, "body_html": storable(entry.body_html)}


def stored_entry(row: RowMapping) -> StoredEntry:
    """Read an entry back from its joined rows."""
    facts = {
        name: _REVIVE[name](value) if name in _REVIVE else value
        for name, value in row["details"].items()
        if name in _FACTS  # what earlier versions wrote down besides is passed over
    }
    entry = Entry(**{name: row[name] for name in _COLUMNS}, body_html=row["body_html"], **facts)
    beside = {name: row[name] for name in _KEPT_BESIDE}
    weeks: dict[str, Any] = {name: row[name] or "" for name in ("assigned_week", "edition_week", "released_from")}
    return StoredEntry(entry=entry, **weeks, **beside, late_counterpart=bool(row["late_counterpart"]))


def _channel(found: Mapping[str, Any]) -> Channel:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    return Channel(**values)


def _plain(value: object) -> Any:
    """Turn a record's value into what JSON can hold."""
    if isinstance(value, str):
        return storable(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value
