"""Factories for store tests: entries, changes, and hypothesis strategies for every record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from pipeline.model.entry import Enclosure, Entry, Person, Picture, Soundbite, Transcript
from pipeline.model.feed import Channel, FeedState
from pipeline.model.update import ChangeKind, EntryChange, FeedChanges, FeedUpdate, UpdateCounts
from pipeline.store import Store

NOW = datetime(2026, 2, 16, 6, 0, tzinfo=UTC)
MONDAY = datetime(2026, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def blog_post(number: int = 1, **other: Any) -> Entry:
    """Return a post of Harbour & Hearth, published ``number`` hours after Monday midnight."""
    values: dict[str, Any] = {
        "feed_id": "blog",
        "guid": f"https://harbourandhearth.example/?p={number}",
        "url": f"https://harbourandhearth.example/post-{number}/",
        "title": f"Post {number}",
        "published_at": MONDAY + number * HOUR,
        "body_html": f"<p>Body {number}</p>",
    }
    return Entry(**values | other)


def make_change(
    entry: Entry, kind: ChangeKind = "new", entry_id: int | None = None, fingerprint: str = "first"
) -> EntryChange:
    """Return the decision about an entry."""
    return EntryChange(kind=kind, entry=entry, entry_id=entry_id, fingerprint=fingerprint)


def apply(
    store: Store,
    entries: Sequence[EntryChange],
    vanished: Sequence[int] = (),
    *,
    state: FeedState | None = None,
    now: datetime = NOW,
    archived: bool = False,
    **changes: Any,
) -> UpdateCounts:
    """Write the update of one feed, the blog unless ``state`` names another."""
    update = FeedUpdate(
        state=state or FeedState(feed_id="blog"),
        changes=FeedChanges(entries=entries, vanished=vanished, **changes),
        archived=archived,
    )
    return store.entries.apply([update], now=now)[0]


def insert(store: Store, *entries: Entry, now: datetime = NOW, archived: bool = False) -> list[int]:
    """Insert new entries of one feed; return their ids in the order of the entries."""
    feed_id = entries[0].feed_id
    apply(
        store, [make_change(entry) for entry in entries], state=FeedState(feed_id=feed_id), now=now, archived=archived
    )
    ids = {known.guid: known.entry_id for known in store.entries.identities(feed_id)}
    return [ids[entry.guid] for entry in entries]


def guid_numbers(entries: list[Any]) -> list[str]:
    """Return the number in each GUID: ``?p=3`` gives ``3``."""
    return [stored.entry.guid.rpartition("=")[2] for stored in entries]


# Strategies by declared type, so that a new field of a record is tested without a change here.
_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
_counts = st.integers(0, 2**31 - 1)
_instants = st.datetimes(timezones=st.just(UTC), allow_imaginary=False)
_STRATEGIES: dict[Any, st.SearchStrategy[Any]] = {
    "str": _texts,
    "int": _counts,
    "int | None": st.none() | _counts,
    "bool": st.booleans(),
    "bool | None": st.none() | st.booleans(),
    "datetime": _instants,
    "datetime | None": st.none() | _instants,
    "tuple[str, ...]": st.lists(_texts, max_size=3).map(tuple),
    "tuple[int, ...]": st.lists(_counts, max_size=3).map(tuple),
    "DatedBy": st.sampled_from(["published", "updated", "first_seen"]),
}


def records(record: type, **fixed: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for every record of a type, with fixed values for some fields."""
    strategies = {field.name: _STRATEGIES[field.type] for field in fields(record) if field.name not in fixed}
    return st.builds(record, **strategies, **{name: st.just(value) for name, value in fixed.items()})


_STRATEGIES["Channel"] = records(Channel)
_STRATEGIES["Picture | None"] = st.none() | records(Picture)
_STRATEGIES["Enclosure | None"] = st.none() | records(Enclosure)
_STRATEGIES["tuple[Transcript, ...]"] = st.lists(records(Transcript), max_size=2).map(tuple)
_STRATEGIES["tuple[Person, ...]"] = st.lists(records(Person), max_size=2).map(tuple)
_STRATEGIES["float"] = st.floats(0, 1e6)
_STRATEGIES["tuple[Soundbite, ...]"] = st.lists(records(Soundbite), max_size=2).map(tuple)

entries = records(Entry, feed_id="blog")
states = records(FeedState, feed_id="blog")
