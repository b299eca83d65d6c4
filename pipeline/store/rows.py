"""Converts records to rows and back.

Columns exist for what queries read; everything else of an entry is one JSON object, ``details``, without the fields
that have their default. So a new field of ``Entry`` with a default needs no migration, nor does a removed one.
"""

from __future__ import annotations

from collections.abc import Callable
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

_ENTRY_COLUMNS = ("feed_id", "guid", "title", "published_at", "dated_by", "duration_seconds", "raw_hash")
_STORED_COLUMNS = (
    *("entry_id", "first_seen_at", "changed_at", "vanished_at", "archived", "fingerprint", "withdrawn_at"),
    "quarantined_at",
)
_DEFAULTS = {field.name: field.default for field in fields(Entry) if field.name not in {*_ENTRY_COLUMNS, "body_html"}}
"""The fields stored in ``details``, and the default of each."""
_get_details = attrgetter(*_DEFAULTS)
_FROM_JSON: dict[str, Callable[[Any], Any]] = {
    "updated_at": datetime.fromisoformat,
    "summaries": tuple,
    "categories": tuple,
    "picture": lambda value: Picture(**value),
    "enclosure": lambda value: Enclosure(**value),
    "transcripts": lambda values: tuple(Transcript(**value) for value in values),
    "persons": lambda values: tuple(Person(**value) for value in values),
    "soundbites": lambda values: tuple(Soundbite(**value) for value in values),
}


def storable(text: str) -> str:
    r"""Remove what a database refuses: NUL (PostgreSQL) and lone surrogates (UTF-8).

    >>> storable("Har\x00bour \ud800& Hearth")
    'Harbour & Hearth'
    """
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def feed_row(state: FeedState) -> dict[str, Any]:
    """Return the row of a feed."""
    values = {field.name: getattr(state, field.name) for field in fields(state)}
    return {name: value if isinstance(value, datetime) else _to_json(value) for name, value in values.items()}


def feed_state(row: RowMapping) -> FeedState:
    """Return the state in a feed's row."""
    channel: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row["channel"].items()
    }
    return FeedState(**{**row, "channel": Channel(**channel)})


def entry_row(change: EntryChange) -> dict[str, Any]:
    """Return the columns of an entry that its document decides."""
    entry = change.entry
    return entry_keys(entry) | {
        "feed_id": entry.feed_id,
        "guid": storable(entry.guid),
        "media_type": storable(entry.enclosure.media_type) if entry.enclosure else "",
        "fingerprint": change.fingerprint,
        "title": storable(entry.title),
        "duration_seconds": entry.duration_seconds,
        "published_at": entry.published_at,
        "dated_by": entry.dated_by,
        "raw_hash": entry.raw_hash,
    }


def entry_keys(entry: Entry) -> dict[str, str]:
    """Return the keys an entry is looked up by; that of the GUID has 64 characters, however long the GUID is."""
    return {
        "guid_sha256": sha256(storable(entry.guid).encode()).hexdigest(),
        "url_key": storable(url_key(entry.url)),
        "enclosure_key": storable(media_key(entry.enclosure.url)) if entry.enclosure else "",
    }


def content_row(entry: Entry) -> dict[str, Any]:
    """Return the content row of an entry, without its ``entry_id``."""
    values = zip(_DEFAULTS.items(), _get_details(entry), strict=True)
    details = {name: _to_json(value) for (name, default), value in values if value is not default and value != default}
    return {"details": details, "body_html": storable(entry.body_html)}


def stored_entry(row: RowMapping) -> StoredEntry:
    """Return the entry in a row of ``entry``, ``content`` and ``edition_entry``."""
    details = {
        name: _FROM_JSON[name](value) if name in _FROM_JSON else value
        for name, value in row["details"].items()
        if name in _DEFAULTS  # another version may have stored more
    }
    entry = Entry(**{name: row[name] for name in _ENTRY_COLUMNS}, body_html=row["body_html"], **details)
    stored = {name: row[name] for name in _STORED_COLUMNS}
    weeks: dict[str, Any] = {name: row[name] or "" for name in ("assigned_week", "edition_week", "released_from")}
    return StoredEntry(entry=entry, **weeks, **stored, late_counterpart=bool(row["late_counterpart"]))


def _to_json(value: object) -> Any:
    if isinstance(value, str):
        return storable(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_to_json(element) for element in value]
    if is_dataclass(value):
        return {field.name: _to_json(getattr(value, field.name)) for field in fields(value)}
    return value
