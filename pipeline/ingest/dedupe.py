"""Decides what a document changes in the store: which entries are new, changed, the same or repaired."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from pipeline.ingest.identity import SeenEntry, enclosure_key, is_same_address, key_path, match_entries, page_key
from pipeline.model.entry import Entry, EntryIdentity
from pipeline.model.update import EntryChange, FeedChanges
from pipeline.text.similarity import title_key
from pipeline.text.text_keys import page_path
from pipeline.text.urls import url_key

_MIN_KNOWN = 3
"""A feed with fewer stored entries, or a document with fewer new ones, is never quarantined."""
_BURST_FACTOR = 10
"""Entries published this many times faster than before are an import, not news."""
_MIN_OWN_CHARS = 100
"""A shorter text is not enough to recognise an entry by its content."""
_to_json = json.JSONEncoder(ensure_ascii=False).encode
_COUNTER_WORDS = ("comment", "view", "like", "share", "replies", "responses", "plays", "downloads")
_COUNTER = re.compile(
    r"\b(?<!\d[.,])\d++(?:[.,]\d++)*+[.,]*+[KkMm]?\s++"
    r"(?:comments?|views?|likes?|shares?|replies|responses|plays|downloads)\b"
)


def fingerprint(entry: Entry, *, page: str | None = None) -> str:
    """Return a SHA-256 (hexadecimal) of the visible content; ``page`` stands for another ``url_key``.

    Left out are the dates, the guid, the spelling of URLs, comment and view counts, and the exact length and duration
    of the enclosure, which change with inserted advertising.

    >>> from datetime import datetime, UTC
    >>> day = datetime(2026, 2, 9, tzinfo=UTC)
    >>> post = Entry(feed_id="blog", guid="1", url="https://a.example/x", title="X", published_at=day)
    >>> fingerprint(post) == fingerprint(replace(post, guid="2", url="http://www.a.example/x/"))
    True
    >>> fingerprint(post) == fingerprint(replace(post, title="Y"))
    False
    """
    media_type = entry.enclosure.media_type if entry.enclosure else ""
    content = [
        url_key(entry.url) if page is None else page,
        [entry.title, entry.label, entry.author, entry.guest],
        [_without_counters(entry.body_html), _without_counters(entry.excerpt_text)],
        sorted(entry.categories),
        entry.picture.url if entry.picture else "",
        [enclosure_key(entry), media_type, entry.duration_seconds is not None],
        [entry.season, entry.episode, entry.episode_type, entry.explicit],
        [transcript.url for transcript in entry.transcripts],
        [entry.chapters_url, [person.name for person in entry.persons]],
        *(summary for summary in entry.summaries if summary != entry.excerpt_text),
    ]
    return hashlib.sha256(_to_json(content).encode("utf-8", "replace")).hexdigest()


def _without_counters(text: str) -> str:
    for word in _COUNTER_WORDS:  # any() takes twice as long, and this runs for every text
        if word in text:
            return _COUNTER.sub("", text)
    return text


def decide(entries: Sequence[SeenEntry], stored: Sequence[EntryIdentity], *, complete: bool = True) -> FeedChanges:
    """Return the changes between a document's entries and the stored ones of the same feed.

    ``entries`` are in document order; an `EntryIdentity` among them is unchanged and was not parsed. ``stored`` are all
    stored entries of the feed with its tombstones, or at least those of the last document, those that share a key with
    an entry, and the newest. ``complete=False`` means that the document may have contained more: then nothing has
    vanished, and the last entry may be partial and changes nothing.

    >>> from datetime import UTC, datetime
    >>> post = Entry(feed_id="blog", guid="1", url="", title="X", published_at=datetime(2026, 2, 9, tzinfo=UTC))
    >>> [change.kind for change in decide([post], []).entries]
    ['new']
    """
    seen = _drop_duplicates(_disambiguate_guids(entries, stored), stored)
    matches = match_entries(seen, stored, complete=complete)
    if complete and len(matches) < len(seen):
        seen = _match_copies(seen, stored, matches)
    matched_ids = {identity.entry_id for identity in matches.values()}
    partial = None if complete or not seen else seen[-1]
    changes = tuple(
        _change(entry, matches.get(entry.guid), partial=entry is partial) for entry in seen if isinstance(entry, Entry)
    )
    alive = [identity for identity in stored if not identity.deleted]
    vanished = [
        identity for identity in alive if complete and identity.entry_id not in matched_ids and not identity.vanished
    ]
    reason = _quarantine_reason(changes, alive, total=len(seen))
    withdrawn: tuple[int, ...] = ()
    if seen and not reason:
        # A feed contains its newest entries, so an entry that scrolls off is older than the last one. The last one is
        # compared by its stored date: that may be the earlier date of a duplicate, not the one in the document.
        last = matches.get(seen[-1].guid, seen[-1])
        withdrawn = tuple(identity.entry_id for identity in vanished if identity.published_at > last.published_at)
    return FeedChanges(
        entries=changes,
        untouched=len(seen) - len(changes),
        vanished=tuple(identity.entry_id for identity in vanished),
        withdrawn=withdrawn,
        reappeared=tuple(
            identity.entry_id for identity in alive if identity.entry_id in matched_ids and identity.vanished
        ),
        quarantine_reason=reason,
    )


def _disambiguate_guids(entries: Iterable[SeenEntry], stored: Iterable[EntryIdentity]) -> Iterator[SeenEntry]:
    """Yield the entries, renamed to ``guid|link`` or ``guid|media`` where the feed is known to repeat a guid.

    Which of the entries with that guid comes first in the document, or left it, must not make one of them another.
    """
    by_guid = {identity.guid: identity for identity in stored}
    repeated = {guid.rpartition("|")[0] for guid in by_guid if "|" in guid}
    for entry in entries:
        if entry.guid in repeated and isinstance(entry, Entry):
            first = by_guid.get(entry.guid)
            names = [f"{entry.guid}|{suffix}" for suffix in (entry.url, enclosure_key(entry)) if suffix]
            is_first = first and (page_key(entry), enclosure_key(entry)) == (first.url_key, first.enclosure_key)
            known = next((name for name in names if name in by_guid), "")
            if names and not is_first and (known or not first):
                entry = replace(entry, guid=known or names[0])
        yield entry


def _drop_duplicates(entries: Iterable[SeenEntry], stored: Iterable[EntryIdentity]) -> list[SeenEntry]:
    """Return one entry for all with the same page, title and file, preferring a stored guid.

    It gets the earliest date of them: a repeated entry is not news.
    """
    by_guid = {identity.guid: identity for identity in stored}
    keyed = [(entry, (page_key(entry), enclosure_key(entry))) for entry in entries]
    counts = Counter(key for _, key in keyed)
    kept: dict[Hashable, SeenEntry] = {}
    slots: dict[str, Hashable] = {}
    for entry, key in keyed:  # the title is only compared where the keys are equal: its key is slow
        slot = slots.setdefault(entry.guid, _duplicate_key(entry, *key) if counts[key] > 1 else entry.guid)
        previous = kept.get(slot, entry)
        prefer_entry = entry.guid in by_guid and previous.guid not in by_guid
        winner, loser = (entry, previous) if prefer_entry else (previous, entry)
        kept[slot] = _with_earlier_date(winner, loser, by_guid.get(winner.guid))
    return list(kept.values())


def _match_copies(
    seen: Sequence[SeenEntry], stored: Sequence[EntryIdentity], matches: dict[str, EntryIdentity]
) -> list[SeenEntry]:
    """Match entries whose content is that of a stored entry which left the document, whatever guid, address and date.

    Return the entries without those that are a second copy at the same address, apart from its query.
    """
    taken = {identity.entry_id for identity in matches.values()}
    by_title: dict[str, list[EntryIdentity]] = defaultdict(list)
    for identity in stored:
        by_title[identity.title].append(identity)
    kept = []
    for entry in seen:
        original = None if entry.guid in matches else _only_copy(entry, by_title.get(entry.title, ()))
        if original and original.entry_id not in taken:
            matches[entry.guid] = original
            taken.add(original.entry_id)
        elif original and page_path(page_key(entry)) == page_path(original.url_key) != "":
            continue
        kept.append(entry)
    return kept


def _only_copy(entry: SeenEntry, identities: Iterable[EntryIdentity]) -> EntryIdentity | None:
    """Return the identity with an entry's content; None if several have it, or if it is hardly any."""
    if isinstance(entry, EntryIdentity) or len(entry.body_html or entry.excerpt_text) < _MIN_OWN_CHARS:
        return None
    copies = [one for one in identities if fingerprint(entry, page=one.url_key) == one.fingerprint]
    return copies[0] if len(copies) == 1 else None


def _with_earlier_date(entry: SeenEntry, duplicate: SeenEntry, identity: EntryIdentity | None) -> SeenEntry:
    """Return the entry with its duplicate's date if that is earlier, but never earlier than the stored date."""
    is_earlier = (duplicate.dated_by == "first_seen", duplicate.published_at) < (
        entry.dated_by == "first_seen",
        entry.published_at,
    )
    is_before_stored = identity and duplicate.published_at < identity.published_at
    if isinstance(entry, EntryIdentity) or not is_earlier or is_before_stored:
        return entry
    return replace(entry, published_at=duplicate.published_at, dated_by=duplicate.dated_by)


def _duplicate_key(entry: SeenEntry, page: str, enclosure: str) -> Hashable:
    """Return page, title and file, or the guid if the entry has no page of its own."""
    title = title_key(entry.title)
    return (page, title, enclosure) if key_path(page) and title else entry.guid


def _change(entry: Entry, identity: EntryIdentity | None, *, partial: bool = False) -> EntryChange:
    """Return the change of one entry; a ``partial`` one does not change a stored one."""
    digest = fingerprint(entry)
    if identity is None:
        return EntryChange(kind="new", entry=entry, fingerprint=digest)
    renamed = entry.guid != identity.guid and not is_same_address(entry.guid, identity.guid)
    # The stored date stays if the document has none, only that of an edit, or a later one with another guid.
    later = renamed and entry.dated_by == identity.dated_by and entry.published_at > identity.published_at
    if entry.dated_by != "published" or later:
        entry = replace(entry, published_at=identity.published_at, dated_by=identity.dated_by)
    if renamed and not identity.deleted and not partial:
        return EntryChange(kind="repaired", entry=entry, fingerprint=digest, entry_id=identity.entry_id)
    # A later date on the same content is ignored: some feeds date every entry anew at every fetch.
    date_corrected = entry.dated_by != identity.dated_by or entry.published_at < identity.published_at
    same = identity.deleted or partial or (digest == identity.fingerprint and not date_corrected)
    entry = replace(entry, guid=identity.guid)
    return EntryChange(kind="same" if same else "changed", entry=entry, fingerprint=digest, entry_id=identity.entry_id)


def _quarantine_reason(changes: Sequence[EntryChange], stored: Sequence[EntryIdentity], *, total: int) -> str:
    """Return why the new entries of a document with ``total`` entries cannot be news, or ""."""
    new = [change.entry for change in changes if change.kind == "new"]
    if len(stored) < _MIN_KNOWN or len(new) < _MIN_KNOWN or 2 * len(new) <= total:
        return ""
    has_known = len(new) < total
    if 2 * _count_old(new, stored, has_known=has_known) <= total and (has_known or not _is_burst(new, stored)):
        return ""
    return (
        f"{len(new)} of {total} entries turned new at once although {len(stored)} were known; "
        "check whether the feed moved or was imported anew"
    )


def _count_old(new: Sequence[Entry], stored: Sequence[EntryIdentity], *, has_known: bool) -> int:
    """Return how many new entries are no later than the stored ones, or cannot show that they are.

    If the document also contains known entries (``has_known``), an entry without a date or with a stored title counts
    as new.
    """
    newest = max(identity.published_at for identity in stored)
    titles = Counter(title_key(identity.title) for identity in stored)
    return sum(
        (entry.dated_by != "first_seen" and entry.published_at <= newest)
        or (not has_known and (entry.dated_by == "first_seen" or titles[title_key(entry.title)] == 1))
        for entry in new
    )


def _is_burst(new: Sequence[Entry], stored: Sequence[EntryIdentity]) -> bool:
    """Check whether the entries were published many times faster than the latest stored ones."""
    before = sorted(identity.published_at for identity in stored)[-len(new) :]
    now = [entry.published_at for entry in new]
    return (max(now) - min(now)) / len(now) * _BURST_FACTOR < (before[-1] - before[0]) / len(before)
