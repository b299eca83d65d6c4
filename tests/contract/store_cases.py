"""What the store's tests are made of: entries, changes, and every entry hypothesis can think of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from pipeline.model.entry import Change, ChangeKind, Enclosure, Entry, Person, Picture, Transcript
from pipeline.model.feed import Channel, FeedState
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


def decide(entry: Entry, kind: ChangeKind = "new", entry_id: int | None = None, fingerprint: str = "first") -> Change:
    """A decision about an entry."""
    return Change(kind=kind, entry=entry, entry_id=entry_id, fingerprint=fingerprint)


def keep(store: Store, *entries: Entry, now: datetime = NOW, backlog: bool = False) -> list[int]:
    """Store new entries of one feed; gives their ids in the order of the entries."""
    feed_id = entries[0].feed_id
    store.apply(FeedState(feed_id=feed_id), [decide(entry) for entry in entries], [], now=now, backlog=backlog)
    ids = {known.guid: known.entry_id for known in store.known_entries(feed_id)}
    return [ids[entry.guid] for entry in entries]


def guids(entries: list[Any]) -> list[str]:
    """The end of each guid: ``?p=3`` is ``3``."""
    return [stored.entry.guid.rpartition("=")[2] for stored in entries]


_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
_counts = st.none() | st.integers(0, 2**62)
_instants = st.datetimes(timezones=st.just(UTC), allow_imaginary=False)
_languages = st.sampled_from(["", "en-GB", "de"])

entries = st.builds(
    Entry,
    feed_id=st.just("blog"),
    guid=_texts,
    url=_texts,
    title=_texts,
    published_at=_instants,
    dated_by=st.sampled_from(["published", "updated", "first_seen"]),
    updated_at=st.none() | _instants,
    label=_texts,
    author=_texts,
    guest=_texts,
    body_html=_texts,
    excerpt_text=_texts,
    reading_minutes=st.integers(0, 10_000),
    categories=st.lists(_texts, max_size=3).map(tuple),
    language=_languages,
    picture=st.none() | st.builds(Picture, url=_texts, alt=_texts, width=_counts, height=_counts),
    enclosure=st.none() | st.builds(Enclosure, url=_texts, media_type=_texts, length_bytes=_counts),
    duration_seconds=_counts,
    season=_counts,
    episode=_counts,
    episode_type=_texts,
    explicit=st.none() | st.booleans(),
    transcripts=st.lists(st.builds(Transcript, url=_texts, media_type=_texts), max_size=2).map(tuple),
    chapters_url=_texts,
    persons=st.lists(st.builds(Person, name=_texts, role=_texts, url=_texts), max_size=2).map(tuple),
)
channels = st.builds(
    Channel,
    title=_texts,
    description=_texts,
    language=_languages,
    ttl_minutes=_counts,
    skip_hours=st.lists(st.integers(0, 23), max_size=3).map(tuple),
    skip_days=st.lists(_texts, max_size=3).map(tuple),
)
states = st.builds(
    FeedState,
    feed_id=st.just("blog"),
    url=_texts,
    etag=_texts,
    last_modified=_texts,
    body_sha256=_texts,
    channel=channels,
    first_read_at=st.none() | _instants,
    checked_at=st.none() | _instants,
    read_at=st.none() | _instants,
    due_at=st.none() | _instants,
    failures=st.integers(0, 1_000_000),
    outcome=_texts,
    detail=_texts,
)
