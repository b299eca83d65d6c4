"""Decide what a freshly read document means for what is stored: new, changed, same or repaired.

In: the document's entries as ``normalise`` made them, and what the store knows of the same feed. Out: a Verdict, to be
applied by the store. Touches nothing: no network, disk, clock or randomness. Which stored entry an entry is, the
ladder finds (``ladder.py``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.ingest.identity import SeenEntry, enclosure_key, is_same_address, key_path, match_entries, page_key
from pipeline.model.entry import Entry, EntryChange, EntryIdentity
from pipeline.text.similarity import title_key
from pipeline.text.urls import url_key

_OLD_FEED = 3
"""So many stored entries make a feed old enough to be surprised at."""
_HURRY = 10
"""So many times faster than ever before is not news, it is an import."""
_written = json.JSONEncoder(ensure_ascii=False).encode
_COUNTED = ("comment", "view", "like", "share", "replies", "responses", "plays", "downloads")
_COUNTER = re.compile(r"\b\d[\d.,]*[KkMm]?\s+(?:comments?|views?|likes?|shares?|replies|responses|plays|downloads)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedChanges:
    """What a freshly read document means for what is stored."""

    changes: tuple[EntryChange, ...]
    """One for each entry of the document that was read, in its order."""
    untouched: int = 0
    """How many entries stand in the document for themselves: known to be there as they were."""
    vanished: tuple[int, ...] = ()
    """Stored entries that were in the document at the last read and no longer are."""
    withdrawn: tuple[int, ...] = ()
    """Those of them that did not merely scroll off its end: somebody took them out."""
    reappeared: tuple[int, ...] = ()
    """Stored entries that had vanished and are back."""
    quarantine_reason: str = ""
    """Not empty: a sentence that says why the new entries must not become news."""


def fingerprint(entry: Entry) -> str:
    """Hash what a reader would notice: the content without dates, counters and what changes from one read to the next.

    Returns SHA-256 as hexadecimal. Left out on purpose: guid and spelling of addresses, file length and exact duration
    (inserted advertising changes both at every read), comment and view counts.

    >>> from datetime import datetime, UTC
    >>> day = datetime(2026, 2, 9, tzinfo=UTC)
    >>> post = Entry(feed_id="blog", guid="1", url="https://a.example/x", title="X", published_at=day)
    >>> fingerprint(post) == fingerprint(replace(post, guid="2", url="http://www.a.example/x/"))
    True
    >>> fingerprint(post) == fingerprint(replace(post, title="Y"))
    False
    """
    return hashlib.sha256(_written(_content(entry)).encode("utf-8", "replace")).hexdigest()


def _content(entry: Entry) -> list[object]:
    return [
        url_key(entry.url),
        [entry.title, entry.label, entry.author, entry.guest],
        [_without_counters(entry.body_html), _without_counters(entry.excerpt_text)],
        sorted(entry.categories),
        entry.picture.url if entry.picture else "",
        [
            enclosure_key(entry),
            entry.enclosure.media_type if entry.enclosure else "",
            entry.duration_seconds is not None,
        ],
        [entry.season, entry.episode, entry.episode_type, entry.explicit],
        [transcript.url for transcript in entry.transcripts],
        [entry.chapters_url, [person.name for person in entry.persons]],
    ]


def _without_counters(text: str) -> str:
    for word in _COUNTED:  # any() takes twice as long, and this is asked of every text
        if word in text:
            return _COUNTER.sub("", text)
    return text


def decide(entries: Sequence[SeenEntry], known: Sequence[EntryIdentity], *, complete: bool = True) -> FeedChanges:
    """Match a document's entries with the stored ones of the same feed.

    ``entries``: the document, in its order; a stored entry stands for itself where it is known to be in the document
    as it was. ``known``: all stored entries of the feed, tombstones included, or at least those that were in the
    document the last time, those with a name of one of the entries, and the newest. ``whole`` is False when there may
    have been more in the document: nothing that is missing in it has vanished then, and its last entry may be half of
    one, which rewrites nothing.

    >>> from datetime import UTC, datetime
    >>> post = Entry(feed_id="blog", guid="1", url="", title="X", published_at=datetime(2026, 2, 9, tzinfo=UTC))
    >>> [change.kind for change in decide([post], []).changes]
    ['new']
    """
    found = _without_doubles(_with_telling_guids(entries, known), known)
    owners = match_entries(found, known, complete=complete)
    here = {owner.entry_id for owner in owners.values()}
    half = None if complete or not found else found[-1]
    changes = tuple(
        _change(entry, owners.get(entry.guid), half=entry is half) for entry in found if isinstance(entry, Entry)
    )
    alive = [item for item in known if not item.deleted]
    gone = [item for item in alive if complete and item.entry_id not in here and not item.vanished]
    suspicious = _suspicion(changes, alive, found=len(found))
    return FeedChanges(
        changes=changes,
        untouched=len(found) - len(changes),
        vanished=tuple(item.entry_id for item in gone),
        withdrawn=() if suspicious or not found else _withdrawn(gone, owners.get(found[-1].guid, found[-1])),
        reappeared=tuple(item.entry_id for item in alive if item.entry_id in here and item.vanished),
        quarantine_reason=suspicious,
    )


def _withdrawn(gone: Sequence[EntryIdentity], last: SeenEntry) -> tuple[int, ...]:
    """Find what somebody took out: a feed holds the newest so many, so what scrolls off is older than all the others.

    All the others but those pinned to the top; hence the ``last`` one is asked, by its stored date where it has one:
    a double may have lent it an earlier one than the document gives it today.
    """
    return tuple(item.entry_id for item in gone if item.published_at > last.published_at)


def _with_telling_guids(entries: Iterable[SeenEntry], known: Iterable[EntryIdentity]) -> Iterator[SeenEntry]:
    """Tell entries apart by ``guid|link`` where the feed was seen to repeat the guid in one document."""
    stored = {item.guid for item in known}
    repeated = {guid.rpartition("|")[0] for guid in stored if "|" in guid}
    for entry in entries:
        known_as_it_is = entry.guid in stored or entry.guid not in repeated
        yield (
            entry
            if known_as_it_is or isinstance(entry, EntryIdentity)
            else replace(entry, guid=f"{entry.guid}|{entry.url}")
        )


def _without_doubles(entries: Iterable[SeenEntry], known: Iterable[EntryIdentity]) -> list[SeenEntry]:
    """Keep one of the entries that say the same under the same address, a known guid before a new one.

    It keeps the earliest date of them: what is given again is no news.
    """
    stored = {item.guid: item for item in known}
    found = [(entry, (page_key(entry), enclosure_key(entry))) for entry in entries]
    times = Counter(address for _, address in found)
    kept: dict[Hashable, SeenEntry] = {}
    guids: dict[str, Hashable] = {}
    for entry, address in found:  # a title counts only where an address is shared, and its key is slow
        place = guids.setdefault(entry.guid, _place(entry, *address) if times[address] > 1 else entry.guid)
        other = kept.get(place, entry)
        one, other = (entry, other) if entry.guid in stored and other.guid not in stored else (other, entry)
        kept[place] = _dated_as(other, one, stored.get(one.guid))
    return list(kept.values())


def _dated_as(other: SeenEntry, one: SeenEntry, owner: EntryIdentity | None) -> SeenEntry:
    """Date an entry as its double, where that is earlier; but never earlier than a date that is stored already."""
    earlier = (other.dated_by == "first_seen", other.published_at) < (one.dated_by == "first_seen", one.published_at)
    if isinstance(one, EntryIdentity) or not earlier or (owner and other.published_at < owner.published_at):
        return one
    return replace(one, published_at=other.published_at, dated_by=other.dated_by)


def _place(entry: SeenEntry, page: str, media: str) -> Hashable:
    """Give page, title and file, which two entries cannot share; without a page of its own, the guid."""
    title = title_key(entry.title)
    return (page, title, media) if key_path(page) and title else entry.guid


def _change(entry: Entry, owner: EntryIdentity | None, *, half: bool = False) -> EntryChange:
    """Say what is to be done about one entry; ``half`` of a known one is nothing new."""
    mark = fingerprint(entry)
    if owner is None:
        return EntryChange(kind="new", entry=entry, fingerprint=mark)
    renamed = entry.guid != owner.guid and not is_same_address(entry.guid, owner.guid)
    kept = _dated_as_first(entry, owner, renamed=renamed)
    if owner.deleted or half:
        return EntryChange(kind="same", entry=replace(kept, guid=owner.guid), fingerprint=mark, entry_id=owner.entry_id)
    if renamed:
        return EntryChange(kind="repaired", entry=kept, fingerprint=mark, entry_id=owner.entry_id)
    same = mark == owner.fingerprint and not _date_corrected(kept, owner)
    kept = replace(kept, guid=owner.guid)
    return EntryChange(kind="same" if same else "changed", entry=kept, fingerprint=mark, entry_id=owner.entry_id)


def _dated_as_first(entry: Entry, owner: EntryIdentity, *, renamed: bool) -> Entry:
    """Keep the date stored first where the document gives none, that of an edit, or a later one with a new guid."""
    later = renamed and entry.dated_by == owner.dated_by and entry.published_at > owner.published_at
    if entry.dated_by == "published" and not later:
        return entry
    return replace(entry, published_at=owner.published_at, dated_by=owner.dated_by)


def _date_corrected(entry: Entry, owner: EntryIdentity) -> bool:
    """Say whether the document now knows better: a date where there was none, or an earlier one.

    A later date on the same content is no news: some feeds stamp every item anew at every read.
    """
    return entry.dated_by != owner.dated_by or entry.published_at < owner.published_at


def _suspicion(changes: Sequence[EntryChange], known: Sequence[EntryIdentity], *, found: int) -> str:
    """Say in a sentence why the new entries, of so many found, cannot be news, or nothing."""
    fresh = [change.entry for change in changes if change.kind == "new"]
    if len(known) < _OLD_FEED or len(fresh) < _OLD_FEED or 2 * len(fresh) <= found:
        return ""
    familiar = len(fresh) < found
    if 2 * _old_looking(fresh, known, familiar=familiar) <= found and (familiar or not _hurried(fresh, known)):
        return ""
    return (
        f"{len(fresh)} of {found} entries turned new at once although {len(known)} were known; "
        "look whether the feed moved or was imported anew"
    )


def _old_looking(fresh: Sequence[Entry], known: Sequence[EntryIdentity], *, familiar: bool) -> int:
    """Count the new entries that are no later than what was known, or cannot show that they are.

    ``familiar``: the document also holds known entries, so that one without a date, or with a title seen before, may
    well be new.
    """
    newest = max(item.published_at for item in known)
    titles = Counter(title_key(item.title) for item in known)
    return sum(
        (entry.dated_by != "first_seen" and entry.published_at <= newest)
        or (not familiar and (entry.dated_by == "first_seen" or titles[title_key(entry.title)] == 1))
        for entry in fresh
    )


def _hurried(fresh: Sequence[Entry], known: Sequence[EntryIdentity]) -> bool:
    """Say whether the entries came many times faster than the latest known ones did."""
    before = sorted(item.published_at for item in known)[-len(fresh) :]
    now = [entry.published_at for entry in fresh]
    return (max(now) - min(now)) / len(now) * _HURRY < (before[-1] - before[0]) / len(before)
