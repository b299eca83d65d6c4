"""What the store's tests are made of: entries, changes, and every entry hypothesis can think of."""

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
    """A post of Harbour & Hearth, published so many hours into the week."""
    facts: dict[str, Any] = {
        "feed_id": "blog",
        "guid": f"https://harbourandhearth.example/?p={number}",
        "url": f"https://harbourandhearth.example/post-{number}/",
        "title": f"Post {number}",
        "published_at": MONDAY + number * HOUR,
        "body_html": f"<p>Body {number}</p>",
    }
    return Entry(**facts | other)


def decide(
    entry: Entry, kind: ChangeKind = "new", entry_id: int | None = None, fingerprint: str = "first"
) -> EntryChange:
    """A decision about an entry."""
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


def keep(store: Store, *entries: Entry, now: datetime = NOW, archived: bool = False) -> list[int]:
    """Store new entries of one feed; gives their ids in the order of the entries."""
    feed_id = entries[0].feed_id
    apply(store, [decide(entry) for entry in entries], state=FeedState(feed_id=feed_id), now=now, archived=archived)
    ids = {known.guid: known.entry_id for known in store.entries.identities(feed_id)}
    return [ids[entry.guid] for entry in entries]


def guids(entries: list[Any]) -> list[str]:
    """The end of each guid: ``?p=3`` is ``3``."""
    return [stored.entry.guid.rpartition("=")[2] for stored in entries]


# What a record may hold, by the type it declares: a field that joins a record is tested without a word here.
_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
_counts = st.integers(0, 2**31 - 1)
_instants = st.datetimes(timezones=st.just(UTC), allow_imaginary=False)
_KINDS: dict[Any, st.SearchStrategy[Any]] = {
    "str": _texts,
    "int": _counts,
    "int | None": st.none() | _counts,
    "bool | None": st.none() | st.booleans(),
    "datetime": _instants,
    "datetime | None": st.none() | _instants,
    "tuple[str, ...]": st.lists(_texts, max_size=3).map(tuple),
    "tuple[int, ...]": st.lists(_counts, max_size=3).map(tuple),
    "DatedBy": st.sampled_from(["published", "updated", "first_seen"]),
}


def every(record: type, **fixed: Any) -> st.SearchStrategy[Any]:
    """Every record of a kind, with the fixed values given."""
    free = {each.name: _KINDS[each.type] for each in fields(record) if each.name not in fixed}
    return st.builds(record, **free, **{name: st.just(value) for name, value in fixed.items()})


_KINDS["Channel"] = every(Channel)
_KINDS["Picture | None"] = st.none() | every(Picture)
_KINDS["Enclosure | None"] = st.none() | every(Enclosure)
_KINDS["tuple[Transcript, ...]"] = st.lists(every(Transcript), max_size=2).map(tuple)
_KINDS["tuple[Person, ...]"] = st.lists(every(Person), max_size=2).map(tuple)
_KINDS["float"] = st.floats(0, 1e6)
_KINDS["tuple[Soundbite, ...]"] = st.lists(every(Soundbite), max_size=2).map(tuple)

entries = every(Entry, feed_id="blog")
states = every(FeedState, feed_id="blog")
