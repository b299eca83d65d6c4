"""Matches the entries of a document with the stored entries of the same feed.

Rules are tried in this order; a matched pair takes no part in the following ones:

1. the guid, exactly;
2. the guid or link as a URL, without scheme, www, trailing slash, fragment and tracking parameters;
3. the media file, without query and redirect prefixes;
4. a repair, only for stored entries that are no longer in the document: the same title on the same day (or, after a
   move to another domain, under the same path), with a similar duration and the same media type;
5. the same content (``dedupe``), if exactly one stored entry has it and it is no longer in the document.

While two entries are both in the document they are different: a daily show repeats its title. A key that several
entries of one side have (every entry links to the home page) identifies none of them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from pipeline.model.entry import Entry, EntryIdentity
from pipeline.text.similarity import title_key
from pipeline.text.urls import media_key, url_key

_MAX_DURATION_DIFFERENCE_SECONDS = 600
_DAY = timedelta(days=1)
_HOST = re.compile(r"[^/?]*")

SeenEntry = Entry | EntryIdentity
"""An entry of a document; an `EntryIdentity` if it is unchanged and was not parsed."""
EntryMatch = tuple[SeenEntry, EntryIdentity]


def match_entries(
    entries: Sequence[SeenEntry], stored: Sequence[EntryIdentity], *, complete: bool = True
) -> dict[str, EntryIdentity]:
    """Return the stored entry of each entry that has one, by the entry's guid.

    ``entries`` are those of a document, with distinct guids. Each stored entry is matched at most once. If the document
    is not ``complete``, nothing is repaired: the old guid may be in the missing part.
    """
    matches: dict[str, EntryIdentity] = {}
    repairs = (_by_day, _by_path) if complete else ()
    for rule in (_by_guid, _by_guid_url, _by_page, _by_enclosure, *repairs):
        if len(matches) in (len(entries), len(stored)):
            break  # the usual cases: every entry is matched, or nothing is left to match
        taken = {identity.entry_id for identity in matches.values()}
        for entry, identity in rule(entries, stored):
            if entry.guid not in matches and identity.entry_id not in taken:
                matches[entry.guid] = identity
                taken.add(identity.entry_id)
    return matches


def is_same_address(guid: str, other: str) -> bool:
    """Check whether two guids are spellings of one URL.

    >>> is_same_address("http://example.org/?p=1", "https://www.example.org/?p=1"), is_same_address("a", "b")
    (True, False)
    """
    return bool(_guid_url_key(guid)) and _guid_url_key(guid) == _guid_url_key(other)


def page_key(entry: SeenEntry) -> str:
    """Return the URL key of an entry's page, or "" if it has none."""
    return entry.url_key if isinstance(entry, EntryIdentity) else url_key(entry.url)


def enclosure_key(entry: SeenEntry) -> str:
    """Return the key of an entry's media file, or "" if it has none."""
    if isinstance(entry, EntryIdentity):
        return entry.enclosure_key
    return media_key(entry.enclosure.url) if entry.enclosure else ""


def enclosure_type(entry: SeenEntry) -> str:
    """Return the media type of an entry's file, or "" if it has none."""
    if isinstance(entry, EntryIdentity):
        return entry.media_type
    return entry.enclosure.media_type if entry.enclosure else ""


def key_path(key: str) -> str:
    """Return what follows the host in a URL key, or "" for a home page.

    >>> key_path("example.org/a/b"), key_path("example.org?p=1"), key_path("example.org")
    ('/a/b', '?p=1', '')
    """
    return _HOST.sub("", key, count=1)


def _by_guid(entries: Sequence[SeenEntry], stored: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    by_guid = {identity.guid: identity for identity in stored}
    return ((entry, by_guid[entry.guid]) for entry in entries if entry.guid in by_guid)


def _by_guid_url(entries: Sequence[SeenEntry], stored: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    return _join(*_without_shared_guids(entries, stored), lambda entry: _guid_url_key(entry.guid))


def _by_page(entries: Sequence[SeenEntry], stored: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    return (match for match in _join(entries, stored, page_key) if not _is_contradicted(*match))


def _by_enclosure(entries: Sequence[SeenEntry], stored: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    return (match for match in _join(entries, stored, enclosure_key) if not _is_contradicted(*match))


def _by_day(entries: Sequence[SeenEntry], stored: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    """Return matches by title and day, those nearest in time first."""
    entries, stored = _without_shared_guids(entries, stored)
    days = {_day(entry) for entry in entries}
    candidates: dict[tuple[date | None, str], list[EntryIdentity]] = defaultdict(list)
    for identity in stored:
        if _day(identity) in days:  # computes no title keys for the rest of the archive
            candidates[_day(identity), title_key(identity.title)].append(identity)
    matches = [
        (entry, identity)
        for entry in entries
        if entry.title and _day(entry)
        for identity in candidates.get((_day(entry), title_key(entry.title)), ())
        if _is_same_medium(entry, identity)
    ]
    return iter(sorted(matches, key=lambda match: abs(match[0].published_at - match[1].published_at)))


def _by_path(entries: Sequence[SeenEntry], stored: Sequence[EntryIdentity]) -> Iterator[EntryMatch]:
    """Yield matches by title and path after a move to another domain, whatever the dates."""
    for entry, identity in _join(entries, stored, lambda entry: key_path(page_key(entry))):
        moved = page_key(entry) != identity.url_key
        same_title = entry.title and title_key(entry.title) == title_key(identity.title)
        if moved and same_title and _is_same_medium(entry, identity) and not _is_contradicted(entry, identity):
            yield entry, identity


def _without_shared_guids(
    entries: Sequence[SeenEntry], stored: Sequence[EntryIdentity]
) -> tuple[Sequence[SeenEntry], Sequence[EntryIdentity]]:
    """Return both sides without the entries that match by guid: nearly all, and some keys are slow to compute."""
    shared = {entry.guid for entry in entries} & {identity.guid for identity in stored}
    return (
        [entry for entry in entries if entry.guid not in shared],
        [identity for identity in stored if identity.guid not in shared],
    )


def _join(
    entries: Sequence[SeenEntry],
    stored: Sequence[EntryIdentity],
    key: Callable[[SeenEntry], str],
) -> Iterator[EntryMatch]:
    """Yield the pairs whose key exactly one entry and one stored entry have."""
    stored_keys = [key(identity) for identity in stored]
    distinct_keys = set(stored_keys)
    # Entries that were not parsed already match by guid.
    if not any(isinstance(entry, Entry) and key(entry) in distinct_keys for entry in entries):
        return
    entry_keys = [key(entry) for entry in entries]
    entry_counts, stored_counts = Counter(entry_keys), Counter(stored_keys)
    by_key = dict(zip(stored_keys, stored, strict=True))
    for entry, entry_key in zip(entries, entry_keys, strict=True):
        if entry_key and entry_counts[entry_key] == stored_counts[entry_key] == 1:
            yield entry, by_key[entry_key]


def _day(entry: SeenEntry) -> date | None:
    """Return the UTC day of publication, or None if only the day of the first fetch is known."""
    return None if entry.dated_by == "first_seen" else entry.published_at.date()


def _is_same_medium(entry: SeenEntry, identity: EntryIdentity) -> bool:
    """Check whether both may be the same recording, or neither is one."""
    if bool(enclosure_key(entry)) != bool(identity.enclosure_key):
        return False
    if identity.media_type and enclosure_type(entry) != identity.media_type:
        return False
    if entry.duration_seconds is None or identity.duration_seconds is None:
        return True
    return abs(entry.duration_seconds - identity.duration_seconds) <= _MAX_DURATION_DIFFERENCE_SECONDS


def _is_contradicted(entry: SeenEntry, identity: EntryIdentity) -> bool:
    """Check whether date and content both contradict an equal URL.

    True for a repeat of an old file under another title, and for a page that always shows today's edition.
    """
    if "first_seen" in (entry.dated_by, identity.dated_by):
        return False
    difference = abs(entry.published_at - identity.published_at)
    if identity.enclosure_key and enclosure_key(entry) not in ("", identity.enclosure_key):
        return difference > _DAY / 2
    return difference > _DAY and title_key(entry.title) != title_key(identity.title)


def _guid_url_key(guid: str) -> str:
    """Return the URL key of a guid that is a URL (RSS 2.0 permalink), else ""."""
    return url_key(guid) if guid.lower().startswith(("http://", "https://")) else ""
