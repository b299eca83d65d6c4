"""The identity ladder within one feed: find the stored entry an entry is.

In: the entries of a document and the stored ones of the same feed. Out: matches. Touches nothing. A stored entry may
stand in the document for itself, where it is known to be there as it was.

One rung after the other; an entry or a stored one that has found its match leaves the ladder:

1. the guid, letter by letter;
2. an alias: guid or link without scheme, www, trailing slash, fragment and tracking parameters;
3. the media file without query and redirect prefixes;
4. repair, only for stored entries that have left the document: the same title on the same day (or, after a move to
   another domain, under the same path), about as long, of the same media type.

While both are in the document they are two entries: a daily show repeats its title. A key that several entries of
one side share (every item links to the home page) names none of them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from pipeline.model.entry import Entry, EntryIdentity
from pipeline.text.similarity import title_key
from pipeline.text.urls import media_key, url_key

_DURATION_SLACK_SECONDS = 600
_DAY = timedelta(days=1)
_HOST = re.compile(r"[^/?]*")

SeenEntry = Entry | EntryIdentity
"""An entry of a document: read, or standing for itself."""
EntryMatch = tuple[SeenEntry, EntryIdentity]


def match_entries(
    entries: Sequence[SeenEntry], known: Sequence[EntryIdentity], *, complete: bool = True
) -> dict[str, EntryIdentity]:
    """Find the stored entry of each entry of a document: the answer's keys are the entries' guids.

    ``entries``: a document, no guid twice. ``known``: all stored entries of its feed. Nobody is matched twice. Where
    the document is not ``whole``, nothing is repaired: the old guid may be in the part that is missing.
    """
    owners: dict[str, EntryIdentity] = {}
    repairs = (_by_day, _by_path) if complete else ()
    for rung in (_by_guid, _by_alias, _by_address, _by_media, *repairs):
        if len(owners) in (len(entries), len(known)):
            break  # the usual cases: nothing new to look for, nothing left to find
        taken = {owner.entry_id for owner in owners.values()}
        for entry, item in rung(entries, known):
            if entry.guid not in owners and item.entry_id not in taken:
                owners[entry.guid] = item
                taken.add(item.entry_id)
    return owners


def is_same_address(guid: str, other: str) -> bool:
    """Say whether two guids are two spellings of one address.

    >>> same_alias("http://example.org/?p=1", "https://www.example.org/?p=1"), same_alias("a", "b")
    (True, False)
    """
    return bool(_address(guid)) and _address(guid) == _address(other)


def page_key(entry: SeenEntry) -> str:
    """Give the key of an entry's page; empty where it has none."""
    return entry.url_key if isinstance(entry, EntryIdentity) else url_key(entry.url)


def enclosure_key(entry: SeenEntry) -> str:
    """Give the key of an entry's media file; empty where it has none."""
    if isinstance(entry, EntryIdentity):
        return entry.enclosure_key
    return media_key(entry.enclosure.url) if entry.enclosure else ""


def enclosure_type(entry: SeenEntry) -> str:
    """Give the media type of an entry's file; empty where it has none."""
    if isinstance(entry, EntryIdentity):
        return entry.media_type
    return entry.enclosure.media_type if entry.enclosure else ""


def key_path(address_key: str) -> str:
    """Give what follows the domain in an address's key; empty for a home page.

    >>> path_of("example.org/a/b"), path_of("example.org?p=1"), path_of("example.org")
    ('/a/b', '?p=1', '')
    """
    return _HOST.sub("", address_key, count=1)


def _by_guid(entries: Sequence[SeenEntry], known: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    stored = {item.guid: item for item in known}
    return ((entry, stored[entry.guid]) for entry in entries if entry.guid in stored)


def _by_alias(entries: Sequence[SeenEntry], known: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    return _unique(*_strangers(entries, known), lambda one: _address(one.guid))


def _by_address(entries: Sequence[SeenEntry], known: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    matches = _unique(entries, known, page_key)
    return (match for match in matches if not _contradicts(*match))


def _by_media(entries: Sequence[SeenEntry], known: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    matches = _unique(entries, known, enclosure_key)
    return (match for match in matches if not _contradicts(*match))


def _by_day(entries: Sequence[SeenEntry], known: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    """Repair by title and day; of several that have both, those nearest in time belong together."""
    entries, known = _strangers(entries, known)
    days = {_day(entry) for entry in entries}
    stored: dict[tuple[date | None, str], list[EntryIdentity]] = defaultdict(list)
    for item in known:
        if _day(item) in days:  # spares the archive the work of a title key
            stored[_day(item), title_key(item.title)].append(item)
    matches = [
        (entry, item)
        for entry in entries
        if entry.title and _day(entry)
        for item in stored.get((_day(entry), title_key(entry.title)), ())
        if _same_medium(entry, item)
    ]
    return iter(sorted(matches, key=lambda match: abs(match[0].published_at - match[1].published_at)))


def _by_path(entries: Sequence[SeenEntry], known: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    """Repair by title and path after a move to another domain, whatever the dates."""
    for entry, item in _unique(entries, known, lambda one: key_path(page_key(one))):
        moved = page_key(entry) != item.url_key and entry.title and title_key(entry.title) == title_key(item.title)
        if moved and _same_medium(entry, item) and not _contradicts(entry, item):
            yield entry, item


def _strangers(
    entries: Sequence[SeenEntry], known: Sequence[EntryIdentity]
) -> tuple[Sequence[SeenEntry], Sequence[EntryIdentity]]:
    """Leave out those who know each other by guid: nearly all, and some keys are slow to make."""
    same = {entry.guid for entry in entries} & {item.guid for item in known}
    return [entry for entry in entries if entry.guid not in same], [item for item in known if item.guid not in same]


def _unique(
    entries: Sequence[SeenEntry],
    known: Sequence[EntryIdentity],
    key: Callable[[SeenEntry], str],
) -> Iterator[EntryMatch]:
    """Join both sides on a key that one entry and one stored entry have, and no other.

    An entry that stands for itself has found its match before, by its guid.
    """
    right = [key(item) for item in known]
    stored_keys = set(right)
    if not any(isinstance(entry, Entry) and key(entry) in stored_keys for entry in entries):
        return
    left = [key(entry) for entry in entries]
    count, known_count = Counter(left), Counter(right)
    stored = dict(zip(right, known, strict=True))
    for entry, name in zip(entries, left, strict=True):
        if name and count[name] == known_count[name] == 1:
            yield entry, stored[name]


def _day(entry: Entry | EntryIdentity) -> date | None:
    """Give the UTC day; the day of the first sight says nothing."""
    return None if entry.dated_by == "first_seen" else entry.published_at.date()


def _same_medium(entry: SeenEntry, item: EntryIdentity) -> bool:
    """Say whether both could be the same recording, or neither is one."""
    media_type = enclosure_type(entry)
    if bool(enclosure_key(entry)) != bool(item.enclosure_key) or (item.media_type and media_type != item.media_type):
        return False
    if entry.duration_seconds is None or item.duration_seconds is None:
        return True
    return abs(entry.duration_seconds - item.duration_seconds) <= _DURATION_SLACK_SECONDS


def _contradicts(entry: SeenEntry, item: EntryIdentity) -> bool:
    """Say whether date and content both deny what an address claims.

    So do a re-run of an old file under another title, and a page that always shows today's edition.
    """
    if "first_seen" in (entry.dated_by, item.dated_by):
        return False
    apart = abs(entry.published_at - item.published_at)
    if item.enclosure_key and enclosure_key(entry) not in ("", item.enclosure_key):
        return apart > _DAY / 2
    return apart > _DAY and title_key(entry.title) != title_key(item.title)


def _address(guid: str) -> str:
    """Give a guid's key where it is an address (RSS 2.0 permalink), else nothing."""
    return url_key(guid) if guid.lower().startswith(("http://", "https://")) else ""
